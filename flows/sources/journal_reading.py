"""Reading the service's journal from where it was read last: a mark says how far, and whether it is still the same journal."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from flows import durable
from flows.sources.pulled import SourceError

_Note = TypeVar("_Note")


class Mark(msgspec.Struct, frozen=True):
    """The last event that was read, by its number and its hash in the chain; 0 = none."""

    seq: int = 0
    hash: str = ""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal to read it, all at one instant. Raises SourceError when it is none, or what is read of it makes no sense."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
            connection.execute("begin")
            yield connection
    except (sqlite3.Error, msgspec.DecodeError, ValueError) as error:
        raise SourceError(f"source journal: {path} cannot be read as a journal: {error}") from error


def holds(connection: sqlite3.Connection, mark: Mark) -> bool:
    """Say whether this journal goes on from the mark; one that was put in its place does not."""
    found = connection.execute("select hash from events where seq = ?", [mark.seq]).fetchone()
    return mark.seq == 0 or (found is not None and found[0] == mark.hash)


def end(connection: sqlite3.Connection) -> Mark:
    """Mark the last event that there is."""
    found = connection.execute("select seq, hash from events order by seq desc limit 1").fetchone()
    return Mark(*found) if found else Mark()


def noted(path: Path, otherwise: _Note) -> _Note:
    """Read what was noted; ``otherwise`` where that is missing or damaged: it can all be made anew from the journal."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type(otherwise))
    except (FileNotFoundError, msgspec.DecodeError):
        return otherwise


def note(path: Path, content: object) -> bytes:
    """Write what is made of the journal; gives the bytes."""
    encoded = msgspec.json.encode(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, encoded)
    return encoded
