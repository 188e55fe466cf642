"""A clock that moves only when a test says so."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

START = datetime(2024, 3, 4, 14, 0, tzinfo=UTC)


class FakeClock:
    """Time stands still until ``advance``; sleepers wake in order of their deadline."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._count), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move on, stopping at every deadline on the way so that what wakes there sees its own time."""
        end = self._now + timedelta(seconds=seconds)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not future.done():
                future.set_result(None)
            await settle()
        self._now = end
        await settle()


async def settle(rounds: int = 50) -> None:
    """Let every task run until it waits for something."""
    for _ in range(rounds):
        await asyncio.sleep(0)


class CountingIds:
    """Identifiers that a test can foresee: id-1, id-2, ..."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._count = itertools.count(1)

    def new(self) -> str:
        return f"{self._prefix}-{next(self._count)}"
