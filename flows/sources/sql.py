"""The kind ``sql``: a query or a relation of the firm's own warehouse per canonical table, through SQLAlchemy."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from flows.sources.config import SourceConfig
from flows.sources.formats import reader
from flows.sources.mapped import compiled, fingerprint
from flows.sources.mapping import TableMap, load_mapping
from flows.sources.pulled import Pulled, SourceError, named
from flows.sources.rest import content_hash
from flows.sources.secrets import filled, scrubbed
from flows.sources.shelf import Kept, Shelf

Row = dict[str, str | None]


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Run each table's query and keep its rows; the same rows land nothing again, whatever their order.

    ``path`` is a SQLAlchemy URL, as a rule ``$NAME``. Raises SourceError when the warehouse or a query fails.
    """
    if source.mapping is None:
        raise SourceError(f"source {source.name!r}: the kind sql needs a mapping with a query or a relation per table")
    mapping = load_mapping(Path(source.mapping))
    shelf = Shelf(Path(source.downloads))
    for table, spec in mapping.tables.items():
        if (spec.query or spec.relation) and (source.tables is None or table in source.tables):
            kept = _kept(source, table, spec, shelf)
            how = compiled(Path(source.mapping).stem, table, spec)
            yield Pulled(
                source.name,
                table,
                f"sql:{table}",
                fingerprint(kept.content_hash, spec),
                f"select * from ({reader(Path(kept.path))}) union all by name "
                f"select {', '.join(f'null as {named(name)}' for name in kept.columns)} where false",
                mapped=how,
                path=kept.path,
                may_lack=source.lacks(table),
            )


def _kept(source: SourceConfig, table: str, spec: TableMap, shelf: Shelf) -> Kept:
    try:
        columns, rows = fetch(filled(source.path), spec)
    except (SQLAlchemyError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        told = scrubbed(f"{type(cause).__name__}: {cause}", source.path)
        passing = OSError(told) if isinstance(error, OSError) or _is_broken_line(error) else None
        raise SourceError(f"source {source.name!r}, table {table}: the warehouse cannot be read: {told}") from passing
    digest = content_hash(rows)
    old = shelf.index().get(table)
    if old and old.content_hash == digest and old.columns == columns:
        return old
    return shelf.put_rows(table, rows, mark="", content_hash=digest, most=len(rows), file_name=f"{table}.jsonl", columns=columns)


def _is_broken_line(error: SQLAlchemyError) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def fetch(url: str, spec: TableMap) -> tuple[list[str], list[Row]]:
    """Run the table's query on its own connection; give the columns' names and the rows as texts."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    try:
        with engine.connect() as connection:
            query = sqlalchemy.text(spec.query) if spec.query else _whole(spec.relation or "")
            result = connection.execution_options(stream_results=True).execute(query)
            columns = list(result.keys())
            return columns, [{name: as_text(cell) for name, cell in zip(columns, row, strict=True)} for row in result]
    finally:
        engine.dispose()


def _whole(relation: str) -> sqlalchemy.Select[Any]:
    """Select everything of ``schema.table``; SQLAlchemy quotes the names."""
    schema, _, name = relation.rpartition(".")
    return sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(name, schema=schema or None))


def as_text(cell: object) -> str | None:
    """Write a database's value as a vendor's file would: dates in ISO 8601, numbers in full, nothing for NULL."""
    match cell:
        case None | str():
            text = cell
        case bool():
            text = str(cell).lower()
        case datetime():
            text = (cell.astimezone(UTC) if cell.tzinfo else cell).isoformat()
        case date():
            text = cell.isoformat()
        case Decimal():
            text = format(cell, "f")
        case bytes() | memoryview():
            raise SourceError("a column holds bytes; leave it out of the query, or cast it")
        case _:
            text = repr(cell) if isinstance(cell, int | float) else str(cell)
    return text
