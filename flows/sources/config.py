"""``sources.yml``: which sources there are, of which kind, and where."""

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from expectations.contracts.sources import TABLES
from flows.sources.pulled import SourceError

JOURNAL_SOURCE = "journal"
FOLDER_SOURCE = "files"


class SourceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source. ``tables`` limits what is taken from it; ``optional`` tables may be absent from a delivery."""

    name: str
    kind: str
    path: str
    tables: list[str] | None = None
    optional: list[str] = []


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
    return [_resolved(source, path, home) for source in book.sources]


def _resolved(source: SourceConfig, file: Path, home: Path) -> SourceConfig:
    known: dict[str, Any] = {**os.environ, "SOTTO_HOME": str(home)}
    wanted = re.findall(r"\$\{?(\w+)\}?", source.path)
    missing = [name for name in wanted if not known.get(name)]
    if missing:
        raise SourceError(f"{file}: source {source.name!r} needs the environment variable {missing[0]}, which is not set")
    expanded = re.sub(r"\$\{?(\w+)\}?", lambda match: str(known[match.group(1)]), source.path)
    absolute = (file.parent / Path(expanded).expanduser()).resolve()
    return msgspec.structs.replace(source, path=str(absolute))
