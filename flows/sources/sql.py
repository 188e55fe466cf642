"""The kind ``sql``: a query or a relation of the firm's own warehouse per canonical table, through SQLAlchemy."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from flows.sources.config import SourceConfig
from flows.sources.mapped import compiled
from flows.sources.mapping import TableMap, load_mapping
from flows.sources.pages import Due
from flows.sources.pulled import Pulled, SourceError
from flows.sources.secrets import filled, scrubbed
from flows.sources.shelf import Shelf
from flows.sources.windows import Answer, deliveries, keep_due


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Run each table's query, window by window where it has one; the same rows land nothing again, whatever their order.

    ``path`` is a SQLAlchemy URL, as a rule ``$NAME``. Raises SourceError when the warehouse or a query fails.
    """
    if source.mapping is None:
        raise SourceError(f"source {source.name!r}: the kind sql needs a mapping with a query or a relation per table")
    mapping = load_mapping(Path(source.mapping))
    for table, spec in mapping.tables.items():
        if (spec.query or spec.relation) and (source.tables is None or table in source.tables):
            shelf = Shelf(Path(source.downloads) / table)
            fetch(source, table, spec, shelf, datetime.now(UTC))
            how = compiled(Path(source.mapping).stem, table, spec)
            yield from deliveries(source, table, spec, shelf, how, may_be_empty=spec.window is not None)


def fetch(source: SourceConfig, table: str, spec: TableMap, shelf: Shelf, now: datetime) -> None:
    """Ask for the windows that are due, or for everything, and keep what comes. Raises SourceError."""

    def ask(span: Due) -> Answer:
        try:
            return run(_engine(source), spec, span.parameters)
        except (SQLAlchemyError, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            told = scrubbed(f"{type(cause).__name__}: {cause}", source.path)
            passing = OSError(told) if isinstance(error, OSError) or _is_broken_line(error) else None
            raise SourceError(f"source {source.name!r}, table {table}: the warehouse cannot be read: {told}") from passing

    keep_due(shelf, f"sql:{table}{'?' if spec.window else ''}", spec.window, now.date(), ask)


def _is_broken_line(error: SQLAlchemyError) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _engine(source: SourceConfig) -> sqlalchemy.Engine:
    """Make ready for the warehouse. Raises SourceError where its driver is not installed or its URL is not valid."""
    try:
        return sqlalchemy.create_engine(filled(source.path), poolclass=sqlalchemy.pool.NullPool)
    except (ImportError, NoSuchModuleError) as error:
        driver = scrubbed(f"{type(error).__name__}: {error}", source.path)
        what = f"the driver of its database is not installed ({driver})"
        todo = "install it beside sotto, or name one that is there in the URL, such as postgresql+psycopg://"
        raise SourceError(f"source {source.name!r}: {what}; {todo}") from None
    except (ValueError, ArgumentError):
        # The library's text may hold a piece of a password.
        form = (
            "driver://user:password@host:port/database, the port a number, the signs @ : / ? # of user and password percent-encoded"
        )
        raise SourceError(f"source {source.name!r}: `path` is no valid SQLAlchemy URL; write {form}") from None


def run(engine: sqlalchemy.Engine, spec: TableMap, bounds: Mapping[str, str]) -> Answer:
    """Run the table's query on its own connection; ``bounds`` are bound as instants in UTC, without a zone."""
    try:
        with engine.connect() as connection:
            query = _bound(spec.query, bounds) if spec.query else _whole(spec.relation or "")
            result = connection.execution_options(stream_results=True).execute(query)
            columns = list(result.keys())
            rows = [{name: as_text(cell) for name, cell in zip(columns, row, strict=True)} for row in result]
            return Answer(rows, columns)
    finally:
        engine.dispose()


def _bound(query: str, bounds: Mapping[str, str]) -> sqlalchemy.TextClause:
    instants = {name: datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) for name, text in bounds.items()}
    typed = [sqlalchemy.bindparam(name, value=at, type_=sqlalchemy.DateTime) for name, at in instants.items()]
    return sqlalchemy.text(query).bindparams(*typed)


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
