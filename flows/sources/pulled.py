"""What a source hands to landing."""

from dataclasses import dataclass


class SourceError(Exception):
    """A source cannot be used as it is: says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """One delivery of one table.

    ``file`` names the delivery (a newer version of the same file supersedes the older one), ``content_hash`` is over its
    bytes, ``select`` is a DuckDB query that gives the rows with every column as text, in delivery order.
    """

    source: str
    table: str
    file: str
    content_hash: str
    select: str


def quoted(text: object) -> str:
    """Quote a value as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def named(column: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'
