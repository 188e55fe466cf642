"""Where deliveries from elsewhere are kept under ``SOTTO_HOME``: one copy each, named by its content, with an index."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

_INDEX = "index.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery: ``mark`` is what the vendor says of its version (``None`` = nothing), ``rows`` where they were counted."""

    mark: str | None
    content_hash: str
    path: str
    rows: int | None = None


class Shelf:
    """A source's folder of copies. One refresh at a time writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def index(self) -> dict[str, Kept]:
        """Give what is kept, by the delivery's name."""
        path = self._folder / _INDEX
        if not path.is_file():
            return {}
        listed = msgspec.json.decode(path.read_bytes(), type=dict[str, Kept])
        return {name: kept for name, kept in listed.items() if Path(kept.path).is_file()}

    def current(self, name: str, mark: str | None) -> Kept | None:
        """Give the copy of a delivery whose mark has not changed; ``None`` without one, or where the vendor gives no mark."""
        kept = self.index().get(name)
        return kept if kept and mark is not None and kept.mark == mark else None

    def put(self, name: str, mark: str | None, write: Callable[[Path], int | None], *, file_name: str) -> Kept:
        """Keep a delivery: ``write`` fills a file and says how many rows it has, where it knows. An older copy goes."""
        with self._partial(file_name) as partial:
            rows = write(partial)
            with partial.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            place = self._folder / digest[:16] / file_name
            place.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(place)
        kept = Kept(mark=mark, content_hash=digest, path=str(place), rows=rows)
        before = self.index()
        self._write(before | {name: kept})
        old = before.get(name)
        if old and old.path != kept.path and all(other.path != old.path for other in self.index().values()):
            Path(old.path).unlink(missing_ok=True)
        return kept

    def note(self, name: str, kept: Kept) -> None:
        """Keep another mark for a delivery whose content is the same."""
        self._write(self.index() | {name: kept})

    @contextmanager
    def _partial(self, file_name: str) -> Iterator[Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{os.getpid()}-{file_name}"
        try:
            yield partial
        finally:
            partial.unlink(missing_ok=True)

    def _write(self, index: dict[str, Kept]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{_INDEX}"
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(index)))
        partial.replace(self._folder / _INDEX)
