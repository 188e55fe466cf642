"""Schema drift of a delivery that is being taken in: what stops it, and what is told."""

import logging
from collections.abc import Collection

import duckdb

from expectations.contracts.sources import Table
from flows import drift
from flows.sources.pulled import Pulled, SourceError, cell_text, named, quoted

log = logging.getLogger("flows.intake")

# Faults that say that a cell is not what its column holds.
_UNREADABLE = ("type", "unit", "time_format", "date_format")


def columns_seen(connection: duckdb.DuckDBPyConnection) -> drift.Schema:
    """Give the delivery's columns as they came, with their types and how many cells are filled."""
    types = {name: kind for name, kind, *_ in connection.execute("describe raw").fetchall() if name != "_row"}
    counts = ", ".join(f"count({cell_text(named(name)) if kind == 'VARCHAR' else named(name)})" for name, kind in types.items())
    filled = connection.execute(f"select {counts or 'count(*)'} from raw").fetchall()[0]
    return {name: drift.Seen(str(kind), count) for (name, kind), count in zip(types.items(), filled, strict=False)}


def refuse_gone(expected: drift.Schema, seen: drift.Schema, pulled: Pulled, table: Table, where: str, *, fresh: list[str]) -> None:
    """Refuse a delivery that has lost a column which is used. What a mapping reads must be there in any case."""
    used = {} if pulled.mapped else {name: one for name, one in expected.items() if name.lower() in table.names}
    gone = drift.gone(used, seen, pulled.may_lack)
    if gone:
        hint = drift.looks_like(gone, fresh)
        raise SourceError(
            f"{where} has drifted: {', '.join(gone)} was filled before and is gone{'; ' + hint if hint else ''}; have it delivered "
            f"as before, or list it under `may_lack` in sources.yml; {drift.beside(expected, seen)}"
        )


def tell_of_new(fresh: list[str], pulled: Pulled, table: Table, where: str) -> None:
    """Say which columns came for the first time, and whether anything reads them."""
    read = {name.lower() for name in (pulled.mapped.needs if pulled.mapped else table.names)}
    for told, names in (
        ("used from now on", [name for name in fresh if name.lower() in read]),
        ("kept and not used", [name for name in fresh if name.lower() not in read]),
    ):
        if names:
            log.info("%s has new columns, %s: %s", where, told, ", ".join(names))


def refuse_other_types(
    connection: duckdb.DuckDBPyConnection, before: drift.Schema, seen: drift.Schema, cells: Collection[str], where: str
) -> None:
    """Refuse a delivery most of whose cells of a column cannot be read any more."""
    if not before:
        return
    rules = ", ".join(quoted(rule) for rule in _UNREADABLE)
    faulty = dict(
        connection.execute(
            "select f.column, count(*) from (select unnest(_faults) as f from typed where len(_faults) > 0) "
            f"where f.rule in ({rules}) group by all"
        ).fetchall()
    )
    if not faulty:
        return
    names = [name for name in cells if name in faulty]
    counts = ", ".join(f"count({cell_text(named(name))})" for name in names)
    filled = dict(zip(names, connection.execute(f"select {counts} from cells").fetchall()[0], strict=True))
    drifted = drift.of_another_type(dict.fromkeys(names, drift.Seen("", 1)), {n: max(filled[n], faulty[n]) for n in names}, faulty)
    if drifted:
        told = ", ".join(f"{name} ({faulty[name]} cells cannot be read as it was read before)" for name in drifted)
        raise SourceError(f"{where} has drifted: of another type: {told}; {drift.beside(before, seen)}")
