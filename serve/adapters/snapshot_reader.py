"""One snapshot folder into memory: contract checked first, DuckDB opened read-only and closed again."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from expectations.contracts.snapshot import CONTRACT_VERSION, SNAPSHOT_TABLES, Manifest
from serve.domain.market import Market
from serve.domain.market_tables import market_of
from serve.domain.tables import Columns, Row


class SnapshotBroken(LookupError):
    """A snapshot that cannot be served; the message says what is wrong and where."""


def read_market(folder: Path) -> Market:
    """Read a snapshot folder. Raises ``SnapshotBroken``."""
    manifest = _manifest(folder)
    database = folder / "scorecards.duckdb"
    if not database.is_file():
        raise SnapshotBroken(f"{database} is missing; publish again with 'sotto refresh'")
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            _check_tables(connection, folder)
            return market_of(_Tables(connection), manifest.snapshot_id, _utc(manifest.as_of), _utc(manifest.created_at))
    except duckdb.Error as exc:
        raise SnapshotBroken(f"{database} cannot be read: {str(exc).splitlines()[0]}") from exc
    except (msgspec.ValidationError, ValueError) as exc:
        raise SnapshotBroken(f"{database} holds a value that the contract does not allow: {exc}") from exc


def _manifest(folder: Path) -> Manifest:
    path = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as exc:
        raise SnapshotBroken(f"{path} is missing; is this a published snapshot?") from exc
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise SnapshotBroken(f"{path} cannot be read: {exc}") from exc
    if manifest.contract_version != CONTRACT_VERSION:
        raise SnapshotBroken(
            f"{path} follows contract version {manifest.contract_version}; this service reads version {CONTRACT_VERSION}"
        )
    if manifest.snapshot_id != folder.name:
        raise SnapshotBroken(f"{path} says it is {manifest.snapshot_id!r}, but its folder is {folder.name!r}")
    return manifest


def _check_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'main'"
    ).fetchall():
        found[table][column] = kind
    for table, columns in SNAPSHOT_TABLES.items():
        if table not in found:
            raise SnapshotBroken(f"{folder.name}: table {table} is missing")
        for column, kind in columns.items():
            if found[table].get(column) != kind:
                is_ = found[table].get(column, "missing")
                raise SnapshotBroken(f"{folder.name}: {table}.{column} should be {kind} and is {is_}")


class _Tables:
    """The tables of an open snapshot."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, table: str) -> list[Row]:
        columns = list(SNAPSHOT_TABLES[table])
        query = f"select {', '.join(columns)} from {table}"  # noqa: S608 - both come from the contract
        return [
            {name: _utc(value) if isinstance(value, datetime) else value for name, value in zip(columns, row, strict=True)}
            for row in self._connection.execute(query).fetchall()
        ]

    def columns(self, table: str, order: tuple[str, ...]) -> Columns:
        query = f"select {', '.join(SNAPSHOT_TABLES[table])} from {table} order by {', '.join(order)}"  # noqa: S608 - the contract's
        cells: Columns = self._connection.execute(query).fetchnumpy()
        return cells


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
