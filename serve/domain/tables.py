"""The tables of the snapshot's contract as whoever holds them gives them: rows, or columns for arithmetic."""

from typing import Any, Protocol

Row = dict[str, Any]
Columns = dict[str, Any]


class Tables(Protocol):
    """Reads any table of ``SNAPSHOT_TABLES``, the contract's columns of it. Times are UTC."""

    def rows(self, table: str) -> list[Row]:
        """Give every row, by column name."""
        ...

    def columns(self, table: str, order: tuple[str, ...]) -> Columns:
        """Give every column as an array, rows ordered by these columns; empty cells are masked."""
        ...
