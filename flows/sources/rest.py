"""The kind ``rest``: a vendor's API, pulled window by window; each window is a delivery with versions of its own."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from flows.sources import pages
from flows.sources.config import SourceConfig
from flows.sources.formats import alike
from flows.sources.mapped import compiled
from flows.sources.mapping import Endpoint, TableMap, load_mapping
from flows.sources.pulled import Pulled, SourceError
from flows.sources.rest_client import RestClient
from flows.sources.shelf import Shelf
from flows.sources.windows import Answer, Row, deliveries, keep_due

_MOST_PAGES = 10_000


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
            how = compiled(Path(source.mapping).stem, name, spec)
            fetch(client, spec, shelf, datetime.now(UTC), used=how.needs)
            yield from deliveries(source, name, spec, shelf, how)


def fetch(client: RestClient, spec: TableMap, shelf: Shelf, now: datetime, *, used: Collection[str]) -> None:
    """Ask for the windows that are due and keep them; ``used`` names the keys that the mapping reads."""
    endpoint = spec.endpoint
    if endpoint is None:
        return
    prefix = f"{client.name}/{endpoint.path.lstrip('/')}?"

    def ask(span: pages.Due) -> Answer:
        rows = _all_rows(client, endpoint, span.parameters)
        twice = alike((key for row in rows for key in row), used)
        if twice:
            # Not kept, so that the window is asked for again once the vendor has put it right.
            raise SourceError(f"the answer of {prefix}{span.name} has {twice}")
        return Answer(rows, [])

    keep_due(shelf, prefix, endpoint.window, now.date(), ask)


def _all_rows(client: RestClient, endpoint: Endpoint, window: pages.Parameters) -> list[Row]:
    rows: list[Row] = []
    place, asked = endpoint.path, pages.first(endpoint, window)
    passed = {pages.mark(endpoint.page, place, asked)}
    for number in range(_MOST_PAGES):
        response = client.get(place, asked)
        body = _decoded(client, response)
        found = pages.rows_of(body, endpoint.rows)
        rows += found
        given = response.links.get("next", {}).get("url")
        link = str(response.url.join(given)) if given else None
        then = pages.after(endpoint.page, asked, body, len(found), link, is_first=number == 0)
        if then is None:
            return list({msgspec.json.encode(row): row for row in rows}.values())
        place, asked = (then, {}) if isinstance(then, str) else (place, then)
        mark = pages.mark(endpoint.page, place, asked)
        if mark in passed:
            where = endpoint.page.next if endpoint.page and endpoint.page.by == "cursor" else "of links"
            raise SourceError(f"the cursor {where} stays at {client.told(mark)}; the vendor's paging is broken")
        passed.add(mark)
    raise SourceError(f"{client.name}/{endpoint.path}: more than {_MOST_PAGES:,} pages; check `page`")


def _decoded(client: RestClient, response: httpx.Response) -> object:
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise SourceError(f"{client.told(str(response.url))}: the answer is no JSON: {error}") from error
