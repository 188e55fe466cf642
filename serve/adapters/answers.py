"""Answers by idempotency key, in a SQLite file beside the journal."""

import asyncio
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

from serve.adapters.chain import time_text
from serve.ports import Answered, Attempt, Begun, Clock

_DDL = """
create table if not exists requests (
    key text primary key,
    fingerprint text not null,
    action_id text not null,
    begun_at text not null,
    status integer,
    body blob
) strict
"""
_KEPT_FOR = timedelta(days=30)


class SqliteAnswers:
    """Keeps requests for thirty days, on disk before they act, so that a repeated one finds what it did before a crash."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        with self._database:
            self._database.execute(_DDL)
            self._database.execute("delete from requests where begun_at < ?", (time_text(clock.now() - _KEPT_FOR),))

    async def begin(self, key: str, fingerprint: str, action_id: str) -> Begun:
        """Note, before anything is done, that ``key`` acts under ``action_id``; a key that was noted before keeps its own."""
        return await asyncio.to_thread(self._begin, key, fingerprint, action_id)

    async def keep(self, key: str, answered: Answered) -> None:
        """Keep the answer to a key that was begun; the first one stays."""
        await asyncio.to_thread(self._keep, key, answered)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _begin(self, key: str, fingerprint: str, action_id: str) -> Begun:
        with self._lock, self._database:
            self._database.execute(
                "insert or ignore into requests (key, fingerprint, action_id, begun_at) values (?, ?, ?, ?)",
                (key, fingerprint, action_id, time_text(self._clock.now())),
            )
            row = self._database.execute(
                "select fingerprint, action_id, status, body from requests where key = ?", (key,)
            ).fetchone()
        attempt = Attempt(str(row[1]), again=row[1] != action_id)
        return Begun(str(row[0]), attempt, None if row[2] is None else Answered(int(row[2]), bytes(row[3])))

    def _keep(self, key: str, answered: Answered) -> None:
        with self._lock, self._database:
            self._database.execute("update requests set status = ?, body = ? where key = ? and status is null", (*answered, key))
