"""What a source hands to landing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches


class SourceError(Exception):
    """A source cannot be used as it is: says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a vendor's rows become canonical ones.

    ``query`` reads the table ``raw`` (the vendor's columns as text, ``_row``) and gives canonical cells as text with
    ``_mapping_faults``; ``reads`` are the vendor's columns that it names, each with the column that it is for (empty = several);
    ``identifiers`` says of which kind a column's identifiers are.
    """

    name: str
    query: str
    reads: tuple[tuple[str, str], ...]
    identifiers: tuple[tuple[str, str], ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The vendor's columns, each once."""
        return tuple(dict.fromkeys(theirs for theirs, _ in self.reads))


@dataclass(frozen=True, slots=True)
class Pulled:
    """One delivery of one table.

    ``file`` names the delivery (a newer version of the same file supersedes the older one), ``content_hash`` is over its
    bytes and its mapping, ``select`` is a DuckDB query that gives the rows with every column as text, in delivery order.
    ``path`` is the local file behind it (``None`` = there is none of its own). ``may_be_empty``: no rows at all is an answer.
    ``may_lack`` names columns that may be gone; ``numbered``: the query gives ``_row`` itself; ``delimiter``: what stands between
    the cells of a text file (``None`` = it is none, or its rows are not ours). ``tells_unreadable``: lines of the text behind it
    that cannot be read are set aside with this delivery; always so where there is a delimiter.
    """

    source: str
    table: str
    file: str
    content_hash: str
    select: str
    mapped: Mapped | None = None
    path: str | None = None
    may_be_empty: bool = False
    may_lack: tuple[str, ...] = ()
    numbered: bool = False
    delimiter: str | None = None
    tells_unreadable: bool = False


def quoted(text: object) -> str:
    """Quote a value as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def cell_text(cell: str) -> str:
    """Give the expression of a cell as text: trimmed, null where there is nothing in it."""
    return f"nullif(trim(cast({cell} as varchar)), '')"


def instant_text(at: datetime) -> str:
    """Give an instant as DuckDB writes a timestamp: UTC, to the microsecond, without a zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def named(column: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def closest(word: str, known: Iterable[str]) -> str:
    """Give what to add to a message about an unknown word: the nearest known one, else all of a few, else nothing."""
    names = list(known)
    near = get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(sorted(names))}" if 0 < len(names) <= 12 else ""
