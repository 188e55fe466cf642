"""The desk's clock: the wall's, or one that runs faster from a chosen start."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class RealClock:
    """The wall's clock in UTC."""

    def now(self) -> datetime:
        """Give the time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(max(seconds, 0.0))


class ScaledClock:
    """A clock that begins at ``start`` and runs at ``speed`` x wall time; it never jumps with the wall's clock.

    Raises ValueError for a speed that is not above zero or a start without a time zone.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        if not speed > 0:
            msg = f"clock speed must be above 0, not {speed}: 1 is real time, 20 makes a 20-second time-out last a second"
            raise ValueError(msg)
        if start.tzinfo is None:
            msg = f"clock start {start.isoformat()} has no time zone: write it in UTC, ending in Z"
            raise ValueError(msg)
        self.speed = speed
        self._start = start.astimezone(UTC)
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """Give the desk's time in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._monotonic) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of desk time."""
        await asyncio.sleep(max(seconds, 0.0) / self.speed)
