"""Answers by idempotency key, in a SQLite file beside the journal."""

import asyncio
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

from serve.adapters.chain import time_text
from serve.ports import Answered, Clock

_DDL = """
create table if not exists answers (
    key text primary key,
    fingerprint text not null,
    status integer not null,
    body blob not null,
    kept_at text not null
) strict
"""
_KEPT_FOR = timedelta(days=30)


class SqliteAnswers:
    """Keeps answers for thirty days. Losing one is harmless: what acts is guarded by the journal itself."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._database.execute("pragma journal_mode = wal")
        with self._database:
            self._database.execute(_DDL)
            self._database.execute("delete from answers where kept_at < ?", (time_text(clock.now() - _KEPT_FOR),))

    async def find(self, key: str) -> Answered | None:
        """Give what was answered to ``key``; None = nothing yet."""
        return await asyncio.to_thread(self._find, key)

    async def keep(self, key: str, answered: Answered) -> None:
        """Keep an answer; the first one stays."""
        await asyncio.to_thread(self._keep, key, answered)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _find(self, key: str) -> Answered | None:
        with self._lock:
            row = self._database.execute("select fingerprint, status, body from answers where key = ?", (key,)).fetchone()
        return Answered(str(row[0]), int(row[1]), bytes(row[2])) if row else None

    def _keep(self, key: str, answered: Answered) -> None:
        with self._lock, self._database:
            self._database.execute(
                "insert or ignore into answers values (?, ?, ?, ?, ?)", (key, *answered, time_text(self._clock.now()))
            )
