"""A draft tried on past orders: what it would have changed against the rules in force."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from serve.domain.expected_cost import CostDifference, Pair, cost_difference
from serve.domain.market import Scorecards
from serve.domain.orders import Plan
from serve.domain.recommendation import Recommendation
from serve.domain.rules import Kind

HOW_COST_IS_COMPUTED = (
    "Mean over the orders of the expected cost of the draft's list less that of the list in force, in bps against arrival, "
    "positive = the draft costs more. A list's expected gain is its dealers' price improvement over 90 days, weighted by "
    "fill rate; the 95 % interval comes from the intervals of those figures, each dealer's error being the same in every "
    "order. Leakage is not in it."
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one book makes of one order: the dealers to ask in order, the rules that had their say, the plan."""

    dealers: list[str]
    rules: list[str]
    selected: bool
    plan: Plan


class Rerun(msgspec.Struct, frozen=True, kw_only=True):
    """One past order run by both books on one snapshot; ``own_snapshot`` = it is the one that the order was answered from.

    A book that failed on it gives ``None`` and the reason. ``cards`` are by which the lists are compared.
    """

    recommendation_id: str
    order_id: str
    security_id: str
    received_at: datetime
    snapshot_id: str
    own_snapshot: bool
    cards: Scorecards | None
    live: Outcome | None
    draft: Outcome | None
    failure: str | None = None


def outcome(answer: Recommendation) -> Outcome:
    """Keep of an answer what two books are compared by."""
    return Outcome(
        dealers=[dealer.dealer_id for dealer in answer.dealers],
        rules=[rule.id for rule in answer.matched_rules],
        selected=any(rule.kind == Kind.SELECT for rule in answer.matched_rules),
        plan=answer.plan,
    )


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer whose place among those to ask changes; ``None`` = not asked."""

    dealer_id: str
    rank_before: int | None
    rank_after: int | None


class OrderChange(msgspec.Struct, frozen=True, kw_only=True):
    """One order on which the books differ."""

    recommendation_id: str
    order_id: str
    security_id: str
    received_at: datetime
    snapshot_id: str
    own_snapshot: bool
    rules_before: list[str]
    rules_after: list[str]
    dealers_before: list[str]
    dealers_after: list[str]
    moved: list[Moved]
    plan_before: Plan | None
    plan_after: Plan | None
    failure: str | None


class RuleCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the orders a rule has its say in, before and after; ``(default)`` = no select rule matches."""

    id: str
    before: int
    after: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft would have changed. Averages are per order; ``cost`` and ``how`` belong together."""

    live_version: str
    draft_version: str
    orders: int
    left_out: int
    on_other_snapshot: int
    failed: int
    changed: int
    rules: list[RuleCount]
    dealers_asked_before: float | None
    dealers_asked_after: float | None
    cost: CostDifference
    how: str
    notes: list[str]
    changes: list[OrderChange]


def trial(reruns: Sequence[Rerun], live_version: str, draft_version: str, *, left_out: int = 0, shown: int = 100) -> Trial:
    """Sum up the reruns; at most ``shown`` changed orders are told one by one, the latest first."""
    both = [(run, run.live, run.draft) for run in reruns if run.live and run.draft]
    changes = [change for run in reruns if (change := _change(run))]
    pairs = [
        Pair(snapshot_id=run.snapshot_id, cards=run.cards, first=live.dealers, second=draft.dealers)
        for run, live, draft in both
        if run.cards is not None
    ]
    elsewhere = sum(not run.own_snapshot for run in reruns)
    changes.sort(key=lambda change: change.received_at, reverse=True)
    return Trial(
        live_version=live_version,
        draft_version=draft_version,
        orders=len(reruns),
        left_out=left_out,
        on_other_snapshot=elsewhere,
        failed=sum(run.failure is not None for run in reruns),
        changed=len(changes),
        rules=_counts([live for _, live, _ in both], [draft for _, _, draft in both]),
        dealers_asked_before=_mean([len(live.dealers) for _, live, _ in both]),
        dealers_asked_after=_mean([len(draft.dealers) for _, _, draft in both]),
        cost=cost_difference(pairs),
        how=HOW_COST_IS_COMPUTED,
        notes=_notes(len(reruns), elsewhere, left_out, len(changes) - shown),
        changes=changes[:shown],
    )


def _change(run: Rerun) -> OrderChange | None:
    live, draft = run.live, run.draft
    if live == draft and run.failure is None:
        return None
    before, after = live.dealers if live else [], draft.dealers if draft else []
    return OrderChange(
        recommendation_id=run.recommendation_id,
        order_id=run.order_id,
        security_id=run.security_id,
        received_at=run.received_at,
        snapshot_id=run.snapshot_id,
        own_snapshot=run.own_snapshot,
        rules_before=live.rules if live else [],
        rules_after=draft.rules if draft else [],
        dealers_before=before,
        dealers_after=after,
        moved=_moved(before, after),
        plan_before=live.plan if live else None,
        plan_after=draft.plan if draft else None,
        failure=run.failure,
    )


def _moved(before: Sequence[str], after: Sequence[str]) -> list[Moved]:
    was, will = ({name: place for place, name in enumerate(listed, 1)} for listed in (before, after))
    return [
        Moved(dealer_id=name, rank_before=was.get(name), rank_after=will.get(name))
        for name in dict.fromkeys([*after, *before])
        if was.get(name) != will.get(name)
    ]


def _counts(live: Sequence[Outcome], draft: Sequence[Outcome]) -> list[RuleCount]:
    before, after = (Counter(name for item in outcomes for name in _said(item)) for outcomes in (live, draft))
    return [RuleCount(id=name, before=before[name], after=after[name]) for name in sorted({*before, *after})]


def _said(item: Outcome) -> list[str]:
    return item.rules if item.selected else [*item.rules, "(default)"]


def _mean(counts: Sequence[int]) -> float | None:
    return sum(counts) / len(counts) if counts else None


def _notes(orders: int, elsewhere: int, left_out: int, unshown: int) -> list[str]:
    notes = []
    if not orders:
        notes.append("No past order lies in this period: widen it, or there is nothing to go by.")
    if elsewhere:
        notes.append(f"{elsewhere} orders ran on the current snapshot, because their own is gone.")
    if left_out:
        notes.append(f"{left_out} earlier orders of the period were left out; raise the limit to take them in.")
    if unshown > 0:
        notes.append(f"{unshown} more orders change than are listed.")
    return notes
