"""REST answers as rows, the next page's request, and the windows that are due. Pure."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from flows.sources.mapping import Endpoint, Page, Window
from flows.sources.pulled import SourceError

Parameters = dict[str, str]


class Due(NamedTuple):
    """A window to ask for: its bounds as the vendor reads them, and whether it can still change."""

    parameters: Parameters
    name: str
    closed: bool


def rows_of(body: object, place: str) -> list[dict[str, str | None]]:
    """Take the rows out of a body, each flattened to texts by dotted names. Raises SourceError where they are not there."""
    found = body
    for key in filter(None, place.split(".")):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SourceError(f"the answer has no list of objects at {place or 'its top'!r}; check `rows` of the endpoint")
    return [_flat(row) for row in found]


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, str | None]:
    cells: dict[str, str | None] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            cells |= _flat(value, f"{prefix}{name}.")
        else:
            cells[f"{prefix}{name}"] = _text(value)
    return cells


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else msgspec.json.encode(value).decode()


def after(
    page: Page | None, asked: Parameters, body: object, rows: int, link: str | None, *, is_first: bool = False
) -> Parameters | str | None:
    """Give the next page's parameters, or its URL; ``None`` where this was the last.

    Raises SourceError where the first body has no cursor at all: a mistyped place must not pass for the last page.
    """
    if page is None:
        return None
    if page.by == "link":
        return link
    if page.by == "page":
        return asked | {page.parameter: str(int(asked[page.parameter]) + 1)} if rows else None
    found = _cursor(page, body, must_be=is_first and not page.next_may_be_absent)
    return None if found in (None, "") else asked | {page.parameter: str(found)}


def _cursor(page: Page, body: object, *, must_be: bool) -> object:
    found = body
    for key in (page.next or "").split("."):
        if found is None:
            break
        if not isinstance(found, dict) or key not in found:
            if must_be:
                there = f"there are {', '.join(sorted(found)[:20]) or 'no keys'}" if isinstance(found, dict) else "it is no object"
                raise SourceError(
                    f"the answer has no {key!r} for the cursor {page.next}; {there}; check `next` of the "
                    "endpoint's page, or give next_may_be_absent: true where the vendor leaves it out on the last page"
                )
            return None
        found = found[key]
    return found


def mark(page: Page | None, place: str, asked: Parameters) -> str:
    """Tell a page from the others of a pull: by its cursor or number, else by its URL."""
    return place if page is None or page.by == "link" else asked.get(page.parameter, "")


def first(endpoint: Endpoint, window: Parameters) -> Parameters:
    """Give the first page's parameters."""
    page = endpoint.page
    start = {page.parameter: str(page.first)} if page and page.by == "page" else {}
    return {**endpoint.parameters, **window, **start}


def due(window: Window | None, today: date, closed: Collection[str]) -> list[Due]:
    """List the windows to ask for: all from the start on, but those that were taken after they could still change."""
    if window is None:
        return [Due({}, "", closed=False)]
    listed = []
    begin = date.fromisoformat(window.start)
    while begin <= today:
        end = begin + timedelta(days=window.days)
        bounds = {window.since: _midnight(begin), window.until: _midnight(end)}
        name = "&".join(f"{key}={value}" for key, value in bounds.items())
        if name not in closed:
            listed.append(Due(bounds, name, closed=end + timedelta(days=window.overlap_days) <= today))
        begin = end
    return listed


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
