"""What rules may read of an order and the market, and how a bond is shown."""

import math
from datetime import UTC, datetime

from serve.domain.liquidity import LiquidityView, years_since_issue, years_to_maturity
from serve.domain.market import Market, Security
from serve.domain.orders import Order
from serve.domain.ratings import name_of
from serve.domain.recommendation import SecurityView


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
        "market.half_spread_bps": costs.quoted_half_spread_bps if costs else None,
        "order.volatility": view.volatility_bps,
        "order.illiquid": view.illiquid,
        "order.expected_cost_bps": view.expected_cost_bps,
        "order.expected_impact_bps": view.expected_impact_bps,
        "order.days_since_last_trade": untraded if view.days_since_last_trade is None else view.days_since_last_trade,
    }
    return {name: value for name, value in known.items() if value is not None and value == value}  # noqa: PLR0124 - NaN is no figure


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
