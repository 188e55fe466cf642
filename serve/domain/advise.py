"""From an order and a snapshot to a recommendation: the one path that the service, the command and the back-test share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec.structs import replace

from expectations.contracts.vocabulary import AxeSide, Side
from serve.domain import rationale
from serve.domain.asking import Whispered, grower, settled
from serve.domain.eligibility import Excluded, candidate_reason, gate
from serve.domain.exploration import Exploration, explore
from serve.domain.liquidity import LiquidityView, Thresholds, judge
from serve.domain.market import Axe, Dealer, Market, Scorecards, Security
from serve.domain.models import Context, hangs_on_order, parts
from serve.domain.order_facts import describe, order_time, order_variables
from serve.domain.orders import Mode, Order, Plan
from serve.domain.recommendation import RankedDealer, Recommendation
from serve.domain.rules import Condition, Decision, Exclusion, Kind, RuleBook, Verdict, decide
from serve.domain.rules_bench import Bench, Standing
from serve.domain.scoring import covering
from serve.domain.selection import Ranked, Selection, select
from serve.domain.shortlist import Shared, Shortlist

_SUITS: Mapping[Side, AxeSide] = {Side.BUY: AxeSide.SELLS, Side.SELL: AxeSide.BUYS}


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk decides by: its rule book, when a bond counts as illiquid, whether it explores; the texts as written."""

    book: RuleBook
    thresholds: Thresholds
    source: str = ""
    scoring: str = ""
    exploration: Exploration = Exploration()


def advise(order: Order, security: Security, market: Market, desk: Desk, recommendation_id: str) -> Recommendation:
    """Recommend dealers for an order whose ``received_at`` is set. Pure: the same inputs give the same answer.

    Raises ``RuleFailed`` where a condition of the rule book cannot be evaluated.
    """
    case = weigh(order, security, market, desk)
    decision, facts = case.decision, market.liquidity.get(security.security_id)
    shortlist = case.explored(case.shortlist(), desk.exploration, recommendation_id)
    return Recommendation(
        recommendation_id=recommendation_id,
        snapshot_id=market.snapshot_id,
        rules_version=desk.book.version,
        as_of=market.as_of,
        order=order,
        security=describe(security),
        arrival_mid=facts.mid if facts else None,
        liquidity=case.view,
        matched_rules=decision.matched,
        notes=decision.notes,
        plan=case.planned(shortlist),
        model=decision.score.model,
        weights={str(name): weight for name, weight in decision.score.weights},
        dealers=case.recommended(shortlist),
        excluded=shortlist.left_out,
        propensity=shortlist.propensity,
    )


def weigh(order: Order, security: Security, market: Market, desk: Desk) -> "Case":
    """Score every dealer for an order as its rules have it, before anyone is chosen or left out. Raises ``RuleFailed``."""
    now = order_time(order, market)
    view = judge(market, security, order.quantity, now.date(), desk.thresholds)
    variables = order_variables(order, security, view, market)
    decision = decide(desk.book, variables)
    bench = Bench.of(market, desk.book)
    context = Context(sector=security.sector, side=order.side, half_spread_bps=_half_spread(market, security, view))
    standing = bench.standing(security.scorecard_class, security.asset_class, decision.score).for_order(context)
    plan = decision.plan
    if decision.auto:
        plan, why = settled(plan, standing.beliefs)
        decision.notes.append(why)
    return Case(
        plan=plan,
        whispered=_whispered(plan, standing, context),
        order=order,
        security=security,
        market=market,
        view=view,
        decision=decision,
        bench=bench,
        standing=standing,
        variables=variables,
        now=now,
    )


def scorecards_for(market: Market, security: Security, window_days: int) -> Scorecards:
    """Give the class's scorecards, without recency, with a row for every dealer on record."""
    key = (security.scorecard_class, window_days, 0)
    return covering(market.scorecards.get(key), key, tuple(sorted(market.dealers)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One order on its way: what every step needs, gathered once."""

    order: Order
    security: Security
    market: Market
    view: LiquidityView
    decision: Decision
    bench: Bench
    standing: Standing
    variables: dict[str, object]
    now: datetime
    plan: Plan
    whispered: Whispered | None

    def planned(self, shortlist: Shortlist) -> Plan:
        """Put the levels of a whisper into the plan, where the rule book does not say what is competitive."""
        if self.whispered is None or self.plan.competitive_within_bps is not None:
            return self.plan
        return replace(self.plan, levels=self.whispered.levels([item.row for item in shortlist.chosen.chosen]))

    def explored(self, shortlist: Shortlist, rules: Exploration, key: str) -> Shortlist:
        """Perhaps let one dealer in by chance: only in a small, liquid order that no limit protects, and never in a whisper."""
        view, chosen = self.standing.rating.view, shortlist.chosen
        if rules.share == 0 or view is None or not self._may_explore(rules):
            return shortlist
        ranked = {item.row: item for item in (*chosen.chosen, *chosen.passed)}
        drawn = explore(view, [item.row for item in chosen.chosen], sorted(ranked), rules, key)
        made = Selection(
            chosen=[ranked[row] for row in drawn.rows],
            beyond_limit=chosen.beyond_limit,
            passed=[item for row, item in ranked.items() if row not in set(drawn.rows)],
        )
        if drawn.added is not None:
            name = self.market.dealers[ranked[drawn.added].dealer_id].name
            self.decision.notes.append(f"{name} is asked to learn how good it is, by a chance of {drawn.propensity:.2%}.")
        excluded = [item for item in shortlist.left_out if item.gate not in {"max_dealers", "pick"}]
        return Shortlist(
            chosen=made,
            field=shortlist.field,
            dealers=Shared(self._shown(place, item, shortlist.field, None) for place, item in enumerate(made.chosen, start=1)),
            left_out=Shared(excluded + self.left_out(made, shortlist.field)),
            held=(),
            propensity=drawn.propensity,
        )

    def _may_explore(self, rules: Exploration) -> bool:
        small = self.order.quantity <= rules.max_quantity and not self.view.illiquid
        protected = self.plan.mode is not Mode.PARALLEL or any(rule.kind == Kind.CONSTRAIN for rule in self.decision.matched)
        plain = len(self.decision.pick) == 1 and self.decision.pick[0].tier is None and self.decision.pick[0].where is None
        return small and plain and not protected

    def shortlist(self) -> Shortlist:
        """Choose, or take the choice made for an order before to which the same applied."""
        key, held = self._key()
        known = self.bench.shortlists.get(key) if key else None
        if known is None:
            kept, excluded = self.sift()
            chosen = select(
                kept,
                self.decision.pick,
                self.decision.plan.max_dealers,
                self.decide,
                grower(self.standing.rating.view, self.whispered),
            )
            known = Shortlist(
                chosen=chosen,
                field=len(kept),
                dealers=Shared(self._shown(place, item, len(kept), None) for place, item in enumerate(chosen.chosen, start=1)),
                left_out=Shared(excluded + self.left_out(chosen, len(kept))),
                held=held,
            )
            if key:
                self.bench.shortlists.keep(key, known)
        return known

    def _key(self) -> tuple[tuple[object, ...] | None, tuple[object, ...]]:
        """Give what a choice hangs on, and what that names by identity; ``None`` where it hangs on the bond (its candidates)."""
        decision = self.decision
        if decision.similar_within_days is not None or hangs_on_order(decision.score):
            return None, ()
        conditions = [item.where for item in decision.pick] + [exclusion.where for _, exclusion in decision.exclude]
        verdicts = tuple(self.decide(condition) for condition in conditions if condition)
        size = self.bench.shortlists.stopped_by_credit(self.order.quantity)
        what = (decision.pick, decision.plan.max_dealers, decision.exclude, self.now.date(), size)
        return (id(self.standing), *what, *map(id, verdicts)), (self.standing, *verdicts)

    def sift(self) -> tuple[list[Ranked], list[Excluded]]:
        """Put every dealer through the gates, and rank those who pass, best first; equal scores by dealer id.

        Where a rule's candidates would leave nobody, that filter is dropped and the notes say so.
        """
        within = self.decision.similar_within_days
        stopped = self._gated(within)
        if len(stopped) == len(self.standing.by_score) and within is not None:
            self.decision.notes.append(
                f"Nobody quoted this issuer or a similar bond in {within} days, so every dealer is a candidate."
            )
            stopped = self._gated(None)
        return self._ranked(stopped), [stopped[row] for row in sorted(stopped)]

    def decide(self, condition: Condition) -> Sequence[Verdict]:
        """Give a condition's verdict for every dealer, by row."""
        return self.bench.verdicts(condition, self.standing, self.variables)

    def _ranked(self, stopped: Mapping[int, Excluded]) -> list[Ranked]:
        names, totals, tiers = self.standing.cards.dealer_ids, self.standing.rating.total, self.standing.tiers
        free = (row for row in self.standing.by_score if row not in stopped)
        return [
            Ranked(dealer_id=names[row], row=row, place=place, score=float(totals[row]), tier=tiers[row])
            for place, row in enumerate(free, start=1)
        ]

    def _gated(self, within: int | None) -> dict[int, Excluded]:
        """Give who is stopped and by what, by row: the gates first, then the rules, then the candidates of the rule."""
        today, quantity, dealers = self.now.date(), self.order.quantity, self.market.dealers
        ruled = [(rule_id, item, self.decide(item.where) if item.where else None) for rule_id, item in self.decision.exclude]
        stopped: dict[int, Excluded] = {}
        for row, (dealer_id, stop) in enumerate(zip(self.standing.cards.dealer_ids, self.bench.stops(today), strict=True)):
            dealer = dealers[dealer_id]
            found = stop
            if found is None and dealer.credit_limit is not None and quantity > dealer.credit_limit:
                found = gate(dealer, quantity, today)
            if found is None and ruled:
                found = _ruled_out(dealer, row, ruled)
            if found is None and within is not None:
                unfit = candidate_reason(self.market, self.security, dealer, self.now, within)
                found = Excluded(dealer_id=dealer_id, gate="candidates", reason=unfit) if unfit else None
            if found is not None:
                stopped[row] = found
        return stopped

    def recommended(self, shortlist: Shortlist) -> list[RankedDealer]:
        """Show the chosen dealers, best first, each with its axe in this bond."""
        axes = self.market.axes.get((self.security.security_id, _SUITS[self.order.side]), {})
        if not any(dealer.dealer_id in axes for dealer in shortlist.dealers):
            return shortlist.dealers
        return [
            self._shown(place, item, shortlist.field, axes.get(item.dealer_id))
            for place, item in enumerate(shortlist.chosen.chosen, start=1)
        ]

    def _shown(self, rank_shown: int, ranked: Ranked, field: int, axe: Axe | None) -> RankedDealer:
        dealer = self.market.dealers[ranked.dealer_id]
        shown = parts(self.standing.rating, ranked.row)
        return RankedDealer(
            rank=rank_shown,
            dealer_id=ranked.dealer_id,
            name=dealer.name,
            tier=ranked.tier,
            score=ranked.score,
            components=shown,
            axe=axe,
            reason=rationale.of_ranked(dealer, ranked, field, rating=self.standing.rating, parts=shown, axe=axe),
        )

    def left_out(self, chosen: Selection, field: int) -> list[Excluded]:
        """Say of everyone who passed the gates and was not chosen why not."""
        dealers, limit = self.market.dealers, self.decision.plan.max_dealers or 0
        wanted = rationale.asked_for(self.decision.pick) if self.standing.rating.view is None else rationale.NO_GAIN
        beyond = [
            Excluded(
                dealer_id=item.dealer_id,
                gate="max_dealers",
                reason=rationale.of_beyond(dealers[item.dealer_id], item, field, limit),
            )
            for item in chosen.beyond_limit
        ]
        return beyond + [
            Excluded(
                dealer_id=item.dealer_id,
                gate="pick",
                reason=rationale.of_passed(dealers[item.dealer_id], item, field, wanted),
            )
            for item in chosen.passed
        ]


def _whispered(plan: Plan, standing: Standing, context: Context) -> Whispered | None:
    """Look at the dealers as a whisper meets them, where one is meant and something hangs on it."""
    open_ = plan.competitive_within_bps is None or standing.rating.view is not None
    return Whispered.of(standing.beliefs, context, standing.odds_of_a_whisper()) if plan.mode is Mode.SEQUENTIAL and open_ else None


def _half_spread(market: Market, security: Security, view: LiquidityView) -> float | None:
    """Give the half-spread for the order's size, bps: the expected cost where it is known, else the class's."""
    if view.expected_cost_bps is not None and view.expected_cost_bps > 0:
        return view.expected_cost_bps
    beliefs = market.beliefs.get(security.scorecard_class)
    return beliefs.terms.half_spread_bps if beliefs else None


def _ruled_out(dealer: Dealer, row: int, ruled: Sequence[tuple[str, Exclusion, Sequence[Verdict] | None]]) -> Excluded | None:
    for rule_id, exclusion, verdicts in ruled:
        if dealer.dealer_id in exclusion.dealers:
            return Excluded(dealer_id=dealer.dealer_id, gate="rule", reason=f"Rule {rule_id} leaves out {dealer.name}.")
        if exclusion.where and verdicts is not None and verdicts[row] is not Verdict.FALSE:
            reason = f"Rule {rule_id} leaves out {dealer.name}, because {exclusion.where.source} holds or cannot be decided."
            return Excluded(dealer_id=dealer.dealer_id, gate="rule", reason=reason)
    return None
