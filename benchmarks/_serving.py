"""A service in a process of its own over a market of some size, with an empty and a typed echo route beside its own."""

import atexit
import http.client
import multiprocessing
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import gettempdir

import uvicorn
from litestar import get, post
from litestar.params import JSONBody

from benchmarks._market import market, write_rules
from expectations.contracts.home import Home
from serve.app import configure_logs, create_app, server_config
from serve.domain.orders import Order
from serve.domain.users import Role
from serve.settings import ServiceRole, Settings
from tests.fakes.snapshot import make_current, write_snapshot

CONFIG = Path(__file__).parents[1] / "config"


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where it listens, what opens it, where it lives, and its process."""

    port: int
    token: str
    home: Path
    pid: int

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers of a call."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


@contextmanager
def serving(home: Path, *, dealers: int, rules: int, snapshots: int = 1) -> Iterator[Service]:
    """Run a service until the block ends; ``snapshots`` are named ``snapshot-0`` and so on, the first is current."""
    _publish(home, dealers, snapshots)
    write_rules(home / "config", CONFIG, rules)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(home, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        port, token = ours.recv()
        _await_start(port)
        yield Service(port, token, home, process.pid or 0)
    finally:
        process.terminate()
        process.join()


def _publish(home: Path, dealers: int, snapshots: int) -> None:
    """Write one snapshot for this size of market, once for all services, and copy it under each name."""
    kept = Path(gettempdir()) / f"sotto-bench-{os.getpid()}-{dealers}"
    if not kept.exists():
        write_snapshot(kept, market(dealers), snapshot_id="snapshot-0")
        atexit.register(shutil.rmtree, kept, ignore_errors=True)
    for number in range(snapshots):
        name = f"snapshot-{number}"
        folder = shutil.copytree(Home(kept).snapshots / "snapshot-0", Home(home).snapshots / name)
        manifest = (folder / "manifest.json").read_text()
        (folder / "manifest.json").write_text(manifest.replace('"snapshot-0"', f'"{name}"'))
    make_current(home, "snapshot-0")
    # What was just written would otherwise be flushed in the middle of what is measured.
    os.sync()


def _serve(home: Path, pipe: Connection) -> None:
    configure_logs("ERROR")

    @get("/bench/empty")
    async def empty() -> None:
        """Answer nothing."""

    @post("/bench/echo", status_code=200)
    async def echo(data: JSONBody[Order]) -> Order:
        """Answer what was sent, decoded and encoded."""
        return data

    settings = Settings(home=home, config=home / "config", roles=(ServiceRole.RECOMMEND,), rate_per_s=1e6, rate_burst=1e6)
    app = create_app(settings)
    app.register(empty)
    app.register(echo)
    token = app.state.tokens.create("bench", Role.OMS, "bench", timedelta(hours=1))
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send((listener.getsockname()[1], token))
    uvicorn.Server(server_config(app)).run(sockets=[listener])


def _await_start(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/health/live")
    connection.getresponse().read()
    connection.close()
