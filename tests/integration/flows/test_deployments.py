"""``prefect.yaml``: its entrypoints load, and on a real server its deployments do produce scheduled runs."""

import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.flows import Flow, load_flow_from_entrypoint

PROJECT = Path(__file__).parents[3]
DECLARED = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
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
        assert deployment["tags"][0] == flow.name
        assert deployment["work_pool"]["name"] == "sotto"
        assert deployment.get("schedules") or deployment["name"] == "backfill"
        assert deployment["concurrency_limit"]["limit"] == 1


def test_every_parameter_of_the_refresh_is_described() -> None:
    flow = load_flow_from_entrypoint(str(PROJECT / "flows/refresh.py:refresh"))
    for name in flow.parameters.properties:
        assert f"``{name}``" in (flow.description or "")


def test_deployments_produce_scheduled_runs_on_a_real_server(prefect_api: str) -> None:
    prefect(prefect_api, "work-pool", "create", "sotto", "--type", "process")
    prefect(prefect_api, "work-pool", "set-concurrency-limit", "sotto", "1")
    prefect(prefect_api, "deploy", "--all")
    wanted = {deployment["name"] for deployment in DECLARED if deployment.get("schedules")}
    scheduled = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])))
    found: dict[str, list[datetime]] = {}
    deadline = time.monotonic() + PATIENCE_S
    with get_client(sync_client=True) as client:
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
