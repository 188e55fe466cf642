"""A journal in memory: the real chain, no disk."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from expectations.contracts.journal import AnyEvent, Sealed
from serve.adapters.chain import GENESIS, ChainCheck, Row, check_chain, seal, unseal
from serve.ports import Clock, Ids
from tests.fakes.clock import CountingIds, FakeClock


class MemoryJournal:
    """Keeps sealed rows in a list. ``fail_next`` makes the next append fail, as a full disk would."""

    def __init__(self, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self._clock: Clock = clock or FakeClock()
        self._ids: Ids = ids or CountingIds("event")
        self.rows: list[Row] = []
        self.fail_next: Exception | None = None
        self._woken: set[asyncio.Event] = set()

    async def append(self, *events: AnyEvent) -> tuple[Sealed, ...]:
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        at, added = self._clock.now(), []
        for event in events:
            seq, previous = self.head()
            added.append(seal(event, seq=seq + 1, event_id=self._ids.new(), at=at, prev_hash=previous))
            self.rows.append(added[-1])
        for woken in self._woken:
            woken.set()
        return tuple(map(unseal, added))

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:
        for row in self.rows[after:]:
            if subject in (None, row.subject) and kind in (None, row.kind):
                yield unseal(row)

    def page(self, after: int, limit: int, *, subject: str | None = None, kind: str | None = None) -> list[Sealed]:
        return list(islice(self.read(after, subject=subject, kind=kind), limit))

    def head(self) -> tuple[int, str]:
        return (self.rows[-1].seq, self.rows[-1].hash) if self.rows else (0, GENESIS)

    def verify(self, head: str | None = None) -> ChainCheck:
        return check_chain(self.rows, head)

    async def follow(self, after: int = 0, *, subject: str | None = None) -> AsyncIterator[Sealed]:
        woken = asyncio.Event()
        self._woken.add(woken)
        try:
            while True:
                woken.clear()
                for sealed in self.page(after, len(self.rows), subject=subject):
                    after = sealed.seq
                    yield sealed
                await woken.wait()
        finally:
            self._woken.discard(woken)


class SlowJournal(MemoryJournal):
    """Lets others run before it writes, in the order of the calls, as a disk does; ``gate`` closed = not before it is opened."""

    def __init__(self, clock: Clock | None = None, ids: Ids | None = None) -> None:
        super().__init__(clock, ids)
        self.gate = asyncio.Event()
        self.gate.set()
        self._turn = asyncio.Lock()

    async def append(self, *events: AnyEvent) -> tuple[Sealed, ...]:
        async with self._turn:
            for _ in range(5):
                await asyncio.sleep(0)
            await self.gate.wait()
            return await super().append(*events)
