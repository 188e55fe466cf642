"""Where deliveries from elsewhere are kept under ``SOTTO_HOME``: one copy each, named by its content, with an index."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from flows import durable

_INDEX = "index.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery: ``mark`` is what the vendor says of its version (``None`` = nothing).

    ``rows``, the ``most`` that it has ever had, and the ``columns`` are known of what comes row by row.
    """

    mark: str | None
    content_hash: str
    path: str
    rows: int = 0
    most: int = 0
    columns: list[str] = []


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

    def put(self, name: str, mark: str | None, write: Callable[[Path], None], *, file_name: str) -> Kept:
        """Keep a delivery that ``write`` puts into a file. An older copy goes."""
        with self._partial(file_name) as partial:
            write(partial)
            with partial.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return self._moved(name, partial, Kept(mark=mark, content_hash=digest, path=self._place(digest, file_name)))

    def put_rows(
        self,
        name: str,
        rows: Sequence[Mapping[str, str | None]],
        *,
        mark: str,
        content_hash: str,
        most: int,
        file_name: str,
        columns: Sequence[str] = (),
    ) -> Kept:
        """Keep rows as JSON lines under the hash that their source gives them."""
        with self._partial(file_name) as partial:
            partial.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
            place = self._place(content_hash, file_name)
            kept = Kept(mark=mark, content_hash=content_hash, path=place, rows=len(rows), most=most, columns=list(columns))
            return self._moved(name, partial, kept)

    def _place(self, digest: str, file_name: str) -> str:
        return str(self._folder / digest[:16] / file_name)

    def _moved(self, name: str, partial: Path, kept: Kept) -> Kept:
        place = Path(kept.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        durable.sync(partial)
        partial.replace(place)
        durable.sync(place.parent)
        before = self.index()
        after = before | {name: kept}
        self._write(after)
        old = before.get(name)
        if old and all(other.path != old.path for other in after.values()):
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
        durable.replace(self._folder / _INDEX, msgspec.json.format(msgspec.json.encode(index)))
