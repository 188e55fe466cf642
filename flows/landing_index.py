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
create or replace table landing_index.ref_days (kind varchar, ref ubigint, day date);
create or replace table landing_index.masters (kind varchar, key varchar, names varchar[], identity varchar, attributes varchar);
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
        "select count(*) from duckdb_tables() where schema_name = 'landing_index' and table_name = 'masters'"
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


def days_that_name(connection: duckdb.DuckDBPyConnection, kind: str, names: Iterable[str]) -> set[date]:
    """Give the days whose rows bear any of these names; kinds are ``rfq_dealer``, ``rfq_security`` and ``priced_security``."""
    found = connection.execute(
        "select distinct day from landing_index.ref_days where kind = ? and ref in (select hash(unnest(cast(? as varchar[]))))",
        [kind, list(names)],
    ).fetchall()
    return {day for (day,) in found}


def known_days(connection: duckdb.DuckDBPyConnection, table: str) -> set[date]:
    """Give the days that any batch of a table speaks of, or spoke of while it was in use."""
    found = connection.execute("select distinct day from landing_index.batch_days where table_name = ?", [table]).fetchall()
    return {day for (day,) in found}


def rows_by_day(connection: duckdb.DuckDBPyConnection) -> dict[date, float]:
    """Give about how many rows the batches in use hold for each day, all tables together: a batch's, shared among its days."""
    found = connection.execute(
        "with spread as (select batch, count(*) as days from landing_index.batch_days group by batch) "
        "select day, cast(sum(rows / spread.days) as double) from landing_index.batch_days "
        "inner join spread using (batch) inner join landing.receipts using (batch) group by day"
    ).fetchall()
    return dict(found)


def spans_of_rfqs(connection: duckdb.DuckDBPyConnection) -> list[tuple[date, date]]:
    """Give the first and the last day of each RFQ that stands on several."""
    return connection.execute("select distinct min(day), max(day) from landing_index.split_rfqs group by rfq").fetchall()


def files_of(connection: duckdb.DuckDBPyConnection, table: str, days: Iterable[date]) -> list[str]:
    """Give the files in use that speak of any of these days."""
    return _paths(connection, table, "list_contains(?, day)", [list(days)])


def files_between(connection: duckdb.DuckDBPyConnection, table: str, start: date, end: date) -> list[str]:
    """Give the files in use that speak of any day from ``start`` up to ``end`` (exclusive)."""
    return _paths(connection, table, "day >= ? and day < ?", [start, end])


def all_files(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Give the files in use of a table."""
    found = connection.execute("select path from landing_index.batches where table_name = ? order by path", [table]).fetchall()
    return [path for (path,) in found]


def _paths(connection: duckdb.DuckDBPyConnection, table: str, condition: str, given: list[object]) -> list[str]:
    found = connection.execute(
        "select distinct path from landing_index.batches inner join landing_index.batch_days using (table_name, batch) "
        f"where table_name = ? and {condition} order by path",
        [table, *given],
    ).fetchall()
    return [path for (path,) in found]


def owe_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget which days are due and which wait, and that any RFQ stands on two: everything is to be built."""
    connection.execute("delete from landing_index.pending_days")
    connection.execute("delete from landing_index.waiting_days")
    connection.execute("create or replace table rebuild.split_rfqs (rfq ubigint)")


def split_days(connection: duckdb.DuckDBPyConnection, days: Iterable[date]) -> set[date]:
    """Put the RFQs that stand on these days and on others too into ``rebuild.split_rfqs``; give all their days."""
    connection.execute(
        "create or replace table rebuild.split_rfqs as "
        "select distinct rfq from landing_index.split_rfqs where list_contains(?, day)",
        [list(days)],
    )
    return days_beside(connection, days)


def days_beside(connection: duckdb.DuckDBPyConnection, days: Iterable[date]) -> set[date]:
    """Give all days of the RFQs that stand on these days and on others too."""
    found = connection.execute(
        "select distinct day from landing_index.split_rfqs "
        "where rfq in (select rfq from landing_index.split_rfqs where list_contains(?, day))",
        [list(days)],
    ).fetchall()
    return {day for (day,) in found}


def _read(paths: list[Path]) -> str:
    return f"read_parquet([{', '.join(map(quoted, paths))}], union_by_name = true)"


def _add_rfqs(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> None:
    rows = _read(paths)

    def days_of_each(keys: str) -> str:
        """Few trade on another day than they are asked on."""
        asked = f"select {keys}, cast(asked_at as date) as day from {rows}"
        traded = f"select {keys}, cast(executed_at as date) as day from {rows}"
        return f"{asked} union {traded} where cast(executed_at as date) <> cast(asked_at as date)"

    connection.execute("insert into landing_index.batch_days " + days_of_each("'rfq_log', _batch"))
    for kind, column in (("rfq_dealer", "dealer_id"), ("rfq_security", "security_id")):
        _add_refs(connection, kind, column, "asked_at", rows)
    connection.execute(f"create or replace temp table fresh as {days_of_each('hash(rfq_id) as rfq')}")
    connection.execute(
        "create or replace temp table known as select distinct rfq, day from landing_index.rfq_days semi join fresh using (rfq)"
    )
    # An RFQ on two days, whether by two batches or by one: all its days are noted.
    connection.execute(
        "insert into landing_index.split_rfqs with standing as (select * from known union all select * from fresh) "
        "select rfq, day from standing where rfq in (select rfq from standing group by rfq having min(day) <> max(day)) "
        "except select rfq, day from landing_index.split_rfqs"
    )
    connection.execute("insert into landing_index.rfq_days select * from fresh anti join known using (rfq, day)")
    # Results that came before their RFQ.
    connection.execute(
        "insert into landing_index.batch_days select distinct 'tca_results', unknown.batch, fresh.day "
        "from landing_index.unknown_rfqs as unknown inner join fresh using (rfq) "
        "anti join landing_index.batch_days as noted on noted.batch = unknown.batch and noted.day = fresh.day"
    )
    connection.execute("delete from landing_index.unknown_rfqs where rfq in (select rfq from fresh)")


def _add_prices(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> None:
    rows = _read(paths)
    connection.execute(
        f"insert into landing_index.batch_days select distinct 'reference_prices', _batch, cast(as_of as date) from {rows}"
    )
    _add_refs(connection, "priced_security", "security_id", "as_of", rows)


def _add_refs(connection: duckdb.DuckDBPyConnection, kind: str, column: str, at: str, rows: str) -> None:
    """Note on which days a name stands. It may stand there twice, by two batches; what goes out of use stays."""
    connection.execute(
        f"insert into landing_index.ref_days select '{kind}', hash({column}), day "
        f"from (select distinct {column}, cast({at} as date) as day from {rows})"
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
