"""Which days trade, and the hours of the market in UTC."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from sim.errors import SimulationError

Instants = npt.NDArray[np.int64]

Flags = npt.NDArray[np.bool_]

DAY_MS = 86_400_000
OPEN_MS = (12 * 60 + 30) * 60_000
# The evaluated price comes shortly before the close, after the last half hour of any RFQ.
EVALUATION_MS = (20 * 60 + 45) * 60_000
CLOSE_MS = 21 * 3_600_000
FIRST_RFQ_MS = 13 * 3_600_000
LAST_RFQ_MS = (19 * 60 + 40) * 60_000
# Share of a day's variance that comes while the market is open.
OPEN_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Period:
    """The trading days: ``midnights`` in ms UTC, each day's regime (0 before the market's shift, 1 after) and whether it is one of
    stress; ``end_ms`` is the last instant that anything may bear.
    """

    midnights: Instants
    regime: Instants
    stress: Flags
    end_ms: int


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _holidays(year: int) -> list[date]:
    memorial = date(year, 5, 31)
    memorial -= timedelta(days=memorial.weekday())
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    observed = [day + timedelta(days=1) if day.weekday() == 6 else day for day in fixed]
    floating = [(1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4)]
    return [*observed, memorial, *(_nth_weekday(year, month, weekday, nth) for month, weekday, nth in floating)]


def business_days(end: date, days: int) -> npt.NDArray[np.datetime64]:
    """Give the trading days among the ``days`` calendar days that finish with ``end``, oldest first.

    Raises SimulationError when there is none.
    """
    first = end - timedelta(days=days - 1)
    closed = {holiday for year in range(first.year, end.year + 1) for holiday in _holidays(year)}
    window = (first + timedelta(days=offset) for offset in range(days))
    open_days = [day for day in window if day.weekday() < 5 and day not in closed]
    if not open_days:
        message = f"no trading day between {first} and {end}: ask for more days"
        raise SimulationError(message)
    return np.array(open_days, dtype="datetime64[D]")


def midnight_ms(days: npt.NDArray[np.datetime64]) -> Instants:
    """Give each day's start in milliseconds since the epoch, UTC."""
    return days.astype("datetime64[ms]").astype(np.int64)


def market_time(at: Instants, midnights: Instants) -> npt.NDArray[np.float64]:
    """Turn instants into market days: a whole number per trading day passed, open hours counting more than the night."""
    index = np.clip(np.searchsorted(midnights, at, side="right") - 1, 0, None)
    through = np.clip((at - midnights[index] - OPEN_MS) / (CLOSE_MS - OPEN_MS), 0, 1)
    return np.asarray(index + OPEN_SHARE * through, dtype=np.float64)
