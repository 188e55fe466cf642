"""Damage to rows: cells spoiled, rows repeated or lost, figures in another unit or with another sign."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import numpy as np

from expectations.contracts.sources import TABLES, Kind
from sim.errors import SimulationError
from sim.poison_files import DamagedFile, Done, read, write

_FLOOD_COPIES = 20
_FAR_YEAR = 2099
_LEFT_ON_A_THIN_DAY = 0.02
_UNIT = 10
_THOUSAND = 1000
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _spoil(copies: list[Path], column: str, rng: np.random.Generator, share: float, change: Callable[[str], str]) -> Done:
    touched, hit = [], 0
    for path in copies:
        file = read(path)
        place = file.names.index(column)
        filled = [number for number, row in enumerate(file.cells) if row[place]]
        if not filled:
            continue
        chosen = rng.choice(filled, max(1, round(share * len(filled))), replace=False)
        for number in chosen.tolist():
            file.cells[number][place] = change(file.cells[number][place])
        write(file)
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


def negative_sizes(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> Done:
    """Turn sizes negative."""
    column = _first_column(table, "quantity", "amount_outstanding", "credit_limit")
    return _spoil(copies, column, rng, share, lambda text: f"-{text.lstrip('-')}")


def price_9999(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> Done:
    """Put the price that stands for none."""
    column = _first_column(table, "quote_price", "price", "mid")
    return _spoil(copies, column, rng, share, lambda _text: "9999")


def future_dates(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> Done:
    """Move times into a year that is yet to come."""
    happened = TABLES[table].happened_at
    if happened is None or next(c.kind for c in TABLES[table].columns if c.name == happened) is not Kind.TIME:
        message = f"{table} has no time to move: choose another table"
        raise SimulationError(message)
    return _spoil(copies, happened, rng, share, _far_ahead)


def _far_ahead(text: str) -> str:
    """Put the same moment into the far year, which has no 29 February."""
    return f"{_FAR_YEAR}{text[4:]}".replace(f"{_FAR_YEAR}-02-29", f"{_FAR_YEAR}-02-28")


def duplicate_keys(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> Done:
    """Flood the newest file with rows under keys that exist already, each saying something else."""
    file = read(copies[-1])
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
    write(file)
    return ",".join(TABLES[table].key), len(added), [file.path]


def wrong_type(copies: list[Path], table: str, rng: np.random.Generator, share: float) -> Done:
    """Put words where figures or times belong."""
    typed = [column.name for column in TABLES[table].columns if column.required and column.kind is not Kind.TEXT]
    if not typed:
        message = f"{table} has no required column but text: choose another table"
        raise SimulationError(message)
    return _spoil(copies, typed[int(rng.integers(len(typed)))], rng, share, lambda _text: "n/a")


def other_unit(copies: list[Path], table: str, rng: np.random.Generator, _share: float) -> Done:
    """Give every price in another unit, a tenth of what it was: each row by itself looks possible."""
    column = _first_column(table, "quote_price", "mid")
    done = _spoil(copies, column, rng, 1.0, lambda text: f"{float(text) / _UNIT:.6f}")
    for other in ("bid", "ask"):
        if other in TABLES[table].names:
            _spoil(copies, other, rng, 1.0, lambda text: f"{float(text) / _UNIT:.6f}")
    return done


def flipped_sign(copies: list[Path], table: str, rng: np.random.Generator, _share: float) -> Done:
    """Give every figure with the other sign, as after a change of a vendor's convention that nobody was told of."""
    return _spoil(copies, _first_column(table, "value"), rng, 1.0, lambda text: f"{-float(text)!r}")


def thin_day(copies: list[Path], table: str, rng: np.random.Generator, _share: float) -> Done:
    """Lose nearly all rows of the last full weekday but one."""
    happened, files, day = _last_full_weekday(copies, table)
    lost, touched = 0, []
    for file in files:
        place = file.names.index(happened)
        kept = [row for row in file.cells if row[place][:10] != day or rng.random() < _LEFT_ON_A_THIN_DAY]
        if len(kept) < len(file.cells):
            lost += len(file.cells) - len(kept)
            file.cells = kept
            write(file)
            touched.append(file.path)
    return happened, lost, touched


def sizes_in_thousands(copies: list[Path], table: str, _rng: np.random.Generator, _share: float) -> Done:
    """Give every size of the last full weekday but one in thousands: each row by itself looks possible."""
    column = _first_column(table, "quantity")
    happened, files, day = _last_full_weekday(copies, table)
    hit, touched = 0, []
    for file in files:
        places = [file.names.index(name) for name in ("quantity", "quote_quantity", "executed_quantity") if name in file.names]
        chosen = [row for row in file.cells if row[file.names.index(happened)][:10] == day]
        for row in chosen:
            for place in places:
                row[place] = f"{float(row[place]) / _THOUSAND:.6f}" if row[place] else ""
        if chosen:
            hit += len(chosen)
            write(file)
            touched.append(file.path)
    return column, hit, touched


def _last_full_weekday(copies: list[Path], table: str) -> tuple[str, list[DamagedFile], str]:
    """Give the column of the table's own time, its files, and the last weekday but one on which something happened."""
    happened = TABLES[table].happened_at
    if happened is None:
        message = f"{table} has no days: choose another table"
        raise SimulationError(message)
    files = [read(path) for path in copies]
    return happened, files, _weekdays(row[file.names.index(happened)] for file in files for row in file.cells)[-2]


def _weekdays(times: Iterable[str]) -> list[str]:
    """Give the days, Monday to Friday, on which something happened; good files hold a few cells that are no time, too."""
    days = {time[:10] for time in times if _ISO_DAY.match(time)}
    return sorted(day for day in days if date.fromisoformat(day).weekday() < 5)
