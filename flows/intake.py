"""One delivery taken in: read as text, mapped, typed and checked against the contract, written as Parquet, bad rows apart."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType

import duckdb
import msgspec
from duckdb.func import FunctionNullHandling
from stdnum import cusip, figi, isin, lei

from expectations.contracts.sources import LANDING_TABLES, Table
from flows import drift
from flows.intake_drift import columns_seen, refuse_gone, refuse_other_types, tell_of_new
from flows.sources.cusip_recovery import recovered_cusip
from flows.sources.formats import damage
from flows.sources.local_times import MACROS
from flows.sources.pulled import Mapped, Pulled, SourceError, cell_text, instant_text, named, quoted
from flows.text_faults import number_by_line, repeated_columns, swallowed_rows, why_unreadable
from flows.validate import missing_columns, own_type, typed_select

DATA_FILE = "data.parquet"
QUARANTINE_FILE = "quarantine.parquet"
_IDENTIFIERS: dict[str, ModuleType] = {"cusip": cusip, "isin": isin, "figi": figi, "lei": lei}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Good rows, bad rows, good rows whose key came before in the same delivery, the span of the rows' own times, the columns."""

    rows: int
    rejected: int
    repeated: int
    happened_from: datetime | None
    happened_to: datetime | None
    columns: drift.Schema


def take_in(
    pulled: Pulled, work: Path, *, batch: str, now: datetime, not_after: datetime, before: Collection[drift.Schema] = ()
) -> Counts:
    """Write ``data.parquet`` and, where rows are bad, ``quarantine.parquet`` into ``work``.

    Rows that happened later than ``not_after`` are bad; ``before``: the columns of earlier deliveries. Raises SourceError when the
    delivery cannot be read, is cut off, holds no row at all, lacks a required column, or has drifted.
    """
    table = _contract(pulled)
    where = f"source {pulled.source!r}, table {table.name}: {pulled.file}"
    fault = damage(Path(pulled.path)) if pulled.path else None
    if fault:
        raise SourceError(f"{where} cannot be read: {fault}; deliver it again")
    with duckdb.connect(config=_limits(work)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        present = _read(connection, pulled, table, where)
        seen = columns_seen(connection)
        expected, fresh = drift.expected(before), drift.new(before, seen)
        refuse_gone(expected, seen, pulled, table, where, fresh=fresh)
        cells = _map(connection, pulled, present, where)
        _note_bad_identifiers(connection, table, cells)
        latest, mapped, typed = instant_text(not_after), pulled.mapped is not None, own_type(table, cells)
        select = typed_select(table, cells, raw="cells", not_after=latest, mapped=mapped, typed=typed)
        connection.execute(f"create temp table typed as {select}")
        refuse_other_types(connection, expected, seen, cells, where)
        tell_of_new(fresh, pulled, table, where)
        _write_good(connection, pulled, work, batch=batch, now=now)
        _write_bad(connection, pulled, work, list(seen), batch=batch, now=now)
        counts = _count(connection, table, seen)
    if counts.rows + counts.rejected == 0 and not pulled.may_be_empty:
        raise SourceError(f"{where} has a header and no rows; deliver it again, or leave the file out")
    return counts


def _contract(pulled: Pulled) -> Table:
    """Give the table's contract, with the identifiers that the mapping declares."""
    table = LANDING_TABLES[pulled.table]
    declared = dict(pulled.mapped.identifiers) if pulled.mapped else {}
    columns = tuple(replace(column, identifier=declared.get(column.name, column.identifier)) for column in table.columns)
    return replace(table, columns=columns) if declared else table


def _limits(work: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {"memory_limit": "3GB", "temp_directory": str(work / ".spill"), "threads": "2"}


def _read(connection: duckdb.DuckDBPyConnection, pulled: Pulled, table: Table, where: str) -> dict[str, str]:
    """Make the table ``raw``, a row of the delivery each; give its columns with their types, those of the contract by its names."""
    numbering = "" if pulled.numbered else "row_number() over () as _row, "
    try:
        connection.execute(f"create temp table raw as select {numbering}* from ({pulled.select})")
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be read: {why_unreadable(error)}; deliver it again") from error
    if pulled.delimiter is not None:
        _judge_text(connection, pulled, pulled.delimiter, table, where)
    found = _columns(connection, "raw")
    if pulled.mapped:
        _fill_or_refuse(connection, pulled, pulled.mapped, found, where)
        return found
    # Names of columns do not differ by case alone, neither in DuckDB nor in vendors' files.
    own = {name.lower(): name for name in table.names}
    present = {own.get(name.lower(), name): kind for name, kind in found.items()}
    missing = missing_columns(table, present)
    if missing:
        hint = drift.looks_like(missing, [name for name in present if name not in table.names])
        told = f"; {hint}" if hint else ""
        raise SourceError(f"{where} lacks the required column(s) {', '.join(missing)}{told}; it has {', '.join(present)}")
    return present


def _judge_text(connection: duckdb.DuckDBPyConnection, pulled: Pulled, delimiter: str, table: Table, where: str) -> None:
    """Refuse a text file of whose columns or rows not all can be told apart; else number its rows as they stand there."""
    used = pulled.mapped.needs if pulled.mapped else table.names
    twice = repeated_columns(Path(pulled.path), delimiter, used) if pulled.path else []
    if twice:
        raise SourceError(f"{where} has the column(s) {', '.join(twice)} more than once; deliver each once")
    swallowed = swallowed_rows(connection, delimiter)
    if swallowed:
        raise SourceError(f"{where} cannot be read: {swallowed}; deliver it again")
    number_by_line(connection)


def _fill_or_refuse(
    connection: duckdb.DuckDBPyConnection, pulled: Pulled, mapped: Mapped, found: Collection[str], where: str
) -> None:
    """Add the columns that may be gone as empty ones; refuse a delivery that lacks another one of those that the mapping reads."""
    here, known = {name.lower() for name in found}, {need.lower() for need in mapped.needs}
    absent = [name for name in mapped.needs if name.lower() not in here]
    lacking = [name for name in absent if any(own not in pulled.may_lack for theirs, own in mapped.reads if theirs == name)]
    if lacking:
        hint = drift.looks_like(lacking, [name for name in found if name.lower() not in known])
        raise SourceError(
            f"{where} lacks the column(s) {', '.join(lacking)} that the mapping {mapped.name!r} reads; "
            f"{hint + '; ' if hint else ''}it has {', '.join(found)}"
        )
    for name in absent:
        connection.execute(f"alter table raw add column {named(name)} varchar")


def _map(connection: duckdb.DuckDBPyConnection, pulled: Pulled, present: dict[str, str], where: str) -> dict[str, str]:
    """Make the table ``cells``: the delivery as it is, or what the mapping makes of it; give its columns with their types."""
    if pulled.mapped is None:
        connection.execute("create temp view cells as from raw")
        return present
    for macro in MACROS:
        connection.execute(macro)
    if "recovered_cusip" in pulled.mapped.query:
        connection.create_function(
            "recovered_cusip", recovered_cusip, ["VARCHAR", "VARCHAR"], "VARCHAR", null_handling=FunctionNullHandling.SPECIAL
        )
    try:
        connection.execute(f"create temp table cells as {pulled.mapped.query}")
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be mapped by {pulled.mapped.name!r}: {str(error).splitlines()[0]}") from error
    return {name: kind for name, kind in _columns(connection, "cells").items() if not name.startswith("_")}


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"describe {table}").fetchall() if name != "_row"}


def _note_bad_identifiers(connection: duckdb.DuckDBPyConnection, table: Table, present: Collection[str]) -> None:
    connection.execute("create temp table bad_identifiers (kind varchar, value varchar)")
    for column in table.columns:
        if column.identifier and column.name in present:
            cell = cell_text(named(column.name))
            values = connection.execute(f"select distinct {cell} from cells where {cell} is not null").fetchall()
            bad = [(column.identifier, value) for (value,) in values if not _IDENTIFIERS[column.identifier].is_valid(value)]
            if bad:
                connection.executemany("insert into bad_identifiers values (?, ?)", bad)


def _write_good(connection: duckdb.DuckDBPyConnection, pulled: Pulled, work: Path, *, batch: str, now: datetime) -> None:
    connection.execute(
        f"copy (select * exclude (_faults), {quoted(pulled.source)} as _source, {quoted(pulled.file)} as _file, "
        f"timestamp {quoted(instant_text(now))} as _landed_at, {quoted(batch)} as _batch from typed where len(_faults) = 0) "
        f"to {quoted(work / DATA_FILE)} (format parquet, compression zstd)"
    )


def _write_bad(
    connection: duckdb.DuckDBPyConnection, pulled: Pulled, work: Path, present: list[str], *, batch: str, now: datetime
) -> None:
    """Write one row per fault: a bad row with two faults stands there twice, with the same row number."""
    origin = f"{quoted(pulled.source)}, {quoted(pulled.table)}, {quoted(pulled.file)}"
    stamp = f"{quoted(batch)}, timestamp {quoted(instant_text(now))}"
    raw = ", ".join(f"{quoted(name)}, raw.{named(name)}" for name in present)
    connection.execute(
        "create temp table bad (source varchar, table_name varchar, file varchar, row bigint, column_name varchar, "
        "rule varchar, reason varchar, value varchar, raw varchar, batch varchar, landed_at timestamp)"
    )
    connection.execute(
        f"insert into bad select {origin}, _row, f.column, f.rule, f.reason, f.value, cast(json_object({raw}) as varchar), {stamp} "
        "from (select _row, unnest(_faults) as f from typed where len(_faults) > 0) join raw using (_row)"
    )
    if pulled.delimiter is not None or pulled.tells_unreadable:
        connection.execute(
            f"insert into bad select distinct on (line) {origin}, line - 1, column_name, 'unreadable', error_message, null, "
            f"csv_line, {stamp} from reject_errors order by line, column_idx"
        )
    if connection.execute("select count(*) from bad").fetchone() != (0,):
        connection.execute(f"copy (from bad order by row) to {quoted(work / QUARANTINE_FILE)} (format parquet, compression zstd)")


def _count(connection: duckdb.DuckDBPyConnection, table: Table, seen: drift.Schema) -> Counts:
    key = ", ".join(f"{name} := {named(name)}" for name in table.key)
    times = f"min({table.happened_at}), max({table.happened_at})" if table.happened_at else "null, null"
    rows, distinct, first, last = connection.execute(
        f"select count(*), count(distinct struct_pack({key})), {times} from typed where len(_faults) = 0"
    ).fetchall()[0]
    unreadable = "select count(distinct row) from bad where rule = 'unreadable'"
    rejected = connection.execute(f"select count(*) + ({unreadable}) from typed where len(_faults) > 0").fetchall()[0][0]
    return Counts(rows=rows, rejected=rejected, repeated=rows - distinct, happened_from=first, happened_to=last, columns=seen)
