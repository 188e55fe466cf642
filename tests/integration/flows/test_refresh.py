"""The refresh on a real Prefect server, a real warehouse and a small simulated market."""

import errno
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from filelock import FileLock

from expectations.contracts.home import Home
from expectations.contracts.snapshot import SNAPSHOT_TABLES
from expectations.contracts.sources import TABLES
from flows import publish
from flows.landing import Landing
from flows.orchestration import run_refresh
from flows.refused import Refused
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled, SourceError
from flows.sources.registry import KINDS, pull
from serve.adapters.snapshot import SnapshotStore
from serve.domain.scoring import score, spec_of
from tests.conftest import AS_OF, GoodDay
from tests.fakes import plain_refresh, vendor

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def copied(good_day: GoodDay, home: Home) -> Home:
    good_day.copied(home.root)
    return home


def test_a_refresh_publishes_a_whole_snapshot(good_day: GoodDay) -> None:
    home = Home(good_day.home)
    told = good_day.manifest
    assert publish.current_id(home) == told.snapshot_id
    assert publish.read_manifest(home, told.snapshot_id) == told
    assert told.as_of == AS_OF
    assert set(told.tables) == set(SNAPSHOT_TABLES)
    assert all(facts.rows > 0 for facts in told.tables.values())
    assert told.gate
    assert all(result.passed for result in told.gate)
    assert (home.data_docs / f"{told.snapshot_id}.html").is_file()
    assert {Landing(home).state(receipt) for receipt in Landing(home).receipts()} == {"accepted"}


def test_every_row_delivered_is_landed_or_stands_in_quarantine_with_a_reason(good_day: GoodDay) -> None:
    home, told = Home(good_day.home), good_day.manifest
    delivered: Counter[str] = Counter()
    for delivery in pull(SourceConfig(name="files", kind="canonical", path=str(good_day.market))):
        with duckdb.connect() as connection:
            delivered[delivery.table] += connection.execute(f"select count(*) from ({delivery.select})").fetchall()[0][0]
    kept: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for receipt in Landing(home).receipts():
        kept[receipt.table] += receipt.rows
        bad[receipt.table] += receipt.rejected
    assert kept + bad == delivered
    assert {table: count for table, count in told.quarantined.items() if table in TABLES} == {t: n for t, n in bad.items() if n}
    with duckdb.connect() as connection:
        found = connection.execute(
            "select table_name, count(distinct (file, row)), count(*) filter (where reason is null) "
            "from read_parquet(?) group by all",
            [str(home.quarantine / "*" / "*" / "*.parquet")],
        ).fetchall()
    assert {table: count for table, count, _ in found} == {table: count for table, count in bad.items() if count}
    assert all(unexplained == 0 for *_, unexplained in found)


def test_a_second_refresh_lands_nothing_again_and_leaves_what_came_after_known_at_unjudged(
    good_day: GoodDay, copied: Home, tmp_path: Path
) -> None:
    before = list(Landing(copied).receipts())
    files = {path: path.stat().st_mtime_ns for path in (copied.snapshots / good_day.manifest.snapshot_id).iterdir()}
    # A late delivery so bad that the gate would shut if it were used.
    vendor.deliver(tmp_path / "late", "axes.csv", vendor.rows("axes", 30, side="SIDEWAYS") + vendor.rows("axes", 2))
    book = tmp_path / "sources.yml"
    sources = [
        {"name": name, "kind": "canonical", "path": str(path)} for name, path in (("files", good_day.market), ("late", "late"))
    ]
    book.write_text(json.dumps({"sources": sources}), encoding="utf-8")

    again = run_refresh(book, as_of=AS_OF, known_at=good_day.manifest.known_at)
    assert again == good_day.manifest
    assert {path: path.stat().st_mtime_ns for path in files} == files
    late = [receipt for receipt in Landing(copied).receipts() if receipt not in before]
    assert [(receipt.source, Landing(copied).state(receipt)) for receipt in late] == [("late", "pending")]
    assert_every_dbt_node_ran_to_its_end(copied)

    with pytest.raises(Refused, match=r"axes\.rejected_share failed"):
        run_refresh(book, as_of=AS_OF)
    assert Landing(copied).state(late[0]) == "held"
    assert publish.current_id(copied) == good_day.manifest.snapshot_id


def assert_every_dbt_node_ran_to_its_end(home: Home) -> None:
    """Check that each node of the build has one task run of the flow run that ended last, and that the server knows its end."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort

    results = json.loads((home.root / "dbt" / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    deadline = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        ended = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.COMPLETED])))
        (last,) = client.read_flow_runs(flow_run_filter=ended, sort=FlowRunSort.END_TIME_DESC, limit=1)
        while True:
            runs: list[Any] = []
            while page := client.read_task_runs(
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[last.id])), limit=100, offset=len(runs)
            ):
                runs += page
            states = Counter(run.state_name for run in runs)
            # The server writes task runs down as events come in: a moment after the flow's end.
            if (set(states) == {"Completed"} and len(runs) >= len(results)) or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    names = Counter(run.name for run in runs)
    nodes = [node["unique_id"].split(".") for node in results]
    missing = [f"{kind} {name}" for kind, _, name, *_ in nodes if names[f"{kind} {name}"] != 1]
    assert missing == []
    assert set(states) == {"Completed"}


def test_the_default_composite_is_the_weighted_sum_that_the_service_computes(good_day: GoodDay) -> None:
    rules = yaml.safe_load((PROJECT / "config" / "rules.yml").read_text(encoding="utf-8"))
    weights = rules["default"]["score"]["weights"]
    store = SnapshotStore(Home(good_day.home))
    store.refresh()
    market = store.current()
    assert market is not None
    compared = 0
    for (_, window), cards in market.scorecards.items():
        total = score(cards, spec_of("seed_v0", window, weights)).total
        assert total == pytest.approx(cards.composite, abs=1e-11)
        compared += len(total)
    assert compared == good_day.manifest.tables["fct_dealer_scorecards"].rows


def test_dbt_unit_tests_pass(copied: Home) -> None:
    assert plain_refresh.dbt(copied, "test", "--select", "test_type:unit") >= 10


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
