"""File formats: CSV, Parquet and JSON lines, packed or not, as DuckDB queries that give every cell as text."""

import bz2
import codecs
import gzip
import lzma
import shutil
import zipfile
import zlib
from pathlib import Path

import duckdb

from flows.sources.pulled import SourceError, named, quoted

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".psv")
LINE_ENDINGS = (".jsonl", ".ndjson")
PACKED = (".bz2", ".xz", ".zip")


def bare_name(name: str) -> str:
    """Give a file's name without the ending that says how it is packed."""
    return name.removesuffix(Path(name).suffix) if Path(name).suffix in {".gz", *PACKED} else name


def is_readable(name: str) -> bool:
    """Whether a file's name says that it is of a format known here."""
    return Path(bare_name(name)).suffix in {*TEXT_ENDINGS, *LINE_ENDINGS, ".parquet"}


def is_text(name: str) -> bool:
    """Whether a file's name says that it holds cells between delimiters."""
    return Path(bare_name(name)).suffix in TEXT_ENDINGS


def unpacked(path: Path, to: Path) -> None:
    """Unpack a bz2, xz or zip file; a zip must hold one file. Raises SourceError when it is damaged."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.namelist() if not member.endswith("/")]
                if len(members) != 1:
                    raise SourceError(f"{path.name} holds {len(members)} files; deliver one file per archive")
                with archive.open(members[0]) as stream, to.open("wb") as out:
                    shutil.copyfileobj(stream, out)
        else:
            with bz2.open(path) if path.suffix == ".bz2" else lzma.open(path) as stream, to.open("wb") as out:
                shutil.copyfileobj(stream, out)
    except (EOFError, OSError, lzma.LZMAError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{path.name} is cut off or damaged ({str(error).rstrip('.')}); deliver it again") from None


def damage(path: Path) -> str | None:
    """Say what is wrong with a file as a whole: a gzip file cut off or damaged, a text of another encoding; ``None`` = nothing is.

    DuckDB reads a gzip file that was cut off up to the cut, and does not compare the checksum.
    """
    if not path.is_file():
        return None
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            if is_text(path.name) and stream.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
                return "it is UTF-16, and should be UTF-8"
            while path.suffix == ".gz" and stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        return f"it is cut off or damaged ({str(error).rstrip('.')})"
    return None


def reader(path: Path, *, delimiter: str = ",", name: str | None = None) -> str:
    """Give the DuckDB query that reads a file; cells stay text, so that landing judges them.

    ``name`` goes before the path where the file is kept under another one. Raises SourceError when JSON lines cannot be read.
    """
    ending = Path(bare_name(name or path.name)).suffix
    if ending == ".parquet":
        return f"select * from read_parquet({quoted(path)})"
    if ending in LINE_ENDINGS:
        return _lines(path)
    options = f"header=true, all_varchar=true, delim={quoted(delimiter)}, quote='\"', escape='\"', store_rejects=true"
    return f"select * from read_csv({quoted(path)}, {options})"


def _lines(path: Path) -> str:
    """Read JSON lines by the keys that occur in them: a type guessed by the reader could take an offset off a time."""
    try:
        with duckdb.connect() as connection:
            keys = connection.execute(
                f"select distinct unnest(json_keys(json)) as key from read_ndjson_objects({quoted(path)}) order by key"
            ).fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{path.name} cannot be read as JSON lines: {str(error).splitlines()[0]}; deliver it again") from error
    cells = ", ".join(f"json_extract_string(json, {quoted('$.' + named(key))}) as {named(key)}" for (key,) in keys)
    return f"select {cells or 'null as nothing'} from read_ndjson_objects({quoted(path)})"
