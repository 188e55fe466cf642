"""From an order and a snapshot to a recommendation: the one path that the service, the command and the back-test share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from expectations.contracts.vocabulary import AxeSide, Side
from serve.domain import rationale
from serve.domain.eligibility import Excluded, candidate_reason, gate
from serve.domain.liquidity import LiquidityView, Thresholds, judge, years_since_issue, years_to_maturity
from serve.domain.market import COLUMN, METRICS, Axe, Dealer, Market, Scorecards, Security
from serve.domain.orders import Order
from serve.domain.ratings import name_of
from serve.domain.recommendation import RankedDealer, Recommendation, SecurityView
from serve.domain.rules import Decision, RuleBook, Verdict, decide
from serve.domain.scoring import Scores, components, covering, score
from serve.domain.selection import Ranked, Selection, cut_points, rank, select, tier_of

_SUITS: Mapping[Side, AxeSide] = {Side.BUY: AxeSide.SELLS, Side.SELL: AxeSide.BUYS}


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk decides by: its rule book and when a bond counts as illiquid, each with its text as written."""

    book: RuleBook
    thresholds: Thresholds
    source: str = ""
    scoring: str = ""


def advise(order: Order, security: Security, market: Market, desk: Desk, recommendation_id: str) -> Recommendation:
    """Recommend dealers for an order whose ``received_at`` is set. Pure: the same inputs give the same answer.

    Raises ``RuleFailed`` where a condition of the rule book cannot be evaluated.
    """
    now = order_time(order, market)
    view = judge(market, security, order.quantity, now.date(), desk.thresholds)
    variables = order_variables(order, security, view, market)
    decision = decide(desk.book, variables)
    cards = scorecards_for(market, security, decision.score.window_days)
    scores = score(cards, decision.score)
    case = _Case(
        order=order,
        security=security,
        market=market,
        decision=decision,
        cards=cards,
        scores=scores,
        variables=variables,
        now=now,
    )
    kept, excluded = case.sift(desk.book)
    chosen = select(kept, decision.pick, decision.plan.max_dealers, case.dealer_variables)
    facts = market.liquidity.get(security.security_id)
    return Recommendation(
        recommendation_id=recommendation_id,
        snapshot_id=market.snapshot_id,
        rules_version=desk.book.version,
        as_of=market.as_of,
        order=order,
        security=describe(security),
        arrival_mid=facts.mid if facts else None,
        liquidity=view,
        matched_rules=decision.matched,
        notes=decision.notes,
        plan=decision.plan,
        model=decision.score.model,
        weights={metric.value: weight for metric, weight in decision.score.weights},
        dealers=case.recommended(chosen, len(kept)),
        excluded=excluded + case.left_out(chosen, len(kept)),
    )


def order_time(order: Order, market: Market) -> datetime:
    """Give when the order came in, UTC; a time without a zone is UTC; without any, the snapshot's own time."""
    at = order.received_at or market.as_of
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def order_variables(order: Order, security: Security, view: LiquidityView, market: Market) -> dict[str, object]:
    """Give the variables a rule may read; what is not known (or no number) is left out, so that no rule takes it for one.

    A bond with no trade on record counts as infinitely long untraded, unless nothing of the market's trading is on record.
    """
    untraded = math.inf if market.has_prints else None
    facts, costs = market.liquidity.get(security.security_id), market.costs.get(security.scorecard_class)
    today = order_time(order, market).date()
    known: dict[str, object | None] = {
        "order.asset_class": security.asset_class,
        "order.scorecard_class": security.scorecard_class,
        "order.notional": order.quantity,
        "order.quantity": order.quantity,
        "order.rating": security.rating_rank,
        "order.is_rated": security.rating_rank is not None,
        "order.side": order.side.value,
        "order.urgency": order.urgency.value,
        "order.sector": security.sector,
        "order.issuer_id": security.issuer_id,
        "order.adv30_share": view.adv_share,
        "order.currency": order.currency,
        "order.limit_price": order.limit_price,
        "order.years_to_maturity": years_to_maturity(security, today),
        "order.maturity_bucket": security.maturity_bucket,
        "order.age_years": years_since_issue(security, today),
        "order.amount_outstanding": security.amount_outstanding,
        "order.traded_days_30d": None if view.traded_days_30d is None else float(view.traded_days_30d),
        "order.adv_30d": view.adv_30d,
        "order.adv_basis": view.adv_basis,
        "order.print_dispersion_bps": view.print_dispersion_bps,
        "order.half_spread_bps": facts.half_spread_bps if facts else None,
        "market.volatility": costs.volatility_bps if costs else None,
        "market.half_spread_bps": costs.half_spread_bps if costs else None,
        "order.volatility": view.volatility_bps,
        "order.illiquid": view.illiquid,
        "order.expected_cost_bps": view.expected_cost_bps,
        "order.expected_impact_bps": view.expected_impact_bps,
        "order.days_since_last_trade": untraded if view.days_since_last_trade is None else view.days_since_last_trade,
    }
    return {name: value for name, value in known.items() if value is not None and value == value}  # noqa: PLR0124 - NaN is no figure


def scorecards_for(market: Market, security: Security, window_days: int) -> Scorecards:
    """Give the class's scorecards with a row for every dealer on record."""
    cards = market.scorecards.get((security.scorecard_class, window_days))
    return covering(cards, security.scorecard_class, window_days, tuple(sorted(market.dealers)))


def describe(security: Security) -> SecurityView:
    """Show a security as the answer does."""
    return SecurityView(
        security_id=security.security_id,
        cusip=security.cusip,
        isin=security.isin,
        asset_class=security.asset_class,
        scorecard_class=security.scorecard_class,
        sector=security.sector,
        rating=name_of(security.rating_rank),
        maturity_bucket=security.maturity_bucket,
        issuer_id=security.issuer_id,
        issuer_name=security.issuer_name,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One order on its way: what every step needs, gathered once."""

    order: Order
    security: Security
    market: Market
    decision: Decision
    cards: Scorecards
    scores: Scores
    variables: dict[str, object]
    now: datetime

    def sift(self, book: RuleBook) -> tuple[list[Ranked], list[Excluded]]:
        """Put every dealer through the gates, and rank those who pass.

        Where a rule's candidates would leave nobody, that filter is dropped and the notes say so.
        """
        cuts = cut_points(book.tiers, self.security.scorecard_class, self.security.asset_class)
        tiers = [tier_of(float(share), cuts) for share in self.cards.rank_share]
        within = self.decision.similar_within_days
        passed, excluded = self._gated(tiers, within)
        if not passed and within is not None:
            self.decision.notes.append(
                f"Nobody quoted this issuer or a similar bond in {within} days, so every dealer is a candidate."
            )
            passed, excluded = self._gated(tiers, None)
        return rank(passed), excluded

    def _gated(
        self, tiers: list[int | None], within: int | None
    ) -> tuple[list[tuple[str, int, float, int | None]], list[Excluded]]:
        passed, excluded = [], []
        for row, dealer_id in enumerate(self.cards.dealer_ids):
            placed = Ranked(dealer_id=dealer_id, row=row, place=0, score=float(self.scores.total[row]), tier=tiers[row])
            stop = self._stop(placed, within)
            if stop:
                excluded.append(stop)
            else:
                passed.append((dealer_id, row, placed.score, placed.tier))
        return passed, excluded

    def _stop(self, placed: Ranked, within: int | None) -> Excluded | None:
        dealer = self.market.dealers[placed.dealer_id]
        stop = gate(dealer, self.order.quantity, self.now.date()) or self._ruled_out(dealer, placed)
        if stop or within is None:
            return stop
        unfit = candidate_reason(self.market, self.security, dealer, self.now, within)
        return Excluded(dealer_id=dealer.dealer_id, gate="candidates", reason=unfit) if unfit else None

    def _ruled_out(self, dealer: Dealer, placed: Ranked) -> Excluded | None:
        for rule_id, exclusion in self.decision.exclude:
            if dealer.dealer_id in exclusion.dealers:
                return Excluded(dealer_id=dealer.dealer_id, gate="rule", reason=f"Rule {rule_id} leaves out {dealer.name}.")
            if exclusion.where and exclusion.where.evaluate(self.dealer_variables(placed)) is not Verdict.FALSE:
                reason = f"Rule {rule_id} leaves out {dealer.name}, because {exclusion.where.source} holds or cannot be decided."
                return Excluded(dealer_id=dealer.dealer_id, gate="rule", reason=reason)
        return None

    def dealer_variables(self, ranked: Ranked) -> dict[str, object]:
        """Give the order's variables and one dealer's, for conditions on dealers."""
        dealer = self.market.dealers[ranked.dealer_id]
        values = {**self.variables, "dealer.id": dealer.dealer_id, "dealer.specialties": list(dealer.specialties)}
        values["dealer.score"] = ranked.score
        values["dealer.rfqs_asked"] = int(self.cards.asked[ranked.row])
        if ranked.tier is not None:
            values["dealer.tier"] = ranked.tier
            values["dealer.composite"] = float(self.cards.composite[ranked.row])
        for metric in METRICS:
            values[f"dealer.scores.{metric}"] = float(self.cards.score[ranked.row, COLUMN[metric]])
        return values

    def recommended(self, chosen: Selection, field: int) -> list[RankedDealer]:
        """Show the chosen dealers, best first."""
        return [self._shown(rank_shown, ranked, field) for rank_shown, ranked in enumerate(chosen.chosen, start=1)]

    def _shown(self, rank_shown: int, ranked: Ranked, field: int) -> RankedDealer:
        dealer = self.market.dealers[ranked.dealer_id]
        parts = components(self.cards, self.decision.score, self.scores, ranked.row)
        axe = self._axe(ranked.dealer_id)
        return RankedDealer(
            rank=rank_shown,
            dealer_id=ranked.dealer_id,
            name=dealer.name,
            tier=ranked.tier,
            score=ranked.score,
            components=parts,
            axe=axe,
            reason=rationale.of_ranked(dealer, ranked, field, cards=self.cards, parts=parts, axe=axe),
        )

    def left_out(self, chosen: Selection, field: int) -> list[Excluded]:
        """Say of everyone who passed the gates and was not chosen why not."""
        dealers, limit = self.market.dealers, self.decision.plan.max_dealers or 0
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
                reason=rationale.of_passed(dealers[item.dealer_id], item, field, self.decision.pick),
            )
            for item in chosen.passed
        ]

    def _axe(self, dealer_id: str) -> Axe | None:
        axes = self.market.axes.get((self.security.security_id, _SUITS[self.order.side]))
        return axes.get(dealer_id) if axes else None
