"""The kind ``rest``: a vendor's API, pulled window by window; each window is a delivery with versions of its own."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from flows.sources import pages
from flows.sources.config import SourceConfig
from flows.sources.formats import reader
from flows.sources.mapped import compiled, fingerprint
from flows.sources.mapping import Endpoint, TableMap, load_mapping
from flows.sources.pulled import Mapped, Pulled, SourceError, named
from flows.sources.rest_client import RestClient
from flows.sources.shelf import Kept, Shelf

_CLOSED, _OPEN = "closed", "open"
_MOST_PAGES = 10_000

Row = dict[str, str | None]


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Ask for every window that can still change, and give all that are kept; the same answer lands nothing again.

    Raises SourceError when the vendor does not answer, or not as the mapping says.
    """
    if source.mapping is None:
        raise SourceError(f"source {source.name!r}: the kind rest needs a mapping with an endpoint per table")
    mapping = load_mapping(Path(source.mapping))
    asked = {name: spec for name, spec in mapping.tables.items() if spec.endpoint}
    if not asked:
        raise SourceError(f"source {source.name!r}: the mapping {Path(source.mapping).stem!r} has no endpoint")
    tables = {name: spec for name, spec in asked.items() if source.tables is None or name in source.tables}
    with RestClient(source) as client:
        for name, spec in tables.items():
            shelf = Shelf(Path(source.downloads) / name)
            fetch(client, spec, shelf, datetime.now(UTC))
            how = compiled(Path(source.mapping).stem, name, spec)
            for file, kept in sorted(shelf.index().items()):
                yield from _delivery(source, name, spec, file, kept, how=how)


def fetch(client: RestClient, spec: TableMap, shelf: Shelf, now: datetime) -> None:
    """Put the windows that are due on the shelf, one by one: a pull that breaks off goes on where it was."""
    endpoint = spec.endpoint
    if endpoint is None:
        return
    prefix = f"{client.name}/{endpoint.path.lstrip('/')}?"
    index = shelf.index()
    closed = {name.removeprefix(prefix) for name, kept in index.items() if kept.mark == _CLOSED}
    for window in pages.due(endpoint.window, now.date(), closed):
        rows = _all_rows(client, endpoint, window.parameters)
        name, old = prefix + window.name, index.get(prefix + window.name)
        most = max(len(rows), old.most if old else 0)
        digest = content_hash(rows)
        mark = _CLOSED if window.closed else _OPEN
        if old and old.content_hash == digest:
            shelf.note(name, msgspec.structs.replace(old, mark=mark))
        else:
            label = (window.name or "all").replace(":", "").replace("&", "-").replace("=", "-")
            shelf.put_rows(name, rows, mark=mark, content_hash=digest, most=most, file_name=f"{label}.jsonl")


def _all_rows(client: RestClient, endpoint: Endpoint, window: pages.Parameters) -> list[Row]:
    rows: list[Row] = []
    place, asked = endpoint.path, pages.first(endpoint, window)
    for _ in range(_MOST_PAGES):
        response = client.get(place, asked)
        body = _decoded(response)
        found = pages.rows_of(body, endpoint.rows)
        rows += found
        link = response.links.get("next", {}).get("url")
        then = pages.after(endpoint.page, asked, body, len(found), str(response.url.join(link)) if link else None)
        if then is None:
            return list({msgspec.json.encode(row): row for row in rows}.values())
        place, asked = (then, {}) if isinstance(then, str) else (place, then)
    raise SourceError(f"{client.name}/{endpoint.path}: more than {_MOST_PAGES:,} pages; check `page`")


def _decoded(response: httpx.Response) -> object:
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise SourceError(f"{response.url.copy_with(query=None)}: the answer is no JSON: {error}") from error


def content_hash(rows: list[Row]) -> str:
    """Hash rows whatever their order: pages may come in another one the next time."""
    return hashlib.sha256(b"\n".join(sorted(msgspec.json.encode(row, order="sorted") for row in rows))).hexdigest()


def _delivery(source: SourceConfig, table: str, spec: TableMap, file: str, kept: Kept, *, how: Mapped) -> Iterator[Pulled]:
    """Give a window's rows; one that has never had any is no delivery, one that has none left is a delivery without rows."""
    if not kept.most:
        return
    # An answer without a key means the same as one with null in it, and an empty one has no keys at all.
    path = Path(kept.path)
    absent = ", ".join(f"null as {named(name)}" for name in how.needs)
    select = f"select * from ({reader(path)}) union all by name select {absent} where false"
    if not kept.rows:
        select = f"select {absent} where false"
    yield Pulled(
        source.name,
        table,
        file,
        fingerprint(kept.content_hash, spec),
        select,
        mapped=how,
        path=kept.path,
        may_be_empty=True,
        may_lack=source.lacks(table),
    )
