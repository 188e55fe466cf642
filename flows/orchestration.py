"""Runs the refresh from the command line: in process, on the Prefect server that is set, else on one of its own."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.contracts.home import Home
from flows.refused import Refused
from flows.settings import FlowSettings

if TYPE_CHECKING:
    from prefect import State

    from expectations.contracts.snapshot import Manifest


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


def run_refresh(
    sources: Path | None = None, *, as_of: datetime | None = None, known_at: datetime | None = None, full: bool = False
) -> "Manifest":
    """Run one refresh and give the published manifest. Raises Refused when nothing was published."""
    prepare(FlowSettings().state)
    from flows.refresh import refresh

    where = str(sources.resolve()) if sources else None
    state: State[Manifest] = refresh(where, as_of=as_of, known_at=known_at, full=full, return_state=True)  # type: ignore[assignment]
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, Refused):
        raise outcome
    if isinstance(outcome, Exception):
        fault = " ".join(f"{type(outcome).__name__}: {outcome}".split())
        raise Refused([f"the refresh failed: {fault}; its run on the Prefect server says more"]) from outcome
    return outcome
