"""Rows set aside: what there is, and why."""

import csv
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from expectations.contracts.home import Home
from flows.landing import Landing
from flows.sources.pulled import quoted

COLUMNS: dict[str, str] = {
    "source": "VARCHAR",
    "table_name": "VARCHAR",
    "file": "VARCHAR",
    "row": "BIGINT",
    "column_name": "VARCHAR",
    "rule": "VARCHAR",
    "reason": "VARCHAR",
    "value": "VARCHAR",
    "raw": "VARCHAR",
    "batch": "VARCHAR",
    "landed_at": "TIMESTAMP",
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which faults to show; ``None`` = whichever. ``every_version`` shows those of superseded deliveries, too."""

    source: str | None = None
    table: str | None = None
    rule: str | None = None
    every_version: bool = False


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Faults, the newest first, ``total`` of them, and how many there are by source, table, column and rule."""

    faults: list[dict[str, Any]]
    total: int
    counts: list[tuple[str, str, str, str, int]]


def lay_table(connection: duckdb.DuckDBPyConnection, home: Home, batches: list[str]) -> None:
    """Make the view ``landing.quarantine`` over the faults of these batches."""
    listed = ", ".join(quoted(batch) for batch in batches)
    chosen = f"batch in ({listed})" if batches else "false"
    connection.execute(f"create or replace view landing.quarantine as select * from ({_all(home)}) where {chosen}")


def faults(home: Home, wanted: Wanted, *, limit: int | None = None) -> Listed:
    """List what is set aside, rows whose dealer or security nobody knew at the last build among it."""
    newest = {receipt.batch for receipt in Landing(home).newest().values()}
    tests = [f"batch in ({', '.join(quoted(batch) for batch in newest) or 'null'})"] if not wanted.every_version else []
    for column, value in (("source", wanted.source), ("table_name", wanted.table), ("rule", wanted.rule)):
        tests += [f"{column} = {quoted(value)}"] if value is not None else []
    chosen = f"from ({_all(home, unresolved=True)}) where {' and '.join(tests) or 'true'}"
    with duckdb.connect() as connection:
        counts = connection.execute(
            f"select source, table_name, column_name, rule, count(*) {chosen} group by all order by 5 desc, 1, 2, 3, 4"
        ).fetchall()
        found = connection.execute(f"select * {chosen} order by landed_at desc nulls last, file, row {_limit(limit)}")
        rows = [dict(zip(COLUMNS, cells, strict=True)) for cells in found.fetchall()]
    return Listed(faults=rows, total=sum(count for *_, count in counts), counts=counts)


def lines(listed: Listed) -> list[str]:
    """Write a listing for a terminal: counts, then one line per fault."""
    told = [f"{count:>7,}  {source} {table}.{column or '*'}: {rule}" for source, table, column, rule, count in listed.counts]
    told += [f"{listed.total:,} faults" + (f", the newest {len(listed.faults)}:" if listed.faults else "")]
    for fault in listed.faults:
        value = "" if fault["value"] is None else f" {fault['value']!r}"
        told.append(f"{fault['file']}, row {fault['row']}, {fault['column_name'] or 'the row'}{value}: {fault['reason']}")
    return told


def write_csv(listed: Listed, out: Path) -> None:
    """Write faults as a CSV file."""
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(COLUMNS))
        writer.writeheader()
        writer.writerows(listed.faults)


def _limit(limit: int | None) -> str:
    return "" if limit is None else f"limit {limit:d}"


def _all(home: Home, *, unresolved: bool = False) -> str:
    """Select every fault on disk. Files of earlier versions have no batch and no time inside: the name has both."""
    files = sorted(home.quarantine.glob("*/*/*.parquet"))
    empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in COLUMNS.items())
    parts = [f"select {empty} where false"]
    if files:
        listed = ", ".join(quoted(file) for file in files)
        parts.append(
            "select * exclude (filename) replace (coalesce(batch, parse_filename(filename, true)) as batch) from "
            f"(select {empty} where false union all by name select * from read_parquet([{listed}], union_by_name = true, "
            "filename = true))"
        )
    last = home.quarantine / "unresolved.parquet"
    if unresolved and last.exists():
        parts.append(f"select * from read_parquet({quoted(last)})")
    names = ", ".join(COLUMNS)
    return f"select {names} from ({' union all by name '.join(parts)})"
