"""The canonical source tables: what a vendor's file must hold once it is mapped."""

from dataclasses import dataclass, field
from enum import StrEnum

from expectations.contracts import vocabulary as words

# The source that is the service's own journal: a row of it is what the desk did, and nobody delivers it corrected.
JOURNAL_SOURCE = "journal"


class Kind(StrEnum):
    """What a cell holds. Times are UTC; a date has no time of day."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    TIME = "time"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``required`` means the column must exist and no cell may be empty.

    ``above`` and ``at_most`` bound numbers (``above`` is exclusive, ``at_least`` inclusive); ``values`` closes a vocabulary;
    ``identifier`` (cusip, isin, figi, lei) asks for a valid check digit; a time that ``may_lie_ahead`` is an expiry, every other
    has happened.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = True
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    values: tuple[str, ...] = ()
    identifier: str = ""
    may_lie_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over one row's typed columns, in SQL; where it is false the row is bad, for ``reason``."""

    name: str
    condition: str
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table: its grain (``key``) and the column that says when a row happened (``None`` = always valid)."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    happened_at: str | None = None
    needed: bool = False
    rules: tuple[Rule, ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))


def _text(name: str, *, required: bool = True, values: type[StrEnum] | None = None) -> Column:
    return Column(name, Kind.TEXT, required, values=tuple(str(value) for value in values) if values else ())


def _time(name: str, *, required: bool = True) -> Column:
    return Column(name, Kind.TIME, required)


def _date(name: str, *, required: bool = False) -> Column:
    return Column(name, Kind.DATE, required)


def _flag(name: str) -> Column:
    return Column(name, Kind.FLAG, required=False)


# A clean price per 100 par: distressed bonds trade near zero, long zero-coupon or high-coupon bonds below 400.
_PRICE_CEILING = 400.0


def _price(name: str, *, required: bool = True) -> Column:
    return Column(name, Kind.NUMBER, required, above=0, at_most=_PRICE_CEILING)


def _quantity(name: str, *, required: bool = True) -> Column:
    return Column(name, Kind.NUMBER, required, above=0)


DEALERS = Table(
    "dealers",
    ("dealer_id",),
    (
        _text("dealer_id"),
        _text("name"),
        Column("lei", required=False, identifier="lei"),
        _text("specialties"),
        _text("status", values=words.DealerStatus),
        _text("agreements", required=False),
        _date("due_diligence_expiry"),
        Column("credit_limit", Kind.NUMBER, required=False, at_least=0),
        _flag("restricted"),
        _text("fix_session", required=False),
        _text("party_id", required=False),
        _text("contacts", required=False),
    ),
    needed=True,
)

DEALER_ALIASES = Table(
    "dealer_aliases",
    ("alias", "valid_from"),
    (_text("alias"), _text("dealer_id"), _date("valid_from"), _date("valid_to")),
)

SECURITIES = Table(
    "securities",
    ("security_id",),
    (
        _text("security_id"),
        Column("cusip", required=False, identifier="cusip"),
        Column("isin", required=False, identifier="isin"),
        Column("figi", required=False, identifier="figi"),
        _text("asset_class"),
        _text("issuer_id"),
        _text("issuer_name", required=False),
        _text("sector", required=False),
        _text("currency"),
        Column("coupon", Kind.NUMBER, required=False, at_least=0, at_most=40),
        _date("issue_date"),
        _date("maturity_date"),
        _text("rating_sp", required=False),
        _text("rating_moodys", required=False),
        _text("rating_fitch", required=False),
        Column("amount_outstanding", Kind.NUMBER, required=False, above=0),
    ),
    needed=True,
)

TRADES = Table(
    "trades",
    ("trade_id",),
    (
        _text("trade_id"),
        _text("security_id"),
        _time("executed_at"),
        _price("price"),
        _quantity("quantity"),
        _flag("quantity_capped"),
        Column("reporting_side", Kind.TEXT, required=False, values=tuple(words.ReportingSide)),
        _text("status", values=words.TradeStatus),
        _text("original_trade_id", required=False),
    ),
    happened_at="executed_at",
    rules=(
        Rule(
            "original_named",
            "status = 'NEW' or original_trade_id is not null",
            "a CANCEL or CORRECT must name its original_trade_id",
        ),
    ),
)

REFERENCE_PRICES = Table(
    "reference_prices",
    ("security_id", "as_of", "source"),
    (
        _text("security_id"),
        _time("as_of"),
        _price("bid", required=False),
        _price("mid"),
        _price("ask", required=False),
        _text("source"),
    ),
    happened_at="as_of",
    rules=(Rule("bid_mid_ask", "coalesce(bid <= mid, true) and coalesce(mid <= ask, true)", "bid <= mid <= ask does not hold"),),
)

AXES = Table(
    "axes",
    ("dealer_id", "security_id", "side", "advertised_at"),
    (
        _text("dealer_id"),
        _text("security_id"),
        _text("side", values=words.AxeSide),
        _quantity("quantity", required=False),
        _time("advertised_at"),
        Column("withdrawn_at", Kind.TIME, required=False, may_lie_ahead=True),
    ),
    happened_at="advertised_at",
    rules=(Rule("withdrawn_after", "coalesce(withdrawn_at >= advertised_at, true)", "withdrawn_at lies before advertised_at"),),
)

# What lasts longer is no request that anyone still waits on, and joins all days between into one step of a build.
_LONGEST_RFQ_DAYS = 31

RFQ_LOG = Table(
    "rfq_log",
    ("rfq_id", "dealer_id"),
    (
        _text("rfq_id"),
        _text("order_id", required=False),
        _text("venue"),
        _text("security_id"),
        _text("client_side", values=words.Side),
        _quantity("quantity"),
        _text("protocol", values=words.Protocol),
        _time("asked_at"),
        _text("dealer_id"),
        Column("sequence", Kind.INTEGER, required=False, at_least=1),
        Column("dealers_asked", Kind.INTEGER, at_least=1),
        Column("timeout_s", Kind.NUMBER, required=False, above=0, at_most=_LONGEST_RFQ_DAYS * 86_400),
        _text("response", values=words.Response),
        _time("responded_at", required=False),
        _price("quote_price", required=False),
        _quantity("quote_quantity", required=False),
        _flag("firm"),
        _text("outcome", values=words.Outcome),
        _time("executed_at", required=False),
        _price("executed_price", required=False),
        _quantity("executed_quantity", required=False),
        _price("arrival_mid", required=False),
        Column("propensity", Kind.NUMBER, required=False, above=0, at_most=1),
    ),
    happened_at="asked_at",
    needed=True,
    rules=(
        Rule("quote_priced", "response <> 'QUOTED' or quote_price is not null", "a QUOTED response has no quote_price"),
        Rule(
            "trade_priced",
            "outcome <> 'TRADED' or (executed_price is not null and executed_quantity is not null)",
            "a TRADED outcome has no executed_price or executed_quantity",
        ),
        Rule("traded_quoted", "outcome <> 'TRADED' or response = 'QUOTED'", "a TRADED outcome without a QUOTED response"),
        Rule("answered_after", "coalesce(responded_at >= asked_at, true)", "responded_at lies before asked_at"),
        Rule("executed_after", "coalesce(executed_at >= asked_at, true)", "executed_at lies before asked_at"),
        Rule(
            "ended_in_time",
            f"coalesce(greatest(responded_at, executed_at) <= asked_at + to_days({_LONGEST_RFQ_DAYS}), true)",
            f"was answered or executed more than {_LONGEST_RFQ_DAYS} days after asked_at: one of the times is mistyped",
        ),
        Rule("silence_has_no_answer", "response <> 'TIMED_OUT' or responded_at is null", "a TIMED_OUT response has an answer"),
        Rule("price_quoted", "response = 'QUOTED' or quote_price is null", "a quote_price without a QUOTED response"),
    ),
)

TCA_RESULTS = Table(
    "tca_results",
    ("execution_ref", "vendor", "metric", "horizon_s", "reference"),
    (
        _text("execution_ref"),
        _text("vendor"),
        _text("metric", values=words.TcaMetric),
        Column("horizon_s", Kind.INTEGER, required=False, at_least=0),
        Column("value", Kind.NUMBER),
        _text("unit", values=words.TcaUnit),
        _text("positive_is", values=words.PositiveIs),
        _text("reference"),
        _time("computed_at"),
    ),
    happened_at="computed_at",
)

# Given by the service's journal alone.
OVERRIDES = Table(
    "overrides",
    ("override_id",),
    (
        _text("override_id"),
        _text("recommendation_id"),
        _text("rfq_id", required=False),
        _time("overridden_at"),
        _text("overridden_by", required=False),
        _text("reason_code"),
        _text("comment"),
        _text("recommended", required=False),
        _text("chosen"),
    ),
    happened_at="overridden_at",
)

TABLES: dict[str, Table] = {
    table.name: table for table in (DEALERS, DEALER_ALIASES, SECURITIES, TRADES, REFERENCE_PRICES, AXES, RFQ_LOG, TCA_RESULTS)
}

# What vendors deliver, and what the journal gives besides.
LANDING_TABLES: dict[str, Table] = {**TABLES, OVERRIDES.name: OVERRIDES}
