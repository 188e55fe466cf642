"""The warehouse's daily statistics as arrays, one day after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np

from flows.fit_state import SIDES, Day, Floats

Columns = dict[str, Any]

# With decay, what is older bears on nothing any more.
LOOK_BACK_DAYS = 400
_QUOTES = "select * from intermediate.int_quote_day_stats where asked_on > ? and asked_on <= ? order by asked_on"
_LEAKS = "select * from intermediate.int_leak_day_stats where asked_on > ? and asked_on <= ? order by asked_on"
_AXES = "select * from intermediate.int_axe_days where told_on > ? and told_on <= ? order by told_on"


@dataclass(frozen=True, slots=True)
class Axis:
    """Which place in the arrays stands for which class, sector and dealer."""

    classes: tuple[str, ...]
    sectors: tuple[str, ...]
    dealers: tuple[str, ...]

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """The shape of a cell array."""
        return len(self.classes), len(self.sectors), len(SIDES), len(self.dealers)


class Days:
    """Every day with anything on record up to ``until``, 400 at the most; iterating gives (advertised, placed, day) for each."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, until: date) -> None:
        self._until = np.datetime64(until, "D")
        dealers = connection.execute("select dealer_id from marts.dim_dealers order by dealer_id").fetchall()
        span = [until - timedelta(days=LOOK_BACK_DAYS), until]
        self._quotes = _dated(connection.execute(_QUOTES, span).fetchnumpy(), "asked_on")
        self._leaks = _dated(connection.execute(_LEAKS, span).fetchnumpy(), "asked_on")
        self._axes = _dated(connection.execute(_AXES, span).fetchnumpy(), "told_on")
        self.axis = Axis(
            classes=tuple(_words(self._quotes["scorecard_class"])),
            sectors=tuple(_words(np.concatenate([self._quotes["sector"], self._axes["sector"]]))),
            dealers=tuple(str(row[0]) for row in dealers),
        )
        self._places()

    def __iter__(self) -> Iterator[tuple[Floats, Floats, Day]]:
        if not len(self._quotes["day"]):
            return
        for day in np.arange(self._quotes["day"][0], self._until + 1):
            notices = _of_day(self._axes, day)
            told = self._told(notices, np.ones(len(notices["place"])))
            yield (
                told,
                self._told(notices, notices["placed"]),
                self._day(_of_day(self._quotes, day), _of_day(self._leaks, day), told),
            )

    def _places(self) -> None:
        """Put places in the arrays beside the names; what has none (a class never asked for) falls out."""
        for rows in (self._quotes, self._leaks, self._axes):
            rows["klass"] = _place(self.axis.classes, rows["scorecard_class"])
            rows["dealer"] = _place(self.axis.dealers, rows["dealer_id"])
        self._leaks["other"] = _place(self.axis.dealers, self._leaks["other_id"])
        for rows in (self._quotes, self._axes):
            rows["place"] = _place(self.axis.sectors, rows["sector"])
            rows["bought"] = _place(SIDES, rows["client_side"])
        known = (self._axes["klass"] >= 0) & (self._axes["dealer"] >= 0)
        self._axes = {name: cells[known] for name, cells in self._axes.items()}
        known = self._quotes["dealer"] >= 0
        self._quotes = {name: cells[known] for name, cells in self._quotes.items()}

    def _told(self, rows: Columns, marks: Floats) -> Floats:
        told = np.zeros(self.axis.cells)
        told[rows["klass"], rows["place"], rows["bought"], rows["dealer"]] = marks
        return told

    def _day(self, quotes: Columns, leaks: Columns, told: Floats) -> Day:
        cell = (quotes["klass"], quotes["place"], quotes["bought"], quotes["dealer"])
        groups, dealers = len(self.axis.classes), len(self.axis.dealers)

        def cells(name: str, part: Floats | float = 1.0) -> Floats:
            return _added(self.axis.cells, cell, quotes[name] * part)

        alone = quotes["whispered"].astype(np.float64)
        pair = (leaks["dealer"] >= 0) & (leaks["other"] >= 0)
        itself, whole = pair & (leaks["dealer"] == leaks["other"]), leaks["dealer_id"] == ""
        mine = (leaks["klass"][itself], leaks["dealer"][itself])

        def classes(name: str) -> Floats:
            return _added((groups,), (leaks["klass"][whole],), leaks[name][whole])

        return Day(
            asked=cells("asked"),
            answered=cells("answered"),
            further=cells("further_asked_sum"),
            quote_n=cells("quote_n"),
            quote_sum=cells("quote_sum"),
            quote_squares=cells("quote_squares"),
            told=told,
            whisper_n=cells("quote_n", alone).sum((1, 2)),
            whisper_sum=cells("quote_sum", alone).sum((1, 2)),
            steps_open=cells("steps_open").sum((1, 2, 3)),
            faded=cells("faded").sum((1, 2, 3)),
            half_spread_sum=cells("half_spread_sum").sum((1, 2, 3)),
            lost=_added(
                (groups, dealers, dealers),
                (leaks["klass"][pair], leaks["dealer"][pair], leaks["other"][pair]),
                leaks["lost_n"][pair],
            ),
            drift=_added((groups, dealers), mine, leaks["drift_sum"][itself]),
            rfqs=classes("lost_n"),
            rfq_drift=classes("drift_sum"),
            rfq_squares=classes("drift_squares"),
        )


def _dated(rows: Columns, name: str) -> Columns:
    plain = {key: np.ma.filled(cells, 0) if np.ma.isMaskedArray(cells) else np.asarray(cells) for key, cells in rows.items()}
    return plain | {"day": plain[name].astype("datetime64[D]")}


def _of_day(rows: Columns, day: np.datetime64) -> Columns:
    start, end = np.searchsorted(rows["day"], day, "left"), np.searchsorted(rows["day"], day, "right")
    return {name: cells[start:end] for name, cells in rows.items()}


def _words(cells: Any) -> list[str]:  # noqa: ANN401 - numpy's array of objects
    return sorted({str(word) for word in cells.tolist()})


def _place(names: tuple[str, ...], cells: Any) -> Any:  # noqa: ANN401 - numpy's arrays of objects and of integers
    known = {name: place for place, name in enumerate(names)}
    return np.array([known.get(str(word), -1) for word in cells.tolist()], dtype=np.int64)


def _added(shape: tuple[int, ...], where: tuple[Any, ...], amounts: Any) -> Floats:  # noqa: ANN401 - as above
    out = np.zeros(shape)
    np.add.at(out, where, amounts)
    return out
