"""A day's statistics, as the SQL has just made them, laid out as arrays for each policy's fold."""

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._science_sql import ScienceSql
from flows.fit_state import Day
from sim.lab import LAB_CLASSES, SECTORS

Floats = npt.NDArray[np.float64]
Columns = dict[str, Any]
CLASSES = len(LAB_CLASSES)

_PLACE = (
    "substr(scorecard_class, 2, 2)::int as policy, substr(scorecard_class, 5, 3)::int as world, "
    f"list_position({list(LAB_CLASSES)}, substr(scorecard_class, 8)) - 1 as klass"
)
_QUOTES = f"{_PLACE}, substr(dealer_id, 9)::int as dealer, substr(sector, 2)::int as place, if(client_side = 'BUY', 0, 1) as bought"
_LEAKS = (
    f"{_PLACE}, if(dealer_id = '', -1, substr('0' || dealer_id, 10)::int) as dealer, "
    "if(other_id = '', -1, substr('0' || other_id, 10)::int) as other"
)


class Rows:
    """The rows of the day just run, of all policies and worlds."""

    def __init__(self, sql: ScienceSql, worlds: int, dealers: int) -> None:
        self._groups, self._dealers = worlds * CLASSES, dealers
        self._quotes: Columns = dict(sql.daily("int_quote_day_stats", _QUOTES))
        self._leaks: Columns = dict(sql.daily("int_leak_day_stats", _LEAKS))

    def day_of(self, mark: int, told: Floats) -> Day:
        """Lay out one policy's day."""
        return Day(told=told, **self._answers(mark), **self._drifts(mark))

    def _answers(self, mark: int) -> dict[str, Floats]:
        rows = _of(self._quotes, mark)
        cell = (rows["world"] * CLASSES + rows["klass"], rows["place"], rows["bought"], rows["dealer"])
        shape = (self._groups, SECTORS, 2, self._dealers)
        alone = rows["whispered"].astype(float)

        def cells(name: str, part: Floats | float = 1.0) -> Floats:
            return _added(shape, cell, rows[name] * part)

        return {
            "asked": cells("asked"),
            "answered": cells("answered"),
            "further": cells("further_asked_sum"),
            "quote_n": cells("quote_n"),
            "quote_sum": cells("quote_sum"),
            "quote_squares": cells("quote_squares"),
            "whisper_n": cells("quote_n", alone).sum((1, 2)),
            "whisper_sum": cells("quote_sum", alone).sum((1, 2)),
            "steps_open": cells("steps_open").sum((1, 2, 3)),
            "faded": cells("faded").sum((1, 2, 3)),
            "half_spread_sum": cells("half_spread_sum").sum((1, 2, 3)),
        }

    def _drifts(self, mark: int) -> dict[str, Floats]:
        rows = _of(self._leaks, mark)
        group = rows["world"] * CLASSES + rows["klass"]
        pair = rows["dealer"] >= 0
        itself = pair & (rows["dealer"] == rows["other"])
        pairs = (group[pair], rows["dealer"][pair], rows["other"][pair])

        def classes(name: str) -> Floats:
            return _added((self._groups,), (group[~pair],), rows[name][~pair])

        return {
            "lost": _added((self._groups, self._dealers, self._dealers), pairs, rows["lost_n"][pair]),
            "drift": _added((self._groups, self._dealers), (group[itself], rows["dealer"][itself]), rows["drift_sum"][itself]),
            "rfqs": classes("lost_n"),
            "rfq_drift": classes("drift_sum"),
            "rfq_squares": classes("drift_squares"),
        }


def _of(rows: Columns, mark: int) -> Columns:
    mine = rows["policy"] == mark
    return {name: cells[mine] for name, cells in rows.items()}


def _added(shape: tuple[int, ...], where: tuple[Any, ...], amounts: Floats) -> Floats:
    out = np.zeros(shape)
    np.add.at(out, where, amounts)
    return out
