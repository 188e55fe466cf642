"""A TCA vendor over HTTP: bearer token, cursor pages, a rate limit, faults now and then; executions in, results out."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import NotAuthorizedException, ValidationException
from litestar.params import FromQuery, JSONBody

from sim.randomness import stream
from sim.vendors.tca_book import PostedExecution, Result, TcaBook

_FAULTS = (500, 502, 503)
_STARTING_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """How the vendor treats its clients: share of requests that fail, requests a second before 429, rows a page at most.

    ``crowded_share`` of the requests are told 429 as if others had used the limit up.
    """

    fault_share: float = 0.05
    crowded_share: float = 0.02
    requests_per_s: int = 20
    page_rows: int = 100


class _Gate:
    """Who comes in: token first, then the rate limit, then the seed's bad luck."""

    def __init__(self, token: str, temper: Temper, seed: int) -> None:
        self._token, self._temper = token, temper
        self._luck = stream(seed, "vendor", "faults")
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()
        self.turned_away: dict[int, int] = {}

    def check(self, request: Request[Any, Any, Any]) -> Response[Any] | None:
        """Give the answer to a request that does not come in; ``None`` where it does."""
        if request.headers.get("authorization") != f"Bearer {self._token}":
            raise NotAuthorizedException(detail="unknown token")
        with self._lock:
            now = time.monotonic()
            while self._recent and now - self._recent[0] > 1:
                self._recent.popleft()
            if len(self._recent) >= self._temper.requests_per_s or self._luck.random() < self._temper.crowded_share:
                return self._away(429, {"Retry-After": "1"})
            self._recent.append(now)
            if self._luck.random() < self._temper.fault_share:
                return self._away(_FAULTS[int(self._luck.integers(len(_FAULTS)))], {})
        return None

    def _away(self, status: int, headers: dict[str, str]) -> Response[Any]:
        self.turned_away[status] = self.turned_away.get(status, 0) + 1
        return Response({"error": "not now"}, status_code=status, headers=headers)


def vendor_app(book: TcaBook, gate: _Gate, temper: Temper, now: Callable[[], datetime]) -> Litestar:
    """Make the vendor's application."""

    @post("/executions", sync_to_thread=False)
    def take(data: JSONBody[PostedExecution]) -> Response[Any]:
        try:
            fresh = book.take(data)
        except ValueError as error:
            raise ValidationException(detail=str(error)) from error
        return Response({"executionRef": data.execution_ref}, status_code=201 if fresh else 200)

    @get("/results", sync_to_thread=False)
    def results(
        updated_since: FromQuery[str], updated_until: FromQuery[str], cursor: FromQuery[str] = "0", limit: FromQuery[int] = 100
    ) -> dict[str, Any]:
        since, until = _time(updated_since), _time(updated_until)
        standing = [one for one in book.standing(now()) if since <= one.updated_at < until]
        begin, size = int(cursor), min(limit, temper.page_rows)
        more = str(begin + size) if begin + size < len(standing) else None
        return {"data": [_shown(one) for one in standing[begin : begin + size]], "next_cursor": more}

    return Litestar([take, results], before_request=gate.check, openapi_config=None)


def _time(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _shown(result: Result) -> dict[str, Any]:
    return {
        "executionRef": result.execution_ref,
        "measure": result.measure,
        "horizonSeconds": result.horizon_s,
        "costBps": result.cost_bps,
        "benchmark": result.benchmark,
        "computedAt": result.computed_at.isoformat(),
        "updatedAt": result.updated_at.isoformat(),
    }


@dataclass(frozen=True, slots=True)
class RunningVendor:
    """A vendor that answers at ``url``. ``turned_away`` counts the requests that it refused, by status."""

    url: str
    book: TcaBook
    turned_away: dict[int, int]


@contextmanager
def running_tca_vendor(
    *,
    token: str,
    seed: int = 7,
    port: int = 0,
    temper: Temper | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[RunningVendor]:
    """Run the vendor in a thread on this machine; ``port`` 0 takes a free one. ``now`` is the vendor's own clock."""
    temper = temper or Temper()
    book, gate = TcaBook(seed), _Gate(token, temper, seed)
    config = uvicorn.Config(vendor_app(book, gate, temper, now), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="tca-vendor", daemon=True)
    thread.start()
    deadline = time.monotonic() + _STARTING_S
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    bound = server.servers[0].sockets[0].getsockname()[1] if server.started else port
    try:
        yield RunningVendor(f"http://127.0.0.1:{bound}", book, gate.turned_away)
    finally:
        server.should_exit = True
        thread.join(timeout=_STARTING_S)
