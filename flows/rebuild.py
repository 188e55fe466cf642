"""What a build has to do again: the days that a change in landing, or in the two clocks, can reach.

Everything that is kept by day (``dbt/macros/rebuild.sql``) is deleted and built again for these days only. A change that
can reach any day (the project itself, an as-of time that moves back) makes it build everything.
"""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from expectations.contracts.home import Home
from flows import landing_index as index
from flows import landing_masters, landing_take_over
from flows.landing_index import Batch
from flows.project import project_hash
from flows.reach import Found, Reach, days_reached
from flows.settings import FlowSettings
from flows.steps import Days, lay, lay_axes, steps
from flows.warehouse import opened


class Plan(msgspec.Struct, frozen=True):
    """What to build again: everything, or ``days``."""

    days: Days | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is built again."""
        return self.days is None


def prepare(settings: FlowSettings, *, as_of: datetime, full: bool = False) -> Plan:
    """Find what to build again for the batches in ``landing.receipts`` and write its steps into the schema ``rebuild``.

    Until ``finished`` is called the days stay due: a build that fails owes them to the next one.
    """
    instant = as_of.astimezone(UTC).replace(tzinfo=None)
    reach = Reach.of(settings.dbt_project)
    with opened(settings.state.warehouse, config=settings.duckdb_limits) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists rebuild")
        fingerprint = _fingerprint(settings.dbt_project)
        before = None if full else _built(connection)
        if before is None:
            index.reset(connection)
        change = landing_take_over.take_over(connection, _used(connection), rows=settings.build_step_rows)
        masters = landing_masters.take_over(connection)
        days = None
        if before is not None and not before.whole and before.fingerprint == fingerprint and before.as_of <= instant:
            days = days_reached(connection, Found(change, masters, before.as_of, instant), reach)
        if days is None:
            index.owe_nothing(connection)
        planned = steps(connection, days, rows=settings.build_step_rows)
        lay(connection, planned, stale=reach.stale)
        lay_axes(connection, instant - reach.axes)
        connection.execute("delete from landing_index.built")
        connection.execute("insert into landing_index.built values (?, ?, ?)", [fingerprint, instant, days is None])
        connection.execute("commit")
    return Plan(days)


def finished(home: Home) -> None:
    """Say that the build has done what the plan asked for."""
    with opened(home.warehouse) as connection:
        connection.execute("begin")
        connection.execute("delete from landing_index.pending_days")
        connection.execute("update landing_index.built set whole = false")
        connection.execute("commit")


class _Built(msgspec.Struct, frozen=True):
    """What the last build was made of; ``whole`` = it was to build everything and did not end."""

    fingerprint: str
    as_of: datetime
    whole: bool


def _fingerprint(project: Path) -> str:
    """Tell what every day depends on: the SQL and the database's version."""
    return f"{project_hash(project)} {duckdb.__version__}"


def _built(connection: duckdb.DuckDBPyConnection) -> _Built | None:
    if not index.is_there(connection):
        return None
    found = connection.execute("select fingerprint, as_of, whole from landing_index.built").fetchall()
    return _Built(*found[0]) if found else None


def _used(connection: duckdb.DuckDBPyConnection) -> list[Batch]:
    rows = connection.execute(
        "select table_name, batch, path, rows from landing.receipts where list_contains(?, table_name)", [list(index.KEPT_BY_DAY)]
    ).fetchall()
    return [Batch(*row) for row in rows]
