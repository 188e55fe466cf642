"""The refresh on a real Prefect server, a real warehouse and a small simulated market."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey

from expectations.contracts.home import Home
from expectations.contracts.snapshot import SNAPSHOT_TABLES
from expectations.contracts.sources import TABLES
from flows import publish
from flows.landing import Landing
from flows.orchestration import run_refresh
from flows.refused import Refused
from flows.sources.config import SourceConfig
from flows.sources.registry import pull
from serve.adapters.snapshot import SnapshotStore
from serve.domain.scoring import score
from serve.domain.spec import spec_of
from tests.conftest import AS_OF, GoodDay
from tests.fakes import plain_refresh, vendor

PROJECT = Path(__file__).parents[3]


def test_a_refresh_publishes_a_whole_snapshot(good_day: GoodDay) -> None:
    home = Home(good_day.home)
    told = good_day.manifest
    assert publish.current_id(home) == told.snapshot_id
    assert publish.read_manifest(home, told.snapshot_id) == told
    assert told.as_of == AS_OF
    assert set(told.tables) == set(SNAPSHOT_TABLES)
    # Nobody has overridden anything yet.
    assert {table for table, facts in told.tables.items() if not facts.rows} == {"fct_override_outcomes"}
    assert told.gate
    assert all(result.passed for result in told.gate)
    assert (home.data_docs / f"{told.snapshot_id}.html").is_file()
    assert {Landing(home).state(receipt) for receipt in Landing(home).receipts()} == {"accepted"}


def test_a_refresh_leaves_its_tables_and_reports_on_the_server(good_day: GoodDay) -> None:
    home, told = Home(good_day.home), good_day.manifest
    with get_client(sync_client=True) as client:
        of_key = ArtifactFilter(key=ArtifactFilterKey(any_=["snapshot"]))
        # Other runs on this server leave theirs, too.
        run = next(one.flow_run_id for one in client.read_artifacts(artifact_filter=of_key) if told.snapshot_id in str(one.data))
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        latest = {found.key: found for found in client.read_artifacts(artifact_filter=of_run)}
    best = json.loads(str(latest["scorecards"].data))
    assert {row["rank"] for row in best} == {1, 2, 3, 4, 5}
    gate = json.loads(str(latest["gate"].data))
    assert {(row["data set"], row["check"]) for row in gate} == {(result.suite, result.check) for result in told.gate}
    assert all(row["made by"] for row in gate)
    assert {row["table"]: row["rows set aside"] for row in json.loads(str(latest["quarantine"].data))} == told.quarantined
    # The page's path, and no link to a file: browsers follow none from a server's page.
    assert f"\n{home.data_docs / told.snapshot_id}.html\n" in str(latest["data-docs"].data)
    assert "file:" not in str(latest["data-docs"].data)


def test_a_pull_of_some_tables_uses_the_others_as_they_were_landed(
    good_day: GoodDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(good_day.copied(tmp_path / "home"))
    monkeypatch.setenv("SOTTO_HOME", str(home.root))
    from flows.refresh import refresh

    state = refresh(str(good_day.market), as_of=AS_OF, tables=["tca_results"], return_state=True)
    manifest = state.result()
    assert manifest.snapshot_id == good_day.manifest.snapshot_id
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        # The snapshot before it was of the same sources and instant: the gate could compare.
        assert connection.execute("select count(*) > 0 from audit.previous_scorecards").fetchall() == [(True,)]


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
    # A late delivery so bad that the gate would shut if it were used, and a good one of the same table beside it.
    vendor.deliver(tmp_path / "late", "axes.csv", vendor.rows("axes", 30, side="SIDEWAYS") + vendor.rows("axes", 2))
    vendor.deliver(tmp_path / "beside", "axes.csv", vendor.rows("axes", 3))
    book = tmp_path / "sources.yml"
    folders = (("files", good_day.market), ("late", "late"), ("beside", "beside"))
    sources = [{"name": name, "kind": "canonical", "path": str(path)} for name, path in folders]
    book.write_text(json.dumps({"sources": sources}), encoding="utf-8")

    again = run_refresh(book, as_of=AS_OF, known_at=good_day.manifest.known_at)
    assert again == good_day.manifest
    assert {path: path.stat().st_mtime_ns for path in files} == files
    late = [receipt for receipt in Landing(copied).receipts() if receipt not in before]
    assert [(receipt.source, Landing(copied).state(receipt)) for receipt in late] == [("beside", "pending"), ("late", "pending")]
    assert_what_dbt_made_has_task_runs_that_ended(copied)

    with pytest.raises(Refused, match=r"axes\.rejected_share failed"):
        run_refresh(book, as_of=AS_OF)
    assert [Landing(copied).state(receipt) for receipt in late] == ["held", "held"]
    assert publish.current_id(copied) == good_day.manifest.snapshot_id

    # The good one came in bad company; once that is mended both are used.
    vendor.deliver(tmp_path / "late", "axes.csv", vendor.rows("axes", 2))
    assert run_refresh(book, as_of=AS_OF).snapshot_id == publish.current_id(copied)
    states = {(receipt.source, Landing(copied).state(receipt)) for receipt in Landing(copied).receipts() if receipt not in before}
    assert states == {("beside", "accepted"), ("late", "held"), ("late", "accepted")}
    # The home is a copy in another place: nothing is read where its files were.
    with duckdb.connect(str(copied.warehouse), read_only=True) as connection:
        elsewhere = connection.execute(
            "select count(*), count(*) filter (where not starts_with(path, ?)) from landing_index.batches", [f"{copied.root}/"]
        ).fetchall()[0]
    assert elsewhere[0] > 0
    assert elsewhere[1] == 0


def assert_what_dbt_made_has_task_runs_that_ended(home: Home) -> None:
    """Check that each model and seed has one task run of the flow run that ended last, and that the server knows its end."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort

    results = json.loads((home.root / "dbt" / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    made = [node["unique_id"].split(".") for node in results if not node["unique_id"].startswith("test.")]
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
            if (set(states) == {"Completed"} and len(runs) >= len(made)) or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    names = Counter(run.name for run in runs)
    missing = [f"{kind} {name}" for kind, _, name, *_ in made if names[f"{kind} {name}"] != 1]
    assert missing == []
    assert set(states) == {"Completed"}
    assert not any(name.startswith("test ") for name in names)


def test_the_default_composite_is_the_weighted_sum_that_the_service_computes(good_day: GoodDay) -> None:
    rules = yaml.safe_load((PROJECT / "config" / "rules.yml").read_text(encoding="utf-8"))
    weights = rules["default"]["score"]["weights"]
    store = SnapshotStore(Home(good_day.home))
    store.refresh()
    market = store.current()
    assert market is not None
    compared = 0
    for (_, window, half_life), cards in market.scorecards.items():
        total = score(cards, spec_of("seed_v0", window, weights, half_life_days=half_life)).total
        assert total == pytest.approx(cards.composite, abs=1e-11)
        compared += len(total)
    assert compared == good_day.manifest.tables["fct_dealer_scorecards"].rows


def test_dbt_unit_tests_pass(copied: Home) -> None:
    assert plain_refresh.dbt(copied, "test", "--select", "test_type:unit", as_of=AS_OF) >= 10
