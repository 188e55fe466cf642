"""``prefect.yaml``: its entrypoints load, and on a real server its deployments do produce scheduled runs."""

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

PROJECT = Path(__file__).parents[3]
DECLARED = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
QUEUES = {"refresh": "refresh", "watch": "watch"}
PATIENCE_S = 120


def prefect(api: str, *arguments: str) -> None:
    """Run Prefect's own command against the server."""
    run = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PREFECT_API_URL": api},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_entrypoint_is_a_flow_that_takes_the_parameters_given() -> None:
    for deployment in DECLARED:
        flow = load_flow_from_entrypoint(str(PROJECT / deployment["entrypoint"]))
        assert isinstance(flow, Flow)
        assert set(deployment["parameters"]) <= set(flow.parameters.properties)
        assert deployment["description"]
        # Whatever fails or crashes tells the webhook.
        assert flow.on_failure_hooks
        assert flow.on_crashed_hooks
        assert deployment["tags"][0] == flow.name
        assert deployment["work_pool"]["name"] == "sotto"
        assert deployment["work_pool"]["work_queue_name"] == QUEUES.get(flow.name, "long")
        assert deployment["work_pool"]["job_variables"]["env"] == {
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            # What the flows log belongs to the run's log on the server.
            "PREFECT_LOGGING_EXTRA_LOGGERS": "flows",
            "GX_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        assert deployment.get("schedules") or deployment["name"] == "backfill"
        assert deployment["concurrency_limit"]["limit"] == 1


@pytest.mark.parametrize("entrypoint", sorted({deployment["entrypoint"] for deployment in DECLARED}))
def test_every_parameter_of_a_deployed_flow_is_described_on_the_server(entrypoint: str) -> None:
    properties = parameter_schema(load_flow_from_entrypoint(str(PROJECT / entrypoint)).fn).properties
    assert [name for name, told in properties.items() if not told.get("description")] == []


def test_runs_whose_process_is_gone_are_marked_crashed_without_touching_those_that_end() -> None:
    declared = yaml.safe_load((PROJECT / "automations.yaml").read_text(encoding="utf-8"))["automations"]
    for automation in (AutomationCore.model_validate(part) for part in declared):
        trigger, (action,) = automation.trigger, automation.actions
        assert isinstance(trigger, EventTrigger)
        assert isinstance(action, ChangeFlowRunState)
        assert (trigger.posture, trigger.for_each, action.state) == (Posture.Proactive, {"prefect.resource.id"}, StateType.CRASHED)
        ends = {f"prefect.flow-run.{name}" for name in ("Completed", "Failed", "TimedOut", "Cancelled", "Crashed")}
        assert ends < trigger.expect
        # Several heartbeats of half a minute may be lost on the way.
        assert trigger.within >= timedelta(minutes=5)


def test_deployments_produce_scheduled_runs_on_a_real_server(prefect_api: str) -> None:
    prefect(prefect_api, "work-pool", "create", "sotto", "--type", "process")
    for queue in ("refresh", "watch", "long"):
        prefect(prefect_api, "work-queue", "create", queue, "--pool", "sotto", "--limit", "1")
    prefect(prefect_api, "automation", "create", "--from-file", "automations.yaml")
    prefect(prefect_api, "deploy", "--all")
    wanted = {deployment["name"] for deployment in DECLARED if deployment.get("schedules")}
    scheduled = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])))
    found: dict[str, list[datetime]] = {}
    deadline = time.monotonic() + PATIENCE_S
    with get_client(sync_client=True) as client:
        assert client.read_work_pool("sotto").concurrency_limit is None
        limits = {queue.name: queue.concurrency_limit for queue in client.read_work_queues(work_pool_name="sotto")}
        assert {name: limit for name, limit in limits.items() if name != "default"} == {"refresh": 1, "watch": 1, "long": 1}
        while found.keys() != wanted and time.monotonic() < deadline:
            time.sleep(0.5)
            found = {}
            for run in client.read_flow_runs(flow_run_filter=scheduled):
                if run.deployment_id and run.expected_start_time:
                    at = run.expected_start_time.astimezone(ZoneInfo("America/New_York"))
                    found.setdefault(client.read_deployment(run.deployment_id).name, []).append(at)
    assert found.keys() == wanted
    # Every quarter of an hour of a weekday while the desk is open; at night once.
    assert {(at.minute, at.weekday() < 5, 7 <= at.hour < 19) for at in found["intraday"]} <= {
        (minute, True, True) for minute in (0, 15, 30, 45)
    }
    assert {(at.hour, at.minute) for at in found["nightly"]} == {(3, 30)}
    assert {at.minute for at in found["tca"]} == {5}
