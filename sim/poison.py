"""Damage a copy of good vendor files, one kind at a time, to prove that nothing bad is ever published."""

import csv
import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from expectations.contracts.sources import TABLES, Kind
from sim.errors import SimulationError
from sim.randomness import stream
from sim.writers import write_csv

_FLOOD_COPIES = 20
_DEFAULT_SHARE = 0.3
_FAR_YEAR = 2099


class Poison(StrEnum):
    """The kinds of damage."""

    MISSING_FILE = "missing_file"
    MISSING_COLUMN = "missing_column"
    NEGATIVE_SIZES = "negative_sizes"
    PRICE_9999 = "price_9999"
    DUPLICATE_KEYS = "duplicate_keys"
    FUTURE_DATES = "future_dates"
    EMPTY_FILE = "empty_file"


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done: ``files`` touched, the ``column`` hit (``None`` = whole files) and how many ``rows`` are bad or added."""

    kind: Poison
    table: str
    column: str | None
    files: tuple[str, ...]
    rows: int


@dataclass(slots=True)
class _File:
    path: Path
    names: list[str]
    cells: list[list[str]]


def poison(good: Path, out: Path, kind: Poison, *, seed: int = 0, table: str = "rfq_log", share: float = _DEFAULT_SHARE) -> Damage:
    """Copy ``good`` to ``out`` (which must not exist) and damage ``table`` in the copy; equal arguments damage equally.

    ``share`` is the share of rows hit where rows are hit; at least one is. The newest file is the one that loses a column or is
    emptied. Raises SimulationError when the folder has no such table, or the table no column that this kind could spoil.
    """
    files = table_files(good, table)
    if not files:
        message = f"{good} has no file of {table}: give a folder that `sotto simulate` wrote"
        raise SimulationError(message)
    if out.exists():
        message = f"{out} exists: give a folder that does not"
        raise SimulationError(message)
    shutil.copytree(good, out)
    copies = [out / path.name for path in files]
    column, rows, touched = _KINDS[kind](copies, table, stream(seed, "poison", str(kind), table), share)
    return Damage(kind, table, column, tuple(path.name for path in touched), rows)


def table_files(folder: Path, table: str) -> list[Path]:
    """Give a table's CSV files, oldest month first."""
    return sorted(path for pattern in (f"{table}.csv*", f"{table}-*.csv*") for path in folder.glob(pattern))


_Done = tuple[str | None, int, list[Path]]


def _read(path: Path) -> _File:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    names, *cells = csv.reader(text.splitlines())
    return _File(path, names, cells)


def _write(file: _File) -> None:
    write_csv(file.path, file.names, file.cells)


def _missing_file(copies: list[Path], _table: str, _rng: np.random.Generator, _share: float) -> _Done:
    for path in copies:
        path.unlink()
    return None, 0, copies


def _empty_file(copies: list[Path], _table: str, _rng: np.random.Generator, _share: float) -> _Done:
    """Leave the newest file without a byte, as a broken transfer does."""
    newest = copies[-1]
    newest.write_bytes(gzip.compress(b"", mtime=0) if newest.suffix == ".gz" else b"")
    return None, 0, [newest]


def _missing_column(copies: list[Path], table: str, rng: np.random.Generator, _share: float) -> _Done:
    required = [column.name for column in TABLES[table].columns if column.required]
    gone = required[int(rng.integers(len(required)))]
    file = _read(copies[-1])
    place = file.names.index(gone)
    file.names.pop(place)
    for row in file.cells:
        row.pop(place)
    _write(file)
    return gone, len(file.cells), [file.path]


def _spoil(copies: list[Path], column: str, rng: np.random.Generator, share: float, change: Callable[[str], str]) -> _Done:
    touched, hit = [], 0
    for path in copies:
        file = _read(path)
        place = file.names.index(column)
        filled = [number for number, row in enumerate(file.cells) if row[place]]
        if not filled:
            continue
        chosen = rng.choice(filled, max(1, round(share * len(filled))), replace=False)
        for number in chosen.tolist():
            file.cells[number][place] = change(file.cells[number][place])
        _write(file)
        touched.append(path)
        hit += len(chosen)
    return column, hit, touched


def _first_column(table: str, *names: str) -> str:
    own = TABLES[table].names
    found = next((name for name in names if name in own), None)
    if found is None:
        message = f"{table} has none of {', '.join(names)} to spoil: choose another table"
        raise SimulationError(message)
    return found


def _negative_sizes(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> _Done:
    column = _first_column(table, "quantity", "amount_outstanding", "credit_limit")
    return _spoil(copies, column, rng, share, lambda text: f"-{text.lstrip('-')}")


def _price_9999(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> _Done:
    column = _first_column(table, "quote_price", "price", "mid")
    return _spoil(copies, column, rng, share, lambda _text: "9999")


def _future_dates(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> _Done:
    """Move times into a year that is yet to come."""
    happened = TABLES[table].happened_at
    if happened is None or next(c.kind for c in TABLES[table].columns if c.name == happened) is not Kind.TIME:
        message = f"{table} has no time to move: choose another table"
        raise SimulationError(message)
    return _spoil(copies, happened, rng, share, _far_ahead)


def _far_ahead(text: str) -> str:
    """Put the same moment into the far year, which has no 29 February."""
    return f"{_FAR_YEAR}{text[4:]}".replace(f"{_FAR_YEAR}-02-29", f"{_FAR_YEAR}-02-28")


def _duplicate_keys(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> _Done:
    """Flood the newest file with rows under keys that exist already, each saying something else."""
    file = _read(copies[-1])
    if not file.cells:
        return None, 0, []
    key = set(TABLES[table].key)
    number = next((c.name for c in TABLES[table].columns if c.kind is Kind.NUMBER and c.name not in key), None)
    count = max(1, round(share * len(file.cells)))
    added = []
    for place in rng.choice(len(file.cells), count, replace=False).tolist():
        for copy in range(1, _FLOOD_COPIES + 1):
            row = list(file.cells[place])
            if number and row[file.names.index(number)]:
                row[file.names.index(number)] = f"{float(row[file.names.index(number)]) * (1 + copy / 1000):.4f}"
            added.append(row)
    file.cells += added
    _write(file)
    return ",".join(TABLES[table].key), len(added), [file.path]


_KINDS: dict[Poison, Callable[[list[Path], str, np.random.Generator, float], _Done]] = {
    Poison.MISSING_FILE: _missing_file,
    Poison.MISSING_COLUMN: _missing_column,
    Poison.NEGATIVE_SIZES: _negative_sizes,
    Poison.PRICE_9999: _price_9999,
    Poison.DUPLICATE_KEYS: _duplicate_keys,
    Poison.FUTURE_DATES: _future_dates,
    Poison.EMPTY_FILE: _empty_file,
}
