"""``sources.yml``: which sources there are, of which kind, and where."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from expectations.contracts.sources import JOURNAL_SOURCE, TABLES
from flows.settings import PROJECT
from flows.sources.mapping import load_mapping
from flows.sources.pulled import SourceError
from flows.sources.secrets import filled, names_in

FOLDER_SOURCE = "files"


class Basic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names of the environment variables with user and password."""

    user: str
    password: str


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a REST vendor knows us; every value but ``header`` names an environment variable, so that no secret stands in a file."""

    bearer: str | None = None
    basic: Basic | None = None
    header: str | None = None
    key: str | None = None


class SourceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source. ``tables`` limits what is taken from it; ``optional`` tables may be absent from a delivery.

    ``mapping`` names a vendor's mapping; ``options`` go to fsspec; ``may_lack`` are columns (``table.column``) that may be gone;
    ``rate_per_s`` bounds the requests to a REST vendor; ``post_executions`` sends it ours. In the path of a remote source and in
    ``options``, ``$NAME`` stays as it is until it is used. ``downloads`` is set when the list is read.
    """

    name: str
    kind: str
    path: str
    tables: list[str] | None = None
    optional: list[str] = []
    mapping: str | None = None
    options: dict[str, Any] = {}
    auth: Auth | None = None
    rate_per_s: float = 5.0
    may_lack: list[str] = []
    post_executions: bool = False
    downloads: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether the path leads elsewhere."""
        return self.kind in {"rest", "sql"} or "://" in filled(self.path)

    def lacks(self, table: str) -> tuple[str, ...]:
        """Name the columns of a table that may be gone."""
        return tuple(name.partition(".")[2] for name in self.may_lack if name.startswith(f"{table}."))


class _Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sources: list[SourceConfig]


def load(path: Path, *, home: Path) -> list[SourceConfig]:
    """Read the sources of a YAML file, or take a folder of canonical files as one source.

    Raises SourceError when the file or folder is missing, is not valid, or names an environment variable that is not set.
    """
    if path.is_dir():
        return [SourceConfig(name=FOLDER_SOURCE, kind="canonical", path=str(path.resolve()))]
    if not path.is_file():
        raise SourceError(f"{path}: no such file or folder; give a sources.yml or a folder of canonical files")
    try:
        book = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), _Book)
    except yaml.YAMLError as error:
        raise SourceError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {error}; expected sources: [{{name, kind, path}}]") from error
    names = [source.name for source in book.sources]
    for name in names:
        if names.count(name) > 1 or name == JOURNAL_SOURCE or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
            raise SourceError(
                f"{path}: source name {name!r} must be unique, not {JOURNAL_SOURCE!r}, and of letters, digits, - and _"
            )
    for source in book.sources:
        unknown = [table for table in [*(source.tables or []), *source.optional] if table not in TABLES]
        if unknown:
            raise SourceError(f"{path}: source {source.name!r} names the table {unknown[0]!r}; there are {', '.join(TABLES)}")
        if source.auth is not None and source.kind != "rest":
            hint = "; use options: {headers: {Authorization: $NAME}}" if source.kind == "files" else "; take it out"
            raise SourceError(f"{path}: source {source.name!r} has `auth`, which only the kind rest knows{hint}")
    return [_resolved(source, path, home) for source in book.sources]


def _resolved(source: SourceConfig, file: Path, home: Path) -> SourceConfig:
    known = {"SOTTO_HOME": str(home)}
    place, folder = f"{file}: source {source.name!r}", home / "downloads" / source.name
    try:
        expanded = str(filled(source.path, known))
        filled(source.options)
    except SourceError as error:
        raise SourceError(f"{place} needs something: {error}") from error
    open_secret = next(_written_out(source.options), None) or ("path" if re.search(r"://[^/@$]*:[^/@$]+@", source.path) else None)
    if open_secret:
        raise SourceError(f"{place} writes a secret out under {open_secret!r}; name an environment variable: {open_secret}: $NAME")
    source = msgspec.structs.replace(source, mapping=_mapping_file(source, file), downloads=str(folder))
    if source.kind in {"rest", "sql"} or "://" in expanded:
        # What a variable holds may be a secret: it is put in when it is used.
        return source
    return msgspec.structs.replace(source, path=str((file.parent / Path(expanded).expanduser()).resolve()))


def _written_out(options: dict[str, Any]) -> Iterator[str]:
    """Name the options that are called like a secret and do not take their value from the environment."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _written_out(value)
        elif isinstance(value, str) and not names_in(value) and re.search(r"password|secret|token|passphrase", name, re.IGNORECASE):
            yield name


def _mapping_file(source: SourceConfig, file: Path) -> str | None:
    """Find a mapping beside the list of sources, else among those that are shipped, and check it."""
    if source.mapping is None:
        return None
    beside = [file.parent / "mappings", PROJECT / "config" / "mappings"]
    path = next((folder / f"{source.mapping}.yml" for folder in beside if (folder / f"{source.mapping}.yml").is_file()), None)
    path = path or beside[-1] / f"{source.mapping}.yml"
    try:
        load_mapping(path)
    except SourceError as error:
        raise SourceError(f"{file}: source {source.name!r}: {error}") from error
    return str(path)
