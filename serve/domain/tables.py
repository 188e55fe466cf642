"""The tables of the snapshot's contract as whoever holds them gives them: rows, or columns for arithmetic."""

from typing import Any, Protocol

import numpy as np

from serve.domain.market import Floats

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


def floats(cells: Any) -> Floats:  # noqa: ANN401 - a plain or a masked array, as the column has empty cells or not
    """Give a column as floating-point numbers; an empty cell is NaN."""
    return np.ma.filled(np.ma.asarray(cells).astype(np.float64), np.nan)
