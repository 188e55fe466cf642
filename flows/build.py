"""The dbt build as Prefect sees it: a task run per node."""

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt_common.events.base_types import EventLevel
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

from flows import rebuild
from flows.settings import FlowSettings
from flows.transform import dbt_environment

_PATIENCE_S = 60


class BuildFailed(Exception):
    """dbt could not build every node, or a test failed; ``nodes`` names each with its message."""

    def __init__(self, nodes: list[str]) -> None:
        super().__init__("dbt build failed: " + "; ".join(nodes))
        self.nodes = nodes


class BuildReport(msgspec.Struct, frozen=True):
    """dbt's invocation and how many nodes it ran."""

    invocation_id: str
    nodes: int


def build(settings: FlowSettings, *, as_of: datetime, full: bool) -> BuildReport:
    """Run ``dbt build`` over the whole project, for the days that need it. Raises BuildFailed when a node fails.

    Must run inside a flow: each dbt node becomes a task run of it.
    """
    target = settings.state.root / "dbt"
    runner = PrefectDbtRunner(
        settings=PrefectDbtSettings(
            project_dir=settings.dbt_project,
            profiles_dir=settings.dbt_project,
            target_path=target / "target",
            log_level=EventLevel.WARN,
        ),
        raise_on_failure=False,
    )
    plan = rebuild.prepare(settings, as_of=as_of, full=full)
    command = arguments(target, plan, as_of=as_of)
    results = target / "target" / "run_results.json"
    # A build that dies before its first node must not pass with the report of the one before.
    results.unlink(missing_ok=True)
    with dbt_environment(settings):
        try:
            runner.invoke(command)
        except ValueError as error:
            raise BuildFailed([" ".join(str(error).split())]) from error
        finally:
            _join_task_runs()
            # dbt holds the file's lock until its connections are closed for good.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    made = report(results)
    rebuild.finished(settings.state)
    return made


def arguments(target: Path, plan: rebuild.Plan, *, as_of: datetime) -> list[str]:
    """Give the words of ``dbt build`` as every build of ours runs it, logs under ``target``."""
    variables = json.dumps({"as_of": as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"), **plan.variables()})
    # One flag with two values: the runner keeps the last of two flags only.
    left_out = ["--exclude-resource-type", "unit_test", "exposure"]
    # What an earlier version parsed must not linger: a renamed or moved node would clash with itself.
    command = ["build", "--no-partial-parse", *left_out, "--vars", variables, "--log-path", str(target / "logs")]
    return [*command, "--full-refresh"] if plan.whole else command


def _join_task_runs() -> None:
    """Wait until each node's task run has told the server its end: the runner starts them in threads and leaves them."""
    deadline = time.monotonic() + _PATIENCE_S
    for thread in threading.enumerate():
        if thread.name.endswith("(run_task)"):
            thread.join(timeout=max(deadline - time.monotonic(), 0))


def report(path: Path) -> BuildReport:
    """Read dbt's report of a build. Raises BuildFailed when a node failed."""
    results = json.loads(path.read_text(encoding="utf-8"))
    bad = [node for node in results["results"] if node["status"] not in {"success", "pass", "no-op"}]
    # A skipped node stands behind a failed one, which is named itself.
    named = [node for node in bad if node["status"] != "skipped"] or bad
    if named:
        raise BuildFailed([f"{node['unique_id']}: {' '.join(str(node['message'] or node['status']).split())}" for node in named])
    return BuildReport(results["metadata"]["invocation_id"], len(results["results"]))
