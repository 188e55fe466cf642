"""Every instant at which a mid is needed, valued once, so that all files speak of one price path."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.calendar import CLOSE_MS, DAY_MS, EVALUATION_MS, OPEN_MS, Period
from sim.leaks import Impacts
from sim.prices import Moments, true_mids
from sim.prints import Prints
from sim.rfqs import Demand
from sim.universe import Security

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HORIZONS_S = (300, 1800, 86_400)


@dataclass(frozen=True, slots=True)
class Timeline:
    """True mids per 100 par: day x bond at the open, at the evaluation and at the close; per RFQ x (0, 5 min, 30 min, 1 day)
    from the arrival and from the execution (NaN where it did not trade); per print.
    """

    opens: Floats
    evaluations: Floats
    closes: Floats
    from_arrival: Floats
    from_trade: Floats
    prints: Floats


def _with_horizons(at: Ints) -> Ints:
    offsets = np.array([0, *HORIZONS_S]) * 1000
    return np.asarray(at[:, None] + offsets, dtype=np.int64)


def arrival_instants(demand: Demand) -> Ints:
    """Give RFQ x (0, 5 min, 30 min, 1 day) from the arrival, in ms."""
    return _with_horizons(demand.start)


def trade_instants(impacts: Impacts) -> Ints:
    """Give the same from the execution; meaningless where ``impacts.trades`` is -1."""
    return _with_horizons(impacts.trades)


def value_all(seed: int, bonds: list[Security], period: Period, enquired: tuple[Demand, Impacts], prints: Prints) -> Timeline:
    """Value every moment on one path per bond."""
    midnights, (demand, impacts) = period.midnights, enquired
    days, count = len(midnights), len(bonds)
    daily = [np.repeat(midnights + offset, count) for offset in (OPEN_MS, EVALUATION_MS, CLOSE_MS)]
    everyone = np.tile(np.arange(count), days)
    four = np.repeat(demand.security, 1 + len(HORIZONS_S))
    traded = np.where(impacts.trades >= 0, impacts.trades, demand.start)
    parts = [
        *((everyone, at) for at in daily),
        (four, arrival_instants(demand).ravel()),
        (four, _with_horizons(traded).ravel()),
        (prints.security, prints.at),
    ]
    moments = Moments(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
    mids = true_mids(seed, bonds, period, (impacts, demand.security, demand.direction), moments)
    pieces = np.split(mids, np.cumsum([len(part[0]) for part in parts])[:-1])
    opens, evaluations, closes = (piece.reshape(days, count) for piece in pieces[:3])
    shape = (len(demand.start), 1 + len(HORIZONS_S))
    from_trade = np.where((impacts.trades >= 0)[:, None], pieces[4].reshape(shape), np.nan)
    return Timeline(opens, evaluations, closes, pieces[3].reshape(shape), from_trade, pieces[5])


def is_market_day(at: Ints, midnights: Ints) -> Flags:
    """Tell which instants fall on a trading day."""
    return np.isin(at // DAY_MS * DAY_MS, midnights)
