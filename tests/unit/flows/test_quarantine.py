"""Rows set aside: listed with where and why, and tried again under another mapping, another contract, or at a later hour."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from expectations.contracts.home import Home
from flows.deliveries import land_new
from flows.landing import Landing, Receipt
from flows.quarantine import Wanted, faults, write_csv
from flows.quarantine_retry import retry
from flows.refused import Refused
from flows.sources.config import SourceConfig
from flows.sources.registry import pull
from flows.transform import batches_to_use, lay_views
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk, read

LATER = NOW + timedelta(days=1)
MAPPING = """vendor: V
tables:
  trades:
    files: "prints*"
    time_zone: UTC
    security_id_type: INTERNAL
    columns:
      trade_id: id
      security_id: bond
      executed_at: at
      price: {from: px, unit: per_100}
      quantity: {from: qty, unit: units}
      status: {from: what, values: {N: NEW}}
      original_trade_id: of
"""
PRINTS = "id,bond,at,px,qty,what,of\nT1,S1,2025-06-02T10:00:00,99,100,N,\nT2,S1,2025-06-02T11:00:00,98,200,C,T1\n"


def used(desk: Desk) -> list[str]:
    """Name the trades that a refresh would use."""
    receipts = batches_to_use(desk.landing, ["market"], known_at=LATER + timedelta(days=9))
    return sorted(str(row["trade_id"]) for receipt in receipts for row in desk.landed(receipt))


def landed_with_a_future_row(desk: Desk) -> Receipt:
    rows = [*vendor.rows("trades", 2), vendor.row("trades", trade_id="ahead", executed_at=(NOW + timedelta(hours=1)).isoformat())]
    vendor.deliver(desk.vendor, "trades.csv", [*rows, vendor.row("trades", trade_id="bad", price="-1")])
    (receipt,) = desk.land()
    return receipt


def test_faults_are_listed_with_everything_that_finds_the_row_again(desk: Desk) -> None:
    receipt = landed_with_a_future_row(desk)
    listed = faults(desk.home, Wanted())
    assert listed.total == 2
    assert [(fault["row"], fault["column_name"], fault["rule"]) for fault in listed.faults] == [
        (3, "executed_at", "in_the_future"),
        (4, "price", "above"),
    ]
    first = listed.faults[1]
    assert (first["source"], first["table_name"], first["file"]) == ("market", "trades", receipt.file)
    assert (first["value"], first["reason"], first["batch"]) == ("-1", "must be above 0", receipt.batch)
    assert first["landed_at"] == NOW.replace(tzinfo=None)
    assert listed.counts == [("market", "trades", "executed_at", "in_the_future", 1), ("market", "trades", "price", "above", 1)]


@pytest.mark.parametrize(
    ("wanted", "total"),
    [
        (Wanted(source="market"), 2),
        (Wanted(source="another"), 0),
        (Wanted(table="trades", rule="above"), 1),
        (Wanted(table="axes"), 0),
    ],
)
def test_faults_are_filtered(desk: Desk, wanted: Wanted, total: int) -> None:
    landed_with_a_future_row(desk)
    assert faults(desk.home, wanted).total == total


def test_a_superseded_delivery_s_faults_are_history(desk: Desk, tmp_path: Path) -> None:
    landed_with_a_future_row(desk)
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    desk.land(now=LATER)
    assert faults(desk.home, Wanted()).total == 0
    every = faults(desk.home, Wanted(every_version=True), limit=1)
    assert (every.total, len(every.faults)) == (2, 1)
    write_csv(every, tmp_path / "out.csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 2


def test_an_empty_home_has_no_faults(tmp_path: Path) -> None:
    assert faults(Home(tmp_path), Wanted()).total == 0
    assert retry(Home(tmp_path), {}, now=NOW) == []


def test_the_warehouse_shows_the_faults_of_the_batches_in_use(desk: Desk) -> None:
    receipt = landed_with_a_future_row(desk)
    for batches, count in (([receipt], 2), ([], 0)):
        lay_views(desk.home, desk.landing, batches, new=[])
        with duckdb.connect(str(desk.home.warehouse), read_only=True) as connection:
            assert connection.execute("select count(*) from landing.quarantine").fetchall() == [(count,)]


def test_a_row_that_time_has_made_good_lands_once_and_what_is_bad_stays(desk: Desk) -> None:
    first = landed_with_a_future_row(desk)
    assert used(desk) == ["trade_id-1", "trade_id-2"]
    (told,) = retry(desk.home, {}, now=LATER)
    assert (told.landed, told.still_bad, told.problem) == (1, 1, None)
    assert used(desk) == ["ahead", "trade_id-1", "trade_id-2"]
    assert [fault["rule"] for fault in faults(desk.home, Wanted()).faults] == ["above"]
    (again,) = retry(desk.home, {}, now=LATER + timedelta(hours=1))
    assert (again.landed, again.still_bad) == (0, 1)
    receipts = desk.landing.receipts()
    assert [(receipt.rows, receipt.rejected) for receipt in receipts] == [(2, 2), (3, 1)]
    # The same file, still lying there, is not landed again; what was known before the retry can still be told.
    assert land_new(desk.landing, desk.pull(), now=LATER, not_after=LATER).receipts == receipts[1:]
    assert batches_to_use(desk.landing, ["market"], known_at=NOW) == [first]


def test_a_row_that_became_good_late_is_no_newer_than_its_delivery(desk: Desk) -> None:
    landed_with_a_future_row(desk)
    retry(desk.home, {}, now=LATER)
    (newest,) = desk.landing.newest().values()
    assert {row["_landed_at"] for row in desk.landed(newest)} == {NOW.replace(tzinfo=None)}
    assert {row["_batch"] for row in desk.landed(newest)} == {newest.batch}
    assert [row["_row"] for row in desk.landed(newest)] == [1, 2, 3]


def test_a_mapping_that_has_learned_a_code_brings_its_rows_in(tmp_path: Path) -> None:
    vendor.deliver(tmp_path / "in", "prints.csv", PRINTS)
    mapping = tmp_path / "v.yml"
    mapping.write_text(MAPPING)
    home = Home(tmp_path / "home")
    source = SourceConfig(
        name="market", kind="files", path=str(tmp_path / "in"), mapping=str(mapping), downloads=str(tmp_path / "downloads")
    )
    land_new(Landing(home), pull(source), now=NOW, not_after=NOW)
    (tmp_path / "in" / "prints.csv").unlink()  # the vendor keeps nothing
    mapping.write_text(MAPPING.replace("{N: NEW}", "{N: NEW, C: CANCEL}"))
    (told,) = retry(home, {"market": str(mapping)}, now=LATER)
    assert (told.landed, told.still_bad) == (1, 0)
    (newest,) = Landing(home).newest().values()
    rows = read(Landing(home).data(newest))
    assert [(row["trade_id"], row["status"], row["original_trade_id"]) for row in rows] == [
        ("T1", "NEW", None),
        ("T2", "CANCEL", "T1"),
    ]
    assert retry(home, {"market": str(mapping)}, now=LATER) == []


def test_of_a_row_that_makes_several_only_what_was_bad_lands_again(tmp_path: Path) -> None:
    mapping = tmp_path / "w.yml"
    figure = "metric: price_reversion, unit: bps, positive_is: COST, reference: MID, horizon_s: '{}'"
    text = (
        "vendor: W\ntables:\n  tca_results:\n    files: '*'\n    time_zone: UTC\n"
        "    columns: {execution_ref: ref, vendor: {constant: W}, computed_at: at}\n    figures:\n"
        f"      - {{from: a, {figure.format(300)}}}\n      - {{from: b, {figure.format(1800)}}}\n"
    )
    mapping.write_text(text)
    vendor.deliver(tmp_path / "in", "f.csv", 'ref,at,a,b\nR1,2025-06-02T10:00:00,1.5,"2,5"\n')
    home = Home(tmp_path / "home")
    source = SourceConfig(name="w", kind="files", path=str(tmp_path / "in"), mapping=str(mapping), downloads=str(tmp_path / "d"))
    (receipt,) = land_new(Landing(home), pull(source), now=NOW, not_after=NOW).receipts
    assert (receipt.rows, receipt.rejected) == (1, 1)
    with duckdb.connect() as connection:  # as if the vendor's clerk had corrected the cell
        path = home.quarantine / "w" / "tca_results" / f"{receipt.batch}.parquet"
        connection.execute(f"create table q as select * replace (replace(raw, '2,5', '2.5') as raw) from read_parquet('{path}')")
        connection.execute(f"copy q to '{path}' (format parquet)")
    (told,) = retry(home, {"w": str(mapping)}, now=LATER)
    assert (told.landed, told.still_bad) == (1, 0)
    (newest,) = Landing(home).newest().values()
    assert sorted((row["horizon_s"], row["value"]) for row in read(Landing(home).data(newest))) == [(300, 1.5), (1800, 2.5)]


def test_lines_that_were_no_rows_stay_set_aside(desk: Desk) -> None:
    row = vendor.row("trades", trade_id="ahead", executed_at=(NOW + timedelta(hours=1)).isoformat())
    vendor.deliver(desk.vendor, "trades.csv", vendor.text([*vendor.rows("trades", 1), row]) + "T9,S1\n")
    desk.land()
    (told,) = retry(desk.home, {}, now=LATER)
    assert (told.landed, told.still_bad) == (1, 1)
    assert [fault["rule"] for fault in faults(desk.home, Wanted()).faults] == ["unreadable"]


def test_a_delivery_held_back_is_left_alone(desk: Desk) -> None:
    receipt = landed_with_a_future_row(desk)
    desk.landing.hold([receipt], reason="bad", at=NOW)
    assert retry(desk.home, {}, now=LATER) == []


def test_rows_whose_mapping_is_gone_are_told_and_keep_no_other_from_landing(desk: Desk) -> None:
    landed_with_a_future_row(desk)
    (told,) = retry(desk.home, {"market": "gone.yml"}, now=LATER)
    assert told.problem is not None
    assert "no mapping 'gone'" in told.problem


def test_nothing_is_tried_while_a_refresh_runs(desk: Desk) -> None:
    landed_with_a_future_row(desk)
    with FileLock(desk.home.root / "refresh.lock"), pytest.raises(Refused, match="a refresh is running"):
        retry(desk.home, {}, now=LATER)
