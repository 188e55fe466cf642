"""Exploration in an answer: whether an order qualifies, and what the list becomes when one dealer is let in by chance."""

from serve.domain.case import Case
from serve.domain.exploration import Exploration, explore
from serve.domain.orders import Mode
from serve.domain.rules import Kind
from serve.domain.selection import Selection
from serve.domain.shortlist import Shared, Shortlist


def explored(case: Case, shortlist: Shortlist, rules: Exploration, key: str) -> Shortlist:
    """Perhaps let one dealer in by chance: only in a small, liquid order that no limit protects, and never in a whisper.

    ``key`` is the recommendation's identifier: with it and the desk's seed, a replay draws the same.
    """
    view, chosen = case.standing.rating.view, shortlist.chosen
    if rules.share == 0 or view is None or not _qualifies(case, rules):
        return shortlist
    ranked = {item.row: item for item in (*chosen.chosen, *chosen.passed)}
    drawn = explore(view, [item.row for item in chosen.chosen], sorted(ranked), rules, key)
    made = Selection(
        chosen=[ranked[row] for row in drawn.rows],
        beyond_limit=chosen.beyond_limit,
        passed=[item for row, item in ranked.items() if row not in set(drawn.rows)],
    )
    if drawn.added is not None:
        name = case.market.dealers[ranked[drawn.added].dealer_id].name
        case.decision.notes.append(f"{name} is asked to learn how good it is, by a chance of {drawn.propensity:.2%}.")
    excluded = [item for item in shortlist.left_out if item.gate not in {"max_dealers", "pick"}]
    return Shortlist(
        chosen=made,
        field=shortlist.field,
        dealers=Shared(case.shown(place, item, shortlist.field, None) for place, item in enumerate(made.chosen, start=1)),
        left_out=Shared(excluded + case.left_out(made, shortlist.field)),
        held=(),
        propensity=drawn.propensity,
    )


def _qualifies(case: Case, rules: Exploration) -> bool:
    small = case.order.quantity <= rules.max_quantity and not case.view.illiquid
    protected = case.plan.mode is not Mode.PARALLEL or any(rule.kind == Kind.CONSTRAIN for rule in case.decision.matched)
    plain = len(case.decision.pick) == 1 and case.decision.pick[0].tier is None and case.decision.pick[0].where is None
    return small and plain and not protected
