"""Snapshots while the service runs: swapped under load, broken ones ignored."""

import asyncio
import json
from pathlib import Path

import duckdb
import pytest

from expectations.contracts.home import Home
from serve.adapters.snapshot import SnapshotStore
from serve.adapters.snapshot_reader import SnapshotBroken, read_market
from tests.fakes.snapshot import make_current, small_market, write_snapshot
from tests.integration.api_client import Api, running

DEADLINE_S = 20.0


async def until_serving(api: Api, snapshot_id: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while (await api.recommend()).json()["snapshot_id"] != snapshot_id:
            pass


async def test_swap_under_load_never_fails_and_never_mixes_two_snapshots(tmp_path: Path) -> None:
    rows = small_market()
    rows["dim_dealers"] = [row | {"name": f"{row['name']} (new)"} for row in rows["dim_dealers"]]
    write_snapshot(tmp_path, rows, snapshot_id="second", current=False)
    async with running(tmp_path) as api:
        seen: list[tuple[str, bool]] = []
        stop = asyncio.Event()

        async def load() -> None:
            while not stop.is_set():
                response = await api.recommend()
                assert response.status_code == 200
                answer = response.json()
                renamed = {dealer["name"].endswith("(new)") for dealer in answer["dealers"]}
                assert len(renamed) == 1
                seen.append((answer["snapshot_id"], renamed.pop()))

        workers = [asyncio.create_task(load()) for _ in range(3)]
        first = (await api.recommend()).json()["snapshot_id"]
        make_current(tmp_path, "second")
        await until_serving(api, "second")
        stop.set()
        await asyncio.gather(*workers)
    assert set(seen) == {(first, False), ("second", True)}


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def torn_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"contract_version": 1')


def later_contract(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"contract_version": 99}))


def no_database(folder: Path) -> None:
    (folder / "scorecards.duckdb").unlink()


def not_a_database(folder: Path) -> None:
    (folder / "scorecards.duckdb").write_bytes(b"not a database at all, but long enough to be looked at" * 100)


def altered(sql: str) -> object:
    def change(folder: Path) -> None:
        with duckdb.connect(str(folder / "scorecards.duckdb")) as database:
            database.execute(sql)

    return change


BREAKS = {
    "manifest.json is missing": no_manifest,
    "manifest.json cannot be read": torn_manifest,
    "contract version 99": later_contract,
    "scorecards.duckdb is missing": no_database,
    "scorecards.duckdb cannot be read": not_a_database,
    "table fct_dealer_axes is missing": altered("drop table fct_dealer_axes"),
    "dim_dealers.lei should be VARCHAR and is missing": altered("alter table dim_dealers drop column lei"),
    "dim_dealers.credit_limit should be DOUBLE and is VARCHAR": altered("alter table dim_dealers alter credit_limit type varchar"),
    "dim_dealers is empty": altered("delete from dim_dealers"),
    "does not allow": altered("update dim_dealers set status = 'AWAY'"),
    "fill_rate_score is empty for dealer A": altered(
        "update fct_dealer_scorecards set fill_rate_score = null where dealer_id = 'A'"
    ),
}


@pytest.mark.parametrize("said", BREAKS)
def test_broken_snapshot_is_refused_with_what_is_wrong_and_the_good_one_stays(tmp_path: Path, said: str) -> None:
    good = write_snapshot(tmp_path)
    store = SnapshotStore(Home(tmp_path))
    assert store.refresh()
    write_snapshot(tmp_path, snapshot_id="broken")
    folder = Home(tmp_path).snapshots / "broken"
    BREAKS[said](folder)  # type: ignore[operator]
    with pytest.raises(SnapshotBroken, match=said):
        read_market(folder)
    assert not store.refresh()
    current = store.current()
    assert current is not None
    assert current.snapshot_id == good


@pytest.mark.parametrize("text", ["", "   ", "../../etc", "gone", "\x00", "a/b"])
def test_current_that_names_nothing_usable_keeps_the_good_snapshot(tmp_path: Path, text: str) -> None:
    good = write_snapshot(tmp_path)
    store = SnapshotStore(Home(tmp_path))
    store.refresh()
    Home(tmp_path).current.write_text(text)
    assert not store.refresh()
    current = store.current()
    assert current is not None
    assert current.snapshot_id == good


def test_older_snapshot_is_opened_by_its_name(tmp_path: Path) -> None:
    first = write_snapshot(tmp_path)
    write_snapshot(tmp_path, snapshot_id="second")
    store = SnapshotStore(Home(tmp_path))
    store.refresh()
    assert store.get(first).snapshot_id == first
    with pytest.raises(SnapshotBroken, match="is missing"):
        store.get("third")
