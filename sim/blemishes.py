"""What is wrong with real files: late and repeated rows, cancels and corrections, busted trades, and a few rows that are bad."""

from itertools import pairwise

import numpy as np

from expectations.contracts.sources import TABLES
from expectations.contracts.vocabulary import TradeStatus
from sim.randomness import stream
from sim.writers import Rows

_REPEATED_SHARE = 0.002
_LATE_SHARE = 0.25
_CANCELLED_SHARE, _CORRECTED_SHARE = 0.004, 0.004
_BAD_PER_TABLE = 3
# What a bad row has in it, by table: the column and the text.
_BAD_CELLS: dict[str, tuple[tuple[str, str], ...]] = {
    "rfq_log": (("quantity", "-1000000"), ("dealer_id", "UNKNOWN DEALER"), ("response", "MAYBE")),
    "trades": (("price", "9999.0000"), ("quantity", "0"), ("security_id", "000000000")),
    "reference_prices": (("mid", ""), ("mid", "-1.0000"), ("as_of", "not a time")),
    "axes": (("quantity", "-500000"), ("side", "HOLDS"), ("security_id", "")),
}


def blemish(seed: int, rows: Rows) -> Rows:
    """Spoil a table the way its vendor would; equal rows and seed are spoilt equally."""
    rng = stream(seed, "blemishes", rows.table)
    if rows.table == "trades":
        _cancel_and_correct(rng, rows)
    if rows.table in _BAD_CELLS:
        _deliver_late(rng, rows)
        _repeat(rng, rows)
        _add_bad(rng, rows)
    return rows


def _cancel_and_correct(rng: np.random.Generator, rows: Rows) -> None:
    """Append CANCEL and CORRECT reports, each naming the print it undoes; some of the cancels bust the desk's own trades."""
    names = TABLES["trades"].names
    trade_id, status, original, price = (names.index(name) for name in ("trade_id", "status", "original_trade_id", "price"))
    drawn = rng.random(len(rows.cells))
    number = len(rows.cells)
    for place in np.flatnonzero(drawn < _CANCELLED_SHARE + _CORRECTED_SHARE).tolist():
        number += 1
        report = list(rows.cells[place])
        report[original], report[trade_id] = report[trade_id], f"T{number:08d}"
        report[status] = str(TradeStatus.CANCEL)
        if drawn[place] >= _CANCELLED_SHARE:
            report[status] = str(TradeStatus.CORRECT)
            report[price] = f"{float(report[price]) + float(rng.choice([-0.25, 0.1, 0.5])):.4f}"
        rows.cells.append(report)
        rows.months.append(rows.months[place])


def _deliver_late(rng: np.random.Generator, rows: Rows) -> None:
    """Move some rows of a month's last days into the next month's file, where there is one."""
    known = sorted(set(rows.months))
    following = dict(pairwise(known))
    time = TABLES[rows.table].names.index(TABLES[rows.table].happened_at or "")
    late = rng.random(len(rows.cells)) < _LATE_SHARE
    for place in np.flatnonzero(late).tolist():
        month = rows.months[place]
        if month in following and rows.cells[place][time][8:10] >= "30":
            rows.months[place] = following[month]


def _repeat(rng: np.random.Generator, rows: Rows) -> None:
    for place in np.flatnonzero(rng.random(len(rows.cells)) < _REPEATED_SHARE).tolist():
        rows.cells.append(list(rows.cells[place]))
        rows.months.append(rows.months[place])


def _add_bad(rng: np.random.Generator, rows: Rows) -> None:
    """Append copies of good rows under a key of their own, each with one cell that breaks the contract."""
    if not rows.cells:
        return
    table = TABLES[rows.table]
    key = table.names.index(table.key[0])
    for number, (column, text) in enumerate(_BAD_CELLS[rows.table][:_BAD_PER_TABLE]):
        place = int(rng.integers(len(rows.cells)))
        bad = list(rows.cells[place])
        if rows.table in {"rfq_log", "trades"}:
            bad[key] = f"X{number + 1:08d}"
        bad[table.names.index(column)] = text
        rows.cells.append(bad)
        rows.months.append(rows.months[place])
