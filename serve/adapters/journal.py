"""The journal in SQLite: append-only, hash-chained, one writer; readers are always welcome."""

import asyncio
import fcntl
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO

from expectations.contracts.journal import JOURNAL_DDL, AnyEvent, Sealed
from serve.adapters.chain import Row, seal
from serve.adapters.journal_reader import JournalError, JournalReader
from serve.ports import Clock, Ids

_GUARDS = """
create index if not exists events_by_subject on events (subject, seq);
create index if not exists events_by_kind on events (kind, seq);
create trigger if not exists events_are_never_changed before update on events
    begin select raise(abort, 'the journal is append-only: events are never changed'); end;
create trigger if not exists events_are_never_deleted before delete on events
    begin select raise(abort, 'the journal is append-only: events are never deleted'); end;
create trigger if not exists events_follow_in_order before insert on events
    when new.seq <> (select coalesce(max(seq), 0) + 1 from events)
    begin select raise(abort, 'the journal is append-only: an event must follow the last one'); end;
"""
_INSERT = "insert into events values (?, ?, ?, ?, ?, ?, ?, ?)"
_BATCH = 512

__all__ = ["JournalError", "JournalReader", "SqliteJournal"]


@dataclass(slots=True)
class _Job:
    events: tuple[AnyEvent, ...]
    at: datetime
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[tuple[Sealed, ...]]"


class SqliteJournal(JournalReader):
    """The one writer. Appends that wait together share a commit; each returns once it is on disk.

    Raises JournalError when another process has the journal open for writing or the file cannot be opened.
    """

    def __init__(self, path: Path, clock: Clock, ids: Ids) -> None:
        super().__init__(path)
        self._clock, self._ids = clock, ids
        self._lock = _hold(path)
        try:
            self._database = _open(path)
        except (sqlite3.Error, OSError) as error:
            self._lock.close()
            msg = f"the journal {path} cannot be opened for writing: {error}"
            raise JournalError(msg) from error
        self._last = super().head()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="journal-writer", daemon=True)
        self._thread.start()

    async def append(self, *events: AnyEvent) -> tuple[Sealed, ...]:
        """Write the events in one transaction and return once they are durable; JournalError where they are not."""
        if not events:
            return ()
        if self._closed:
            msg = "the journal is closed"
            raise JournalError(msg)
        loop = asyncio.get_running_loop()
        job = _Job(events, self._clock.now(), loop, loop.create_future())
        self._jobs.put(job)
        # What is queued will be written, whoever stops waiting for it.
        return await asyncio.shield(job.done)

    async def follow(self, after: int = 0, *, subject: str | None = None) -> AsyncIterator[Sealed]:
        """Yield past events and then new ones as they are written, without end, each exactly once and in order."""
        with self._listening() as woken:
            while True:
                woken.clear()
                while page := self.page(after, _BATCH, subject=subject):
                    for sealed in page:
                        after = sealed.seq
                        yield sealed
                await woken.wait()

    def close(self) -> None:
        """Write what is queued, then let go of the file."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()
            self._database.close()
            self._lock.close()

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Event]:
        listener = (asyncio.get_running_loop(), asyncio.Event())
        self._listeners.add(listener)
        try:
            yield listener[1]
        finally:
            self._listeners.discard(listener)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, stop = [job], False
            while len(batch) < _BATCH and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    stop = True
                    break
                batch.append(following)
            self._write(batch)
            if stop:
                return

    def _write(self, batch: list[_Job]) -> None:
        rows_of: list[list[Row]] = []
        seq, previous = self._last
        try:
            for job in batch:
                rows = []
                for event in job.events:
                    rows.append(seal(event, seq=seq + 1, event_id=self._ids.new(), at=job.at, prev_hash=previous))
                    seq, previous = seq + 1, rows[-1].hash
                rows_of.append(rows)
            with self._database:
                self._database.executemany(_INSERT, [row for rows in rows_of for row in rows])
        except Exception as error:  # noqa: BLE001 - every failure belongs to those who wait; the thread must live on
            _fail(batch, JournalError(f"the journal {self.path} could not be written: {error}"))
            return
        self._last = (seq, previous)
        _finish(batch, rows_of)
        for loop, woken in tuple(self._listeners):
            _call(loop, woken.set)


def _hold(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("w")
    except OSError as error:
        msg = f"the journal {path} cannot be opened for writing: {error}"
        raise JournalError(msg) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        msg = f"another process is writing the journal {path}: stop it first, or give this one its own SOTTO_HOME"
        raise JournalError(msg) from error
    return lock


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, timeout=30)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.executescript(JOURNAL_DDL + ";" + _GUARDS)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _finish(batch: list[_Job], rows_of: list[list[Row]]) -> None:
    # One wake-up of the loop for all who wait there: each costs as much as writing an event.
    waiting: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[tuple[Sealed, ...]], tuple[Sealed, ...]]]] = {}
    for job, rows in zip(batch, rows_of, strict=True):
        waiting.setdefault(job.loop, []).append((job.done, tuple(map(_sealed, job.events, rows))))
    for loop, given in waiting.items():
        _call(loop, partial(_give_all, given))


def _sealed(event: AnyEvent, row: Row) -> Sealed:
    # As it was given: to read it back from its own text would cost more than writing it.
    at = datetime.fromisoformat(row.at)
    return Sealed(seq=row.seq, event_id=row.event_id, at=at, event=event, prev_hash=row.prev_hash, hash=row.hash)


def _fail(batch: list[_Job], error: JournalError) -> None:
    for job in batch:
        _call(job.loop, partial(_give, job.done, error))


def _give_all(given: "list[tuple[asyncio.Future[tuple[Sealed, ...]], tuple[Sealed, ...]]]") -> None:
    for done, sealed in given:
        _give(done, sealed)


def _give(done: "asyncio.Future[tuple[Sealed, ...]]", result: tuple[Sealed, ...] | JournalError) -> None:
    if done.done():
        return
    if isinstance(result, JournalError):
        done.set_exception(result)
    else:
        done.set_result(result)


def _call(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(action)
    except RuntimeError:
        # The loop is closed: nobody waits there any more, and the event is on disk.
        return
