"""Files elsewhere (S3, SFTP, HTTP, whatever fsspec opens), copied to the shelf when they have changed."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import fsspec

from flows.retries import again
from flows.sources.config import SourceConfig
from flows.sources.pulled import SourceError
from flows.sources.secrets import filled, masked, scrubbed, shown
from flows.sources.shelf import Shelf

# What servers call the version of a file; one of them is enough to know that nothing has changed.
_MARKS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "Last-Modified", "generation", "md5Hash")
_ATTEMPTS = 3


class Fetched(NamedTuple):
    """A delivery's name, where it lies here, and the hash of its bytes (empty = not taken yet)."""

    file: str
    path: Path
    content_hash: str


def fetch(source: SourceConfig, shelf: Shelf) -> list[Fetched]:
    """Copy what ``path`` names (a file, a folder or a glob) and has changed; give everything that is there now.

    Raises SourceError when the place cannot be reached or holds nothing; secrets are never told.
    """
    try:
        for attempt in again(_may_pass, attempts=_ATTEMPTS):
            with attempt:
                return _fetched(source, shelf)
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 - every library has errors of its own, and each may quote a password
        told = scrubbed(f"{type(error).__name__}: {error}", source.path, source.options)
        message = f"source {source.name!r}: {shown(source.path)} cannot be read: {told}"
        # The cause is told in a run's log, too: it is the scrubbed one.
        passing = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        raise SourceError(message) from (OSError(told) if passing else None)
    return []


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help: a fault of the line, not a file that is missing or forbidden."""
    if isinstance(error, SourceError | FileNotFoundError | PermissionError | NotADirectoryError):
        return False
    return isinstance(error, OSError | TimeoutError) or type(error).__module__.partition(".")[0] in {"aiohttp", "paramiko"}


def _fetched(source: SourceConfig, shelf: Shelf) -> list[Fetched]:
    url, options = filled(source.path), filled(source.options)
    # A connection of its own for each pull: one that is remembered may be dead, a listing that is remembered may be old.
    system, place = fsspec.url_to_fs(url, skip_instance_cache=True, **options)
    with closing(system.client if source.path.startswith("sftp:") else _Nothing()):
        return _all_copied(source, shelf, system, place, url)


class _Nothing:
    def close(self) -> None:
        """Do nothing: only SFTP holds a connection that somebody must close."""


def _all_copied(source: SourceConfig, shelf: Shelf, system: Any, place: str, url: str) -> list[Fetched]:  # noqa: ANN401
    listed = _listed(system, place)
    if not listed:
        raise SourceError(f"source {source.name!r}: nothing lies at {shown(source.path)}; check `path`")
    parts = urlsplit(shown(url))
    base = f"{parts.scheme}:/" if place.startswith(parts.netloc) else f"{parts.scheme}://{parts.netloc}"
    return [_copied(system, info, shelf, base, source) for info in listed]


def _listed(system: Any, place: str) -> list[dict[str, Any]]:  # noqa: ANN401 - fsspec has no types
    if any(sign in place for sign in "*?["):
        names = system.glob(place)
    elif system.isdir(place):
        names = system.ls(place, detail=False)
    else:
        names = [place] if system.exists(place) else []
    infos = [system.info(name) for name in sorted(names)]
    return [info for info in infos if info.get("type") == "file" and not info["name"].rsplit("/", 1)[-1].startswith(".")]


def _copied(system: Any, info: dict[str, Any], shelf: Shelf, base: str, source: SourceConfig) -> Fetched:  # noqa: ANN401
    name = shown(info["name"]) if "://" in info["name"] else f"{base}/{info['name'].lstrip('/')}"
    folder, _, file_name = name.rpartition("/")
    # A mapping tells its files by their own names, which stay.
    name = f"{masked(folder, source.path)}/{file_name}"
    mark = next((f"{info.get('size')} {info[key]}" for key in _MARKS if info.get(key) is not None), None)
    kept = shelf.current(name, mark)
    if kept is None:

        def write(to: Path) -> None:
            with system.open(info["name"], "rb") as stream, to.open("wb") as out:
                shutil.copyfileobj(stream, out)

        kept = shelf.put(name, mark, write, file_name=file_name)
    return Fetched(name, Path(kept.path), kept.content_hash)
