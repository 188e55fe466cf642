"""The words of the house, as enumerations; dbt's accepted values and the glossary hold the same ones (a test)."""

from enum import IntEnum, StrEnum


class Side(StrEnum):
    """The client's side of an order: what the desk does, never what the dealer does."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def direction(self) -> int:
        """+1 when we buy, -1 when we sell: the ``d`` of every signed figure."""
        return 1 if self is Side.BUY else -1


class AxeSide(StrEnum):
    """What the dealer advertises to do; a dealer that BUYS suits a client that sells."""

    BUYS = "BUYS"
    SELLS = "SELLS"


class Protocol(StrEnum):
    """How an RFQ went out, as written in RFQ logs."""

    PARALLEL = "PARALLEL"
    SEQUENTIAL = "SEQUENTIAL"
    STAGGERED = "STAGGERED"


class Response(StrEnum):
    """What one dealer asked gave back."""

    QUOTED = "QUOTED"
    DECLINED = "DECLINED"
    TIMED_OUT = "TIMED_OUT"
    REJECTED = "REJECTED"


class Outcome(StrEnum):
    """How one response ended: the winner, the best losing quote, another loser, a dead quote, or an RFQ that did not trade."""

    TRADED = "TRADED"
    COVER = "COVER"
    LOST = "LOST"
    EXPIRED = "EXPIRED"
    NOT_TRADED = "NOT_TRADED"


class DealerStatus(StrEnum):
    """Whether a dealer may be asked at all."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class TradeStatus(StrEnum):
    """What a print report does: adds a trade, takes one back, or replaces one."""

    NEW = "NEW"
    CANCEL = "CANCEL"
    CORRECT = "CORRECT"


class ReportingSide(StrEnum):
    """Side of a print as its dealer reported it: bought, sold, or an inter-dealer trade."""

    BOUGHT = "B"
    SOLD = "S"
    INTERDEALER = "D"


class AssetClass(StrEnum):
    """Asset classes shipped; a desk may add its own, so nothing refuses a value that is not here."""

    CORP = "CORP"
    MUNI = "MUNI"
    STRUCTURED = "STRUCTURED"
    GOVT = "GOVT"
    AGENCY = "AGENCY"
    EM = "EM"


class CorporateClass(StrEnum):
    """Corporates are scored apart by rating at the time; elsewhere the scorecard class equals the asset class."""

    INVESTMENT_GRADE = "CORP_IG"
    HIGH_YIELD = "CORP_HY"
    NOT_RATED = "CORP_NR"


class TcaMetric(StrEnum):
    """Post-trade figures that a vendor may send."""

    IMPLEMENTATION_SHORTFALL = "implementation_shortfall"
    PRICE_REVERSION = "price_reversion"
    MARKET_IMPACT = "market_impact"
    ARRIVAL_SLIPPAGE = "arrival_slippage"


class TcaUnit(StrEnum):
    """Unit of a vendor's figure: basis points of price, price per 100 par, or currency for the whole execution."""

    BPS = "bps"
    PRICE = "price"
    CURRENCY = "currency"


class PositiveIs(StrEnum):
    """What a positive vendor figure means for the client."""

    COST = "COST"
    GAIN = "GAIN"


class Metric(StrEnum):
    """Scorecard metrics: the four of ``seed_v0`` first, then those that a rule may weigh besides."""

    FILL_RATE = "fill_rate"
    PRICE_IMPROVEMENT = "price_improvement"
    INFORMATION_LEAKAGE = "information_leakage"
    RESPONSE_SPEED = "response_speed"
    HIT_RATE = "hit_rate"
    RESPONSE_RATE = "response_rate"
    SIZE_RATIO = "size_ratio"


METRIC_UNITS: dict[Metric, str] = {
    Metric.FILL_RATE: "executed / asked",
    Metric.PRICE_IMPROVEMENT: "bps",
    Metric.INFORMATION_LEAKAGE: "bps",
    Metric.RESPONSE_SPEED: "s",
    Metric.HIT_RATE: "won / quoted",
    Metric.RESPONSE_RATE: "quoted / asked",
    Metric.SIZE_RATIO: "quoted / asked size",
}


class AdvBasis(StrEnum):
    """Where an average daily volume comes from, the security's own prints first."""

    SECURITY = "security"
    ISSUER = "issuer"
    PEERS = "peers"
    AMOUNT_OUTSTANDING = "amount_outstanding"
    NONE = "none"


class Rating(IntEnum):
    """One ordinal scale for all agencies; a higher number is a better credit, so "below BBB" includes BBB-."""

    D = 1
    C = 2
    CC = 3
    CCC_MINUS = 4
    CCC = 5
    CCC_PLUS = 6
    B_MINUS = 7
    B = 8
    B_PLUS = 9
    BB_MINUS = 10
    BB = 11
    BB_PLUS = 12
    BBB_MINUS = 13
    BBB = 14
    BBB_PLUS = 15
    A_MINUS = 16
    A = 17
    A_PLUS = 18
    AA_MINUS = 19
    AA = 20
    AA_PLUS = 21
    AAA = 22


LOWEST_INVESTMENT_GRADE = Rating.BBB_MINUS
