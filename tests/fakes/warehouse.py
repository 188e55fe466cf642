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

HAPPENED = {
    "intermediate.int_resolved_responses": ("rfq_log", "asked_at"),
    "intermediate.int_trades": ("trades", "executed_at"),
    "intermediate.int_reference_mids": ("reference_prices", "priced_at"),
}
# Ten rows on each weekday of two months before the scorecards' as_of.
_A_SPRING = """
insert into {relation} by name
select days.at as {column} from (
    select timestamp '2025-05-31 15:00' - to_days(back) as at from range(60) as numbers (back)
) as days, range(10)
where isodow(days.at) < 6
"""
_HOLIDAYS = "create table intermediate.int_market_holidays as select date '2025-05-26' as holiday"
_DAY_STATS = """
create table intermediate.int_dealer_day_stats as
select
    'CORP_IG' as scorecard_class, date '2025-05-31' - cast(back as integer) as asked_on, 10 as rfqs_asked,
    7 + back % 3 as rfqs_quoted, 7 as quote_improvement_n, 7.0 * (back % 3 - 5) as quote_improvement_sum,
    7 as seconds_n, 7.0 * (20 + 2 * (back % 3)) as seconds_sum
from range(60) as numbers (back)
"""
_AGREEMENT = """
create table marts.fct_tca_vendor_agreement as
select
    'price_reversion' as metric, 1800 as horizon_s, 'ALPHA' as vendor, unnest(['BETA', 'OWN']) as compared_with, 200 as n,
    0.9::double as pearson_correlation, 0.4::double as mean_difference_bps, -0.1::double as mean_difference_low_bps,
    0.9::double as mean_difference_high_bps
"""
_QUOTES = """
create table marts.fct_rfq_responses as
select 5.0::double as quote_improvement_gain_bps, date '2025-05-30' as asked_on, 'rfq_log-1' as landed_batch from range(20)
"""
_PREVIOUS = """
create table audit.previous_scorecards
(as_of timestamp, dealer_id varchar, scorecard_class varchar, window_days integer, rfqs_asked bigint, composite_rank integer)
"""


def build(path: Path, *, scorecards: int = 3) -> Path:
    """Write the warehouse; ``scorecards`` rows stand in each published table."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("begin")
        for schema in ("landing", "staging", "intermediate", "marts", "audit"):
            connection.execute(f"create schema {schema}")
        connection.execute(_RECEIPTS)
        for table in LANDING_TABLES.values():
            cells = ", ".join(f"{named(column.name)} {SQL_TYPES[column.kind]}" for column in table.columns)
            connection.execute(f"create table landing.{table.name} ({cells})")
            rows = [list(row.values()) for row in vendor.rows(table.name, _ROWS)]
            connection.executemany(f"insert into landing.{table.name} values ({', '.join('?' * len(table.columns))})", rows)
            connection.execute(
                "insert into landing.receipts values ('market', ?, ?, ?, now(), 1000, 4, 10, null, true)",
                [table.name, f"{table.name}.csv", f"{table.name}-1"],
            )
        for relation, (table, column) in HAPPENED.items():
            connection.execute(f"create table {relation} as select * from landing.{table} limit 0")
            if table == "reference_prices":
                connection.execute(f"alter table {relation} rename as_of to priced_at")
            connection.execute(_A_SPRING.format(relation=relation, column=column))
        connection.execute(_HOLIDAYS)
        connection.execute(_DAY_STATS)
        connection.execute("create table intermediate.int_dealer_names (dealer_ref varchar)")
        connection.execute(
            "create table intermediate.int_unresolved_responses (file varchar, row bigint, asked_on date, batch varchar)"
        )
        connection.execute("alter table intermediate.int_resolved_responses add column landed_batch varchar")
        connection.execute("alter table intermediate.int_trades add column printed_on date")
        for table in ("rfq_log", "reference_prices", "trades"):
            stamped = f"select *, 'market' as _source, '{table}-1' as _batch from landing.{table}"
            connection.execute(f"create view landing.new_{table} as {stamped}")
        for name, columns in SNAPSHOT_TABLES.items():
            cells = ", ".join(f"{named(column)} {kind}" for column, kind in columns.items())
            connection.execute(f"create table marts.{name} ({cells})")
        write_scorecards(connection, scorecards)
        connection.execute(_PREVIOUS)
        connection.execute(_QUOTES)
        connection.execute(_AGREEMENT)
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
