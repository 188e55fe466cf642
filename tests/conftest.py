"""What tests of several levels share: a Prefect server, a small market, and a day that was published from it.

Prefect is imported in the fixtures only: most tests do not need it, and it takes seconds.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from expectations.contracts.snapshot import Manifest
from sim.simulate import simulate

_SERVER_PATIENCE_S = 120
LAST_DAY = date(2025, 6, 30)
AS_OF = datetime(2025, 6, 30, 22, tzinfo=UTC)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, where tests run in several processes, what shares a Prefect server and its good day, else a file's tests."""
    for item in items:
        shared = "prefect_api" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("server" if shared else str(item.path)))


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a real Prefect server with its scheduler, on a free port and with a folder of its own.

    The library's own test harness leaves the scheduler out.
    """
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "DO_NOT_TRACK": "1",
    }
    log = (home / "server.log").open("wb")
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app", "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "error"], env={**os.environ, **quiet}, stdout=log, stderr=subprocess.STDOUT
    )
    api = f"http://127.0.0.1:{port}/api"
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.callback(log.close)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        for name, value in {**quiet, "PREFECT_API_URL": api, "GX_ANALYTICS_ENABLED": "false"}.items():
            patch.setenv(name, value)
        # Imported while the server starts; settings that an earlier import has read are replaced.
        from prefect.context import _temporary_global_settings_context, get_settings_context
        from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_EXTRA_LOGGERS, temporary_settings

        import flows.refresh  # noqa: F401 - takes seconds

        _wait_for(api, server, home / "server.log")
        stack.enter_context(
            temporary_settings({PREFECT_API_URL: api, PREFECT_HOME: home, PREFECT_LOGGING_EXTRA_LOGGERS: ["flows"]})
        )
        # For the threads of the library that send logs and events, too: else they start a server of their own.
        stack.enter_context(_temporary_global_settings_context(get_settings_context()))
        yield api
        _drain()


def _wait_for(api: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _SERVER_PATIENCE_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the Prefect server did not start: {log.read_text()[-2000:]}")


def _drain() -> None:
    """Send what is still queued for the server before it stops."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.instance().drain()
    EventsWorker.drain_all()


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a small simulated market: two weeks, sixty bonds, twelve dealers."""
    out = tmp_path_factory.mktemp("vendor") / "market"
    simulate(out, 14, 7, end=LAST_DAY, securities=60, dealers=12, rfqs_per_day=12)
    return out


@dataclass(frozen=True)
class GoodDay:
    """A home where a refresh of ``market`` was published, and what it said. Copy the home before you change it."""

    market: Path
    home: Path
    manifest: Manifest

    def copied(self, to: Path) -> Path:
        """Copy the home, the server's folder apart."""
        return Path(shutil.copytree(self.home, to))


@pytest.fixture(scope="session")
def good_day(prefect_api: str, market: Path, tmp_path_factory: pytest.TempPathFactory) -> GoodDay:
    """Publish the simulated market once."""
    from flows.orchestration import run_refresh

    home = tmp_path_factory.mktemp("good") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOTTO_HOME", str(home))
        return GoodDay(market, home, run_refresh(market, as_of=AS_OF))
