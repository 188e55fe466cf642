"""Landing: a delivery becomes immutable Parquet with a receipt; what is bad stays out, with its reason."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contracts.sources import TABLES
from flows.deliveries import check_tables, land_new
from flows.refused import Refused
from flows.sources.pulled import SourceError
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk, read

HEADER = vendor.text(vendor.rows("trades", 1)).splitlines()[0]
LINES = vendor.text(vendor.rows("trades", 3)).splitlines()[1:]


def test_a_good_delivery_lands_whole_with_a_receipt(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    (receipt,) = desk.land()
    assert (receipt.source, receipt.table, receipt.rows, receipt.rejected, receipt.repeated) == ("market", "trades", 3, 0, 0)
    assert receipt.file == str(desk.vendor / "trades.csv")
    assert receipt.landed_at == NOW
    assert str(receipt.happened_from) == str(receipt.happened_to) == "2025-06-02 10:00:00"
    assert desk.landing.receipts() == [receipt]
    assert {row["_batch"] for row in desk.landed(receipt)} == {receipt.batch}
    assert not desk.home.quarantine.exists()


@pytest.mark.parametrize("table", TABLES)
def test_every_table_lands_as_csv_gzip_and_parquet_with_the_same_rows(desk: Desk, table: str) -> None:
    rows = vendor.rows(table, 4)
    vendor.deliver(desk.vendor, f"{table}-a.csv", rows)
    vendor.deliver(desk.vendor, f"{table}-b.csv.gz", rows)
    with duckdb.connect() as connection:
        typed = desk.vendor / f"{table}-c.parquet"
        connection.execute(f"copy (from read_csv('{desk.vendor / table}-a.csv')) to '{typed}' (format parquet)")
    landed = [desk.landed(receipt) for receipt in desk.land()]
    contents = [[{name: row[name] for name in TABLES[table].names} for row in rows] for rows in landed]
    assert len(contents) == 3
    assert contents[0] == contents[1] == contents[2]


def test_the_same_delivery_again_lands_nothing_and_a_corrected_one_is_a_new_version(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    first = land_new(desk.landing, desk.pull(), now=NOW, not_after=NOW)
    again = land_new(desk.landing, desk.pull(), now=NOW + timedelta(hours=1), not_after=NOW)
    assert [len(first.receipts), first.problems, len(again.receipts), again.problems] == [1, [], 1, []]
    assert again.receipts == first.receipts  # not judged yet, so it is judged again; landed once only
    desk.landing.accept(first.receipts, at=NOW)
    assert land_new(desk.landing, desk.pull(), now=NOW, not_after=NOW).receipts == []
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 4))
    later = land_new(desk.landing, desk.pull(), now=NOW + timedelta(hours=2), not_after=NOW)
    assert [receipt.rows for receipt in later.receipts] == [4]
    assert len(desk.landing.receipts()) == 2
    assert list(desk.landing.newest().values()) == later.receipts


def test_a_delivery_held_back_is_judged_again_and_landed_once(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades-a.csv", vendor.rows("trades", 3))
    vendor.deliver(desk.vendor, "trades-b.csv", vendor.rows("trades", 2))
    landed = desk.land()
    desk.landing.hold(landed, reason="too many repeats", at=NOW)
    vendor.deliver(desk.vendor, "trades-b.csv", vendor.rows("trades", 1))
    again = land_new(desk.landing, desk.pull(), now=NOW + timedelta(hours=1), not_after=NOW)
    assert again.problems == []
    assert [(receipt in landed, receipt.rows) for receipt in again.receipts] == [(True, 3), (False, 1)]
    assert desk.landing.state(landed[0]) == "held"
    desk.landing.release(again.receipts)
    assert [desk.landing.state(receipt) for receipt in (*again.receipts, landed[1])] == ["pending", "pending", "held"]


def test_one_bad_delivery_keeps_no_other_from_landing(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "axes.csv", vendor.text(vendor.rows("axes", 2), without="side"))
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    landed = land_new(desk.landing, desk.pull(), now=NOW, not_after=NOW)
    assert [receipt.table for receipt in landed.receipts] == ["trades"]
    assert len(landed.problems) == 1


def test_the_same_content_under_two_names_lands_twice(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades-a.csv", vendor.rows("trades", 3))
    vendor.deliver(desk.vendor, "trades-b.csv", vendor.rows("trades", 3))
    assert [receipt.rows for receipt in desk.land()] == [3, 3]


def test_the_same_file_from_two_sources_makes_two_batches(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    (delivery,) = desk.pull()
    mirrored = replace(delivery, source="mirror")
    batches = {desk.landing.land(each, now=NOW, not_after=NOW).batch for each in (delivery, mirrored)}
    assert len(batches) == 2  # by its batch and row a row is known: one of two would take the other with it


def test_a_landing_that_fails_before_its_rename_leaves_nothing_behind(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    (receipt,) = desk.land()
    blocked = desk.landing.folder(receipt)
    before = sorted(blocked.iterdir())
    with pytest.raises(OSError, match="not empty"):  # the batch's folder is there already
        desk.land()
    assert sorted(blocked.iterdir()) == before
    assert desk.landing.receipts() == [receipt]
    assert not (desk.home.landing / ".work").exists()


def test_what_a_killed_landing_left_is_no_receipt_and_is_cleared(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    (receipt,) = desk.land()
    half = desk.home.landing / ".work" / "half"
    half.mkdir(parents=True)
    (half / "receipt.json").write_bytes(msgspec.json.encode(receipt))
    assert desk.landing.receipts() == [receipt]
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 4))
    assert len(desk.land(now=NOW + timedelta(hours=1))) == 1
    assert not half.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("trades.csv", b"", "0 bytes"),
        ("trades.csv", HEADER + "\n", "header and no rows"),
        ("trades.csv", "\n", "lacks the required column"),
        ("trades.csv.gz", gzip.compress(b""), "lacks the required column"),
        ("trades.csv", vendor.text(vendor.rows("trades", 3), without="price"), "lacks the required column(s) price"),
        ("trades.csv", vendor.text(vendor.rows("trades", 3)).replace(",", ";"), "lacks the required column"),
        ("trades.csv", vendor.text(vendor.rows("trades", 3)).encode("utf-16"), "trades.csv"),
        ("trades.csv.gz", vendor.text(vendor.rows("trades", 3)).encode(), "damaged"),
        ("trades.parquet", vendor.text(vendor.rows("trades", 3)), "cannot be read"),
    ],
    ids=[
        "no bytes",
        "header only",
        "a blank line",
        "gzip of nothing",
        "a column short",
        "semicolons",
        "UTF-16",
        "no gzip",
        "no Parquet",
    ],
)
def test_a_file_that_is_bad_as_a_whole_is_refused_in_one_line_that_names_it(
    desk: Desk, name: str, content: str | bytes, words: str
) -> None:
    vendor.deliver(desk.vendor, name, content.encode() if isinstance(content, str) else content)
    with pytest.raises(SourceError) as refused:
        desk.land()
    assert words in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert desk.landing.receipts() == []


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_gzip_file_that_was_cut_off_is_refused_and_nothing_of_it_lands(desk: Desk, share: float) -> None:
    whole = vendor.deliver(desk.vendor, "trades.csv.gz", vendor.rows("trades", 500)).read_bytes()
    vendor.deliver(desk.vendor, "trades.csv.gz", whole[: int(share * len(whole))])
    with pytest.raises(SourceError, match="cut off or damaged"):
        desk.land()
    assert desk.landing.receipts() == []


def test_a_gzip_file_with_a_wrong_checksum_is_refused(desk: Desk) -> None:
    whole = vendor.deliver(desk.vendor, "trades.csv.gz", vendor.rows("trades", 500)).read_bytes()
    vendor.deliver(desk.vendor, "trades.csv.gz", whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with pytest.raises(SourceError, match="CRC"):
        desk.land()


def test_rows_after_a_line_that_cannot_be_read_keep_their_numbers(desk: Desk) -> None:
    bad = vendor.text([vendor.row("trades", trade_id="T9", price="-1")]).splitlines()[1]
    vendor.deliver(desk.vendor, "trades.csv", "\n".join([HEADER, LINES[0], "too,few", LINES[1], "T9", bad, LINES[2], ""]))
    (receipt,) = desk.land()
    assert [(row["row"], row["rule"]) for row in desk.quarantined(receipt)] == [(2, "unreadable"), (4, "unreadable"), (5, "above")]
    assert [row["_row"] for row in desk.landed(receipt)] == [1, 3, 6]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them(desk: Desk) -> None:
    lines = [line for row in vendor.rows("trades", 9) for line in vendor.text([row | {"note": "x"}]).splitlines()[1:]]
    lines[2], lines[7] = lines[2].replace("x", '"half'), lines[7].replace("x", 'half"')
    vendor.deliver(desk.vendor, "trades.csv", "\n".join([f"{HEADER},note", *lines, ""]))
    with pytest.raises(SourceError, match="cell note of row 3 runs on for 5 lines and swallows their rows"):
        desk.land()


def test_a_cell_may_run_over_lines(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", [row | {"note": "two\nlines, and a comma"} for row in vendor.rows("trades", 2)])
    assert [receipt.rows for receipt in desk.land()] == [2]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (f"{HEADER},PRICE\n{LINES[0]},98\n".encode(), "has the column(s) price more than once; deliver each once"),
        (f"{HEADER}\n{LINES[0]}\n".encode("utf-16"), "cannot be read: it is UTF-16, and should be UTF-8"),
        (f'{HEADER}\n{LINES[0]}\n"{LINES[1]}\n{LINES[2]}\n'.encode(), "its lines make no table: a quote that is never closed"),
        (f"{HEADER}\n{LINES[0]}{'x' * 10_000_000}\n".encode(), "a line of it is longer than 2,000,000 bytes"),
    ],
    ids=["a column twice", "UTF-16", "an open quote", "an endless line"],
)
def test_a_text_file_that_is_none_is_refused_with_why(desk: Desk, data: bytes, told: str) -> None:
    vendor.deliver(desk.vendor, "trades.csv", data)
    with pytest.raises(SourceError) as refused:
        desk.land()
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_misnamed_file_is_not_missed_in_silence(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 1))
    vendor.deliver(desk.vendor, "trades_2026-12.csv", vendor.rows("trades", 1))
    assert len(desk.land()) == 1
    assert "not read, since no table is theirs: trades_2026-12.csv" in caplog.text


@pytest.mark.parametrize(
    "line",
    [f"{LINES[1]},and,more", "T9,S1", LINES[1].replace("T", "T\xe9").encode("latin-1")],
    ids=["too many cells", "too few cells", "latin-1 bytes"],
)
def test_a_line_that_cannot_be_read_goes_to_quarantine_and_the_others_land(desk: Desk, line: str | bytes) -> None:
    data = line if isinstance(line, bytes) else line.encode()
    vendor.deliver(desk.vendor, "trades.csv", b"\n".join([HEADER.encode(), LINES[0].encode(), data, LINES[2].encode(), b""]))
    (receipt,) = desk.land()
    assert (receipt.rows, receipt.rejected) == (2, 1)
    (bad,) = desk.quarantined(receipt)
    assert (bad["rule"], bad["row"], bad["file"]) == ("unreadable", 2, receipt.file)
    assert bad["reason"]
    assert bad["raw"]


def test_a_bad_row_is_kept_as_it_came_once_for_each_fault(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", [*vendor.rows("trades", 2), vendor.row("trades", price="9999", quantity="-5")])
    (receipt,) = desk.land()
    assert (receipt.rows, receipt.rejected) == (2, 1)
    bad = desk.quarantined(receipt)
    assert {(row["column_name"], row["rule"], row["value"]) for row in bad} == {
        ("price", "at_most", "9999"),
        ("quantity", "above", "-5"),
    }
    assert {row["row"] for row in bad} == {3}
    assert {row["reason"] for row in bad} == {"must be at most 400", "must be above 0"}
    assert msgspec.json.decode(str(bad[0]["raw"])) == vendor.row("trades", price="9999", quantity="-5")


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [
        ("securities", "cusip", "037833109"),
        ("securities", "isin", "US0378331006"),
        ("securities", "figi", "BBG000BLNNH7"),
        ("dealers", "lei", "529900T8BM49AURSDO56"),
    ],
)
def test_a_wrong_check_digit_is_quarantined(desk: Desk, table: str, column: str, cell: str) -> None:
    vendor.deliver(desk.vendor, f"{table}.csv", [*vendor.rows(table, 1), vendor.row(table, **{column: cell})])
    (receipt,) = desk.land()
    assert (receipt.rows, receipt.rejected) == (1, 1)
    assert [(bad["column_name"], bad["rule"], bad["value"]) for bad in desk.quarantined(receipt)] == [(column, "check_digit", cell)]


def test_a_row_of_the_future_is_quarantined_and_one_of_this_very_moment_lands(desk: Desk) -> None:
    now = NOW + timedelta(microseconds=900_000)
    rows = [
        vendor.row("trades", trade_id="past", executed_at="2025-07-01T12:00:00.899Z"),
        vendor.row("trades", trade_id="future", executed_at="2025-07-01T12:00:00.901Z"),
    ]
    vendor.deliver(desk.vendor, "trades.csv", rows)
    (receipt,) = desk.land(now=now)
    assert [row["trade_id"] for row in desk.landed(receipt)] == ["past"]
    assert [bad["rule"] for bad in desk.quarantined(receipt)] == ["in_the_future"]


def test_repeated_keys_are_counted_and_kept(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", [*vendor.rows("trades", 3), *vendor.rows("trades", 2, price="99")])
    (receipt,) = desk.land()
    assert (receipt.rows, receipt.repeated) == (5, 2)


def test_extra_columns_are_kept_in_landing(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", [row | {"Trader Note": "a, b"} for row in vendor.rows("trades", 2)])
    (receipt,) = desk.land()
    assert {row["Trader Note"] for row in desk.landed(receipt)} == {"a, b"}


def test_columns_are_recognised_whatever_their_case(desk: Desk) -> None:
    shouted = [{name.upper(): cell for name, cell in row.items()} for row in vendor.rows("trades", 2)]
    vendor.deliver(desk.vendor, "trades.csv", shouted)
    (receipt,) = desk.land()
    assert [(row["price"], row["quantity_capped"]) for row in desk.landed(receipt)] == [(101.25, False)] * 2


def test_columns_named_like_our_own_stamps_do_no_harm(desk: Desk) -> None:
    names = ("_row", "_source", "_faults", "_batch", "_raw_price")
    vendor.deliver(desk.vendor, "trades.csv", [row | dict.fromkeys(names, "x") for row in vendor.rows("trades", 2)])
    (receipt,) = desk.land()
    assert [(row["_row"], row["_source"], row["price"]) for row in desk.landed(receipt)] == [
        (1, "market", 101.25),
        (2, "market", 101.25),
    ]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_row_lands_or_is_quarantined_never_both_never_neither(new_desk: Callable[[], Desk], data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(sorted(TABLES)))
    junk = st.one_of(
        st.sampled_from(["", "-1", "9999", "nan", "2099-01-01T00:00:00Z", "NEW", "QUOTED", "TIMED_OUT"]),
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8),
    )
    changes = st.dictionaries(st.sampled_from(TABLES[table].names), junk, max_size=3)
    rows = data.draw(st.lists(changes.map(lambda cells: vendor.row(table, **cells)), min_size=1, max_size=12))
    desk = new_desk()
    vendor.deliver(desk.vendor, f"{table}.csv", rows)
    (receipt,) = desk.land()
    good = {row["_row"] for row in desk.landed(receipt)}
    bad = {row["row"] for row in read(desk.home.quarantine / "market" / table / f"{receipt.batch}.parquet")}
    assert good.isdisjoint(bad)
    assert good | bad == set(range(1, len(rows) + 1))
    assert (receipt.rows, receipt.rejected) == (len(good), len(bad))


@pytest.mark.parametrize(
    ("tables", "words"), [(["nonsense"], "no table 'nonsense'"), (["trade"], "did you mean 'trades'"), ([], "empty")]
)
def test_tables_that_there_are_none_of_are_refused(tables: list[str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        check_tables(tables)
    check_tables(["trades", "overrides"])
    check_tables(None)
