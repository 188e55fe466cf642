"""The desk's clock as a dealer knows it: from the times in the client's messages, carried on at the agreed speed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from sim.fix import fields as tags


class DeskTime:
    """Follows the client's TransactTime (60); without one yet, the wall's time. ``speed`` desk seconds pass in one of the wall."""

    def __init__(self, speed: float, ticks: Callable[[], float] = monotonic) -> None:
        self._speed, self._ticks = speed, ticks
        self._desk, self._tick = datetime.now(UTC), ticks()

    def hear(self, message: dict[int, str]) -> datetime:
        """Take the time from a message, if it has a readable one, and give the desk's time."""
        try:
            self._desk, self._tick = tags.read_timestamp(message.get(tags.TRANSACT_TIME, "")), self._ticks()
        except ValueError:
            return self.now()
        return self._desk

    def now(self) -> datetime:
        """Give the desk's time."""
        return self._desk + timedelta(seconds=(self._ticks() - self._tick) * self._speed)

    def wait_for(self, at: datetime, now: datetime) -> float:
        """Give the wall's seconds from ``now`` to ``at`` on the desk's clock, never negative."""
        return max(0.0, (at - now).total_seconds() / self._speed)
