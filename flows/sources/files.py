"""The kinds ``canonical`` and ``files``: files that lie in a folder or behind a URL, canonical or mapped."""

import hashlib
import logging
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from expectations.contracts.sources import TABLES
from flows.sources.config import SourceConfig
from flows.sources.formats import bare_name, is_packed, is_readable, is_text, reader, unpacked, unpacked_name
from flows.sources.mapped import compiled, fingerprint
from flows.sources.mapping import Mapping, TableMap, load_mapping
from flows.sources.pulled import Pulled, SourceError
from flows.sources.remote import Fetched, fetch
from flows.sources.secrets import shown
from flows.sources.shelf import Shelf

log = logging.getLogger("flows.sources.files")

_SHOWN = 5
_ENDINGS = (".csv", ".csv.gz", ".parquet")
_NAME = re.compile(rf"^({'|'.join(TABLES)})(?:[-.].*)?$")


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Find the canonical tables in a folder: ``<table>.csv``, or many as ``<table>-<anything>.csv.gz`` and the like.

    A folder without any is told of in the log. Raises SourceError when it is missing, or when a file has no bytes at all.
    """
    folder = Path(source.path)
    if not folder.is_dir():
        raise SourceError(f"source {source.name!r}: no folder {folder}; check `path`")
    tables = {path: table_of(path) for path in _visible(sorted(folder.iterdir()))}
    if not any(tables.values()):
        told = "source %r: no table has a file at %s yet; folders below it are not read"
        log.info(told, source.name, folder)
    _tell_of_others(source, [path.name for path, table in tables.items() if table is None])
    for path, table in tables.items():
        if table and (source.tables is None or table in source.tables):
            _not_empty(source, str(path), path)
            yield _delivered(source, table, str(path), path, content_hash(path))


def pull_files(source: SourceConfig) -> Iterator[Pulled]:
    """Find a mapping's files, or canonical ones, in a folder or behind a URL; what lies elsewhere is copied first.

    Raises SourceError when nothing is there for any table, or a file is empty or damaged.
    """
    mapping = load_mapping(Path(source.mapping)) if source.mapping else None
    shelf = Shelf(Path(source.downloads))
    others, files = [], _found(source, shelf)
    for found in files:
        name = found.file.rsplit("/", 1)[-1]
        tables = {t: m for t, m in mapping.tables.items() if m.files and fnmatch(name, m.files)} if mapping else _canonical(name)
        others += [] if tables else [name]
        for table, mapped in tables.items():
            if source.tables is None or table in source.tables:
                _not_empty(source, found.file, found.path)
                yield _delivery(source, shelf, found, table, mapped)
    if len(others) == len(files):
        _refuse_nothing(source, mapping, others)
    _tell_of_others(source, others)


def _refuse_nothing(source: SourceConfig, mapping: Mapping | None, names: list[str]) -> None:
    """Refuse a place with no file for any table, unless each table that it could give is optional."""
    globs = {table: spec.files for table, spec in mapping.tables.items() if spec.files} if mapping else dict.fromkeys(TABLES, "")
    if all(table in source.optional for table in globs if source.tables is None or table in source.tables):
        return
    wanted = f"that match {', '.join(sorted(set(globs.values())))}" if mapping else "named as a table, such as rfq_log-2026-11.csv"
    there = f"only {_some(names)}" if names else "none"
    raise SourceError(
        f"source {source.name!r}: no table has a file at {shown(source.path)}: looked for files {wanted}, and {there} lies there; "
        "check `path` (folders below it are read only where it has a * for them)"
    )


def _tell_of_others(source: SourceConfig, names: list[str]) -> None:
    """Name the files that belong to no table: one whose name is misspelt must not be missed in silence."""
    if names:
        wanted = "match a `files` of the mapping" if source.mapping else "are named as a table, such as rfq_log-2026-11.csv"
        told = "source %r: not read, since no table is theirs: %s; files that are read %s"
        log.warning(told, source.name, _some(names), wanted)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _canonical(name: str) -> dict[str, TableMap | None]:
    match = _NAME.match(re.sub(r"\.\w+$", "", bare_name(name))) if is_readable(name) else None
    return {match.group(1): None} if match else {}


def _found(source: SourceConfig, shelf: Shelf) -> list[Fetched]:
    if source.is_remote:
        return fetch(source, shelf)
    place = Path(source.path)
    if place.is_dir():
        paths = sorted(place.iterdir())
    else:
        # A file whose name has a sign of globs in it is meant as it is.
        paths = [place] if place.exists() else sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
    files = _visible(paths)
    if not place.is_dir() and not files:
        raise SourceError(f"source {source.name!r}: nothing lies at {place}; check `path`")
    return [Fetched(str(path), path, "") for path in files]


def _visible(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and not path.name.startswith(".")]


def _delivery(source: SourceConfig, shelf: Shelf, found: Fetched, table: str, mapped: TableMap | None) -> Pulled:
    digest = found.content_hash or content_hash(found.path)
    path = found.path
    if is_packed(path.name):
        path = _unpacked(shelf, found.file, path, digest)
    if mapped is None or source.mapping is None:
        return _delivered(source, table, found.file, path, digest)
    how = compiled(Path(source.mapping).stem, table, mapped)
    delivered = _delivered(source, table, found.file, path, fingerprint(digest, mapped), delimiter=mapped.delimiter, used=how.needs)
    return replace(delivered, mapped=how)


def _unpacked(shelf: Shelf, file: str, packed: Path, digest: str) -> Path:
    """Give what is packed in a file, from the shelf where it lies there under its name."""
    file_name = unpacked_name(packed)
    kept = shelf.current(f"{file} unpacked", digest)
    if kept is None or Path(kept.path).name != file_name:
        kept = shelf.put(f"{file} unpacked", digest, lambda to: unpacked(packed, to), file_name=file_name)
    return Path(kept.path)


def _delivered(
    source: SourceConfig, table: str, file: str, path: Path, digest: str, *, delimiter: str = ",", used: Collection[str] = ()
) -> Pulled:
    return Pulled(
        source.name,
        table,
        file,
        digest,
        reader(path, delimiter=delimiter, used=used or TABLES[table].names),
        path=str(path),
        may_lack=source.lacks(table),
        delimiter=delimiter if is_text(path.name) else None,
    )


def _not_empty(source: SourceConfig, name: str, path: Path) -> None:
    if path.stat().st_size == 0:
        raise SourceError(f"source {source.name!r}: {name} is empty (0 bytes); deliver it again")


def table_of(path: Path) -> str | None:
    """Name the canonical table that a file holds; ``None`` for any other file."""
    name = path.name.lower()
    if not path.is_file() or not name.endswith(_ENDINGS):
        return None
    match = _NAME.match(re.sub(r"\.(csv|csv\.gz|parquet)$", "", name))
    return match.group(1) if match else None


def content_hash(path: Path) -> str:
    """Hash a file's bytes (SHA-256, hexadecimal)."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
