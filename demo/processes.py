"""The service and the dealers as processes of their own, as a desk would run them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from demo.errors import DemoError
from expectations.contracts.home import Home

_PATIENCE_S = 60
_FAREWELL_S = 20


class Pace(msgspec.Struct, frozen=True):
    """How fast the desk's clock runs and when it starts; ``start`` None = now."""

    speed: float
    start: datetime | None = None


@contextmanager
def desk_and_dealers(home: Home, world: Path, port: int, pace: Pace) -> Iterator[str]:
    """Run dealers and service until the block ends; gives the service's address once it is ready.

    Raises DemoError when one of them does not come up, with the last line that it wrote.
    """
    fix_port = _free_port()
    dealers = [
        "dealers",
        "--world",
        str(world),
        "--port",
        str(fix_port),
        "--speed",
        str(pace.speed),
        "--store",
        str(home.root / "dealers"),
    ]
    environment = {
        "SOTTO_HOME": str(home.root),
        "SOTTO_FIX_PORT": str(fix_port),
        "SOTTO_CLOCK_SPEED": str(pace.speed),
        **({"SOTTO_CLOCK_START": pace.start.isoformat()} if pace.start else {}),
    }
    with (
        _running("dealers", dealers, home, environment),
        _running("serve", ["serve", "--port", str(port)], home, environment) as service,
    ):
        address = f"http://127.0.0.1:{port}"
        _await_ready(address, service, home)
        _await_sessions(address)
        yield address


@contextmanager
def _running(name: str, arguments: list[str], home: Home, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    log = _log(home, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "sotto", *arguments], env={**os.environ, **environment}, stdout=stream, stderr=stream
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_FAREWELL_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_ready(address: str, service: "subprocess.Popen[bytes]", home: Home) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    said = ""
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise DemoError(f"the service did not start: {_last_line(home, 'serve')}")
        try:
            answer = httpx.get(f"{address}/health/ready", timeout=2)
            if answer.status_code == httpx.codes.OK:
                return
            said = answer.text
        except httpx.TransportError:
            said = "no answer yet"
        time.sleep(0.2)
    raise DemoError(f"the service was not ready within {_PATIENCE_S} s: {said}")


def _await_sessions(address: str) -> None:
    """Wait until every dealer's FIX session is up; a dealer still away then is skipped by the desk, and it says so."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        sessions = _sessions(httpx.get(f"{address}/metrics", timeout=5).text)
        if sessions.get("ready", 0) >= sessions.get("configured", 0) > 0:
            return
        time.sleep(0.2)


def _sessions(metrics: str) -> dict[str, float]:
    families = text_string_to_metric_families(metrics)
    return {
        sample.labels["state"]: sample.value
        for family in families
        for sample in family.samples
        if family.name == "sotto_fix_sessions"
    }


def _log(home: Home, name: str) -> Path:
    return home.root / "logs" / f"{name}.log"


def _last_line(home: Home, name: str) -> str:
    lines = _log(home, name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it wrote nothing; see {_log(home, name)}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
