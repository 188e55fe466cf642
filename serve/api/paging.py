"""Pages of lists: the body stays the list itself, the next page stands in the ``Link`` header (RFC 8288)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.params import QueryParameter

from serve.api.problems import FieldError, Problem

T = TypeVar("T")
PageLimit = Annotated[int, QueryParameter(name="limit", ge=1, le=5000, description="at most so many; the Link header has the rest")]
PageCursor = Annotated[
    str | None, QueryParameter(name="cursor", max_length=400, description="as the Link header of the page before has it")
]
PAGE = 1000


def page(
    request: Request[Any, Any, Any], items: Sequence[T], key: Callable[[T], str], limit: int, cursor: str | None
) -> Response[list[T]]:
    """Give the items after the one whose ``key`` is ``cursor``. Raises ``Problem`` 400 where no item has it.

    ``key`` must tell the items apart; their order is the caller's.
    """
    first = 0 if cursor is None else _after(items, key, cursor)
    shown = list(items[first : first + limit])
    headers = {}
    if first + limit < len(items):
        given = [(name, value) for name, value in request.query_params.multi_items() if name not in {"cursor", "limit"}]
        query = urlencode([*given, ("limit", limit), ("cursor", key(shown[-1]))])
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return Response(shown, headers=headers)


def _after(items: Sequence[T], key: Callable[[T], str], cursor: str) -> int:
    for place, item in enumerate(items, start=1):
        if key(item) == cursor:
            return place
    detail = "is not of this list any more: begin again without it"
    raise Problem(400, "invalid-request", "The request is not valid", f"cursor: {detail}", [FieldError("cursor", detail)])
