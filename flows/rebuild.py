"""What a build has to do again: the days that a change in landing, or in the two clocks, can reach.

Everything that is kept by day (``dbt/macros/rebuild.sql``) is deleted and built again for these days only. A change that
can reach any day (the project itself, an as-of time that moves back) makes it build everything.
"""

import hashlib
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import yaml

from expectations.contracts.home import Home
from flows import landing_index as index
from flows import landing_masters
from flows.landing_index import Batch, Change
from flows.landing_masters import Changed
from flows.settings import FlowSettings
from flows.steps import DAY, Days, lay, steps

_SHARE_OF_ALL = 0.5


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
    reach = _Reach.of(settings.dbt_project)
    limits: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.duckdb_memory,
        "threads": settings.duckdb_threads,
    }
    with duckdb.connect(str(settings.state.warehouse), config=limits) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists rebuild")
        fingerprint = _fingerprint(settings.dbt_project)
        before = None if full else _built(connection)
        if before is None:
            index.reset(connection)
        change = index.take_over(connection, _used(connection))
        masters = landing_masters.take_over(connection)
        days = None
        if before is not None and not before.whole and before.fingerprint == fingerprint and before.as_of <= instant:
            days = _days(connection, _Found(change, masters, before.as_of, instant), reach)
        if days is None:
            index.owe_nothing(connection)
        planned = steps(connection, days, rows=settings.build_step_rows)
        lay(connection, planned, stale=reach.stale)
        connection.execute("delete from landing_index.built")
        connection.execute("insert into landing_index.built values (?, ?, ?)", [fingerprint, instant, days is None])
        connection.execute("commit")
    return Plan(days)


def finished(home: Home) -> None:
    """Say that the build has done what the plan asked for; note the days on which an RFQ was still open at its as-of time."""
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("begin")
        connection.execute("delete from landing_index.pending_days")
        connection.execute(
            "insert into landing_index.waiting_days "
            "select distinct cast(asked_at as date) from rebuild.rfq_log, landing_index.built "
            "where asked_at <= as_of and greatest(asked_at + to_milliseconds(coalesce(timeout_s, 0) * 1000), "
            "coalesce(responded_at, asked_at), coalesce(executed_at, asked_at)) > as_of"
        )
        connection.execute("update landing_index.built set whole = false")
        connection.execute("commit")


class _Built(msgspec.Struct, frozen=True):
    """What the last build was made of; ``whole`` = it was to build everything and did not end."""

    fingerprint: str
    as_of: datetime
    whole: bool


class _Reach(msgspec.Struct, frozen=True):
    """How many days a price reaches: to RFQs before it (their horizons), to prices after it, to RFQs after those."""

    back: timedelta
    stale: timedelta
    ahead: timedelta

    @classmethod
    def of(cls, project: Path) -> "_Reach":
        variables: dict[str, Any] = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
        return cls(
            back=timedelta(days=math.ceil(max(variables["horizons_s"].values()) / DAY.total_seconds())),
            stale=DAY * (variables["reference_stale_days"] + 1),
            ahead=DAY * (variables["mid_max_age_days"] + 1),
        )


def _fingerprint(project: Path) -> str:
    """Hash what every day depends on: the SQL and the database's version."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(path for kind in ("*.sql", "*.yml", "*.csv") for path in project.rglob(kind) if "target" not in path.parts):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _built(connection: duckdb.DuckDBPyConnection) -> _Built | None:
    if not index.is_there(connection):
        return None
    found = connection.execute("select fingerprint, as_of, whole from landing_index.built").fetchall()
    return _Built(*found[0]) if found else None


def _used(connection: duckdb.DuckDBPyConnection) -> list[Batch]:
    rows = connection.execute(
        "select table_name, batch, path from landing.receipts where list_contains(?, table_name)", [list(index.KEPT_BY_DAY)]
    ).fetchall()
    return [Batch(*row) for row in rows]


class _Found(msgspec.Struct, frozen=True):
    """What differs from the last build: batches, masters, and the instant from which it looked back."""

    batches: Change
    masters: list[Changed]
    before: datetime
    now: datetime


def _days(connection: duckdb.DuckDBPyConnection, found: _Found, reach: _Reach) -> Days | None:
    """Give the days that these differences can reach; ``None`` where so many are reached that all may as well be built."""

    def changed(table: str) -> set[date]:
        batches = [item.batch for item in (*found.batches.added, *found.batches.removed) if item.table == table]
        return index.days_of(connection, table, batches)

    rfqs = changed("rfq_log") | changed("tca_results") | _due(connection, priced=False)
    rfqs |= landing_masters.rfq_days(connection, found.masters)
    prices = changed("reference_prices") | _due(connection, priced=True)
    prices |= landing_masters.price_days(connection, found.masters)
    if found.now > found.before:
        passed = set(_span(found.before.date(), found.now.date()))
        prices |= passed
        rfqs |= passed | _waiting(connection) | _told_since(connection, found.before)
    reached = {day for price in prices for day in _span(price, price + reach.stale)}
    rfqs |= {day for price in reached for day in _span(price - reach.back, price + reach.ahead)}
    known = index.known_days(connection, "rfq_log")
    rfqs &= known
    reached &= {
        day + shift * DAY for day in index.known_days(connection, "reference_prices") for shift in range(reach.stale.days + 1)
    }
    _owe(connection, rfqs, reached)
    if len(rfqs) > _SHARE_OF_ALL * len(known) and len(known) > 10:
        return None
    return Days(rebuilt=rfqs, touched=rfqs | index.split_days(connection, rfqs), repriced=reached)


def _due(connection: duckdb.DuckDBPyConnection, *, priced: bool) -> set[date]:
    found = connection.execute("select day from landing_index.pending_days where priced = ?", [priced]).fetchall()
    return {day for (day,) in found}


def _owe(connection: duckdb.DuckDBPyConnection, rfqs: set[date], prices: set[date]) -> None:
    connection.execute("delete from landing_index.pending_days")
    rows = [(day, False) for day in rfqs] + [(day, True) for day in prices]
    if rows:
        connection.executemany("insert into landing_index.pending_days values (?, ?)", rows)


def _waiting(connection: duckdb.DuckDBPyConnection) -> set[date]:
    """Take the days on which an RFQ was open at the as-of time of the last build; those still open are noted again."""
    found = connection.execute("delete from landing_index.waiting_days returning day").fetchall()
    return {day for (day,) in found}


def _told_since(connection: duckdb.DuckDBPyConnection, before: datetime) -> set[date]:
    """Give the RFQs' days of TCA deliveries that reach beyond the as-of time of the last build."""
    found = connection.execute(
        "select batch from landing.receipts where table_name = 'tca_results' and happened_to > ?", [before]
    ).fetchall()
    return index.days_of(connection, "tca_results", [batch for (batch,) in found])


def _span(first: date, last: date) -> list[date]:
    return [first + shift * DAY for shift in range((last - first).days + 1)]
