"""One delivery taken in: read as text, typed and checked against the contract, written as Parquet, bad rows apart."""

from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import duckdb
import msgspec
from stdnum import cusip, figi, isin, lei

from expectations.contracts.sources import LANDING_TABLES, Table
from flows.sources.files import damage
from flows.sources.pulled import Pulled, SourceError, named, quoted
from flows.validate import missing_columns, typed_select

DATA_FILE = "data.parquet"
QUARANTINE_FILE = "quarantine.parquet"
_IDENTIFIERS: dict[str, ModuleType] = {"cusip": cusip, "isin": isin, "figi": figi, "lei": lei}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Good rows, bad rows, good rows whose key came before in the same delivery, and the span of the rows' own times."""

    rows: int
    rejected: int
    repeated: int
    happened_from: datetime | None
    happened_to: datetime | None


def take_in(pulled: Pulled, work: Path, *, batch: str, now: datetime, not_after: datetime) -> Counts:
    """Write ``data.parquet`` and, where rows are bad, ``quarantine.parquet`` into ``work``.

    Rows that happened later than ``not_after`` are bad. Raises SourceError when the delivery cannot be read, is cut off, holds
    no row at all, or lacks a required column.
    """
    table = LANDING_TABLES[pulled.table]
    where = f"source {pulled.source!r}, table {table.name}: {pulled.file}"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "3GB",
        "temp_directory": str(work / ".spill"),
        "threads": "2",
    }
    fault = damage(Path(pulled.file))
    if fault:
        raise SourceError(f"{where} cannot be read: {fault}; deliver it again")
    with duckdb.connect(config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        present = _read(connection, pulled, table, where)
        _note_bad_identifiers(connection, table, present)
        limit = not_after.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute(f"create temp table typed as {typed_select(table, present, raw='raw', not_after=limit)}")
        _write_good(connection, pulled, work, batch=batch, now=now)
        _write_bad(connection, pulled, work, present)
        counts = _count(connection, table)
    if counts.rows + counts.rejected == 0:
        raise SourceError(f"{where} has a header and no rows; deliver it again, or leave the file out")
    return counts


def _read(connection: duckdb.DuckDBPyConnection, pulled: Pulled, table: Table, where: str) -> list[str]:
    try:
        connection.execute(f"create temp table raw as select row_number() over () as _row, * from ({pulled.select})")
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error
    # Names of columns do not differ by case alone, neither in DuckDB nor in vendors' files.
    own = {name.lower(): name for name in table.names}
    present = [own.get(name.lower(), name) for name, *_ in connection.execute("describe raw").fetchall() if name != "_row"]
    missing = missing_columns(table, present)
    if missing:
        raise SourceError(f"{where} lacks the required column(s) {', '.join(missing)}; it has {', '.join(present)}")
    return present


def _note_bad_identifiers(connection: duckdb.DuckDBPyConnection, table: Table, present: list[str]) -> None:
    connection.execute("create temp table bad_identifiers (kind varchar, value varchar)")
    for column in table.columns:
        if column.identifier and column.name in present:
            cell = f"nullif(trim(cast({named(column.name)} as varchar)), '')"
            values = connection.execute(f"select distinct {cell} from raw where {cell} is not null").fetchall()
            bad = [(column.identifier, value) for (value,) in values if not _IDENTIFIERS[column.identifier].is_valid(value)]
            if bad:
                connection.executemany("insert into bad_identifiers values (?, ?)", bad)


def _write_good(connection: duckdb.DuckDBPyConnection, pulled: Pulled, work: Path, *, batch: str, now: datetime) -> None:
    landed = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    connection.execute(
        f"copy (select * exclude (_faults), {quoted(pulled.source)} as _source, {quoted(pulled.file)} as _file, "
        f"timestamp {quoted(landed)} as _landed_at, {quoted(batch)} as _batch from typed where len(_faults) = 0) "
        f"to {quoted(work / DATA_FILE)} (format parquet, compression zstd)"
    )


def _write_bad(connection: duckdb.DuckDBPyConnection, pulled: Pulled, work: Path, present: list[str]) -> None:
    """Write one row per fault: a bad row with two faults stands there twice, with the same row number."""
    origin = f"{quoted(pulled.source)}, {quoted(pulled.table)}, {quoted(pulled.file)}"
    raw = ", ".join(f"{quoted(name)}, raw.{named(name)}" for name in present)
    connection.execute(
        "create temp table bad (source varchar, table_name varchar, file varchar, row bigint, column_name varchar, "
        "rule varchar, reason varchar, value varchar, raw varchar)"
    )
    connection.execute(
        f"insert into bad select {origin}, _row, f.column, f.rule, f.reason, f.value, cast(json_object({raw}) as varchar) "
        "from (select _row, unnest(_faults) as f from typed where len(_faults) > 0) join raw using (_row)"
    )
    if _exists(connection, "reject_errors"):
        connection.execute(
            f"insert into bad select distinct on (line) {origin}, line - 1, column_name, 'unreadable', error_message, null, "
            "csv_line from reject_errors order by line, column_idx"
        )
    if connection.execute("select count(*) from bad").fetchone() != (0,):
        connection.execute(f"copy bad to {quoted(work / QUARANTINE_FILE)} (format parquet, compression zstd)")


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = connection.execute("select count(*) from duckdb_tables() where table_name = ?", [table]).fetchone()
    return found != (0,)


def _count(connection: duckdb.DuckDBPyConnection, table: Table) -> Counts:
    key = ", ".join(f"{name} := {named(name)}" for name in table.key)
    times = f"min({table.happened_at}), max({table.happened_at})" if table.happened_at else "null, null"
    rows, distinct, first, last = connection.execute(
        f"select count(*), count(distinct struct_pack({key})), {times} from typed where len(_faults) = 0"
    ).fetchall()[0]
    rejected = connection.execute("select count(distinct (rule = 'unreadable', row)) from bad").fetchall()[0][0]
    return Counts(rows=rows, rejected=rejected, repeated=rows - distinct, happened_from=first, happened_to=last)
