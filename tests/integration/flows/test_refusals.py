"""Refreshes that must not publish: each fails with its reason in one line, and a passing fault is tried again."""

import errno
import json
import shutil
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

from expectations.contracts.home import Home
from expectations.contracts.sources import TABLES
from flows import publish
from flows.landing import Landing
from flows.orchestration import run_refresh
from flows.refused import Refused
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled, SourceError
from flows.sources.registry import KINDS
from tests.conftest import AS_OF, GoodDay
from tests.fakes import vendor

PROJECT = Path(__file__).parents[3]


def failed_state(sources: Path | str, **arguments: Any) -> Any:
    from flows.refresh import refresh

    state = refresh(str(sources), return_state=True, **arguments)
    assert state.is_failed()
    assert "Traceback" not in state.message
    assert "\n" not in state.message
    return state


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file or folder"),
        ("sources: [", "not valid YAML"),
        ("sources: [{name: a, kind: nothing, path: x}]", "unknown kind 'nothing'"),
        ("sources: [{name: a, kind: canonical, path: gone}]", "no folder"),
        ("sources: []", "no source gives dealers, securities, rfq_log"),
    ],
    ids=["no list", "broken list", "unknown kind", "no folder", "no source"],
)
def test_a_refresh_that_cannot_start_fails_with_the_reason_and_publishes_nothing(
    prefect_api: str, home: Home, tmp_path: Path, content: str | None, words: str
) -> None:
    listed = tmp_path / "sources.yml"
    if content is not None:
        listed.write_text(content, encoding="utf-8")
    state = failed_state(listed)
    assert state.message.startswith("nothing published: ")
    assert words in state.message
    assert publish.current_id(home) is None


def test_every_problem_of_the_deliveries_is_told_and_the_good_ones_land(prefect_api: str, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    vendor.deliver(folder, "dealers.csv", vendor.rows("dealers", 3))
    vendor.deliver(folder, "securities.csv", vendor.text(vendor.rows("securities", 3), without="currency"))
    vendor.deliver(folder, "trades.csv.gz", b"no gzip")
    state = failed_state(folder)
    assert "securities.csv lacks the required column(s) currency" in state.message
    assert "trades.csv.gz cannot be read" in state.message
    assert [receipt.table for receipt in Landing(home).receipts()] == ["dealers"]


def test_a_gate_that_shuts_names_suite_harm_and_rows_and_writes_its_page(prefect_api: str, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    vendor.deliver(folder, "dealers.csv", vendor.rows("dealers", 3, status="SUSPENDED"))
    vendor.deliver(folder, "securities.csv", vendor.rows("securities", 3))
    vendor.deliver(folder, "rfq_log.csv", vendor.rows("rfq_log", 3))
    with pytest.raises(Refused, match=r"dealers\.any_active failed: A list on which every dealer is suspended"):
        run_refresh(folder)
    assert publish.current_id(home) is None
    assert {receipt.table: Landing(home).state(receipt) for receipt in Landing(home).receipts()} == {
        "dealers": "held",
        "securities": "pending",
        "rfq_log": "pending",
    }
    assert "any_active" in (home.data_docs / "refused.html").read_text(encoding="utf-8")


def test_a_build_that_dies_before_its_first_node_is_refused_though_one_before_it_passed(
    good_day: GoodDay, copied: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(PROJECT / "dbt", tmp_path / "dbt"))
    (project / "models" / "broken.sql").write_text("select {{ ref('no_such_model') }}", encoding="utf-8")
    monkeypatch.setenv("SOTTO_DBT_PROJECT", str(project))
    state = failed_state(good_day.market, as_of=AS_OF)
    assert "no_such_model" in state.message
    assert publish.current_id(copied) == good_day.manifest.snapshot_id


def results_file(folder: Path, nodes: list[tuple[str, str, str | None]]) -> Path:
    """Write what dbt leaves of these nodes: identifier, status, message; a test that fails has found one row."""
    found = {"failures": 1, "compiled_code": "select 7 as a"}
    results = [{"unique_id": name, "status": status, "message": message, **found} for name, status, message in nodes]
    path = folder / "run_results.json"
    path.write_text(json.dumps({"metadata": {"invocation_id": "i"}, "results": results}), encoding="utf-8")
    return path


def test_a_model_that_fails_is_named_and_what_stands_behind_it_is_not(tmp_path: Path) -> None:
    from flows.build import BuildFailed
    from flows.build import report as report_of

    nodes = [
        ("model.sotto.a", "success", "OK"),
        ("model.sotto.b", "error", "Binder Error:\n  no column"),
        ("model.sotto.c", "skipped", None),
    ]
    path = results_file(tmp_path, nodes)
    with pytest.raises(BuildFailed) as failed:
        report_of(path, tmp_path / "none.duckdb")
    assert failed.value.nodes == ["model.sotto.b: Binder Error: no column"]
    results_file(tmp_path, nodes[2:])
    with pytest.raises(BuildFailed, match=r"model\.sotto\.c: skipped"):
        report_of(path, tmp_path / "none.duckdb")


def test_the_second_of_two_refreshes_at_once_is_refused_in_one_line(prefect_api: str, home: Home, market: Path) -> None:
    home.root.mkdir(parents=True)
    with FileLock(home.root / "refresh.lock"):
        state = failed_state(market)
        with pytest.raises(Refused, match=r"^another refresh is running$"):
            run_refresh(market)
    assert state.message == "another refresh is running; wait for it to end"
    assert not home.landing.exists()


@pytest.mark.parametrize(
    ("fault", "pulls"),
    [
        (OSError(errno.EIO, "Input/output error", "/mnt/share"), 3),
        (PermissionError(errno.EACCES, "Permission denied", "/mnt/share"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/mnt/share"), 1),
        (SourceError("source 'market': lacks a column"), 1),
    ],
    ids=["I/O fault", "no access", "no file", "bad data"],
)
def test_a_pull_is_tried_again_for_a_passing_fault_only(
    prefect_api: str, monkeypatch: pytest.MonkeyPatch, fault: Exception, pulls: int
) -> None:
    from prefect import flow

    from flows.refresh import pull_source

    pulled = []

    def broken(source: SourceConfig) -> Iterator[Pulled]:
        pulled.append(source)
        raise fault
        yield

    @flow
    def only_pull() -> None:
        pull_source.with_options(retry_delay_seconds=0)(SourceConfig(name="market", kind="broken", path="/mnt/share"))

    monkeypatch.setitem(KINDS, "broken", broken)
    with pytest.raises(SourceError):
        only_pull()
    assert len(pulled) == pulls


def test_a_fault_that_passes_is_overcome(prefect_api: str, monkeypatch: pytest.MonkeyPatch, market: Path) -> None:
    from prefect import flow

    from flows.refresh import pull_source

    tries = []

    def flaky(source: SourceConfig) -> Iterator[Pulled]:
        tries.append(source)
        if len(tries) == 1:
            raise OSError(errno.EIO, "Input/output error", source.path)
        yield from KINDS["canonical"](source)

    @flow
    def only_pull() -> list[Pulled]:
        return pull_source.with_options(retry_delay_seconds=0)(SourceConfig(name="market", kind="flaky", path=str(market)))

    monkeypatch.setitem(KINDS, "flaky", flaky)
    assert {delivery.table for delivery in only_pull()} == set(TABLES)
    assert len(tries) == 2


def test_a_server_out_of_reach_is_told_in_one_line(prefect_api: str, home: Home, market: Path) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: nowhere}), pytest.raises(Refused, match="check PREFECT_API_URL") as refused:
            run_refresh(market)
    assert nowhere in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_time_without_a_zone_is_utc(prefect_api: str, home: Home, tmp_path: Path) -> None:
    vendor.deliver(tmp_path / "vendor", "dealers.csv", vendor.rows("dealers", 3))
    naive = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    state = failed_state(tmp_path / "vendor", as_of=naive, known_at=naive)
    assert "no source gives securities, rfq_log" in state.message


def test_a_test_that_fails_has_a_task_run_that_failed_with_its_message(prefect_api: str, tmp_path: Path) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
    from prefect.runtime import flow_run

    from flows.build import BuildFailed, told

    warehouse = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(warehouse)).close()
    nodes = [
        ("model.sotto.a", "success", "OK"),
        ("test.sotto.unique_a.1f", "fail", "Got 1 result"),
        ("test.sotto.b.2e", "pass", None),
    ]
    path = results_file(tmp_path, nodes)

    @flow
    def building() -> str:
        with pytest.raises(BuildFailed, match=r"^dbt build failed: test\.sotto\.unique_a\.1f: 1 row\(s\), such as \{'a': 7\}$"):
            told(path, warehouse)
        return str(flow_run.get_id())

    run = building()
    deadline = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        while True:
            runs = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run])))
            # The server writes task runs down as events come in.
            if (runs and runs[0].state_name == "Failed") or time.monotonic() > deadline:
                break
            time.sleep(0.2)
    assert [(one.name, one.state_name) for one in runs] == [("test unique_a", "Failed")]
    assert "1 row(s), such as {'a': 7}" in runs[0].state.message
