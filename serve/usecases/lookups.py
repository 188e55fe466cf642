"""What people look up: dealers, scorecards, liquidity. Reads one snapshot per question."""

from datetime import datetime

import msgspec
import numpy as np

from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS
from expectations.contracts.vocabulary import METRIC_UNITS, Metric, Side
from serve.domain.liquidity import LiquidityView, judge
from serve.domain.market import METRICS, AxeRecord, Dealer, Market, OverrideOutcome, PastScorecard, Scorecards
from serve.domain.order_facts import describe
from serve.domain.recommendation import SecurityView
from serve.domain.selection import cut_points, tier_of
from serve.ports import Clock, Desks, Histories, Snapshots
from serve.usecases.refusals import NotReady, NotThere
from serve.usecases.securities import resolve_any


class MetricView(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a scorecard with its unit, count and 95 % interval; ``None`` = no observation."""

    metric: Metric
    raw: float | None
    unit: str
    n: int
    low: float | None
    high: float | None
    score: float


class ScorecardView(msgspec.Struct, frozen=True, kw_only=True):
    """One dealer in one class, window and half-life, 0 = none (M-10).

    ``tier`` follows the rule book's cut-points; ``None`` = not ranked.
    """

    as_of: datetime
    snapshot_id: str
    dealer_id: str
    name: str
    scorecard_class: str
    asset_class: str
    window_days: int
    half_life_days: int
    rfqs_asked: int
    rfqs_quoted: int
    rfqs_declined: int
    rfqs_timed_out: int
    rfqs_rejected: int
    rfqs_won: int
    metrics: list[MetricView]
    composite: float | None
    composite_rank: int | None
    tier: int | None


class DealerView(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer's static profile, and its dynamic one: a scorecard per class over the default window, and its axes' record.

    ``axe_record`` is ``None`` where the dealer was never asked after advertising.
    """

    profile: Dealer
    axe_record: AxeRecord | None
    scorecards: list[ScorecardView]


class LiquidityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The pre-trade view of one bond, for a size and side where they were given."""

    snapshot_id: str
    as_of: datetime
    security: SecurityView
    quantity: float | None
    side: Side | None
    mid: float | None
    mid_as_of: datetime | None
    liquidity: LiquidityView


class OverrideReview(msgspec.Struct, frozen=True, kw_only=True):
    """Whether traders or the machine were right where they differed, by reason, the most frequent first."""

    snapshot_id: str
    as_of: datetime
    outcomes: list[OverrideOutcome]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which scorecards are asked for: ``None`` = all classes, all windows; ``half_life_days`` = 0: without recency."""

    scorecard_class: str | None = None
    window_days: int | None = None
    half_life_days: int = 0


class Lookups:
    """The use cases, over the ports."""

    def __init__(self, snapshots: Snapshots, histories: Histories, desks: Desks, clock: Clock) -> None:
        self._snapshots, self._histories, self._desks, self._clock = snapshots, histories, desks, clock

    def dealers(self) -> list[Dealer]:
        """Give every dealer's static profile, by id."""
        market = self._market()
        return [market.dealers[key] for key in sorted(market.dealers)]

    def dealer(self, dealer_id: str) -> DealerView:
        """Give one dealer. Raises ``NotThere``."""
        market = self._market()
        cards = self._of_dealer(market, dealer_id, Wanted(window_days=DEFAULT_WINDOW_DAYS))
        return DealerView(profile=market.dealers[dealer_id], axe_record=market.axe_records.get(dealer_id), scorecards=cards)

    def dealer_scorecards(self, dealer_id: str, wanted: Wanted) -> list[ScorecardView]:
        """Give one dealer's scorecards, by class and window. Raises ``NotThere``."""
        return self._of_dealer(self._market(), dealer_id, wanted)

    def history(self, dealer_id: str, scorecard_class: str | None) -> list[PastScorecard]:
        """Give one dealer's scorecards of each week of the past year, by class, the latest first. Raises ``NotThere``."""
        market = self._market()
        if dealer_id not in market.dealers:
            raise NotThere("not-found", f"There is no dealer {dealer_id!r}", "dealer_id")
        past = self._histories.history(market.snapshot_id, dealer_id)
        return [card for card in past if scorecard_class in {None, card.scorecard_class}]

    def scorecards(self, wanted: Wanted) -> list[ScorecardView]:
        """Give the dealer matrix, best first. Raises ``NotThere`` for an unknown class."""
        market = self._market()
        sets = self._sets(market, wanted)
        views = [self._view(market, cards, row) for cards in sets for row in range(len(cards.dealer_ids))]
        return sorted(views, key=lambda view: (view.scorecard_class, view.composite_rank or len(views), view.dealer_id))

    def liquidity(self, security_id: str, quantity: float | None, side: Side | None) -> LiquidityAnswer:
        """Give the pre-trade view of one bond. Raises ``NotThere``."""
        market = self._market()
        security = resolve_any(market, security_id)
        facts = market.liquidity.get(security.security_id)
        return LiquidityAnswer(
            snapshot_id=market.snapshot_id,
            as_of=market.as_of,
            security=describe(security),
            quantity=quantity,
            side=side,
            mid=facts.mid if facts else None,
            mid_as_of=facts.mid_as_of if facts else None,
            liquidity=judge(market, security, quantity, self._clock.now().date(), self._desks.current().thresholds),
        )

    def overrides(self) -> OverrideReview:
        """Give what came of the overrides, of every desk together."""
        market = self._market()
        outcomes = sorted(market.overrides, key=lambda item: (-item.overrides, item.reason_code))
        return OverrideReview(snapshot_id=market.snapshot_id, as_of=market.as_of, outcomes=outcomes)

    def _market(self) -> Market:
        market = self._snapshots.current()
        if market is None:
            raise NotReady("no-snapshot", "No snapshot has been published yet; run 'sotto refresh'")
        return market

    def _sets(self, market: Market, wanted: Wanted) -> list[Scorecards]:
        classes = {name for name, *_ in market.scorecards}
        if wanted.scorecard_class is not None and wanted.scorecard_class not in classes:
            known = ", ".join(sorted(classes)) or "none"
            message = f"No scorecards for class {wanted.scorecard_class!r}; there are: {known}"
            raise NotThere("not-found", message, "scorecard_class")
        return [
            cards
            for (name, days, half_life), cards in sorted(market.scorecards.items())
            if wanted.scorecard_class in {None, name} and wanted.window_days in {None, days} and wanted.half_life_days == half_life
        ]

    def _of_dealer(self, market: Market, dealer_id: str, wanted: Wanted) -> list[ScorecardView]:
        if dealer_id not in market.dealers:
            raise NotThere("not-found", f"There is no dealer {dealer_id!r}", "dealer_id")
        sets = self._sets(market, wanted)
        return [self._view(market, cards, cards.row[dealer_id]) for cards in sets]

    def _view(self, market: Market, cards: Scorecards, row: int) -> ScorecardView:
        cuts = cut_points(self._desks.current().book.tiers, cards.scorecard_class, cards.asset_class)
        share = float(cards.rank_share[row])
        ranked = int(np.count_nonzero(~np.isnan(cards.rank_share)))
        return ScorecardView(
            as_of=market.as_of,
            snapshot_id=market.snapshot_id,
            dealer_id=cards.dealer_ids[row],
            name=market.dealers[cards.dealer_ids[row]].name,
            scorecard_class=cards.scorecard_class,
            asset_class=cards.asset_class,
            window_days=cards.window_days,
            half_life_days=cards.half_life_days,
            rfqs_asked=int(cards.asked[row]),
            rfqs_quoted=int(cards.quoted[row]),
            rfqs_declined=int(cards.declined[row]),
            rfqs_timed_out=int(cards.timed_out[row]),
            rfqs_rejected=int(cards.rejected[row]),
            rfqs_won=int(cards.won[row]),
            metrics=[_metric(cards, row, column, metric) for column, metric in enumerate(METRICS)],
            composite=_known(cards.composite[row]),
            composite_rank=None if np.isnan(share) else round(share * ranked),
            tier=tier_of(share, cuts),
        )


def _metric(cards: Scorecards, row: int, column: int, metric: Metric) -> MetricView:
    return MetricView(
        metric=metric,
        raw=_known(cards.raw[row, column]),
        unit=METRIC_UNITS[metric],
        n=int(cards.n[row, column]),
        low=_known(cards.low[row, column]),
        high=_known(cards.high[row, column]),
        score=float(cards.score[row, column]),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
