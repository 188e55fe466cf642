"""Files elsewhere (S3, SFTP, HTTP, whatever fsspec opens), copied to the shelf when they have changed."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import fsspec

from flows.retries import again
from flows.sources.config import SourceConfig
from flows.sources.pulled import SourceError
from flows.sources.secrets import filled, masked, scrubbed, shown
from flows.sources.shelf import Shelf

# What servers call the version of a file; one of them is enough to know that nothing has changed.
_MARKS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "Last-Modified", "generation", "md5Hash")
_ATTEMPTS = 3
# So long a server may be silent. A download may take as long as it goes on.
_CONNECT_S, _SILENCE_S = 15.0, 30.0


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
    url, own = without_user(filled(source.path))
    options = with_time_outs(urlsplit(source.path).scheme, {**own, **filled(source.options)})
    # A connection of its own for each pull: one that is remembered may be dead, a listing that is remembered may be old.
    system, place = fsspec.url_to_fs(url, skip_instance_cache=True, **options)
    is_sftp = source.path.startswith("sftp:")
    if is_sftp:
        system.ftp.get_channel().settimeout(_SILENCE_S)
    with closing(system.client if is_sftp else _Nothing()):
        return _all_copied(source, shelf, system, place, url)


def without_user(url: str) -> tuple[str, dict[str, str]]:
    """Take user and password out of a URL, decoded, where fsspec would take them as they are written."""
    parts = urlsplit(url)
    if parts.scheme not in {"sftp", "ssh", "ftp", "smb"} or parts.username is None:
        return url, {}
    own = {"username": unquote(parts.username)} | ({"password": unquote(parts.password)} if parts.password else {})
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), own


def with_time_outs(scheme: str, options: dict[str, Any]) -> dict[str, Any]:
    """Add time-outs to a file system's options; what the source sets itself stays."""
    if scheme in {"http", "https"}:
        import aiohttp

        own = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        return {**options, "client_kwargs": {"timeout": own, **options.get("client_kwargs", {})}}
    if scheme == "sftp":
        return {"timeout": _CONNECT_S, "banner_timeout": _SILENCE_S, "auth_timeout": _SILENCE_S, **options}
    if scheme in {"s3", "s3a"}:
        # s3fs tries five times itself.
        waits = {"connect_timeout": _CONNECT_S, "read_timeout": _SILENCE_S, "retries": {"total_max_attempts": 1}}
        return {**options, "config_kwargs": {**waits, **options.get("config_kwargs", {})}}
    return options


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
    elif not system.exists(place):
        _reach(system, place)
        return []
    else:
        names = system.ls(place, detail=False) if system.isdir(place) else [place]
    infos = [system.info(name) for name in sorted(names)]
    return [info for info in infos if info.get("type") == "file" and not info["name"].rsplit("/", 1)[-1].startswith(".")]


def _reach(system: Any, place: str) -> None:  # noqa: ANN401
    """Raise where a web server is out of reach: asked whether a file is there, it says no then, too."""
    if "://" in place:
        try:
            system.cat_file(place, start=0, end=1)
        except FileNotFoundError:
            return


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
