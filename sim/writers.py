"""Tables of text and their files: the same bytes for the same rows, whatever the machine or the hour."""

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
import numpy.typing as npt

from expectations.contracts.sources import TABLES

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]


@dataclass(slots=True)
class Rows:
    """The rows of one canonical table as text, in the contract's column order; ``months`` says in which month's file each goes."""

    table: str
    cells: list[list[str]]
    months: list[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The table's columns."""
        return TABLES[self.table].names


def instants(at: Ints) -> list[str]:
    """Write ms since the epoch as ISO 8601 UTC with a Z; a negative instant is empty."""
    texts = np.datetime_as_string(np.maximum(at, 0).astype("datetime64[ms]"), unit="ms")
    return [f"{text}Z" if ms >= 0 else "" for text, ms in zip(texts.tolist(), at.tolist(), strict=True)]


def decimals(values: Floats, places: int) -> list[str]:
    """Write numbers with so many places; NaN is empty."""
    return ["" if isnan(value) else f"{value:.{places}f}" for value in values.tolist()]


def amounts(values: Floats) -> list[str]:
    """Write par amounts without decimals; NaN is empty."""
    return decimals(values, 0)


def flags(values: npt.NDArray[np.bool_]) -> list[str]:
    """Write true and false."""
    return ["true" if value else "false" for value in values.tolist()]


def picked(choices: list[str], places: Ints) -> list[str]:
    """Look texts up by place; a negative place is empty."""
    return [choices[place] if place >= 0 else "" for place in places.tolist()]


def rows_of(table: str, columns: dict[str, list[str]], *, by_time: list[str] | None = None) -> Rows:
    """Put columns in the contract's order. ``by_time`` is the text time by whose month rows are split (``None`` = one file)."""
    names = TABLES[table].names
    missing = set(names) ^ set(columns)
    if missing:
        message = f"{table}: columns do not match the contract: {sorted(missing)}"
        raise KeyError(message)
    cells = [list(row) for row in zip(*(columns[name] for name in names), strict=True)]
    return Rows(table, cells, [time[:7] for time in by_time] if by_time is not None else [""] * len(cells))


def write_rows(folder: Path, rows: Rows) -> list[Path]:
    """Write ``<table>.csv``, or ``<table>-YYYY-MM.csv.gz`` for each month; give the files."""
    names = TABLES[rows.table].names
    written = []
    for month in sorted(set(rows.months)) or [""]:
        path = folder / (f"{rows.table}-{month}.csv.gz" if month else f"{rows.table}.csv")
        chosen = [row for row, own in zip(rows.cells, rows.months, strict=True) if own == month]
        write_csv(path, names, chosen)
        written.append(path)
    return written


def write_csv(path: Path, names: Iterable[str], cells: Iterable[Iterable[str]]) -> None:
    """Write one CSV file, gzipped where its name says so; replaced whole, never half written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(cells)
    data = text.getvalue().encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=5, mtime=0)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)
