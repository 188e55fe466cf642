"""Pre-trade: is this bond illiquid for this order, and what is the order expected to cost."""

import math
from collections.abc import Iterator
from datetime import date

import msgspec

from expectations.contracts.vocabulary import AdvBasis, Rating
from serve.domain.market import Liquidity, Market, MarketCosts, Security
from serve.domain.ratings import spoken

DAYS_PER_YEAR = 365.25


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a bond counts as illiquid; any one is enough. Shares as fractions, dispersion in bps of price, age in years."""

    days_since_last_trade: float
    traded_days_30d: int
    adv_share: float
    print_dispersion_bps: float
    rating_below: str
    age_years: float

    def __post_init__(self) -> None:
        if self.rating_below not in Rating.__members__:
            raise ValueError(f"rating_below: {self.rating_below!r} is not a rating; use one of {', '.join(Rating.__members__)}")
        for name in ("days_since_last_trade", "traded_days_30d", "adv_share", "print_dispersion_bps", "age_years"):
            if not getattr(self, name) >= 0 or math.isinf(getattr(self, name)):
                raise ValueError(f"{name}: must be a number not below zero, not {getattr(self, name)}")


class LiquidityView(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict with its reasons. ``None`` = not known, and ``reasons`` says so. ``adv_share`` = quantity / ADV.

    ``adv_basis`` names whose volume the ADV is: the security's own, its issuer's, its peers', or a share of what is outstanding.
    Costs are in bps of price, positive = against us; the impact's 95 % interval is the fit's, and the counts are the executions
    behind the fits (0 = the class's reference prices stand in).
    """

    illiquid: bool
    reasons: list[str]
    days_since_last_trade: float | None
    traded_days_30d: int | None
    adv_30d: float | None
    adv_share: float | None
    adv_basis: str
    expected_cost_bps: float | None
    expected_impact_bps: float | None
    expected_cost_n: int | None = None
    expected_impact_low_bps: float | None = None
    expected_impact_high_bps: float | None = None
    expected_impact_n: int | None = None
    volatility_bps: float | None = None
    print_dispersion_bps: float | None = None


def judge(market: Market, security: Security, quantity: float | None, today: date, limits: Thresholds) -> LiquidityView:
    """Judge one bond for an order of ``quantity`` par (``None`` = no order: figures that need a size are unknown)."""
    facts = market.liquidity.get(security.security_id)
    costs = market.costs.get(security.scorecard_class)
    adv = facts.adv_30d if facts else None
    share = quantity / adv if quantity is not None and adv else None
    found = [*_traded(market, facts, limits), *_sized(share, facts, limits), *_described(security, today, limits)]
    volatility = _first(facts.volatility_bps if facts else None, costs.volatility_bps if costs else None)
    cost = expected_cost_bps(facts, costs, quantity)
    low, impact, high = (
        expected_impact_bps(coefficient, volatility, share)
        for coefficient in ((costs.impact_low, costs.impact_coefficient, costs.impact_high) if costs else (None, None, None))
    )
    return LiquidityView(
        illiquid=bool(found),
        reasons=found + _unknown(market, facts, cost, impact, quantity),
        days_since_last_trade=facts.days_since_last_trade if facts else None,
        traded_days_30d=facts.traded_days_30d if facts else None,
        adv_30d=adv,
        adv_share=share,
        adv_basis=(facts.adv_basis if facts else None) or AdvBasis.NONE.value,
        expected_cost_bps=cost,
        expected_impact_bps=impact,
        expected_cost_n=costs.cost_n if costs and cost is not None else None,
        expected_impact_low_bps=low,
        expected_impact_high_bps=high,
        expected_impact_n=costs.impact_n if costs and impact is not None else None,
        volatility_bps=volatility,
        print_dispersion_bps=facts.print_dispersion_bps if facts else None,
    )


def expected_cost_bps(facts: Liquidity | None, costs: MarketCosts | None, quantity: float | None) -> float | None:
    """Half-spread x (quantity / reference quantity) ^ exponent, in bps, fitted on what the class's executions cost.

    A bond that is quoted wider or tighter than its class costs more or less in proportion.
    """
    growth = _for_size(costs, quantity)
    if costs is None or growth is None:
        return None
    own = facts.half_spread_bps if facts else None
    half_spread = _first(costs.half_spread_bps, own)
    if half_spread is None:
        return None
    width = own / costs.quoted_half_spread_bps if own is not None and costs.quoted_half_spread_bps else 1.0
    return half_spread * width * growth


def half_spread_for_size(
    facts: Liquidity | None, costs: MarketCosts | None, usual_bps: float | None, quantity: float | None
) -> float | None:
    """Give half of the bid-ask spread at the order's size, in bps: the bond's own, else ``usual_bps``, along the curve of costs.

    Quotes are measured in it. An execution costs less: it is the best of several quotes.
    """
    half_spread = (facts.half_spread_bps if facts else None) or usual_bps
    return None if half_spread is None else half_spread * (_for_size(costs, quantity) or 1.0)


def expected_impact_bps(coefficient: float | None, volatility_bps: float | None, adv_share: float | None) -> float | None:
    """Coefficient x volatility x sqrt(ADV share), in bps: the square-root law, its coefficient fitted per class."""
    if coefficient is None or volatility_bps is None or adv_share is None:
        return None
    return coefficient * volatility_bps * math.sqrt(adv_share)


def years_to_maturity(security: Security, today: date) -> float | None:
    """Years from ``today`` to maturity; ``None`` without a maturity date."""
    return None if security.maturity_date is None else (security.maturity_date - today).days / DAYS_PER_YEAR


def years_since_issue(security: Security, today: date) -> float | None:
    """Years from issue to ``today``; ``None`` without an issue date."""
    return None if security.issue_date is None else (today - security.issue_date).days / DAYS_PER_YEAR


def _for_size(costs: MarketCosts | None, quantity: float | None) -> float | None:
    """Give what the order's size makes of a cost at the reference quantity; ``None`` without a curve."""
    if costs is None or quantity is None or costs.reference_quantity is None or costs.size_exponent is None:
        return None
    return math.pow(quantity / costs.reference_quantity, costs.size_exponent)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _traded(market: Market, facts: Liquidity | None, limits: Thresholds) -> Iterator[str]:
    if not market.has_prints:
        return
    if facts is None or facts.days_since_last_trade is None:
        yield "No trade of this bond is on record."
        return
    if facts.days_since_last_trade > limits.days_since_last_trade:
        yield f"It last traded {facts.days_since_last_trade:.1f} days ago, more than {limits.days_since_last_trade:g}."
    if facts.traded_days_30d is not None and facts.traded_days_30d < limits.traded_days_30d:
        yield f"It traded on {facts.traded_days_30d} of the last 30 days, fewer than {limits.traded_days_30d}."
    if facts.print_dispersion_bps is not None and facts.print_dispersion_bps > limits.print_dispersion_bps:
        yield f"Its prints are {facts.print_dispersion_bps:.0f} bps apart, more than {limits.print_dispersion_bps:g} bps."


def _sized(share: float | None, facts: Liquidity | None, limits: Thresholds) -> Iterator[str]:
    if share is not None and facts is not None and share > limits.adv_share:
        basis = facts.adv_basis or AdvBasis.NONE.value
        yield f"The order is {share:.0%} of the 30-day average daily volume (from the {basis}), more than {limits.adv_share:.0%}."


def _described(security: Security, today: date, limits: Thresholds) -> Iterator[str]:
    floor = Rating[limits.rating_below]
    if security.rating_rank is not None and security.rating_rank < floor:
        yield f"It is rated {spoken(security.rating_rank)}, below {spoken(floor)}."
    age = years_since_issue(security, today)
    if age is not None and age > limits.age_years:
        yield f"It was issued {age:.0f} years ago, more than {limits.age_years:g}."


def _unknown(
    market: Market, facts: Liquidity | None, cost: float | None, impact: float | None, quantity: float | None
) -> list[str]:
    said = [] if market.has_prints else ["No market prints are on record, so trading activity is not judged."]
    if not (facts and facts.adv_30d):
        said.append("The average daily volume is not known, so the order's share of it is not known either.")
    if facts and facts.capped_trades_30d:
        said.append(
            f"The tape caps the size of {facts.capped_trades_30d} of this bond's {facts.trades_30d} prints of 30 days, "
            "so volumes count at least that much."
        )
    if quantity is not None and cost is None:
        said.append("The expected cost is not known: no costs are fitted for this class.")
    if quantity is not None and impact is None:
        said.append("The expected impact is not known: it takes a fitted class, a volatility and a daily volume.")
    return said
