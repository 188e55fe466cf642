"""What every route gets besides its handler: its time in ``/metrics``, and an ``ETag`` on what can be read again."""

import hashlib
from time import perf_counter
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from prometheus_client import Histogram

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SECONDS = Histogram(
    "sotto_http_request_seconds",
    "From a request's arrival to its last byte, by route; streams count until they end",
    ["method", "route", "status"],
    buckets=_BUCKETS,
)


def measured(app: ASGIApp) -> ASGIApp:
    """Count each request of a route and how long it took, in seconds of wall time."""
    seen: dict[tuple[str, str, int], Histogram] = {}

    async def measure(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, note)
        finally:
            key = (scope["method"], scope["path_template"], status)
            if key not in seen:
                seen[key] = SECONDS.labels(key[0], key[1], str(status))
            seen[key].observe(perf_counter() - started)

    return measure


def conditional(app: ASGIApp) -> ASGIApp:
    """Tag what a GET answers as JSON with a hash of it, and answer 304 where ``If-None-Match`` has it already.

    Streams, pages and refusals pass as they are.
    """

    async def tag(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET":
            await app(scope, receive, send)
            return
        wanted = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        await app(scope, receive, _Tagging(send, wanted).send)

    return tag


class _Tagging:
    """Holds the answer's head back until its body is known."""

    def __init__(self, send: Send, wanted: bytes) -> None:
        self._send, self._wanted = send, wanted
        self._head: HTTPResponseStartEvent | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on, tagged where it is the whole body of a good JSON answer."""
        if message["type"] == "http.response.start" and _taggable(message):
            self._head = message
            return
        if self._head is not None and message["type"] == "http.response.body":
            head, self._head = self._head, None
            if not message.get("more_body"):
                message = await self._tagged(head, message)
            else:
                await self._send(head)
        await self._send(message)

    async def _tagged(self, head: HTTPResponseStartEvent, body: Message) -> Message:
        content = cast("bytes", body.get("body", b""))
        tag = b'"' + hashlib.blake2b(content, digest_size=16).hexdigest().encode() + b'"'
        # What a token may see is its own: no shared cache may keep it.
        headers = [*head["headers"], (b"etag", tag), (b"cache-control", b"private, no-cache")]
        known = {part.strip().removeprefix(b"W/") for part in self._wanted.split(b",")}
        if tag in known or self._wanted.strip() == b"*":
            kept = [(name, value) for name, value in headers if name not in {b"content-length", b"content-type"}]
            await self._send({"type": "http.response.start", "status": 304, "headers": kept})
            return {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send({**head, "headers": headers})
        return body


def _taggable(head: HTTPResponseStartEvent) -> bool:
    kinds = [value for name, value in head["headers"] if name == b"content-type"]
    return head["status"] == 200 and any(kind.startswith(b"application/json") for kind in kinds)
