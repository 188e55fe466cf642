"""A tiny warehouse: every table that the gate and the publisher read, with a handful of good rows."""

from pathlib import Path

import duckdb

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from expectations.contracts.sources import LANDING_TABLES
from flows.sources.pulled import named
from flows.validate import SQL_TYPES
from tests.fakes import vendor

_RECEIPTS = (
    "create table landing.receipts (source varchar, table_name varchar, file varchar, batch varchar, landed_at timestamp, "
    "rows bigint, rejected bigint, repeated bigint, happened_to timestamp, is_new boolean)"
)
_ROWS = 10


def build(path: Path, *, scorecards: int = 3) -> Path:
    """Write the warehouse; ``scorecards`` rows stand in each published table."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("begin")
        for schema in ("landing", "staging", "intermediate", "marts"):
            connection.execute(f"create schema {schema}")
        connection.execute(_RECEIPTS)
        for table in LANDING_TABLES.values():
            cells = ", ".join(f"{named(column.name)} {SQL_TYPES[column.kind]}" for column in table.columns)
            connection.execute(f"create table landing.{table.name} ({cells})")
            rows = [list(row.values()) for row in vendor.rows(table.name, _ROWS)]
            connection.executemany(f"insert into landing.{table.name} values ({', '.join('?' * len(table.columns))})", rows)
            connection.execute(
                "insert into landing.receipts values ('market', ?, ?, 'b', now(), 1000, 4, 10, null, true)",
                [table.name, f"{table.name}.csv"],
            )
        connection.execute("create table staging.stg_rfq_log as select * from landing.rfq_log")
        connection.execute("create table intermediate.int_unresolved_rows (file varchar, row bigint)")
        for name, columns in SNAPSHOT_TABLES.items():
            cells = ", ".join(f"{named(column)} {kind}" for column, kind in columns.items())
            connection.execute(f"create table marts.{name} ({cells})")
        write_scorecards(connection, scorecards)
        connection.execute(
            "create table marts.fct_rfq_responses as select 5.0::double as quote_improvement_gain_bps from range(20)"
        )
        connection.execute(
            "create table marts.fct_executions as "
            "select n::double as vendor_reversion_bps, n + 0.5 as own_reversion_bps from range(200) as numbers (n)"
        )
        connection.execute("commit")
    return path


def write_scorecards(connection: duckdb.DuckDBPyConnection, count: int) -> None:
    """Put so many rows into every published table in place of those that stand there."""
    for name, columns in SNAPSHOT_TABLES.items():
        cells = ", ".join(f"{_cell(kind)} as {named(column)}" for column, kind in columns.items())
        connection.execute(f"delete from marts.{name}")
        connection.execute(f"insert into marts.{name} select {cells} from range({count}) as numbers (n)")


def _cell(kind: str) -> str:
    values = {
        "VARCHAR": "'text ' || n",
        "DOUBLE": "n / 4.0",
        "DATE": "date '2025-06-01' + n::integer",
        "TIMESTAMP": "timestamp '2025-06-01' + to_hours(n)",
        "BOOLEAN": "n % 2 = 0",
        "VARCHAR[]": "['CORP', 'MUNI']",
    }
    return values.get(kind, f"n::{kind}")
