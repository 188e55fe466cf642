"""Runs the refresh from the command line: in process, on the Prefect server that is set, else on one of its own."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from expectations.contracts.home import Home
from flows.deliveries import sources_of
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.sources.pulled import SourceError

if TYPE_CHECKING:
    from prefect import State

    from expectations.contracts.snapshot import Manifest
    from flows.backtest.flow import Done

_LAST_LINE = "-----END CERTIFICATE-----\n"


def prepare(home: Home) -> None:
    """Set what Prefect and dbt read from the environment, before they are imported; what the user has set stays.

    Without ``PREFECT_API_URL`` flow runs are kept in ``$SOTTO_HOME/prefect``, where ``prefect server start`` shows them.
    """
    defaults = {
        "PREFECT_HOME": str(home.root / "prefect"),
        # A server of our own takes 16 to 28 seconds to start on two cores.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows",
        # The command prints its own lines; the run's log is on the server.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)


@contextmanager
def _light_clients() -> Iterator[None]:
    """Spare Prefect's clients the reading of every certificate authority where the server speaks plain HTTP.

    Each task run makes three clients, and there is a task run per dbt model: with all authorities a refresh spends a third
    of its time on reading them.
    """
    import certifi
    from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_URL, temporary_settings

    url = PREFECT_API_URL.value()
    if url and not url.startswith("http://"):
        yield
        return
    authorities = Path(certifi.where()).read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        one = Path(folder) / "one.pem"
        one.write_text(authorities[: authorities.index(_LAST_LINE) + len(_LAST_LINE)], encoding="utf-8")
        with temporary_settings({PREFECT_API_SSL_CERT_FILE: str(one)}):
            yield


def run_refresh(
    sources: Path | None = None, *, as_of: datetime | None = None, known_at: datetime | None = None, full: bool = False
) -> "Manifest":
    """Run one refresh and give the published manifest. Raises Refused when nothing was published."""
    settings = FlowSettings()
    try:
        # A wrong path or a fault in sources.yml is told at once, without waiting for a server.
        sources_of(settings, sources or settings.config / "sources.yml")
    except SourceError as error:
        raise Refused([str(error)]) from error
    where = str(sources.resolve()) if sources else None

    def refreshed() -> "State[Manifest]":
        from flows.refresh import refresh

        # The gate's library takes seconds to import, and the server takes longer to start, in a process of its own.
        threading.Thread(target=import_module, args=("great_expectations",), daemon=True).start()
        return refresh(where, as_of=as_of, known_at=known_at, full=full, return_state=True)  # type: ignore[return-value]

    made: Manifest = _outcome(settings, refreshed, "refresh")
    return made


def run_backfill(
    sources: Path | None, first: date, last: date, *, every: str, parallel: int, known_at: datetime | None = None
) -> list[str]:
    """Build past days' scorecards from what was landed by ``known_at`` (``None`` = now); give the days that are there.

    Raises Refused with each day that could not be built.
    """
    settings = FlowSettings()
    where = str(sources.resolve()) if sources else None

    def backfilled() -> "State[list[str]]":
        from flows.backfill import backfill

        asked: dict[str, Any] = {"every": every, "parallel": parallel, "sources": where, "known_at": known_at}
        return backfill(first, last, **asked, return_state=True)  # type: ignore[return-value]

    days: list[str] = _outcome(settings, backfilled, "backfill")
    return days


def run_backtest(**asked: object) -> "Done":
    """Walk through history as the flow's parameters say and give what came of it. Raises Refused."""
    from flows.backtest.plan import ask

    # A mistake is told at once, without waiting for a server.
    ask(FlowSettings(), **{name: value for name, value in asked.items() if name not in {"out", "propose"}})  # type: ignore[arg-type]

    def walked() -> "State[Done]":
        from flows.backtest.flow import backtest

        return backtest(**asked, return_state=True)  # type: ignore[return-value]

    done: Done = _outcome(FlowSettings(), walked, "back-test")
    return done


def _outcome(settings: FlowSettings, run: "Callable[[], State[Any]]", name: str) -> Any:  # noqa: ANN401 - what the flow gives
    """Run a flow on the server that is set, else on one of its own, and give its result; whatever goes wrong is Refused."""
    prepare(settings.state)
    import httpx

    try:
        with _light_clients():
            state = run()
    except (RuntimeError, httpx.HTTPError) as error:
        # What goes wrong inside the flow is its state; what comes up to here is the server.
        raise Refused([f"the Prefect server cannot be used: {_one_line(error)}; check PREFECT_API_URL"]) from error
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, Refused):
        raise outcome
    if isinstance(outcome, Exception):
        raise Refused([f"the {name} failed: {_one_line(outcome)}; its run on the Prefect server says more"]) from outcome
    return outcome


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
