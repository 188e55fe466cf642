"""The columns of the files in landing, and the queries that read many of them as one table."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from expectations.contracts.sources import Table
from flows.sources.pulled import named, quoted
from flows.validate import SQL_TYPES

_STAMPS = {"_row": "BIGINT", "_source": "VARCHAR", "_file": "VARCHAR", "_landed_at": "TIMESTAMP", "_batch": "VARCHAR"}


def columns_of(table: Table) -> dict[str, str]:
    """Give the columns that each row of a landing table has, with their types; a delivery's own others stand beside them."""
    return {column.name: SQL_TYPES[column.kind] for column in table.columns} | _STAMPS


def layout_of(table: Table) -> str:
    """Give the mark of a table's columns and types as they are now: files that bear the same one have all of them."""
    return hashlib.sha256(repr(columns_of(table)).encode()).hexdigest()[:8]


def landed_view(table: Table, files: Sequence[Path | str], *, alike: bool, of_step: str | None = None) -> str:
    """Give the query that reads these files of a landing table; none at all read as an empty table.

    ``alike``: all of them have today's layout. Else each is opened to see what columns it has, and has nothing where it lacks one.
    ``of_step``: where the session is at a step, this column of ``rebuild.steps`` lists the files instead.
    """
    types = columns_of(table)
    if not files:
        return "select " + ", ".join(f"cast(null as {kind}) as {named(name)}" for name, kind in types.items()) + " where false"
    listed = f"[{', '.join(quoted(file) for file in files)}]"
    if of_step is not None:
        listed = f"coalesce(getvariable('step').{of_step}, {listed})"
    options = "" if alike else ", union_by_name = true"
    return f"select {', '.join(named(name) for name in types)} from read_parquet({listed}{options})"
