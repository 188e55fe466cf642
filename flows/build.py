"""The dbt build as Prefect sees it: a task run per model and seed, and one for each test that fails."""

import json
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.resources.types import NodeType
from dbt_common.events.base_types import EventLevel
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import get_settings_context
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

from expectations.gate import SHOWN_ROWS, rows_told
from flows import rebuild
from flows.project import project_hash
from flows.settings import FlowSettings
from flows.transform import dbt_environment

_PATIENCE_S = 60


class BuildFailed(Exception):
    """dbt could not build every node, or a test failed; ``nodes`` names each with its message."""

    def __init__(self, nodes: list[str]) -> None:
        super().__init__("dbt build failed: " + "; ".join(nodes))
        self.nodes = nodes


class _Runner(PrefectDbtRunner):  # type: ignore[misc]  # the library has no types here
    """The library's runner, without a task run for each test: that costs far more processor time than the test itself."""

    def __init__(self, settings: PrefectDbtSettings) -> None:
        super().__init__(settings=settings, raise_on_failure=False)
        self._prefect_settings = dict(get_settings_context())

    def _call_task(self, task_state: Any, manifest_node: Any, context: dict[str, Any], enable_assets: bool) -> None:  # noqa: ANN401, FBT001 - the library's signature
        if manifest_node.resource_type is not NodeType.Test:
            # The settings themselves: from their dump each thread would make them again, with every file and variable.
            own = {**context, "settings_context": self._prefect_settings}
            super()._call_task(task_state, manifest_node, own, enable_assets)


class BuildReport(msgspec.Struct, frozen=True):
    """dbt's invocation and how many nodes it ran."""

    invocation_id: str
    nodes: int


def build(settings: FlowSettings, *, as_of: datetime, full: bool) -> BuildReport:
    """Run ``dbt build`` over the whole project, for the days that need it. Raises BuildFailed when a node fails.

    Must run inside a flow: each model and seed becomes a task run of it, and each test that fails.
    """
    target = settings.state.root / "dbt"
    runner = _Runner(
        PrefectDbtSettings(
            project_dir=settings.dbt_project,
            profiles_dir=settings.dbt_project,
            target_path=target / "target",
            log_level=EventLevel.WARN,
        )
    )
    plan = rebuild.prepare(settings, as_of=as_of, full=full)
    command = arguments(target, plan)
    _forget_other_project(target, settings.dbt_project)
    results = target / "target" / "run_results.json"
    # A build that dies before its first node must not pass with the report of the one before.
    results.unlink(missing_ok=True)
    with dbt_environment(settings, as_of=as_of):
        try:
            runner.invoke(command)
        except ValueError as error:
            raise BuildFailed([" ".join(str(error).split())]) from error
        finally:
            _join_task_runs()
            # dbt holds the file's lock until its connections are closed for good.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    made = told(results, settings.state.warehouse)
    rebuild.finished(settings.state)
    return made


def told(results: Path, warehouse: Path) -> BuildReport:
    """Read dbt's report and leave a task run for each test that failed. Raises BuildFailed when a node failed."""
    try:
        return report(results, warehouse)
    except BuildFailed as failed:
        for node in failed.nodes:
            if node.startswith("test."):
                failing_test(node.split(".")[2], node, return_state=True)
        raise


@task(name="dbt test", task_run_name="test {name}", cache_policy=NO_CACHE)
def failing_test(name: str, told: str) -> None:  # noqa: ARG001 - names the task run
    """Stand in Prefect for a test that failed."""
    raise BuildFailed([told])


def arguments(target: Path, plan: rebuild.Plan) -> list[str]:
    """Give the words of ``dbt build`` as every build of ours runs it, logs under ``target``."""
    # One flag with two values: the runner keeps the last of two flags only.
    left_out = ["--exclude-resource-type", "unit_test", "exposure"]
    command = ["build", *left_out, "--log-path", str(target / "logs")]
    return [*command, "--full-refresh"] if plan.whole else command


def _forget_other_project(target: Path, project: Path) -> None:
    """Drop what dbt has parsed of another version of the project: a node renamed or moved since would clash with itself."""
    mark, version = target / "parsed", project_hash(project)
    if not mark.is_file() or mark.read_text(encoding="utf-8") != version:
        (target / "target" / "partial_parse.msgpack").unlink(missing_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        mark.write_text(version, encoding="utf-8")


def _join_task_runs() -> None:
    """Wait until each node's task run has told the server its end: the runner starts them in threads and leaves them."""
    deadline = time.monotonic() + _PATIENCE_S
    for thread in threading.enumerate():
        if thread.name.endswith("(run_task)"):
            thread.join(timeout=max(deadline - time.monotonic(), 0))


def report(path: Path, warehouse: Path) -> BuildReport:
    """Read dbt's report of a build in a warehouse. Raises BuildFailed when a node failed, with the rows at fault of a test."""
    results = json.loads(path.read_text(encoding="utf-8"))
    bad = [node for node in results["results"] if node["status"] not in {"success", "pass", "no-op"}]
    # A skipped node stands behind a failed one, which is named itself.
    named = [node for node in bad if node["status"] != "skipped"] or bad
    if named:
        raise BuildFailed([f"{node['unique_id']}: {_why(node, warehouse)}" for node in named])
    return BuildReport(results["metadata"]["invocation_id"], len(results["results"]))


def _why(node: dict[str, Any], warehouse: Path) -> str:
    """Say in one line why a node failed; of a test that found rows, the first of them."""
    if node["status"] != "fail":
        return " ".join(str(node["message"] or node["status"]).split())
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(f"select * from ({node['compiled_code']}) limit {SHOWN_ROWS}")
        names = [name for name, *_ in found.description or []]
        return rows_told(node["failures"], [dict(zip(names, row, strict=True)) for row in found.fetchall()])
