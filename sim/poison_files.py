"""Damage to whole files: gone, empty, cut off, without a column or its last rows."""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from expectations.contracts.sources import TABLES
from sim.writers import write_csv

# The column hit, how many rows, the files touched.
Done: TypeAlias = tuple[str | None, int, list[Path]]


@dataclass(slots=True)
class DamagedFile:
    """A CSV file in memory."""

    path: Path
    names: list[str]
    cells: list[list[str]]


def read(path: Path) -> DamagedFile:
    """Read a CSV file, gzip or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    names, *cells = csv.reader(text.splitlines())
    return DamagedFile(path, names, cells)


def write(file: DamagedFile) -> None:
    """Write the file back."""
    write_csv(file.path, file.names, file.cells)


def missing_file(copies: list[Path], _table: str, _rng: np.random.Generator, _share: float) -> Done:
    """Leave no file of the table."""
    for path in copies:
        path.unlink()
    return None, 0, copies


def empty_file(copies: list[Path], _table: str, _rng: np.random.Generator, _share: float) -> Done:
    """Leave the newest file without a byte, as a broken transfer does."""
    newest = copies[-1]
    newest.write_bytes(gzip.compress(b"", mtime=0) if newest.suffix == ".gz" else b"")
    return None, 0, [newest]


def missing_column(copies: list[Path], table: str, rng: np.random.Generator, _share: float) -> Done:
    """Take a required column out of the newest file."""
    required = [column.name for column in TABLES[table].columns if column.required]
    gone = required[int(rng.integers(len(required)))]
    file = read(copies[-1])
    place = file.names.index(gone)
    file.names.pop(place)
    for row in file.cells:
        row.pop(place)
    write(file)
    return gone, len(file.cells), [file.path]


def cut_off(copies: list[Path], _table: str, _rng: np.random.Generator, _share: float) -> Done:
    """Leave the first half of the newest file's bytes, as a broken transfer does."""
    newest = copies[-1]
    data = newest.read_bytes()
    newest.write_bytes(data[: len(data) // 2])
    return None, 0, [newest]


def renamed_column(copies: list[Path], table: str, rng: np.random.Generator, _share: float) -> Done:
    """Give a required column of the newest file another name."""
    required = [column.name for column in TABLES[table].columns if column.required]
    name = required[int(rng.integers(len(required)))]
    file = read(copies[-1])
    file.names[file.names.index(name)] = f"vendor_{name}"
    write(file)
    return name, len(file.cells), [file.path]


def rows_lost(copies: list[Path], _table: str, _rng: np.random.Generator, share: float) -> Done:
    """Lose the last rows of the newest file, as an export that broke off at a row's end."""
    file = read(copies[-1])
    lost = max(1, round(share * len(file.cells)))
    file.cells = file.cells[:-lost]
    write(file)
    return None, lost, [file.path]
