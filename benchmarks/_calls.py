"""Calls over kept connections, timed: one at a time, or as many as a number of connections carry."""

import asyncio
import json
import socket
from collections.abc import Sequence
from time import perf_counter

from benchmarks._serving import Service
from tests.fakes.snapshot import LIQUID_IG

ORDER = json.dumps(
    {
        "order_id": "bench-1",
        "security_id": LIQUID_IG,
        "security_id_type": "CUSIP",
        "side": "SELL",
        "quantity": 1_000_000,
        "currency": "USD",
    }
).encode()
ECHO, RECOMMEND, EMPTY = ("POST", "/bench/echo"), ("POST", "/v1/recommendations"), ("GET", "/bench/empty")


def request_of(service: Service, call: tuple[str, str]) -> bytes:
    """Write a request's bytes once, so that the measuring side costs little."""
    method, path = call
    body = ORDER if method == "POST" else b""
    head = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in service.headers.items())]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


class Line:
    """One kept connection: a request goes out, the whole answer comes back, the time between is given."""

    def __init__(self, service: Service) -> None:
        self._socket = socket.create_connection(("127.0.0.1", service.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def time(self, request: bytes) -> float:
        """Send, receive, give the seconds. Raises RuntimeError for any answer but 200 or 204."""
        started = perf_counter()
        self._socket.sendall(request)
        answer = self._socket.recv(1 << 20)
        while (size := answer_size(answer)) is None or len(answer) < size:
            answer += self._socket.recv(1 << 20)
        taken = perf_counter() - started
        check(answer)
        return taken

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def answer_size(answer: bytes) -> int | None:
    """Give how many bytes the whole answer has, or ``None`` while its head is not there yet."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    place = answer[:end].lower().find(b"content-length:")
    return end + 4 + (int(answer[place + 15 : answer.find(b"\r\n", place)]) if place >= 0 else 0)


def check(answer: bytes) -> None:
    """Raise RuntimeError for an answer that is no success: a failure must not count as a fast answer."""
    if answer[9:12] not in {b"200", b"201", b"204"}:
        raise RuntimeError(f"answered {answer[:600]!r}")


def per_second(service: Service, request: bytes, connections: int, seconds: float) -> float:
    """Give the requests a second over so many connections that each wait for their answer."""
    return asyncio.run(_load(service, request, connections, seconds))


async def _load(service: Service, request: bytes, connections: int, seconds: float) -> float:
    started = perf_counter()
    counts: Sequence[int] = await asyncio.gather(*(_one(service, request, started + seconds) for _ in range(connections)))
    return sum(counts) / (perf_counter() - started)


async def _one(service: Service, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1 << 22)
    count = 0
    while perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        check(head)
        await reader.readexactly((answer_size(head) or len(head)) - len(head))
        count += 1
    writer.close()
    await writer.wait_closed()
    return count
