"""Publishing: an immutable snapshot folder, and one atomic switch to it."""

import hashlib
import logging
import shutil
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from expectations.contracts.home import Home
from expectations.contracts.snapshot import CONTRACT_VERSION, SNAPSHOT_TABLES, GateResult, Manifest, TableFacts
from flows import durable
from flows.refused import Refused
from flows.sources.pulled import named, quoted

log = logging.getLogger("flows.publish")

DATABASE, MANIFEST = "scorecards.duckdb", "manifest.json"
_OFF_THE_EDGE = 3.18e-10


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says of how a snapshot came about. Times are UTC."""

    as_of: datetime
    known_at: datetime
    created_at: datetime
    quarantined: dict[str, int]
    gate: list[GateResult]
    dbt_invocation_id: str
    code_version: str
    sources: list[str]


def publish(home: Home, made: Made) -> Manifest:
    """Copy the marts of the warehouse into a snapshot and make it the current one.

    The identifier is the as-of time and a hash of the content: the same content of the same instant is the same snapshot,
    and publishing it again changes nothing. A reader sees the old snapshot or the new one, whole, at any moment.
    """
    home.snapshots.mkdir(parents=True, exist_ok=True)
    # What a publisher that was killed has left behind. One publishes at a time: the refresh holds the lock.
    for leftover in home.snapshots.glob(".*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    work = home.snapshots / ".work"
    work.mkdir()
    tables = _copy_tables(home.warehouse, work / DATABASE)
    content = hashlib.sha256("".join(facts.logical_hash for facts in tables.values()).encode()).hexdigest()
    snapshot_id = f"{made.as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}-{content[:8]}"
    manifest = Manifest(contract_version=CONTRACT_VERSION, snapshot_id=snapshot_id, tables=tables, **msgspec.structs.asdict(made))
    durable.write(work / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    folder = home.snapshots / snapshot_id
    if folder.exists():
        shutil.rmtree(work)
        manifest = read_manifest(home, snapshot_id)
    else:
        durable.sync(work / DATABASE)
        durable.sync(work)
        work.rename(folder)
        durable.sync(home.snapshots)
    switch_to(home, snapshot_id)
    return manifest


def switch_to(home: Home, snapshot_id: str) -> None:
    """Make a published snapshot the current one, atomically; going back is the same call.

    Raises FileNotFoundError when there is no such snapshot.
    """
    if snapshot_id not in {folder.name for folder in _published(home)}:
        raise FileNotFoundError(f"no snapshot {snapshot_id} in {home.snapshots}")
    durable.replace(home.current, snapshot_id.encode())


def drop_old(home: Home, *, keep: int, cited: Collection[str] = ()) -> list[str]:
    """Delete the oldest snapshots beyond ``keep``, never the current or a ``cited`` one; give the identifiers of those deleted."""
    current = current_id(home)
    made = _published(home)
    made.sort(key=lambda folder: (folder / MANIFEST).stat().st_mtime)
    old = [folder for folder in made[: max(len(made) - keep, 0)] if folder.name != current and folder.name not in cited]
    for folder in old:
        # A rename is whole, a deletion is not: nobody may find half a snapshot.
        gone = folder.rename(folder.with_name(f".{folder.name}"))
        shutil.rmtree(gone)
    return [folder.name for folder in old]


def current_id(home: Home) -> str | None:
    """Give the identifier of the current snapshot; ``None`` before the first one."""
    return home.current.read_text(encoding="utf-8").strip() if home.current.exists() else None


def list_manifests(home: Home, tell: Callable[[str], None] = log.warning) -> list[Manifest]:
    """Give every published snapshot's manifest, the oldest first; one that cannot be read is told of and left out."""
    made = []
    for folder in _published(home):
        try:
            made.append(read_manifest(home, folder.name))
        except Refused as refused:
            tell(str(refused))
    return sorted(made, key=lambda manifest: manifest.created_at)


def read_manifest(home: Home, snapshot_id: str) -> Manifest:
    """Read one snapshot's manifest. Raises Refused where it is not there or cannot be read."""
    path = home.snapshots / snapshot_id / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Refused(
            [f"{path} cannot be read ({why}); go back to another of `sotto snapshots` with `sotto rollback ID`"]
        ) from error


def _published(home: Home) -> list[Path]:
    """List the snapshots' folders by name, without what a publisher is writing or deleting."""
    return sorted(path.parent for path in home.snapshots.glob(f"[!.]*/{MANIFEST}"))


def _copy_tables(warehouse: Path, target: Path) -> dict[str, TableFacts]:
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(warehouse)} as warehouse (read_only)")
        connection.execute(f"attach {quoted(target)} as snapshot")
        facts = {}
        for table, columns in SNAPSHOT_TABLES.items():
            cells = ", ".join(f"{named(name)} {kind}" for name, kind in columns.items())
            listed = ", ".join(named(name) for name in columns)
            connection.execute(f"create table snapshot.{table} ({cells})")
            connection.execute(f"insert into snapshot.{table} select {listed} from warehouse.marts.{table} order by all")
            facts[table] = _facts(connection, f"snapshot.{table}", columns)
        connection.execute("detach snapshot")
    return facts


def _facts(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> TableFacts:
    """Count and hash a table's content; figures are rounded, since sums over threads agree to about 1e-14 only.

    They are moved a little first: else the many that end in an exact 5 would be rounded to one side or the other by chance.
    """
    rounded = {name: f"round({named(name)} + {_OFF_THE_EDGE}, 9)" for name, kind in columns.items() if kind == "DOUBLE"}
    figures = {name: rounded.get(name, named(name)) for name in columns}
    cells = " || '|' || ".join(f"coalesce({figure}::varchar, '~')" for figure in figures.values())
    query = f"with hashed as (select md5({cells}) as h from {table}) select count(*), md5(string_agg(h, '' order by h)) from hashed"
    rows, digest = connection.execute(query).fetchall()[0]
    return TableFacts(rows=rows, logical_hash=digest or hashlib.md5(b"", usedforsecurity=False).hexdigest())
