"""The New York Fed's release mapped to the contract, on a handful of made-up fills in its own format."""

import json
from pathlib import Path

import duckdb
import pytest

from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled, SourceError
from flows.sources.registry import pull
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk

HEADER = (
    "row_id,trade_date,settle_date,side_fed,par_mm,issuer,security,cusip,price,accrued_usd,total_mm,"
    "counterparty,sec_type,coupon,maturity"
)
ALIASES = {"Old Alpha Inc.": "Alpha Securities LLC"}


def fill(
    dealer: str,
    price: object,
    par: object = 10,
    *,
    day: str = "2011-03-01",
    side: str = "Purchase",
    cusip: str = "912828DM9",
    kind: str = "TN",
) -> str:
    cells = (f"0,{day},2011-03-02,{side},{par},TSY,TN 04.000 02/15/15,{cusip},{price},0,0", f'"{dealer}",{kind},4.0,2015-02-15')
    return ",".join(cells)


@pytest.fixture
def release(desk: Desk) -> Desk:
    vendor.deliver(desk.vendor, "dealer_aliases.json", json.dumps(ALIASES))
    return desk


def rows(release: Desk, table: str, fills: list[str]) -> list[dict[str, object]]:
    vendor.deliver(release.vendor, "trades_2011.csv.gz", "\n".join([HEADER, *fills, ""]))
    (delivery,) = (own for own in pulled(release) if own.table == table)
    with duckdb.connect() as connection:
        found = connection.execute(delivery.select)
        names = [name for name, *_ in found.description or []]
        return [dict(zip(names, cells, strict=True)) for cells in found.fetchall()]


def pulled(release: Desk) -> list[Pulled]:
    return pull(SourceConfig(name="nyfed", kind="nyfed_tsy", path=str(release.vendor)))


def test_aliases_are_merged_into_one_dealer_and_kept_as_aliases(release: Desk) -> None:
    fills = [fill("Alpha Securities LLC", 100), fill("Old Alpha Inc.", 101, day="2011-03-02"), fill("Beta, Sons & Co.", 102)]
    dealers = {row["dealer_id"]: row["name"] for row in rows(release, "dealers", fills)}
    assert dealers == {"ALPHA_SECURITIES_LLC": "Alpha Securities LLC", "BETA_SONS_CO": "Beta, Sons & Co."}
    aliases = {row["alias"]: row["dealer_id"] for row in rows(release, "dealer_aliases", fills)}
    assert aliases == {
        "Alpha Securities LLC": "ALPHA_SECURITIES_LLC",
        "Old Alpha Inc.": "ALPHA_SECURITIES_LLC",
        "Beta, Sons & Co.": "BETA_SONS_CO",
    }


def test_fills_of_one_dealer_become_one_response_at_the_par_weighted_price(release: Desk) -> None:
    fills = [fill("Alpha Securities LLC", 100, 30), fill("Old Alpha Inc.", 104, 10), fill("Beta", 102, 5)]
    responses = {row["dealer_id"]: row for row in rows(release, "rfq_log", fills)}
    alpha = responses["ALPHA_SECURITIES_LLC"]
    assert (alpha["executed_price"], alpha["quote_price"], alpha["executed_quantity"]) == (101.0, 101.0, 40e6)
    assert {(row["quantity"], row["dealers_asked"]) for row in responses.values()} == {(45e6, 2)}


def test_the_arrival_mid_is_the_mean_of_the_other_dealers(release: Desk) -> None:
    fills = [fill("A", 100), fill("B", 101), fill("C", 103)]
    mids = {row["dealer_id"]: row["arrival_mid"] for row in rows(release, "rfq_log", fills)}
    assert mids == {"A": 102.0, "B": 101.5, "C": 100.5}


def test_a_dealer_alone_has_no_arrival_mid(release: Desk) -> None:
    (alone,) = rows(release, "rfq_log", [fill("A", 100)])
    assert alone["arrival_mid"] is None


def test_a_day_cusip_and_side_is_one_rfq(release: Desk) -> None:
    fills = [
        fill("A", 100),
        fill("B", 100),
        fill("A", 100, side="Sale"),
        fill("A", 100, day="2011-03-02"),
        fill("A", 100, cusip="912828DV9"),
    ]
    listed = [(row["rfq_id"], row["client_side"]) for row in rows(release, "rfq_log", fills)]
    assert sorted(set(listed)) == [
        ("2011-03-01-912828DM9-BUY", "BUY"),
        ("2011-03-01-912828DM9-SELL", "SELL"),
        ("2011-03-01-912828DV9-BUY", "BUY"),
        ("2011-03-02-912828DM9-BUY", "BUY"),
    ]
    assert len(listed) == 5


def test_what_the_release_does_not_say_stays_empty(release: Desk) -> None:
    (landed,) = rows(release, "rfq_log", [fill("A", 100)])
    unknown = {"sequence", "timeout_s", "responded_at", "quote_quantity", "firm", "executed_at", "order_id", "propensity"}
    assert unknown.isdisjoint(landed)


def test_inflation_linked_bonds_are_a_sector_of_their_own(release: Desk) -> None:
    fills = [fill("A", 100), fill("A", 100, cusip="912828DV9", kind="IIN"), fill("B", 100)]
    securities = rows(release, "securities", fills)
    assert [(row["cusip"], row["sector"], row["asset_class"]) for row in securities] == [
        ("912828DM9", "NOMINAL", "GOVT"),
        ("912828DV9", "INFLATION_LINKED", "GOVT"),
    ]


def landed(release: Desk, fills: list[str]) -> dict[str, tuple[int, int]]:
    vendor.deliver(release.vendor, "trades_2011.csv.gz", "\n".join([HEADER, *fills, ""]))

    receipts = [release.landing.land(delivery, now=NOW, not_after=NOW) for delivery in pulled(release)]
    return {receipt.table: (receipt.rows, receipt.rejected) for receipt in receipts}


def test_the_mapped_tables_land(release: Desk) -> None:
    fills = [fill("A", 100), fill("B", 101), fill("Old Alpha Inc.", 100.5)]
    assert landed(release, fills) == {"dealers": (3, 0), "dealer_aliases": (3, 0), "securities": (1, 0), "rfq_log": (3, 0)}


def test_a_fill_without_a_price_is_quarantined_and_moves_nobody_else_s_reference(release: Desk) -> None:
    fills = [fill("A", 100, 30), fill("A", "n/a", 10), fill("B", 101), fill("C", 103)]
    mids = {row["dealer_id"]: row["arrival_mid"] for row in rows(release, "rfq_log", fills)}
    assert (mids["B"], mids["C"]) == (103.0, 101.0)
    assert landed(release, fills)["rfq_log"] == (2, 1)


def test_a_fill_without_a_par_leaves_no_size_made_of_the_others(release: Desk) -> None:
    fills = [fill("A", 100, 30), fill("A", 101, "n/a"), fill("B", 101)]
    sizes = {row["dealer_id"]: (row["executed_quantity"], row["quantity"]) for row in rows(release, "rfq_log", fills)}
    assert sizes == {"A": (None, None), "B": (10e6, None)}


def test_a_line_that_cannot_be_read_is_set_aside_once(release: Desk) -> None:
    broken = fill("B", 101) + ",one,cell,more"
    assert landed(release, [fill("A", 100), broken, fill("C", 102)]) == {
        "dealers": (2, 0),
        "dealer_aliases": (2, 0),
        "securities": (1, 0),
        "rfq_log": (2, 1),
    }
    (told,) = release.quarantined(next(r for r in release.landing.receipts() if r.table == "rfq_log"))
    assert (told["row"], told["rule"], told["raw"]) == (2, "unreadable", broken)


def test_a_wrong_cusip_and_an_unknown_side_are_quarantined(release: Desk) -> None:
    assert landed(release, [fill("A", 100), fill("B", 100, cusip="912828DM8"), fill("C", 100, side="Swap")]) == {
        "dealers": (3, 0),
        "dealer_aliases": (3, 0),
        "securities": (1, 1),
        "rfq_log": (2, 1),
    }


@pytest.mark.parametrize("gone", ["trades_2011.csv.gz", "dealer_aliases.json"])
def test_a_missing_file_of_the_release_is_one_line(release: Desk, gone: str) -> None:
    vendor.deliver(release.vendor, "trades_2011.csv.gz", HEADER)
    (release.vendor / gone).unlink()
    with pytest.raises(SourceError, match=r"must hold trades_\*\.csv\.gz and dealer_aliases\.json"):
        pulled(release)


@pytest.mark.parametrize("content", [b"[1, 2]", b"{", b'{"a": 5}', b"\xff\xfe"])
def test_an_alias_list_of_another_shape_is_one_line(release: Desk, content: bytes) -> None:
    vendor.deliver(release.vendor, "trades_2011.csv.gz", HEADER)
    vendor.deliver(release.vendor, "dealer_aliases.json", content)
    with pytest.raises(SourceError, match=r"dealer_aliases\.json") as refused:
        pulled(release)
    assert "\n" not in str(refused.value)


def test_a_release_with_other_columns_is_one_line(release: Desk) -> None:
    vendor.deliver(release.vendor, "trades_2011.csv.gz", "row_id,day\n1,2011-03-01\n")
    delivery = pulled(release)[0]
    with pytest.raises(SourceError, match=r"trades_2011\.csv\.gz cannot be read") as refused:
        release.landing.land(delivery, now=NOW, not_after=NOW)
    assert "\n" not in str(refused.value)


def test_a_corrected_alias_list_is_a_new_version(release: Desk, tmp_path: Path) -> None:
    vendor.deliver(release.vendor, "trades_2011.csv.gz", HEADER + "\n" + fill("A", 100))
    before = {delivery.content_hash for delivery in pulled(release)}
    vendor.deliver(release.vendor, "dealer_aliases.json", "{}")
    assert before.isdisjoint(delivery.content_hash for delivery in pulled(release))
