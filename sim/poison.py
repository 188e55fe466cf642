"""Damage a copy of good vendor files, one kind at a time, to prove that nothing bad is ever published."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from sim import poison_files, poison_rows
from sim.errors import SimulationError
from sim.poison_files import Done
from sim.randomness import stream

_DEFAULT_SHARE = 0.3


class Poison(StrEnum):
    """The kinds of damage."""

    MISSING_FILE = "missing_file"
    MISSING_COLUMN = "missing_column"
    NEGATIVE_SIZES = "negative_sizes"
    PRICE_9999 = "price_9999"
    DUPLICATE_KEYS = "duplicate_keys"
    FUTURE_DATES = "future_dates"
    EMPTY_FILE = "empty_file"
    CUT_OFF = "cut_off"
    RENAMED_COLUMN = "renamed_column"
    WRONG_TYPE = "wrong_type"
    OTHER_UNIT = "other_unit"
    SIZES_IN_THOUSANDS = "sizes_in_thousands"
    FLIPPED_SIGN = "flipped_sign"
    THIN_DAY = "thin_day"
    ROWS_LOST = "rows_lost"


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done: ``files`` touched, the ``column`` hit (``None`` = whole files) and how many ``rows`` are bad or added."""

    kind: Poison
    table: str
    column: str | None
    files: tuple[str, ...]
    rows: int


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


_KINDS: dict[Poison, Callable[[list[Path], str, np.random.Generator, float], Done]] = {
    Poison.MISSING_FILE: poison_files.missing_file,
    Poison.MISSING_COLUMN: poison_files.missing_column,
    Poison.NEGATIVE_SIZES: poison_rows.negative_sizes,
    Poison.PRICE_9999: poison_rows.price_9999,
    Poison.DUPLICATE_KEYS: poison_rows.duplicate_keys,
    Poison.FUTURE_DATES: poison_rows.future_dates,
    Poison.EMPTY_FILE: poison_files.empty_file,
    Poison.CUT_OFF: poison_files.cut_off,
    Poison.RENAMED_COLUMN: poison_files.renamed_column,
    Poison.WRONG_TYPE: poison_rows.wrong_type,
    Poison.OTHER_UNIT: poison_rows.other_unit,
    Poison.SIZES_IN_THOUSANDS: poison_rows.sizes_in_thousands,
    Poison.FLIPPED_SIGN: poison_rows.flipped_sign,
    Poison.THIN_DAY: poison_rows.thin_day,
    Poison.ROWS_LOST: poison_files.rows_lost,
}
