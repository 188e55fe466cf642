"""What a build has to do again: the days that a change in landing, or in the two clocks, can reach.

Everything that is kept by day (``dbt/macros/rebuild.sql``) is deleted and built again for these days only. A change that
can reach any day (masters, the project itself, an as-of time that moves back) makes it build everything.
"""

import hashlib
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import yaml

from expectations.contracts.home import Home
from expectations.contracts.sources import LANDING_TABLES
from flows import landing_index as index
from flows.landing_index import Batch
from flows.settings import FlowSettings
from flows.sources.pulled import named
from flows.transform import landed_view

_MASTERS = ("dealers", "dealer_aliases", "securities")
_SHARE_OF_ALL = 0.5
_DAY = timedelta(days=1)


class Plan(msgspec.Struct, frozen=True):
    """The days of RFQs and of reference prices to build again; ``None`` = all.

    ``rfq_days`` are built whole; on ``touched_days`` beyond them only the RFQs that stand on both.
    """

    rfq_days: list[date] | None = None
    touched_days: list[date] | None = None
    price_days: list[date] | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is built again."""
        return self.rfq_days is None

    def variables(self) -> dict[str, list[str] | None]:
        """Give the plan as dbt's variables."""

        def written(days: list[date] | None) -> list[str] | None:
            return None if days is None else [f"{day:%Y-%m-%d}" for day in days]

        return {
            "rebuilt_days": written(self.rfq_days),
            "touched_days": written(self.touched_days),
            "repriced_days": written(self.price_days),
        }


def prepare(settings: FlowSettings, *, as_of: datetime, full: bool = False) -> Plan:
    """Find what to build again for the batches in ``landing.receipts`` and point the schema ``rebuild`` at their files.

    Until ``finished`` is called the days stay due: a build that fails owes them to the next one.
    """
    instant = as_of.astimezone(UTC).replace(tzinfo=None)
    reach = _Reach.of(settings.dbt_project)
    with duckdb.connect(str(settings.state.warehouse)) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists rebuild")
        fingerprint = _fingerprint(connection, settings.dbt_project)
        before = _built(connection)
        if full or before is None or before.whole or before.fingerprint != fingerprint or instant < before.as_of:
            plan = _whole(connection)
        else:
            plan = _part(connection, before.as_of, instant, reach)
        _lay(connection, plan, reach)
        connection.execute("delete from landing_index.built")
        connection.execute("insert into landing_index.built values (?, ?, ?)", [fingerprint, instant, plan.whole])
        connection.execute("commit")
    return plan


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
            back=timedelta(days=math.ceil(max(variables["horizons_s"].values()) / _DAY.total_seconds())),
            stale=_DAY * (variables["reference_stale_days"] + 1),
            ahead=_DAY * (variables["mid_max_age_days"] + 1),
        )


def _fingerprint(connection: duckdb.DuckDBPyConnection, project: Path) -> str:
    """Hash what every day depends on: the SQL, the database's version, dealers, names and securities."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(path for kind in ("*.sql", "*.yml", "*.csv") for path in project.rglob(kind) if "target" not in path.parts):
        digest.update(path.read_bytes())
    for table in _MASTERS:
        cells = ", ".join(named(name) for name in LANDING_TABLES[table].names)
        found = connection.execute(
            f"select md5(coalesce(string_agg(md5(cast(row({cells}) as varchar)), '' order by _landed_at, _file, _row), '')) "
            f"from landing.{table}"
        ).fetchall()
        digest.update(found[0][0].encode())
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


def _whole(connection: duckdb.DuckDBPyConnection) -> Plan:
    index.reset(connection)
    index.take_over(connection, _used(connection))
    connection.execute("create or replace table rebuild.split_rfqs (rfq ubigint)")
    return Plan()


def _part(connection: duckdb.DuckDBPyConnection, before: datetime, now: datetime, reach: _Reach) -> Plan:
    change = index.take_over(connection, _used(connection))

    def changed(table: str) -> set[date]:
        return index.days_of(connection, table, [item.batch for item in (*change.added, *change.removed) if item.table == table])

    rfqs = changed("rfq_log") | changed("tca_results") | _due(connection, priced=False)
    prices = changed("reference_prices") | _due(connection, priced=True)
    if now > before:
        prices |= set(_span(before.date(), now.date()))
        rfqs |= set(_span(before.date(), now.date())) | _waiting(connection) | _told_since(connection, before)
    reached = {day for price in prices for day in _span(price, price + reach.stale)}
    rfqs |= {day for price in reached for day in _span(price - reach.back, price + reach.ahead)}
    known = _known_days(connection, "rfq_log")
    rfqs &= known
    reached &= {day + shift * _DAY for day in _known_days(connection, "reference_prices") for shift in range(reach.stale.days + 1)}
    _owe(connection, rfqs, reached)
    if len(rfqs) > _SHARE_OF_ALL * len(known) and len(known) > 10:
        return _whole(connection)
    touched = rfqs | index.split_days(connection, rfqs)
    return Plan(rfq_days=sorted(rfqs), touched_days=sorted(touched), price_days=sorted(reached))


def _lay(connection: duckdb.DuckDBPyConnection, plan: Plan, reach: _Reach) -> None:
    """Point each view of ``rebuild`` at the files that speak of the days to build."""
    needed: dict[str, Iterable[date]] = {}
    if plan.touched_days is not None and plan.price_days is not None:
        needed = {"rfq_log": plan.touched_days, "tca_results": plan.touched_days}
        needed["reference_prices"] = {day for price in plan.price_days for day in _span(price - reach.stale, price)}
    for table in index.KEPT_BY_DAY:
        if plan.whole:
            connection.execute(f"create or replace view rebuild.{table} as select * from landing.{table}")
        else:
            files = index.files_of(connection, table, needed[table])
            connection.execute(f"create or replace view rebuild.{table} as {landed_view(LANDING_TABLES[table], files)}")


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


def _known_days(connection: duckdb.DuckDBPyConnection, table: str) -> set[date]:
    found = connection.execute("select distinct day from landing_index.batch_days where table_name = ?", [table]).fetchall()
    return {day for (day,) in found}


def _span(first: date, last: date) -> list[date]:
    return [first + shift * _DAY for shift in range((last - first).days + 1)]
