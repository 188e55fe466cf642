"""One order on its way to an answer: who may be asked, who is chosen, and how each is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from expectations.contracts.vocabulary import AxeSide, Side
from serve.domain import rationale
from serve.domain.asking import Whispered, grower
from serve.domain.eligibility import Excluded, candidate_reason, gate
from serve.domain.liquidity import LiquidityView
from serve.domain.market import Axe, Dealer, Market, Security
from serve.domain.models import hangs_on_order, parts
from serve.domain.orders import Order, Plan
from serve.domain.recommendation import RankedDealer
from serve.domain.rules import Condition, Decision, Exclusion, Verdict
from serve.domain.rules_bench import Bench, Standing
from serve.domain.selection import Ranked, Selection, select
from serve.domain.shortlist import Shared, Shortlist

_SUITS: Mapping[Side, AxeSide] = {Side.BUY: AxeSide.SELLS, Side.SELL: AxeSide.BUYS}


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
                dealers=Shared(self.shown(place, item, len(kept), None) for place, item in enumerate(chosen.chosen, start=1)),
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
            self.shown(place, item, shortlist.field, axes.get(item.dealer_id))
            for place, item in enumerate(shortlist.chosen.chosen, start=1)
        ]

    def shown(self, rank_shown: int, ranked: Ranked, field: int, axe: Axe | None) -> RankedDealer:
        """Show one dealer in its place, with the parts of its score and the reason; ``field`` is how many could have been asked."""
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


def _ruled_out(dealer: Dealer, row: int, ruled: Sequence[tuple[str, Exclusion, Sequence[Verdict] | None]]) -> Excluded | None:
    for rule_id, exclusion, verdicts in ruled:
        if dealer.dealer_id in exclusion.dealers:
            return Excluded(dealer_id=dealer.dealer_id, gate="rule", reason=f"Rule {rule_id} leaves out {dealer.name}.")
        if exclusion.where and verdicts is not None and verdicts[row] is not Verdict.FALSE:
            reason = f"Rule {rule_id} leaves out {dealer.name}, because {exclusion.where.source} holds or cannot be decided."
            return Excluded(dealer_id=dealer.dealer_id, gate="rule", reason=reason)
    return None
