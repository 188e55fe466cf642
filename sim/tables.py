"""The market as vendors write it: canonical rows, each table in the words of its source."""

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import AxeSide, TradeStatus
from sim.deals import executed_price
from sim.market import Market
from sim.naming import alias_columns, by_cusip
from sim.prints import SIDES, executed_quantity
from sim.references import COMPOSITE, EVALUATED
from sim.traits import CLASS_NAMES, CLASSES
from sim.writers import Rows, amounts, decimals, flags, instants, picked, rows_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def dealer_rows(market: Market) -> Rows:
    """Write the firm's dealer records."""
    own = market.dealers
    return rows_of(
        "dealers",
        {
            "dealer_id": [dealer.dealer_id for dealer in own],
            "name": [dealer.name for dealer in own],
            "lei": [dealer.lei for dealer in own],
            "specialties": [";".join(dealer.specialties) for dealer in own],
            "status": [dealer.status for dealer in own],
            "agreements": [dealer.agreements for dealer in own],
            "due_diligence_expiry": [dealer.due_diligence_expiry.isoformat() for dealer in own],
            "credit_limit": [f"{dealer.credit_limit:.0f}" for dealer in own],
            "restricted": ["true" if dealer.restricted else "false" for dealer in own],
            "fix_session": [dealer.fix_session for dealer in own],
            "party_id": [dealer.party_id for dealer in own],
            "contacts": [dealer.contacts for dealer in own],
        },
    )


def alias_rows(market: Market) -> Rows:
    """Write the names that logs use."""
    return rows_of("dealer_aliases", alias_columns(market))


def security_rows(market: Market) -> Rows:
    """Write the security master."""
    own = market.bonds
    return rows_of(
        "securities",
        {
            "security_id": [bond.security_id for bond in own],
            "cusip": [bond.cusip for bond in own],
            "isin": [bond.isin for bond in own],
            "figi": [bond.figi for bond in own],
            "asset_class": [bond.asset_class for bond in own],
            "issuer_id": [bond.issuer_id for bond in own],
            "issuer_name": [bond.issuer_name for bond in own],
            "sector": [bond.sector for bond in own],
            "currency": [bond.currency for bond in own],
            "coupon": [f"{bond.coupon:.3f}" for bond in own],
            "issue_date": [bond.issue_date.isoformat() for bond in own],
            "maturity_date": [bond.maturity_date.isoformat() for bond in own],
            "rating_sp": [bond.ratings.sp for bond in own],
            "rating_moodys": [bond.ratings.moodys for bond in own],
            "rating_fitch": [bond.ratings.fitch for bond in own],
            "amount_outstanding": [f"{bond.amount_outstanding:.0f}" for bond in own],
        },
    )


def axe_rows(market: Market) -> Rows:
    """Write what dealers advertised; by CUSIP, as their runs do."""
    axes = market.axes
    first, last = int(market.midnights[0]), market.sizes.end_ms
    shown = np.flatnonzero((axes.advertised >= first) & (axes.advertised <= last))
    shown = shown[np.lexsort((axes.security[shown], axes.dealer[shown], axes.advertised[shown]))]
    withdrawn = np.where(axes.withdrawn[shown] <= last, axes.withdrawn[shown], -1)
    told = instants(axes.advertised[shown])
    return rows_of(
        "axes",
        {
            "dealer_id": picked([dealer.dealer_id for dealer in market.dealers], axes.dealer[shown]),
            "security_id": picked(by_cusip(market), axes.security[shown]),
            "side": [str(AxeSide.BUYS if direction > 0 else AxeSide.SELLS) for direction in axes.direction[shown].tolist()],
            "quantity": amounts(axes.quantity[shown]),
            "advertised_at": told,
            "withdrawn_at": instants(withdrawn),
        },
        by_time=told,
    )


def reference_rows(market: Market) -> Rows:
    """Write both vendors' reference prices, by the internal identifier."""
    own = market.references.rows
    at = instants(own.at)
    return rows_of(
        "reference_prices",
        {
            "security_id": picked([bond.security_id for bond in market.bonds], own.security),
            "as_of": at,
            "bid": decimals(own.bid, 4),
            "mid": decimals(own.mid, 4),
            "ask": decimals(own.ask, 4),
            "source": [COMPOSITE if live else EVALUATED for live in own.composite.tolist()],
        },
        by_time=at,
    )


def trade_rows(market: Market) -> Rows:
    """Write the tape: the market's prints and the desk's own, sizes capped as the tape caps them."""
    own, demand = market.prints, market.demand
    spread = np.array([bond.half_spread_bps for bond in market.bonds])
    price = market.timeline.prints * (1 + 1e-4 * own.cost_hs * spread[own.security])
    traded = np.flatnonzero((market.impacts.trades >= 0) & (market.impacts.trades <= market.sizes.end_ms))
    security = np.concatenate([own.security, demand.security[traded]])
    at = np.concatenate([own.at, market.impacts.trades[traded]])
    quantity = np.concatenate([own.quantity, executed_quantity(market.enquiries)[traded]])
    side = np.concatenate([own.side, np.where(demand.direction[traded] > 0, 1, 0)])
    price = np.concatenate([np.round(price, 3), executed_price(market)[traded]])
    order = np.argsort(at, kind="stable")
    caps = np.array([traits.cap or np.inf for traits in CLASSES])
    limit = caps[np.array([CLASS_NAMES.index(bond.scorecard_class) for bond in market.bonds])][security]
    times = instants(at[order])
    return rows_of(
        "trades",
        {
            "trade_id": [f"T{number:08d}" for number in range(1, len(order) + 1)],
            "security_id": picked(by_cusip(market), security[order]),
            "executed_at": times,
            "price": decimals(price[order], 4),
            "quantity": amounts(np.minimum(quantity, limit)[order]),
            "quantity_capped": flags((quantity > limit)[order]),
            "reporting_side": picked(list(SIDES), side[order]),
            "status": [str(TradeStatus.NEW)] * len(order),
            "original_trade_id": [""] * len(order),
        },
        by_time=times,
    )
