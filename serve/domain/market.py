"""What one snapshot knows, in memory: dealers, securities, their liquidity, and scorecards as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from expectations.contracts.vocabulary import AxeSide, DealerStatus, Metric
from serve.domain.beliefs import Beliefs

METRICS: tuple[Metric, ...] = tuple(Metric)
COLUMN: Mapping[Metric, int] = {metric: index for index, metric in enumerate(METRICS)}
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Dealer(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer's static profile. ``credit_limit`` is par in currency units; ``None`` anywhere = not on record."""

    dealer_id: str
    name: str
    lei: str | None
    specialties: tuple[str, ...]
    status: DealerStatus
    agreements: str | None
    due_diligence_expiry: date | None
    credit_limit: float | None
    restricted: bool
    fix_session: str | None
    party_id: str | None
    contacts: str | None


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """A bond. ``rating_rank`` is the ordinal of ``vocabulary.Rating``, ``None`` when it is not rated."""

    security_id: str
    cusip: str | None
    isin: str | None
    figi: str | None
    asset_class: str
    scorecard_class: str
    issuer_id: str
    issuer_name: str | None
    sector: str | None
    currency: str
    coupon: float | None
    issue_date: date | None
    maturity_date: date | None
    maturity_bucket: str | None
    rating_rank: int | None
    amount_outstanding: float | None


class Liquidity(msgspec.Struct, frozen=True, kw_only=True):
    """What the market showed of one bond up to ``as_of``. Volumes in par, ``_bps`` of price, ``None`` = not known."""

    as_of: datetime
    last_trade_at: datetime | None
    days_since_last_trade: float | None
    trades_30d: int | None
    traded_days_30d: int | None
    capped_trades_30d: int
    volume_30d: float | None
    adv_30d: float | None
    adv_basis: str | None
    print_dispersion_bps: float | None
    mid: float | None
    mid_as_of: datetime | None
    half_spread_bps: float | None
    volatility_bps: float | None


class MarketCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted costs of one scorecard class; the formulas stand in the snapshot's contract."""

    half_spread_bps: float | None
    reference_quantity: float | None
    size_exponent: float | None
    quoted_half_spread_bps: float | None
    cost_n: int | None
    volatility_bps: float | None
    impact_coefficient: float | None
    impact_low: float | None
    impact_high: float | None
    impact_n: int | None


class Axe(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer's advertised interest in one bond. ``side`` is the dealer's; ``quantity`` in par; age in days."""

    side: AxeSide
    quantity: float | None
    advertised_at: datetime
    age_days: float


@dataclass(frozen=True, slots=True)
class Scorecards:
    """One scorecard class, window and half-life: a row per dealer, in order of ``dealer_id``, a column per ``METRICS``.

    ``raw``, ``low`` and ``high`` are in the metric's unit (NaN = no observation); ``n`` counts observations (the effective
    number where ``half_life_days`` is not 0, that is none); ``score`` is the normalised component.
    ``rank_share`` is the place by default composite over the number of dealers.
    """

    scorecard_class: str
    asset_class: str
    window_days: int
    half_life_days: int
    dealer_ids: tuple[str, ...]
    raw: Floats
    n: Counts
    low: Floats
    high: Floats
    score: Floats
    composite: Floats
    rank_share: Floats
    asked: Counts
    quoted: Counts
    declined: Counts
    timed_out: Counts
    rejected: Counts
    won: Counts
    row: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", {dealer_id: index for index, dealer_id in enumerate(self.dealer_ids)})


class PastFigure(msgspec.Struct, frozen=True):
    """One metric of a past scorecard, in its unit, with its count; ``None`` = no observation."""

    metric: Metric
    raw: float | None
    n: int


class PastScorecard(msgspec.Struct, frozen=True, kw_only=True):
    """One dealer in one class as its scorecard would have been on a past day, by what is known now."""

    as_of_day: date
    scorecard_class: str
    window_days: int
    rfqs_asked: int
    rfqs_quoted: int
    rfqs_won: int
    figures: list[PastFigure]


class OverrideOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the overrides with one reason: how many traded, could be compared, and went better for the trader.

    ``trader_advantage_bps`` is the mean over those compared, positive = the trader was right; its 95 % interval needs two.
    """

    reason_code: str
    overrides: int
    rfqs: int
    traded: int
    compared: int
    trader_better: int
    trader_advantage_bps: float | None
    trader_advantage_low: float | None
    trader_advantage_high: float | None


class AxeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How often a dealer's advertised interests came true when it was asked: of ``axes_tested``, with a 95 % interval.

    ``mean_gain_over_usual_bps``: its quotes then beside its usual ones, positive = good for us; ``None`` = it never quoted then.
    """

    axes_tested: int
    axes_came_true: int
    came_true_share: float
    came_true_low: float
    came_true_high: float
    mean_gain_over_usual_bps: float | None


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """One context in which a dealer quoted, and when it last did."""

    issuer_id: str | None
    sector: str | None
    scorecard_class: str | None
    maturity_bucket: str | None
    last_quoted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One snapshot, whole. Immutable: a request that holds it sees one state of the world.

    ``beliefs`` are the fitted figures by scorecard class, each with a row for every dealer on record.
    ``memo`` keeps what was worked out from it, for as long as it lives; it says nothing that the snapshot does not.
    """

    snapshot_id: str
    as_of: datetime
    created_at: datetime
    dealers: Mapping[str, Dealer]
    securities: Mapping[str, Security]
    by_cusip: Mapping[str, str]
    by_isin: Mapping[str, str]
    by_figi: Mapping[str, str]
    liquidity: Mapping[str, Liquidity]
    scorecards: Mapping[tuple[str, int, int], Scorecards]
    quoted: Mapping[str, tuple[Quoted, ...]]
    ever_asked: frozenset[str]
    axes: Mapping[tuple[str, AxeSide], Mapping[str, Axe]]
    axe_records: Mapping[str, AxeRecord]
    costs: Mapping[str, MarketCosts]
    overrides: tuple[OverrideOutcome, ...]
    has_prints: bool
    beliefs: Mapping[str, Beliefs] = field(default_factory=dict)
    memo: dict[int, object] = field(default_factory=dict, compare=False, repr=False)
