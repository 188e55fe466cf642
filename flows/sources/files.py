"""The kinds ``canonical`` and ``files``: files that lie in a folder or behind a URL, canonical or mapped."""

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from expectations.contracts.sources import TABLES
from flows.sources.config import SourceConfig
from flows.sources.formats import PACKED, bare_name, is_readable, is_text, reader, unpacked
from flows.sources.mapped import compiled, fingerprint
from flows.sources.mapping import TableMap, load_mapping
from flows.sources.pulled import Pulled, SourceError
from flows.sources.remote import Fetched, fetch
from flows.sources.shelf import Shelf

log = logging.getLogger("flows.sources.files")

_SHOWN = 5
_ENDINGS = (".csv", ".csv.gz", ".parquet")
_NAME = re.compile(rf"^({'|'.join(TABLES)})(?:[-.].*)?$")


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Find the canonical tables in a folder: ``<table>.csv``, or many as ``<table>-<anything>.csv.gz`` and the like.

    Raises SourceError when the folder is missing, or when a file has no bytes at all.
    """
    folder = Path(source.path)
    if not folder.is_dir():
        raise SourceError(f"source {source.name!r}: no folder {folder}; check `path`")
    tables = {path: table_of(path) for path in _visible(sorted(folder.iterdir()))}
    _tell_of_others(source, [path.name for path, table in tables.items() if table is None])
    for path, table in tables.items():
        if table and (source.tables is None or table in source.tables):
            _not_empty(source, str(path), path)
            yield _delivered(source, table, str(path), path, content_hash(path))


def pull_files(source: SourceConfig) -> Iterator[Pulled]:
    """Find a mapping's files, or canonical ones, in a folder or behind a URL; what lies elsewhere is copied first.

    Raises SourceError when nothing is there, a file is empty or damaged, or the mapping gives a table without ``files``.
    """
    mapping = load_mapping(Path(source.mapping)) if source.mapping else None
    shelf = Shelf(Path(source.downloads))
    others = []
    for found in _found(source, shelf):
        name = found.file.rsplit("/", 1)[-1]
        tables = {t: m for t, m in mapping.tables.items() if m.files and fnmatch(name, m.files)} if mapping else _canonical(name)
        others += [] if tables else [name]
        for table, mapped in tables.items():
            if source.tables is None or table in source.tables:
                _not_empty(source, found.file, found.path)
                yield _delivery(source, shelf, found, table, mapped)
    _tell_of_others(source, others)


def _tell_of_others(source: SourceConfig, names: list[str]) -> None:
    """Name the files that belong to no table: one whose name is misspelt must not be missed in silence."""
    if names:
        wanted = "match a `files` of the mapping" if source.mapping else "are named as a table, such as rfq_log-2026-11.csv"
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        log.warning("source %r: not read, since no table is theirs: %s; files that are read %s", source.name, shown, wanted)


def _canonical(name: str) -> dict[str, TableMap | None]:
    match = _NAME.match(re.sub(r"\.\w+$", "", bare_name(name))) if is_readable(name) else None
    return {match.group(1): None} if match else {}


def _found(source: SourceConfig, shelf: Shelf) -> list[Fetched]:
    if source.is_remote:
        return fetch(source, shelf)
    place = Path(source.path)
    paths = sorted(place.iterdir()) if place.is_dir() else sorted(place.parent.glob(place.name))
    files = _visible(paths)
    if not place.is_dir() and not files:
        raise SourceError(f"source {source.name!r}: nothing lies at {place}; check `path`")
    return [Fetched(str(path), path, "") for path in files]


def _visible(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and not path.name.startswith(".")]


def _delivery(source: SourceConfig, shelf: Shelf, found: Fetched, table: str, mapped: TableMap | None) -> Pulled:
    digest = found.content_hash or content_hash(found.path)
    path = found.path
    if path.suffix in PACKED:
        packed = path
        kept = shelf.current(f"{found.file} unpacked", digest) or shelf.put(
            f"{found.file} unpacked", digest, lambda to: unpacked(packed, to), file_name=bare_name(path.name)
        )
        path = Path(kept.path)
    delivered = _delivered(source, table, found.file, path, digest, delimiter=mapped.delimiter if mapped else ",")
    if mapped is None or source.mapping is None:
        return delivered
    how = compiled(Path(source.mapping).stem, table, mapped)
    return replace(delivered, content_hash=fingerprint(digest, mapped), mapped=how)


def _delivered(source: SourceConfig, table: str, file: str, path: Path, digest: str, *, delimiter: str = ",") -> Pulled:
    return Pulled(
        source.name,
        table,
        file,
        digest,
        reader(path, delimiter=delimiter),
        path=str(path),
        may_lack=source.lacks(table),
        delimiter=delimiter if is_text(path.name) else None,
    )


def _not_empty(source: SourceConfig, name: str, path: Path) -> None:
    if path.stat().st_size == 0:
        raise SourceError(f"source {source.name!r}: {name} is empty (0 bytes); deliver it again")


def table_of(path: Path) -> str | None:
    """Name the canonical table that a file holds; ``None`` for any other file."""
    if not path.is_file() or not path.name.endswith(_ENDINGS):
        return None
    match = _NAME.match(re.sub(r"\.(csv|csv\.gz|parquet)$", "", path.name))
    return match.group(1) if match else None


def content_hash(path: Path) -> str:
    """Hash a file's bytes (SHA-256, hexadecimal)."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
