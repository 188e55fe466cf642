"""Reading the journal's file, also while another process writes it."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from expectations.contracts.journal import Sealed
from serve.adapters.chain import GENESIS, ChainCheck, Row, check_chain, unseal


class JournalError(RuntimeError):
    """The journal cannot be opened or written; nothing may be sent while it is so."""


class JournalReader:
    """Reads a journal file, also while another process writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:
        """Yield events with ``seq`` above ``after``, oldest first. Raises JournalError where the file cannot be read."""
        where, values = "seq > ?", [str(after)]
        for column, value in (("subject", subject), ("kind", kind)):
            if value is not None:
                where, values = f"{where} and {column} = ?", [*values, value]
        for row in self._rows(where, values):
            try:
                yield unseal(row)
            except (msgspec.ValidationError, ValueError) as error:
                msg = f"event {row.seq} in {self.path} is not an event: {error}; run 'sotto audit verify'"
                raise JournalError(msg) from error

    def page(self, after: int, limit: int, *, subject: str | None = None, kind: str | None = None) -> list[Sealed]:
        """Give at most ``limit`` events above ``after``."""
        return list(islice(self.read(after, subject=subject, kind=kind), limit))

    def head(self) -> tuple[int, str]:
        """Give the last sequence number and hash; (0, sixty-four zeros) for an empty journal."""
        with self._reading() as database:
            row = database.execute("select seq, hash from events order by seq desc limit 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (0, GENESIS)

    def verify(self, head: str | None = None, anchors: Mapping[int, str] | None = None) -> ChainCheck:
        """Check every link; with ``head`` or ``anchors``, noted earlier, also that nothing was cut from the end."""
        return check_chain(self._rows("seq > ?", ["0"]), head, anchors)

    def rows(self, subject: str) -> list[Row]:
        """Give what is stored about a subject, exactly as it was hashed, oldest first."""
        return list(self._rows("subject = ?", [subject]))

    def refused_of(self, rfq_id: str) -> list[Row]:
        """Give the dealers' messages that an RFQ could not use."""
        like = f'%"reason":"RFQ {rfq_id}: %'
        return list(self._rows("kind = ? and payload like ?", ["fix.message_refused", like]))

    def _rows(self, where: str, values: list[str]) -> Iterator[Row]:
        query = f"select seq, event_id, at, kind, subject, payload, prev_hash, hash from events where {where} order by seq"  # noqa: S608 - columns are ours
        with self._reading() as database:
            yield from map(Row._make, database.execute(query, values))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect()) as database:
                yield database
        except sqlite3.Error as error:
            msg = f"the journal {self.path} cannot be read: {error}"
            raise JournalError(msg) from error

    def _connect(self) -> sqlite3.Connection:
        if not self.path.is_file():
            msg = f"there is no journal at {self.path}: start the service once, or set SOTTO_HOME to the folder that has it"
            raise JournalError(msg)
        return sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=30, check_same_thread=False)
