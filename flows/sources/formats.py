"""File formats: CSV, Parquet and JSON lines, packed or not, as DuckDB queries that give every cell as text."""

import bz2
import codecs
import gzip
import io
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.sources.pulled import SourceError, named, quoted

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".psv")
LINE_ENDINGS = (".jsonl", ".ndjson")
PACKED = (".bz2", ".xz", ".zip", ".zst")


def bare_name(name: str) -> str:
    """Give a file's name without the ending that says how it is packed."""
    return name.removesuffix(Path(name).suffix) if _suffix(name) in {".gz", *PACKED} else name


def is_packed(name: str) -> bool:
    """Whether a file must be unpacked before it is read; gzip is read as it is."""
    return _suffix(name) in PACKED


def is_readable(name: str) -> bool:
    """Whether a file's name says that it is of a format known here."""
    return _ending(name) in {*TEXT_ENDINGS, *LINE_ENDINGS, ".parquet"}


def is_text(name: str) -> bool:
    """Whether a file is read as cells between delimiters: each whose name does not say otherwise."""
    return _ending(name) not in {*LINE_ENDINGS, ".parquet"}


def _suffix(name: str) -> str:
    """Give the last ending of a name, in lower case: a vendor's CSV.GZ is a csv.gz."""
    return Path(name).suffix.lower()


def _ending(name: str) -> str:
    """Give the ending that says of which format a file is."""
    return _suffix(bare_name(name))


def opened(path: Path) -> io.BufferedIOBase:
    """Open a file to read its bytes, those that are packed in it where it is gzip."""
    return gzip.open(path) if _suffix(path.name) == ".gz" else path.open("rb")


def unpacked_name(path: Path) -> str:
    """Name what is packed in a file; where a zip's own name says no format, the name of the file in it may."""
    bare = bare_name(path.name)
    if _suffix(path.name) != ".zip" or is_readable(bare):
        return bare
    with _told(path), zipfile.ZipFile(path) as archive:
        member = _only_member(path, archive)
    inside = bare_name(member)
    return bare + Path(inside).suffix + member.removeprefix(inside)


def unpacked(path: Path, to: Path) -> None:
    """Unpack a bz2, xz, zip or zst file; a zip must hold one file. Raises SourceError when it cannot be unpacked."""
    with _told(path), to.open("wb") as out:
        match _suffix(path.name):
            case ".zip":
                with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as stream:
                    shutil.copyfileobj(stream, out)
            case ".zst":
                # DuckDB would read one that was cut off up to the cut, and does not compare the checksum.
                with pa.input_stream(str(path), compression="zstd") as stream:
                    shutil.copyfileobj(stream, out)
            case ending:
                with bz2.open(path) if ending == ".bz2" else lzma.open(path) as stream:
                    shutil.copyfileobj(stream, out)


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    members = [member for member in archive.namelist() if not member.endswith("/")]
    if len(members) != 1:
        raise SourceError(f"{path.name} holds {len(members)} files; deliver one file per archive")
    return members[0]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what goes wrong with a packed file as a SourceError."""
    try:
        yield
    except RuntimeError as error:
        # A zip file that needs a password, or is packed by a method that Python does not know (NotImplementedError is one, too).
        told = f"{path.name} cannot be unpacked ({str(error).rstrip('.')})"
        raise SourceError(f"{told}; deliver it without a password and packed the usual way (deflate)") from None
    except (EOFError, OSError, ValueError, lzma.LZMAError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{path.name} is cut off or damaged ({str(error).rstrip('.')}); deliver it again") from None


def damage(path: Path) -> str | None:
    """Say what is wrong with a file as a whole: a gzip file cut off or damaged, a text of another encoding; ``None`` = nothing is.

    DuckDB reads a gzip file that was cut off up to the cut, and does not compare the checksum.
    """
    if not path.is_file():
        return None
    try:
        with opened(path) as stream:
            if is_text(path.name) and stream.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
                return "it is UTF-16, and should be UTF-8"
            while _suffix(path.name) == ".gz" and stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        return f"it is cut off or damaged ({str(error).rstrip('.')})"
    return None


def reader(path: Path, *, delimiter: str = ",", used: Collection[str] = ()) -> str:
    """Give the DuckDB query that reads a file; cells stay text, so that landing judges them.

    ``used`` names the columns that somebody reads. Raises SourceError when JSON lines cannot be read, or two keys of theirs that
    differ by case alone could be such a column.
    """
    ending = _ending(path.name)
    if ending == ".parquet":
        return f"select * from read_parquet({quoted(path)})"
    if ending in LINE_ENDINGS:
        return _lines(path, used)
    options = f"header=true, all_varchar=true, delim={quoted(delimiter)}, quote='\"', escape='\"', store_rejects=true"
    return f"select * from read_csv({quoted(path)}, {options}{_packing(path)})"


def _packing(path: Path) -> str:
    """Say to DuckDB that a file is gzip: it knows the ending in lower case only."""
    return ", compression='gzip'" if _suffix(path.name) == ".gz" else ""


def _lines(path: Path, used: Collection[str]) -> str:
    """Read JSON lines by the keys that occur in them: a type guessed by the reader could take an offset off a time."""
    objects = f"read_ndjson_objects({quoted(path)}{_packing(path)})"
    try:
        with duckdb.connect() as connection:
            keys = connection.execute(f"select distinct unnest(json_keys(json)) as key from {objects} order by key").fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{path.name} cannot be read as JSON lines: {str(error).splitlines()[0]}; deliver it again") from error
    twice = alike([key for (key,) in keys], used)
    if twice:
        raise SourceError(f"{path.name} has {twice}")
    cells = ", ".join(f"json_extract_string(json, {quoted('$.' + named(key))}) as {named(key)}" for (key,) in keys)
    return f"select {cells or 'null as nothing'} from {objects}"


def alike(keys: Iterable[str], used: Collection[str]) -> str | None:
    """Tell of two keys that differ by case alone and could both be a column of ``used``; ``None`` = there are none.

    DuckDB takes them for the same column, so that one would give the other's values.
    """
    wanted, seen = {name.lower() for name in used}, dict[str, str]()
    for key in sorted(set(keys)):
        other = seen.setdefault(key.lower(), key)
        if other != key and key.lower() in wanted:
            return f"both the keys {other!r} and {key!r}, which name the same column; have one left out or named otherwise"
    return None
