"""An index of landing in the warehouse: which days of RFQs and of prices each batch speaks of.

It makes a refresh cost what is new: from it follow the days to build again and the few files that hold them. An RFQ stands
on the days it was asked on and on those it traded on.
RFQs stand in it by the hash of their identifier; two that share one cost a day more, never a wrong figure.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import msgspec

from flows.sources.pulled import quoted

KEPT_BY_DAY = ("rfq_log", "reference_prices", "tca_results")
_TABLES = """
create schema if not exists landing_index;
create or replace table landing_index.batches (table_name varchar, batch varchar, path varchar);
create or replace table landing_index.batch_days (table_name varchar, batch varchar, day date);
create or replace table landing_index.rfq_days (rfq ubigint, day date);
create or replace table landing_index.split_rfqs (rfq ubigint, day date);
create or replace table landing_index.unknown_rfqs (rfq ubigint, batch varchar);
create or replace table landing_index.waiting_days (day date);
create or replace table landing_index.pending_days (day date, priced boolean);
create or replace table landing_index.built (fingerprint varchar, as_of timestamp, whole boolean);
"""


class Batch(msgspec.Struct, frozen=True):
    """One batch in use: its table, its name, its Parquet file."""

    table: str
    batch: str
    path: str


class Change(msgspec.Struct, frozen=True):
    """The batches that came into use and those that went out of it."""

    added: list[Batch]
    removed: list[Batch]


def reset(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin an empty index."""
    connection.execute(_TABLES)


def is_there(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the warehouse has an index."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'landing_index' and table_name = 'built'"
    ).fetchall()
    return bool(found[0][0])


def take_over(connection: duckdb.DuckDBPyConnection, used: Iterable[Batch]) -> Change:
    """Bring the index up to the batches in use. What went out of use keeps its days: they are to be built again."""
    before = {
        batch: Batch(table, batch, path)
        for table, batch, path in connection.execute("select table_name, batch, path from landing_index.batches").fetchall()
    }
    now = {item.batch: item for item in used}
    change = Change([now[name] for name in sorted(now.keys() - before)], [before[name] for name in sorted(before.keys() - now)])
    for table, add in (("rfq_log", _add_rfqs), ("reference_prices", _add_prices), ("tca_results", _add_results)):
        added = [item for item in change.added if item.table == table]
        if added:
            add(connection, [Path(item.path) for item in added])
    if change.added:
        rows = [(item.table, item.batch, item.path) for item in change.added]
        connection.executemany("insert into landing_index.batches values (?, ?, ?)", rows)
    for item in change.removed:
        connection.execute("delete from landing_index.batches where batch = ?", [item.batch])
    return change


def days_of(connection: duckdb.DuckDBPyConnection, table: str, batches: Iterable[str]) -> set[date]:
    """Give the days that these batches of a table speak of."""
    found = connection.execute(
        "select distinct day from landing_index.batch_days where table_name = ? and list_contains(?, batch)", [table, list(batches)]
    ).fetchall()
    return {day for (day,) in found}


def files_of(connection: duckdb.DuckDBPyConnection, table: str, days: Iterable[date]) -> list[Path]:
    """Give the files in use that speak of any of these days."""
    found = connection.execute(
        "select distinct path from landing_index.batches inner join landing_index.batch_days using (table_name, batch) "
        "where table_name = ? and list_contains(?, day) order by path",
        [table, list(days)],
    ).fetchall()
    return [Path(path) for (path,) in found]


def split_days(connection: duckdb.DuckDBPyConnection, days: Iterable[date]) -> set[date]:
    """Put the RFQs that stand on these days and on others too into ``rebuild.split_rfqs``; give all their days."""
    connection.execute(
        "create or replace table rebuild.split_rfqs as "
        "select distinct rfq from landing_index.split_rfqs where list_contains(?, day)",
        [list(days)],
    )
    found = connection.execute(
        "select distinct day from landing_index.split_rfqs semi join rebuild.split_rfqs using (rfq)"
    ).fetchall()
    return {day for (day,) in found}


def _read(paths: list[Path]) -> str:
    return f"read_parquet([{', '.join(map(quoted, paths))}], union_by_name = true)"


def _add_rfqs(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> None:
    connection.execute(
        "create or replace temp table added as select distinct _batch as batch, hash(rfq_id) as rfq, "
        f"unnest([cast(asked_at as date), cast(coalesce(executed_at, asked_at) as date)]) as day from {_read(paths)}"
    )
    connection.execute("insert into landing_index.batch_days select distinct 'rfq_log', batch, day from added")
    connection.execute("create or replace temp table fresh as select distinct rfq, day from added")
    connection.execute(
        "create or replace temp table known as select distinct rfq, day from landing_index.rfq_days semi join fresh using (rfq)"
    )
    # An RFQ on two days, whether by two batches or by one: all its days are noted.
    connection.execute(
        "insert into landing_index.split_rfqs with standing as (select * from known union select * from fresh) "
        "select rfq, day from standing qualify count(*) over (partition by rfq) > 1 "
        "except select rfq, day from landing_index.split_rfqs"
    )
    connection.execute("insert into landing_index.rfq_days select * from fresh except select * from known")
    # Results that came before their RFQ.
    connection.execute(
        "insert into landing_index.batch_days select distinct 'tca_results', unknown.batch, fresh.day "
        "from landing_index.unknown_rfqs as unknown inner join fresh using (rfq) "
        "anti join landing_index.batch_days as noted on noted.batch = unknown.batch and noted.day = fresh.day"
    )
    connection.execute("delete from landing_index.unknown_rfqs where rfq in (select rfq from fresh)")


def _add_prices(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> None:
    connection.execute(
        f"insert into landing_index.batch_days select distinct 'reference_prices', _batch, cast(as_of as date) from {_read(paths)}"
    )


def _add_results(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> None:
    connection.execute(
        f"create or replace temp table added as select distinct _batch as batch, hash(execution_ref) as rfq from {_read(paths)}"
    )
    connection.execute(
        "create or replace temp table known as select distinct added.batch, added.rfq, days.day "
        "from landing_index.rfq_days as days inner join added using (rfq)"
    )
    connection.execute("insert into landing_index.batch_days select distinct 'tca_results', batch, day from known")
    connection.execute("insert into landing_index.unknown_rfqs select rfq, batch from added anti join known using (batch, rfq)")
