"""The snapshot: the tables in ``scorecards.duckdb`` and the ``manifest.json`` beside it."""

from datetime import datetime
from enum import StrEnum

import msgspec

from expectations.contracts.vocabulary import Metric

CONTRACT_VERSION = 4
WINDOWS_DAYS = (30, 60, 90, 180)
# Days after which an observation weighs half; 0 = all observations of the window weigh the same.
HALF_LIVES_DAYS = (0, 60)
DEFAULT_WINDOW_DAYS = 90
# Older than this a snapshot is stale: a long weekend is not, a week is. SOTTO_SNAPSHOT_MAX_AGE_HOURS says otherwise.
MAX_AGE_HOURS = 96.0


def metric_columns(metric: Metric) -> dict[str, str]:
    """Name the five columns of one scorecard metric.

    ``<m>`` is the raw figure in its unit (NULL without observations), ``<m>_n`` the observations behind it, ``<m>_low`` and
    ``<m>_high`` the 95 % interval in the raw unit, ``<m>_score`` the normalised component; without observations the score
    is the class's mean figure, normalised (neutral where the class has none), and ``<m>_n`` = 0 says so. With a half-life
    ``<m>_n`` is the effective number of observations, rounded.
    """
    return {
        f"{metric}": "DOUBLE",
        f"{metric}_n": "BIGINT",
        f"{metric}_low": "DOUBLE",
        f"{metric}_high": "DOUBLE",
        f"{metric}_score": "DOUBLE",
    }


SNAPSHOT_TABLES: dict[str, dict[str, str]] = {
    # One row per dealer.
    "dim_dealers": {
        "dealer_id": "VARCHAR",
        "name": "VARCHAR",
        "lei": "VARCHAR",
        "specialties": "VARCHAR[]",
        "status": "VARCHAR",
        "agreements": "VARCHAR",
        "due_diligence_expiry": "DATE",
        "credit_limit": "DOUBLE",
        "restricted": "BOOLEAN",
        "fix_session": "VARCHAR",
        "party_id": "VARCHAR",
        "contacts": "VARCHAR",
    },
    # One row per security. rating_rank is the ordinal of vocabulary.Rating, NULL when not rated.
    "dim_securities": {
        "security_id": "VARCHAR",
        "cusip": "VARCHAR",
        "isin": "VARCHAR",
        "figi": "VARCHAR",
        "asset_class": "VARCHAR",
        "scorecard_class": "VARCHAR",
        "issuer_id": "VARCHAR",
        "issuer_name": "VARCHAR",
        "sector": "VARCHAR",
        "currency": "VARCHAR",
        "coupon": "DOUBLE",
        "issue_date": "DATE",
        "maturity_date": "DATE",
        "maturity_bucket": "VARCHAR",
        "rating_rank": "INTEGER",
        "amount_outstanding": "DOUBLE",
    },
    # One row per security: what the market showed up to as_of. Volumes in par currency units, bps of price.
    "fct_security_liquidity": {
        "security_id": "VARCHAR",
        "as_of": "TIMESTAMP",
        "last_trade_at": "TIMESTAMP",
        "days_since_last_trade": "DOUBLE",
        "trades_30d": "BIGINT",
        "traded_days_30d": "BIGINT",
        "capped_trades_30d": "BIGINT",
        "volume_30d": "DOUBLE",
        "adv_30d": "DOUBLE",
        "adv_basis": "VARCHAR",
        "print_dispersion_bps": "DOUBLE",
        "mid": "DOUBLE",
        "mid_as_of": "TIMESTAMP",
        "half_spread_bps": "DOUBLE",
        "volatility_bps": "DOUBLE",
    },
    # One row per dealer x scorecard class x window x half-life, for every dealer and every class that has RFQs in the window.
    "fct_dealer_scorecards": {
        "as_of": "TIMESTAMP",
        "dealer_id": "VARCHAR",
        "scorecard_class": "VARCHAR",
        "asset_class": "VARCHAR",
        "window_days": "INTEGER",
        "half_life_days": "INTEGER",
        "rfqs_asked": "BIGINT",
        "rfqs_quoted": "BIGINT",
        "rfqs_declined": "BIGINT",
        "rfqs_timed_out": "BIGINT",
        "rfqs_rejected": "BIGINT",
        "rfqs_won": "BIGINT",
        **{name: kind for metric in Metric for name, kind in metric_columns(metric).items()},
        "composite": "DOUBLE",
        "composite_rank": "INTEGER",
        "composite_rank_share": "DOUBLE",
        "tier": "INTEGER",
    },
    # One row per dealer x scorecard class x week of the past year: the scorecard of that day, by what is known now.
    "fct_dealer_scorecard_history": {
        "as_of_day": "DATE",
        "dealer_id": "VARCHAR",
        "scorecard_class": "VARCHAR",
        "asset_class": "VARCHAR",
        "window_days": "INTEGER",
        "rfqs_asked": "BIGINT",
        "rfqs_quoted": "BIGINT",
        "rfqs_declined": "BIGINT",
        "rfqs_timed_out": "BIGINT",
        "rfqs_rejected": "BIGINT",
        "rfqs_won": "BIGINT",
        **{name: kind for metric in Metric for name, kind in ((f"{metric}", "DOUBLE"), (f"{metric}_n", "BIGINT"))},
    },
    # One row per dealer x issuer x sector x scorecard class x maturity bucket that the dealer quoted in the last 180 days.
    "fct_dealer_affinity": {
        "dealer_id": "VARCHAR",
        "issuer_id": "VARCHAR",
        "sector": "VARCHAR",
        "scorecard_class": "VARCHAR",
        "maturity_bucket": "VARCHAR",
        "rfqs_quoted_180d": "BIGINT",
        "last_quoted_at": "TIMESTAMP",
    },
    # One row per dealer x security x side advertised and neither withdrawn nor expired at as_of. side: BUYS or SELLS.
    "fct_dealer_axes": {
        "dealer_id": "VARCHAR",
        "security_id": "VARCHAR",
        "side": "VARCHAR",
        "quantity": "DOUBLE",
        "advertised_at": "TIMESTAMP",
        "age_days": "DOUBLE",
    },
    # One row per dealer asked after advertising: how often its advertised interests came true over the last 180 days.
    "fct_dealer_axe_record": {
        "as_of": "TIMESTAMP",
        "dealer_id": "VARCHAR",
        "axes_tested": "BIGINT",
        "axes_came_true": "BIGINT",
        "came_true_share": "DOUBLE",
        "came_true_low": "DOUBLE",
        "came_true_high": "DOUBLE",
        "mean_gain_over_usual_bps": "DOUBLE",
    },
    # One row per reason code: whether the trader or the machine was right. Advantages in bps, positive = the trader.
    "fct_override_outcomes": {
        "reason_code": "VARCHAR",
        "overrides": "BIGINT",
        "rfqs": "BIGINT",
        "traded": "BIGINT",
        "compared": "BIGINT",
        "trader_better": "BIGINT",
        "trader_advantage_bps": "DOUBLE",
        "trader_advantage_low": "DOUBLE",
        "trader_advantage_high": "DOUBLE",
    },
    # One row per scorecard class: what an order of that class is expected to cost, fitted on executions.
    # expected cost = half_spread_bps x (quantity / reference_quantity) ^ size_exponent, for a bond that is quoted
    # quoted_half_spread_bps wide (the class's median); a bond quoted twice as wide is expected to cost twice as much;
    # expected impact = impact_coefficient x volatility_bps x sqrt(quantity / ADV). n = executions behind the fit.
    "fit_market_costs": {
        "scorecard_class": "VARCHAR",
        "half_spread_bps": "DOUBLE",
        "reference_quantity": "DOUBLE",
        "size_exponent": "DOUBLE",
        "quoted_half_spread_bps": "DOUBLE",
        "cost_n": "BIGINT",
        "volatility_bps": "DOUBLE",
        "impact_coefficient": "DOUBLE",
        "impact_low": "DOUBLE",
        "impact_high": "DOUBLE",
        "impact_n": "BIGINT",
    },
    # One row per scorecard class with RFQs: what holds for all its dealers. HS = half-spreads of the class, cost positive.
    "fit_class_terms": {
        "scorecard_class": "VARCHAR",
        "half_spread_bps": "DOUBLE",
        "outside_hs": "DOUBLE",
        "response": "DOUBLE",
        "price_hs": "DOUBLE",
        "price_sd_hs": "DOUBLE",
        "leak_hs": "DOUBLE",
        "crowd_logit": "DOUBLE",
        "axe_gain_hs": "DOUBLE",
        "axe_logit": "DOUBLE",
        "axe_base": "DOUBLE",
        "impact_hs": "DOUBLE",
        "fade": "DOUBLE",
        "fade_n": "BIGINT",
        "premium_hs": "DOUBLE",
        "premium_n": "BIGINT",
    },
    # One row per dealer x scorecard class with RFQs, for every dealer: shrunk figures, counts (with decay), 95 % intervals.
    "fit_dealer_beliefs": {
        "scorecard_class": "VARCHAR",
        "dealer_id": "VARCHAR",
        "price_sd_hs": "DOUBLE",
        **{
            f"{figure}{suffix}": "DOUBLE"
            for figure in ("response", "price_hs", "leak_hs", "axe_gain_hs", "card_response", "card_price_hs", "card_leak")
            for suffix in ("", "_n", "_low", "_high")
        },
    },
    # One row per dealer x scorecard class x sector in which it quoted, where the class has several sectors: its mean quote there,
    # shrunk to its mean in the class, and the same as quoted for the scorecard; counts in which quotes of one day weigh less.
    "fit_sector_prices": {
        "scorecard_class": "VARCHAR",
        "sector": "VARCHAR",
        "dealer_id": "VARCHAR",
        **{f"{figure}{suffix}": "DOUBLE" for figure in ("price_hs", "card_price_hs") for suffix in ("", "_n", "_low", "_high")},
    },
    # One row per dealer x scorecard class x sector x client side where something was seen: the probability of an axe that suits.
    "fit_axe_beliefs": {
        "scorecard_class": "VARCHAR",
        "sector": "VARCHAR",
        "client_side": "VARCHAR",
        "dealer_id": "VARCHAR",
        "probability": "DOUBLE",
        "advertised": "BOOLEAN",
    },
}


class TableFacts(msgspec.Struct, frozen=True):
    """What the manifest says of one table: its rows, and a hash of its content that ignores row order."""

    rows: int
    logical_hash: str


class Severity(StrEnum):
    """What a failed check does: an error keeps everything from being published, a warning is told beside it."""

    ERROR = "error"
    WARNING = "warning"


class GateResult(msgspec.Struct, frozen=True):
    """One check of the gate: where, what, whether it held, and the harm it prevents.

    ``node`` is what made the rows: a dbt node, or a landing table; ``observed`` tells of the rows that do the harm.
    """

    suite: str
    check: str
    passed: bool
    harm: str
    observed: str = ""
    severity: Severity = Severity.ERROR
    node: str = ""

    @property
    def refuses(self) -> bool:
        """Say whether nothing may be published because of it."""
        return not self.passed and self.severity is Severity.ERROR

    @property
    def outcome(self) -> str:
        """Say in a word how the check ended: passed, warning or failed."""
        if self.passed:
            return "passed"
        return "failed" if self.refuses else "warning"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json``: enough to say what a snapshot is made of and to compare two of them. Times are UTC."""

    contract_version: int
    snapshot_id: str
    as_of: datetime
    known_at: datetime
    created_at: datetime
    tables: dict[str, TableFacts]
    quarantined: dict[str, int]
    gate: list[GateResult]
    dbt_invocation_id: str
    code_version: str
    sources: list[str] = []
