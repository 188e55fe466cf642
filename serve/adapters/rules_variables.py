"""What a condition may name: every variable with its type and meaning, the constants, and the units."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from expectations.contracts.vocabulary import AdvBasis, AssetClass, CorporateClass, Metric, Side
from serve.domain.orders import Urgency
from serve.domain.ratings import CONSTANTS as RATINGS


class Kind(StrEnum):
    """What a variable holds, as the guide says it."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    TRUTH = "true or false"
    TEXTS = "list of texts"


class Variable(NamedTuple):
    """What a variable holds, and what it means in one line (with its unit, and when it is not known)."""

    kind: Kind
    meaning: str


ORDER_VARIABLES: Mapping[str, Variable] = {
    "order.asset_class": Variable(Kind.TEXT, "CORP, MUNI, STRUCTURED, GOVT, AGENCY, EM, or the desk's own"),
    "order.scorecard_class": Variable(Kind.TEXT, "as the asset class, but corporates are CORP_IG, CORP_HY or CORP_NR"),
    "order.sector": Variable(Kind.TEXT, "the issuer's sector; not known for some bonds"),
    "order.issuer_id": Variable(Kind.TEXT, "the issuer's identifier"),
    "order.currency": Variable(Kind.TEXT, 'the order\'s currency, such as "USD"'),
    "order.rating": Variable(
        Kind.WHOLE, "the bond's rating on the ordered scale: AAA is above AA_PLUS; not known without a rating"
    ),
    "order.is_rated": Variable(Kind.TRUTH, "whether the bond has a rating"),
    "order.side": Variable(Kind.TEXT, "BUY or SELL: what the desk does"),
    "order.urgency": Variable(Kind.TEXT, '"low", "normal" or "high"'),
    "order.notional": Variable(Kind.NUMBER, "the order's size, par in currency units"),
    "order.quantity": Variable(Kind.NUMBER, "the same as order.notional"),
    "order.limit_price": Variable(Kind.NUMBER, "the limit per 100 par; not known without one"),
    "order.years_to_maturity": Variable(Kind.NUMBER, "years to maturity; not known without a maturity date"),
    "order.maturity_bucket": Variable(Kind.TEXT, "the maturity bucket of the scorecards"),
    "order.age_years": Variable(Kind.NUMBER, "years since issue; not known without an issue date"),
    "order.amount_outstanding": Variable(Kind.NUMBER, "par outstanding; not known for some bonds"),
    "order.illiquid": Variable(Kind.TRUTH, "whether the bond counts as illiquid for this order (config/scoring.yml)"),
    "order.days_since_last_trade": Variable(Kind.NUMBER, "days since the last print; infinite where none is on record"),
    "order.traded_days_30d": Variable(Kind.NUMBER, "days with a print, of the last 30"),
    "order.adv_30d": Variable(Kind.NUMBER, "average daily volume over 30 days, par; not known where no basis gives one"),
    "order.adv_basis": Variable(Kind.TEXT, 'whose volume that is: "security", "issuer", "peers", "amount_outstanding" or "none"'),
    "order.adv30_share": Variable(Kind.NUMBER, "the order's size over that volume, as a fraction: pct(10) is 0.1"),
    "order.volatility": Variable(Kind.NUMBER, "daily volatility of the bond, else of its class, bps of price"),
    "order.print_dispersion_bps": Variable(Kind.NUMBER, "how far prints of one day lie apart, bps of price"),
    "order.half_spread_bps": Variable(Kind.NUMBER, "half of the bond's bid-ask spread, bps of price"),
    "order.expected_cost_bps": Variable(Kind.NUMBER, "pre-trade estimate of the cost for this size, bps; positive is against us"),
    "order.expected_impact_bps": Variable(Kind.NUMBER, "pre-trade estimate of the market impact, bps; positive is against us"),
    "market.volatility": Variable(Kind.NUMBER, "market conditions: the class's daily volatility now, bps of price"),
    "market.half_spread_bps": Variable(Kind.NUMBER, "market conditions: the class's half-spread now, bps of price"),
}
DEALER_VARIABLES: Mapping[str, Variable] = {
    "dealer.id": Variable(Kind.TEXT, "the dealer's identifier"),
    "dealer.tier": Variable(
        Kind.WHOLE, "1, 2, ... by default composite within the class; not known where the class has no ranking"
    ),
    "dealer.specialties": Variable(Kind.TEXTS, "asset classes the dealer specialises in"),
    "dealer.composite": Variable(Kind.NUMBER, "the default composite score within the class"),
    "dealer.score": Variable(Kind.NUMBER, "the score by the rule's own weights"),
    "dealer.rfqs_asked": Variable(Kind.WHOLE, "how often the dealer was asked in the score's window"),
    **{f"dealer.scores.{metric}": Variable(Kind.NUMBER, f"the component score {metric}, normalised") for metric in Metric},
}
# Units, so that a condition reads as people speak; each gives a number in the variable's own unit.
UNITS: Mapping[str, float] = {"mm": 1e6, "pct": 0.01, "bps": 1.0, "days": 1.0, "years": 1.0}
# Variables of which every value is known beforehand: another word in a comparison is a slip.
CLOSED: Mapping[str, tuple[str, ...]] = {
    "order.side": tuple(Side),
    "order.urgency": tuple(Urgency),
    "order.adv_basis": tuple(AdvBasis),
}
WORDS: tuple[str, ...] = (*AssetClass, *CorporateClass, *Side)
# What a condition may apply; anything else that the language offers is refused, so that a rule stays readable and cannot run long.
FUNCTIONS = frozenset(
    {
        *("_&&_", "_||_", "!_", "_?_:_", "@in", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"),
        *("_+_", "_-_", "_*_", "_/_", "-_", "size", "startsWith", "endsWith", "contains", *UNITS),
    }
)
__all__ = ["CLOSED", "DEALER_VARIABLES", "FUNCTIONS", "ORDER_VARIABLES", "RATINGS", "UNITS", "WORDS", "Kind", "Variable"]
