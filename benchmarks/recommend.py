"""How long a recommendation takes over HTTP, beside an empty route and a typed echo of the same order.

One run, one keep-alive connection, uvicorn in a process of its own, authentication and the durable journal on. The routes
take turns, so that whatever else the machine does falls on all alike.
"""

import http.client
import json
import multiprocessing
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from litestar import get, post
from litestar.params import JSONBody

from serve.app import configure_logs, create_app
from serve.domain.orders import Order
from serve.domain.users import Role
from serve.settings import ServiceRole, Settings
from tests.fakes.snapshot import CLASSES, FIGURES, LIQUID_IG, Rows, scorecards, small_market, write_snapshot

ROUNDS, WARM_UP, DESKS = 1500, 200, 3
ORDER = {
    "order_id": "bench-1",
    "security_id": LIQUID_IG,
    "security_id_type": "CUSIP",
    "side": "SELL",
    "quantity": 1_000_000,
    "currency": "USD",
}


def main() -> None:
    """Measure and print p50 and p95 in milliseconds per route, and the ratio to the empty one."""
    with TemporaryDirectory() as folder, _serving(Path(folder)) as (port, token):
        times = _measure(port, token)
    base = statistics.median(times["empty"])
    print(f"{ROUNDS} rounds, {DESKS * len(FIGURES)} dealers, one connection, auth and journal on")
    for name, taken in times.items():
        p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        over = f"{p50 / base:5.2f} x empty   +{(p50 - base) * 1e3:.2f} ms"
        print(f"{name:<22} p50 {p50 * 1e3:6.2f} ms   p95 {p95 * 1e3:6.2f} ms   {over}")


def _measure(port: int, token: str) -> dict[str, list[float]]:
    body = json.dumps(ORDER)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    calls = {
        "empty": ("GET", "/bench/empty", None),
        "typed echo": ("POST", "/bench/echo", body),
        "POST recommendations": ("POST", "/v1/recommendations", body),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for turn in range(WARM_UP + ROUNDS):
        for name, (method, path, sent) in calls.items():
            started = time.perf_counter()
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            answer = response.read()
            taken = time.perf_counter() - started
            if response.status >= 300:
                raise RuntimeError(f"{path} answered {response.status}: {answer[:200]!r}")
            if turn >= WARM_UP:
                times[name].append(taken)
    connection.close()
    return times


@contextmanager
def _serving(home: Path) -> Iterator[tuple[int, str]]:
    write_snapshot(home, _market())
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(home, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        port, token = ours.recv()
        _await_start(port)
        yield port, token
    finally:
        process.terminate()
        process.join()


def _serve(home: Path, pipe: Connection) -> None:
    configure_logs("ERROR")

    @get("/bench/empty")
    async def empty() -> None:
        """Answer nothing."""

    @post("/bench/echo", status_code=200)
    async def echo(data: JSONBody[Order]) -> Order:
        """Answer what was sent, decoded and encoded."""
        return data

    app = create_app(Settings(home=home, roles=(ServiceRole.RECOMMEND,)))
    app.register(empty)
    app.register(echo)
    token = app.state.tokens.create("bench", Role.OMS, "bench", timedelta(hours=1))
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send((listener.getsockname()[1], token))
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


def _await_start(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/health/live")
    connection.getresponse().read()
    connection.close()


def _market() -> Rows:
    rows = small_market()
    rows["dim_dealers"] = [
        row | {"dealer_id": f"{row['dealer_id']}{desk}", "name": f"{row['name']} {desk}"}
        for row in rows["dim_dealers"]
        for desk in range(DESKS)
    ]
    figures = {f"{name}{desk}": raw for name, raw in FIGURES.items() for desk in range(DESKS)}
    rows["fct_dealer_scorecards"] = [
        row for name in CLASSES for window in (30, 60, 90, 180) for row in scorecards(name, window, figures)
    ]
    for table in ("fct_dealer_affinity", "fct_dealer_axes"):
        rows[table] = [row | {"dealer_id": f"{row['dealer_id']}0"} for row in rows[table]]
    return rows
