"""Schema drift: a column gone, renamed, of another type or new, found before a delivery is used."""

from datetime import timedelta

import pytest

from flows.deliveries import land_new
from flows.drift import Seen, expected, gone, looks_like, new, of_another_type
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled
from flows.sources.registry import pull
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk

FILLED, EMPTY = Seen("VARCHAR", 3), Seen("VARCHAR", 0)


def delivered(desk: Desk, name: str, rows: list[vendor.Row], *, without: str | None = None) -> list[str]:
    """Deliver a file, land what is new, and give what went wrong."""
    vendor.deliver(desk.vendor, name, vendor.text(rows, without=without))
    return land(desk, desk.pull())


def land(desk: Desk, pulled: list[Pulled]) -> list[str]:
    """Land a minute after the delivery before."""
    now = NOW + timedelta(minutes=len(desk.landing.receipts()))
    return land_new(desk.landing, pulled, now=now, not_after=now).problems


def renamed(rows: list[vendor.Row], old: str, fresh: str) -> list[vendor.Row]:
    return [{fresh if name == old else name: cell for name, cell in row.items()} for row in rows]


def test_the_first_delivery_is_taken_as_it_is_and_the_receipt_keeps_its_columns(desk: Desk) -> None:
    assert delivered(desk, "trades.csv", vendor.rows("trades", 6), without="quantity_capped") == []
    (receipt,) = desk.landing.receipts()
    assert receipt.columns["price"] == Seen("VARCHAR", 6)
    assert "quantity_capped" not in receipt.columns


@pytest.mark.parametrize("name", ["trades.csv", "trades-next.csv"], ids=["the same file", "the next file of the folder"])
def test_an_optional_column_that_is_gone_stops_the_delivery_with_both_schemas(desk: Desk, name: str) -> None:
    assert delivered(desk, "trades.csv", vendor.rows("trades", 6)) == []
    (told,) = delivered(desk, name, vendor.rows("trades", 7), without="reporting_side")
    assert "has drifted: reporting_side was filled before and is gone; have it delivered as before" in told
    assert "before: trade_id, security_id" in told
    assert "now: trade_id, security_id" in told
    assert "\n" not in told
    assert len(desk.landing.receipts()) == 1


def test_a_renamed_column_is_told_with_the_one_that_looks_like_it(desk: Desk) -> None:
    rows = vendor.rows("trades", 6)
    assert delivered(desk, "trades.csv", rows) == []
    (told,) = delivered(desk, "trades.csv", renamed(rows, "reporting_side", "report_side"))
    assert "'report_side' is new and may be 'reporting_side' renamed" in told
    (told,) = delivered(desk, "trades.csv", renamed(rows, "price", "px"))
    assert "lacks the required column(s) price; 'px' is new and may be 'price' renamed" in told


def test_a_column_of_another_type_stops_the_delivery_instead_of_filling_the_quarantine(desk: Desk) -> None:
    assert delivered(desk, "trades.csv", vendor.rows("trades", 6)) == []
    (told,) = delivered(desk, "trades.csv", vendor.rows("trades", 6, price="99-16+"))
    assert "has drifted: of another type: price (6 cells cannot be read as it was read before)" in told
    assert not desk.home.quarantine.exists()


def test_a_few_bad_cells_are_rows_set_aside_and_no_drift(desk: Desk) -> None:
    assert delivered(desk, "trades.csv", vendor.rows("trades", 6)) == []
    assert delivered(desk, "trades.csv", [*vendor.rows("trades", 6), vendor.row("trades", price="n/a")]) == []
    assert [receipt.rejected for receipt in desk.landing.receipts()] == [0, 1]


def test_a_new_column_is_kept_and_stops_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "flows")
    rows = [row | {"original_trade_id": ""} for row in vendor.rows("trades", 6)]
    assert delivered(desk, "trades.csv", rows, without="reporting_side") == []
    assert delivered(desk, "trades.csv", [row | {"venue_note": "x"} for row in vendor.rows("trades", 6)]) == []
    assert [one.getMessage().partition(" has ")[2] for one in caplog.records if "new columns" in one.getMessage()] == [
        "new columns, used from now on: reporting_side",
        "new columns, kept and not used: venue_note",
    ]


def test_a_column_that_may_be_gone_or_was_never_filled_stops_nothing(desk: Desk) -> None:
    assert delivered(desk, "trades.csv", [row | {"original_trade_id": ""} for row in vendor.rows("trades", 6)]) == []
    assert delivered(desk, "trades.csv", vendor.rows("trades", 7), without="original_trade_id") == []
    vendor.deliver(desk.vendor, "trades.csv", vendor.text(vendor.rows("trades", 8), without="reporting_side"))
    allowed = desk.pull(may_lack=["trades.reporting_side"])
    assert land(desk, allowed) == []


def test_a_column_that_nobody_uses_may_go(desk: Desk) -> None:
    assert delivered(desk, "trades.csv", [row | {"venue_note": "x"} for row in vendor.rows("trades", 6)]) == []
    assert delivered(desk, "trades.csv", vendor.rows("trades", 6)) == []


MAPPING = """vendor: V
tables:
  reference_prices:
    files: "*"
    time_zone: UTC
    security_id_type: INTERNAL
    columns:
      security_id: bond
      as_of: time
      bid: {from: best bid, unit: per_100}
      mid: {from: level, unit: per_100}
      source: {constant: V}
"""


def mapped(desk: Desk, header: str, **settings: object) -> list[str]:
    """Deliver a file to a mapping, and give what went wrong."""
    mapping = desk.home.root.parent / "v.yml"
    mapping.write_text(MAPPING)
    vendor.deliver(desk.vendor, "prices.csv", f"{header}\nS1,2025-06-02T10:00:00,99,1\n")
    downloads = str(desk.home.root / "downloads")
    config = SourceConfig(
        name="v",
        kind="files",
        path=str(desk.vendor),
        mapping=str(mapping),
        downloads=downloads,
        **settings,  # type: ignore[arg-type]
    )
    return land(desk, pull(config))


def test_a_column_that_a_mapping_reads_is_missed_in_the_vendor_s_own_words(desk: Desk) -> None:
    assert mapped(desk, "bond,time,level,best bid") == []
    (told,) = mapped(desk, "bond,time,Level px,best bid")
    assert "lacks the column(s) level that the mapping 'v' reads; 'Level px' is new and may be 'level' renamed" in told


def test_a_column_that_a_mapping_reads_may_be_gone_where_the_source_says_so(desk: Desk) -> None:
    (told,) = mapped(desk, "bond,time,level,unused")
    assert "lacks the column(s) best bid that the mapping 'v' reads" in told
    assert "it has bond, time, level, unused" in told
    assert mapped(desk, "bond,time,level,unused", may_lack=["reference_prices.bid"]) == []
    (receipt,) = desk.landing.receipts()
    assert [(row["mid"], row["bid"]) for row in desk.landed(receipt)] == [(99.0, None)]


def test_neighbours_that_never_agreed_expect_only_what_they_have_in_common() -> None:
    one, two = {"a": FILLED, "b": FILLED, "c": EMPTY}, {"a": FILLED, "c": FILLED}
    assert expected([one, two]).keys() == {"a"}
    assert expected([]) == expected([{}]) == {}


def test_names_do_not_differ_by_case_alone() -> None:
    assert gone({"Price": FILLED}, ["PRICE"], ()) == []
    assert new([{"Price": FILLED}], ["PRICE", "Qty"]) == ["Qty"]
    assert new([{}], ["Qty"]) == new([], ["Qty"]) == []


def test_a_column_that_was_there_and_never_filled_is_not_new() -> None:
    assert new([{"price": FILLED, "note": EMPTY}, {"price": FILLED}], ["price", "note", "qty"]) == ["qty"]


def test_one_lost_and_one_new_column_belong_together_and_several_only_where_they_are_alike() -> None:
    assert looks_like(["price"], ["px"]) == "'px' is new and may be 'price' renamed"
    assert looks_like(["price", "quantity"], ["zzz", "quantities"]) == "'quantities' is new and may be 'quantity' renamed"
    assert looks_like(["price"], []) == ""


def test_a_handful_of_cells_proves_no_change_of_type() -> None:
    before = {"price": FILLED}
    assert of_another_type(before, {"price": 4}, {"price": 4}) == []
    assert of_another_type(before, {"price": 10}, {"price": 5}) == []
    assert of_another_type(before, {"price": 10}, {"price": 6}) == ["price"]
    assert of_another_type(before, {"qty": 10}, {"qty": 10}) == []
