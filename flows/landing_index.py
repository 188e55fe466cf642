"""An index of landing in the warehouse: which days of RFQs, of prices and of prints each batch speaks of.

It makes a refresh cost what is new: from it follow the days to build again and the few files that hold them. An RFQ stands
on the days it was asked on and on those it traded on; a print on its own and on those of the reports that amend it.
RFQs and prints stand in it by the hash of their identifier; two that share one cost a day more, never a wrong figure.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import duckdb
import msgspec

from expectations.contracts.sources import LANDING_TABLES
from flows.layout import layout_of

KEPT_BY_DAY = ("rfq_log", "reference_prices", "tca_results", "trades")
_TABLES = """
create schema if not exists landing_index;
create or replace table landing_index.batches (table_name varchar, batch varchar, path varchar);
create or replace table landing_index.batch_days (table_name varchar, batch varchar, day date, over_at timestamp);
create or replace table landing_index.rfq_days (key ubigint, day date);
create or replace table landing_index.split_rfqs (key ubigint, day date);
create or replace table landing_index.print_days (key ubigint, day date);
create or replace table landing_index.split_prints (key ubigint, day date);
create or replace table landing_index.ref_days (kind varchar, ref ubigint, day date);
create or replace table landing_index.masters (kind varchar, key varchar, names varchar[], identity varchar, attributes varchar);
create or replace table landing_index.unknown_rfqs (rfq ubigint, batch varchar, over_at timestamp);
create or replace table landing_index.pending_days (kind varchar, day date);
create or replace table landing_index.built (fingerprint varchar, as_of timestamp, whole boolean);
"""
# Hashes of the names of dealers in the RFQ log, by day: what ``rebuild.rfq_dealers`` shows.
RFQ_DEALERS = "select ref, day from landing_index.ref_days where kind = 'rfq_dealer'"

# Hashes of the RFQs of TCA results that no RFQ log in use or before it had.
UNKNOWN_RFQS = "select distinct rfq from landing_index.unknown_rfqs"


class Batch(msgspec.Struct, frozen=True):
    """One batch in use: its table, its name, its Parquet file, and how many rows are in it (as far as it is asked for)."""

    table: str
    batch: str
    path: str
    rows: int = 0


class Change(msgspec.Struct, frozen=True):
    """The batches that came into use and those that went out of it."""

    added: list[Batch]
    removed: list[Batch]


def reset(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin an empty index."""
    connection.execute(_TABLES)


def is_there(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the warehouse has an index, as this version makes it."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'landing_index' and table_name = 'print_days'"
    ).fetchall()
    return bool(found[0][0])


def days_of(connection: duckdb.DuckDBPyConnection, table: str, batches: Iterable[str]) -> set[date]:
    """Give the days that these batches of a table speak of."""
    return _days(
        connection,
        "select distinct day from landing_index.batch_days where table_name = ? and list_contains(?, batch)",
        [table, list(batches)],
    )


def days_that_name(connection: duckdb.DuckDBPyConnection, kind: str, names: Iterable[str]) -> set[date]:
    """Give the days whose rows bear any of these names; kinds are ``rfq_dealer`` and ``{rfq,priced,printed}_security``."""
    return _days(
        connection,
        "select distinct day from landing_index.ref_days where kind = ? and ref in (select hash(unnest(cast(? as varchar[]))))",
        [kind, list(names)],
    )


def days_not_over(connection: duckdb.DuckDBPyConnection, table: str, at: datetime) -> set[date]:
    """Give the days of a table with rows that were not over at an instant: what is known of them changes as time goes on."""
    return _days(connection, "select distinct day from landing_index.batch_days where table_name = ? and over_at > ?", [table, at])


def known_days(connection: duckdb.DuckDBPyConnection, table: str) -> set[date]:
    """Give the days that any batch of a table speaks of, or spoke of while it was in use."""
    return _days(connection, "select distinct day from landing_index.batch_days where table_name = ?", [table])


def _days(connection: duckdb.DuckDBPyConnection, query: str, given: list[object]) -> set[date]:
    return {day for (day,) in connection.execute(query, given).fetchall()}


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
    return connection.execute("select distinct min(day), max(day) from landing_index.split_rfqs group by key").fetchall()


def files_of(connection: duckdb.DuckDBPyConnection, table: str, days: Iterable[date]) -> list[str]:
    """Give the files in use that speak of any of these days."""
    return _speaking(connection, table, "list_contains(?, day)", [list(days)])


def files_between(connection: duckdb.DuckDBPyConnection, table: str, start: date, end: date) -> list[str]:
    """Give the files in use that speak of any day from ``start`` up to ``end`` (exclusive)."""
    return _speaking(connection, table, "day >= ? and day < ?", [start, end])


def all_files(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Give the files in use of a table."""
    return _paths(connection, "select path from landing_index.batches where table_name = ? order by path", [table])


def are_alike(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Say whether all files in use of a table have today's layout."""
    layout = layout_of(LANDING_TABLES[table])
    found = connection.execute(
        "select count(*) from landing.receipts where table_name = ? and layout is distinct from ?", [table, layout]
    ).fetchall()
    return not found[0][0]


def files_since(connection: duckdb.DuckDBPyConnection, table: str, at: datetime) -> list[str]:
    """Give the files in use of a table, whether indexed by day or not, with rows that happened after an instant."""
    return _paths(
        connection,
        "select path from landing.receipts where table_name = ? and coalesce(happened_to > ?, true) order by path",
        [table, at],
    )


def files_of_unknown(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Give the files in use with TCA results for RFQs that are in no log."""
    return _paths(
        connection,
        "select path from landing_index.batches semi join landing_index.unknown_rfqs using (batch) "
        "where table_name = ? order by path",
        ["tca_results"],
    )


def _speaking(connection: duckdb.DuckDBPyConnection, table: str, condition: str, given: list[object]) -> list[str]:
    return _paths(
        connection,
        "select distinct path from landing_index.batches inner join landing_index.batch_days using (table_name, batch) "
        f"where table_name = ? and {condition} order by path",
        [table, *given],
    )


def _paths(connection: duckdb.DuckDBPyConnection, query: str, given: list[object]) -> list[str]:
    return [path for (path,) in connection.execute(query, given).fetchall()]


def days_due(connection: duckdb.DuckDBPyConnection) -> dict[str, set[date]]:
    """Give the days of ``rfqs``, ``prices`` and ``prints`` that builds which did not end still owe."""
    found: dict[str, set[date]] = {"rfqs": set(), "prices": set(), "prints": set()}
    for kind, day in connection.execute("select kind, day from landing_index.pending_days").fetchall():
        found[kind].add(day)
    return found


def owe(connection: duckdb.DuckDBPyConnection, days: Mapping[str, Iterable[date]]) -> None:
    """Note the days that are due until a build has ended, by the kinds of ``days_due``."""
    connection.execute("delete from landing_index.pending_days")
    for kind, due in days.items():
        connection.execute("insert into landing_index.pending_days select ?, unnest(cast(? as date[]))", [kind, list(due)])


def owe_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget which days are due, and that any RFQ stands on two: everything is to be built."""
    connection.execute("delete from landing_index.pending_days")
    connection.execute("create or replace table rebuild.split_rfqs (rfq ubigint)")


def split_days(connection: duckdb.DuckDBPyConnection, days: Iterable[date]) -> set[date]:
    """Put the RFQs that stand on these days and on others too into ``rebuild.split_rfqs``; give all their days."""
    connection.execute(
        "create or replace table rebuild.split_rfqs as "
        "select distinct key as rfq from landing_index.split_rfqs where list_contains(?, day)",
        [list(days)],
    )
    return days_beside(connection, "split_rfqs", days)


def days_beside(connection: duckdb.DuckDBPyConnection, split: str, days: Iterable[date]) -> set[date]:
    """Give all days of what stands on these days and on others too; ``split`` is ``split_rfqs`` or ``split_prints``."""
    return _days(
        connection,
        f"select distinct day from landing_index.{split} "
        f"where key in (select key from landing_index.{split} where list_contains(?, day))",
        [list(days)],
    )


def split_print_days(connection: duckdb.DuckDBPyConnection, start: date, end: date) -> set[date]:
    """Give the days from ``start`` up to ``end`` (exclusive) with prints that stand on others too."""
    return _days(connection, "select distinct day from landing_index.split_prints where day >= ? and day < ?", [start, end])


def days_amended(connection: duckdb.DuckDBPyConnection, days: Iterable[date]) -> set[date]:
    """Add to some days of prints those on which another report decides what stands on them, and the other way round.

    Two hops: a report may be replaced by a newer version of itself, on another day, that amends another print.
    """
    reached = set(days)
    for _hop in range(2):
        reached |= days_beside(connection, "split_prints", reached)
    return reached
