"""The steps of a build: so many days at a time, and the files that speak of them.

``dbt/macros/rebuild.sql`` reads them from ``rebuild.steps``. No RFQ stands in two steps, so each can be built by itself.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise

import duckdb
import msgspec

from expectations.contracts.sources import LANDING_TABLES
from flows import landing_index as index
from flows.layout import landed_view

DAY = timedelta(days=1)
# The tables of landing that the schema ``rebuild`` has views of.
LAID = (*index.KEPT_BY_DAY, "axes")
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
_TABLE = """
create or replace table rebuild.steps (
    step integer, touched_from date, touched_until date, touched_days date[], rebuilt_days date[],
    paired_from date, paired_until date, repriced_from date, repriced_until date, repriced_days date[],
    printed_from date, printed_until date, printed_days date[], amended_days date[],
    rfq_log_files varchar[], reference_prices_files varchar[], tca_results_files varchar[], trades_files varchar[]
)
"""


class Days(msgspec.Struct, frozen=True):
    """Days to build again: RFQs' (whole), RFQs' touched (where not whole, only RFQs that stand on both), prices' and prints'."""

    rebuilt: set[date]
    touched: set[date]
    repriced: set[date]
    printed: set[date]


class Step(msgspec.Struct, frozen=True):
    """What is built at once: the days from ``start`` up to ``end`` (exclusive); of these ``only``, ``None`` = all."""

    start: date
    end: date
    only: Days | None


def steps(connection: duckdb.DuckDBPyConnection, only: Days | None, *, rows: int) -> list[Step]:
    """Cut the days (``None`` = all that the index knows) into steps of about so many rows of landing each."""
    weights = index.rows_by_day(connection)
    if only is not None:
        # A day to be priced anew may have no rows of its own.
        weights = {day: weights.get(day, 0.0) for day in only.touched | only.repriced | only.printed}
    borders = [_FIRST, *cuts(weights, index.spans_of_rfqs(connection), rows), _LAST]
    return [Step(start, end, None if only is None else _between(only, start, end)) for start, end in pairwise(borders)]


def cuts(weights: Mapping[date, float], spans: Iterable[tuple[date, date]], rows: int) -> list[date]:
    """Give the days on which a new step begins: as soon as one has ``rows``, but never inside a span (first and last day)."""
    found: list[date] = []
    waiting = sorted(spans, reverse=True)
    held_until, gathered = date.min, 0.0
    for day in sorted(weights):
        while waiting and waiting[-1][0] < day:
            held_until = max(held_until, waiting.pop()[1])
        if gathered >= rows and held_until < day:
            found.append(day)
            gathered = 0.0
        gathered += weights[day]
    return found


def lay(connection: duckdb.DuckDBPyConnection, planned: Iterable[Step], *, stale: timedelta) -> None:
    """Write the steps with their files, and point each view of ``rebuild`` at the files of the step that a session is at.

    ``stale``: how far back prices are read to price a day. Without a step a view reads the files of all of them.
    """
    connection.execute(_TABLE)
    every = {table: index.all_files(connection, table) for table in index.KEPT_BY_DAY}
    files: dict[str, set[str]] = {table: set() for table in index.KEPT_BY_DAY}
    for number, step in enumerate(planned):
        amended = _amended(connection, step)
        # None at all cannot be read: where there is any file there is always one.
        own = {table: _files(connection, table, step, stale, amended) or every[table][:1] for table in index.KEPT_BY_DAY}
        for table, paths in own.items():
            files[table] |= set(every[table] if step.only is None else paths)
        row = [number, *_bounds(connection, step, amended), *(own[table] for table in index.KEPT_BY_DAY)]
        connection.execute(f"insert into rebuild.steps values ({', '.join('?' * len(row))})", row)
    for table, listed in files.items():
        view = _view(connection, table, sorted(listed), of_step=f"{table}_files")
        connection.execute(f"create or replace view rebuild.{table} as {view}")
    connection.execute(f"create or replace view rebuild.rfq_dealers as {index.RFQ_DEALERS}")
    results = _view(connection, "tca_results", index.files_of_unknown(connection))
    connection.execute(
        "create or replace view rebuild.unknown_results as "
        f"select results.* from ({results}) as results semi join ({index.UNKNOWN_RFQS}) as unknown on hash(execution_ref) = rfq"
    )


def lay_axes(connection: duckdb.DuckDBPyConnection, since: datetime) -> None:
    """Point ``rebuild.axes`` at the files that hold axes of after an instant (UTC): nobody looks further back."""
    view = _view(connection, "axes", index.files_since(connection, "axes", since))
    connection.execute(f"create or replace view rebuild.axes as {view}")


def _view(connection: duckdb.DuckDBPyConnection, table: str, files: list[str], *, of_step: str | None = None) -> str:
    return landed_view(LANDING_TABLES[table], files, alike=index.are_alike(connection, table), of_step=of_step)


def _between(days: Days, start: date, end: date) -> Days:
    of_each = (days.rebuilt, days.touched, days.repriced, days.printed)
    return Days(*({day for day in some if start <= day < end} for some in of_each))


def _bounds(connection: duckdb.DuckDBPyConnection, step: Step, amended: list[date]) -> list[object]:
    """Give the step's days as ``rebuild.steps`` has them, up to the files."""
    everything = [step.start, step.end]
    if step.only is None:
        return [*everything, None, None, *everything, *everything, None, *everything, None, amended]
    touched, rebuilt, repriced, printed = map(sorted, (step.only.touched, step.only.rebuilt, step.only.repriced, step.only.printed))
    paired = sorted(step.only.touched | index.days_beside(connection, "split_rfqs", touched))
    return [
        *(*_around(touched), touched, rebuilt),
        *_around(paired),
        *(*_around(repriced), repriced),
        *(*_around(printed), printed, amended),
    ]


def _amended(connection: duckdb.DuckDBPyConnection, step: Step) -> list[date]:
    """Give the days whose reports may amend prints of the step, or be amended by them, in order."""
    own = index.split_print_days(connection, step.start, step.end) if step.only is None else step.only.printed
    return sorted(index.days_amended(connection, own))


def _around(days: list[date]) -> tuple[date, date]:
    """Give the first day and the day after the last; nothing lies between two bounds that are the same."""
    return (days[0], days[-1] + DAY) if days else (_FIRST, _FIRST)


def stretched(days: Iterable[date], back: timedelta, ahead: timedelta) -> set[date]:
    """Give these days with as many before and after each."""
    return {day + shift * DAY for day in days for shift in range(-back.days, ahead.days + 1)}


def _files(connection: duckdb.DuckDBPyConnection, table: str, step: Step, stale: timedelta, amended: list[date]) -> list[str]:
    """Give the files of a table that the step reads."""
    back = stale if table == "reference_prices" else timedelta()
    beside = index.files_of(connection, table, amended) if table == "trades" else []
    if step.only is None:
        return sorted({*index.files_between(connection, table, max(step.start, _FIRST + back) - back, step.end), *beside})
    if table == "trades":
        return beside
    days = step.only.repriced if table == "reference_prices" else step.only.touched
    return index.files_of(connection, table, stretched(days, back, timedelta()))
