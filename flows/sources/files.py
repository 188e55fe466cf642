"""The kind ``canonical``: CSV or Parquet files, gzip or not, named after the canonical tables."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from expectations.contracts.sources import TABLES
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled, SourceError, quoted

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_NAME = re.compile(rf"^({'|'.join(TABLES)})(?:[-.].*)?$")


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Find the canonical tables in a folder: ``<table>.csv``, or many as ``<table>-<anything>.csv.gz`` and the like.

    Raises SourceError when the folder is missing, or when a file has no bytes at all.
    """
    folder = Path(source.path)
    if not folder.is_dir():
        raise SourceError(f"source {source.name!r}: no folder {folder}; check `path`")
    for path in sorted(folder.iterdir()):
        table = table_of(path)
        if table and (source.tables is None or table in source.tables):
            if path.stat().st_size == 0:
                raise SourceError(f"source {source.name!r}: {path} is empty (0 bytes); deliver it again")
            yield Pulled(source.name, table, str(path), content_hash(path), f"select * from {reader(path)}")


def table_of(path: Path) -> str | None:
    """Name the canonical table that a file holds; ``None`` for any other file."""
    if not path.is_file() or not path.name.endswith(_ENDINGS):
        return None
    match = _NAME.match(re.sub(r"\.(csv|csv\.gz|parquet)$", "", path.name))
    return match.group(1) if match else None


def reader(path: Path) -> str:
    """Give the DuckDB table function that reads a file; CSV cells stay text, so that landing judges them."""
    if path.name.endswith(".parquet"):
        return f"read_parquet({quoted(path)})"
    return f"read_csv({quoted(path)}, header=true, all_varchar=true, delim=',', quote='\"', escape='\"', store_rejects=true)"


def damage(path: Path) -> str | None:
    """Say what is wrong with a gzip file as a whole; ``None`` where nothing is, or for any other file.

    DuckDB reads a file that was cut off up to the cut, and does not compare the checksum.
    """
    if path.suffix != ".gz" or not path.is_file():
        return None
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        return f"it is cut off or damaged ({str(error).rstrip('.')})"
    return None


def content_hash(path: Path) -> str:
    """Hash a file's bytes (SHA-256, hexadecimal)."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
