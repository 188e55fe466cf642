"""Publishing: an immutable folder and one switch; whoever reads sees one whole snapshot, whatever happens to the writer."""

import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import msgspec
import pytest

from expectations.contracts.home import Home
from expectations.contracts.snapshot import CONTRACT_VERSION, SNAPSHOT_TABLES, TableFacts
from flows import publish
from flows.refused import Refused
from tests.fakes import publisher, warehouse

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    warehouse.build(tmp_path / "warehouse.duckdb")
    return Home(tmp_path)


def change(home: Home, statement: str) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(statement)


def facts(folder: Path) -> dict[str, TableFacts]:
    """Count and hash what really stands in a snapshot."""
    with duckdb.connect(str(folder / publish.DATABASE), read_only=True) as connection:
        return {table: publish._facts(connection, table, columns) for table, columns in SNAPSHOT_TABLES.items()}


def test_a_snapshot_holds_the_contract_s_tables_and_a_manifest_that_tells_them(home: Home) -> None:
    manifest = publish.publish(home, publisher.made(0))
    folder = home.snapshots / manifest.snapshot_id
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "scorecards.duckdb"]
    assert manifest == publish.read_manifest(home, manifest.snapshot_id)
    assert manifest.contract_version == CONTRACT_VERSION
    assert manifest.tables == facts(folder)
    assert {table: told.rows for table, told in manifest.tables.items()} == dict.fromkeys(SNAPSHOT_TABLES, 3)
    assert publish.current_id(home) == manifest.snapshot_id
    with duckdb.connect(str(folder / publish.DATABASE), read_only=True) as connection:
        for table, columns in SNAPSHOT_TABLES.items():
            described = connection.execute(f"describe {table}").fetchall()
            assert {name: kind for name, kind, *_ in described} == columns


def test_the_same_content_of_the_same_instant_is_the_same_snapshot_and_changes_nothing(home: Home) -> None:
    first = publish.publish(home, publisher.made(0))
    folder = home.snapshots / first.snapshot_id
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    shuffled = "create or replace table marts.dim_dealers as from marts.dim_dealers order by dealer_id desc"
    change(home, shuffled)
    again = publish.publish(home, msgspec.structs.replace(publisher.made(0), dbt_invocation_id="another"))
    assert again == first
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before
    assert len(publish.list_manifests(home)) == 1


def test_noise_below_the_ninth_decimal_is_the_same_content(home: Home) -> None:
    first = publish.publish(home, publisher.made(0))
    change(home, "update marts.fct_dealer_scorecards set composite = composite + 1e-13")
    assert publish.publish(home, publisher.made(0)).snapshot_id == first.snapshot_id
    change(home, "update marts.fct_dealer_scorecards set composite = composite + 1e-6")
    assert publish.publish(home, publisher.made(0)).snapshot_id != first.snapshot_id


@pytest.mark.parametrize("table", SNAPSHOT_TABLES)
def test_other_content_in_any_table_is_another_snapshot(home: Home, table: str) -> None:
    first = publish.publish(home, publisher.made(0))
    column = next(name for name, kind in SNAPSHOT_TABLES[table].items() if kind == "VARCHAR")
    change(home, f"update marts.{table} set {column} = null where {column} = 'text 1'")
    assert publish.publish(home, publisher.made(0)).snapshot_id != first.snapshot_id


def test_the_same_content_of_another_instant_is_another_snapshot(home: Home) -> None:
    assert publish.publish(home, publisher.made(0)).snapshot_id != publish.publish(home, publisher.made(1)).snapshot_id


def test_going_back_is_one_switch_and_a_snapshot_that_is_not_there_is_refused(home: Home) -> None:
    first = publish.publish(home, publisher.made(0))
    second = publish.publish(home, publisher.made(1))
    assert publish.current_id(home) == second.snapshot_id
    publish.switch_to(home, first.snapshot_id)
    assert publish.current_id(home) == first.snapshot_id
    for name in ("19990101", f"{second.snapshot_id}/", f"../snapshots/{second.snapshot_id}"):
        with pytest.raises(FileNotFoundError, match=f"no snapshot {name} in"):
            publish.switch_to(home, name)
    assert publish.current_id(home) == first.snapshot_id


def test_before_the_first_snapshot_there_is_no_current_one(tmp_path: Path) -> None:
    assert publish.current_id(Home(tmp_path)) is None


def test_dropping_keeps_the_newest_and_never_drops_the_current_one(home: Home) -> None:
    made = [publish.publish(home, publisher.made(number)).snapshot_id for number in range(5)]
    publish.switch_to(home, made[0])
    assert publish.drop_old(home, keep=2) == made[1:3]
    assert sorted(path.name for path in home.snapshots.iterdir() if path.is_dir()) == sorted([made[0], *made[3:]])
    assert publish.drop_old(home, keep=1) == [made[3]]
    assert publish.current_id(home) == made[0]


def test_a_publication_that_fails_leaves_the_current_snapshot(home: Home) -> None:
    first = publish.publish(home, publisher.made(0))
    change(home, "drop table marts.fct_dealer_axes")
    with pytest.raises(duckdb.CatalogException):
        publish.publish(home, publisher.made(1))
    assert publish.current_id(home) == first.snapshot_id
    assert len(publish.list_manifests(home)) == 1


def test_what_a_killed_publisher_left_is_cleared_by_the_next(home: Home) -> None:
    half = home.snapshots / ".work"
    half.mkdir(parents=True)
    (half / publish.DATABASE).write_bytes(b"half")
    (home.snapshots / ".CURRENT").write_bytes(b"nowhere")
    manifest = publish.publish(home, publisher.made(0))
    assert sorted(path.name for path in home.snapshots.iterdir()) == sorted(["CURRENT", manifest.snapshot_id])


def test_sums_in_another_order_are_the_same_content(home: Home) -> None:
    def told(figure: str) -> str:
        change(home, f"update marts.fct_dealer_scorecards set response_speed_score = {figure}")
        manifest = publish.publish(home, publisher.made(0))
        return manifest.tables["fct_dealer_scorecards"].logical_hash

    assert told("0.5818671875::double") == told("0.5818671874999999::double") != told("0.5818671890::double")
    assert told("0.0::double") == told("-0.0::double") == told("1e-15::double")


def test_what_a_publisher_is_writing_is_no_snapshot(home: Home) -> None:
    manifest = publish.publish(home, publisher.made(0))
    (home.snapshots / manifest.snapshot_id).rename(home.snapshots / ".work")
    assert publish.list_manifests(home) == []
    with pytest.raises(FileNotFoundError, match=r"no snapshot [.]work in"):
        publish.switch_to(home, ".work")


@pytest.mark.parametrize("content", [b"", b'{"contract_version": 1'])
def test_a_manifest_that_cannot_be_read_is_told_and_the_others_are_listed(home: Home, content: bytes) -> None:
    good, bad = (publish.publish(home, publisher.made(number)) for number in range(2))
    path = home.snapshots / bad.snapshot_id / publish.MANIFEST
    path.write_bytes(content)
    told: list[str] = []
    assert publish.list_manifests(home, told.append) == [good]
    assert [line.startswith(f"{path} cannot be read (") and "\n" not in line for line in told] == [True]
    with pytest.raises(Refused, match="cannot be read"):
        publish.publish(home, publisher.made(1))


def look(home: Home) -> str:
    """Read the current snapshot as the service does, and check it whole; a snapshot dropped meanwhile is looked for anew."""
    while True:
        named = publish.current_id(home)
        assert named
        try:
            manifest = publish.read_manifest(home, named)
            found = facts(home.snapshots / named)
        except (Refused, duckdb.IOException):
            assert publish.current_id(home) != named, f"CURRENT names {named}, which cannot be read"
            continue
        assert manifest.snapshot_id == named
        assert manifest.tables == found
        return named


def test_a_reader_sees_one_whole_snapshot_while_publishers_are_killed_200_times(home: Home) -> None:
    for rows in (1, 2, 4):
        warehouse.build(home.root / f"variant-{rows}.duckdb", scorecards=rows)
    publish.publish(home, publisher.made(-1))
    started = time.monotonic()
    publish.publish(home, publisher.made(-2))
    longest = min(1.2 * (time.monotonic() - started), 0.2)
    arguments = [sys.executable, "-m", "tests.fakes.publisher", str(home.root), "200", "11", str(longest)]
    seen = set()
    with subprocess.Popen(arguments, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as killing:
        while killing.poll() is None:
            seen.add(look(home))
            time.sleep(0.02)
        told = [int(line) for line in killing.stdout or []]
    assert killing.returncode == 0
    assert len(told) == 200
    assert told.count(0) >= 5  # killed in the midst of one
    assert sum(told) >= 20
    assert len(seen) >= 5
    look(home)
    assert publish.publish(home, publisher.made(999_999)).snapshot_id == look(home)


def test_the_manifest_is_plain_json(home: Home) -> None:
    manifest = publish.publish(home, publisher.made(0))
    told = json.loads((home.snapshots / manifest.snapshot_id / publish.MANIFEST).read_text(encoding="utf-8"))
    assert told["as_of"] == "2025-06-30T22:00:00Z"
    assert set(told["tables"]) == set(SNAPSHOT_TABLES)
