"""What each RFQ came to in numbers: names, prices shown, prices done, and the executions handed to TCA vendors."""

import numpy as np
import numpy.typing as npt

from sim.market import Market
from sim.prints import executed_quantity
from sim.rfqs import spread_for_size
from sim.tca_vendors import Executed

Floats = npt.NDArray[np.float64]


def quote_prices(market: Market) -> Floats:
    """Give RFQ x place the price each dealer would show, from the true mid at the arrival; 3 decimals, as venues carry them."""
    mid = market.timeline.from_arrival[:, :1]
    spread = spread_for_size(market.bonds, market.demand)[:, None]
    signed = market.demand.direction[:, None] * market.enquiries.answers.cost_hs * spread
    return np.asarray(np.round(mid * (1 + 1e-4 * signed), 3), dtype=np.float64)


def executed_price(market: Market) -> Floats:
    """Give each RFQ's price; NaN where it did not trade."""
    winner = market.enquiries.winner
    best = np.take_along_axis(quote_prices(market), np.maximum(winner, 0)[:, None], axis=1)[:, 0]
    return np.where(winner >= 0, best, np.nan)


def rfq_ids(market: Market) -> list[str]:
    """Name each RFQ by its day and number."""
    days = np.datetime_as_string(market.demand.start.astype("datetime64[ms]"), unit="D").tolist()
    return [f"R{day.replace('-', '')}-{number:06d}" for number, day in enumerate(days, start=1)]


def executed(market: Market) -> Executed:
    """Give the executions as the TCA vendors get them."""
    done = np.flatnonzero(market.impacts.trades >= 0)
    filled = executed_quantity(market.enquiries)[done]
    ids = rfq_ids(market)
    return Executed(
        reference=[ids[number] for number in done.tolist()],
        direction=market.demand.direction[done],
        at=market.impacts.trades[done],
        price=executed_price(market)[done],
        quantity=filled,
        unfilled=1 - filled / market.demand.quantity[done],
        arrival_mid=market.references.from_arrival[done, 0],
        mids=market.references.from_trade[done],
    )
