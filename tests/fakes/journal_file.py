"""A journal file with chosen events, sealed as the service seals them."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from expectations.contracts import journal as events
from serve.adapters.chain import GENESIS, seal


def write_events(path: Path, entries: Iterable[tuple[datetime, events.AnyEvent]]) -> Path:
    """Write events after those that the file holds already; a file that is not there is made."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(events.JOURNAL_DDL)
        last = connection.execute("select seq, hash from events order by seq desc limit 1").fetchone()
        seq, prev_hash = last or (0, GENESIS)
        for number, (at, event) in enumerate(entries, seq + 1):
            row = seal(event, seq=number, event_id=f"e{number}", at=at, prev_hash=prev_hash)
            connection.execute("insert into events values (?, ?, ?, ?, ?, ?, ?, ?)", row)
            prev_hash = row.hash
    return path
