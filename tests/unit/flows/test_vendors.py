"""Vendors' files of our own making, landed by the shipped mappings: every row as it must come out, every fault with its reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expectations.contracts.home import Home
from flows.landing import Landing, Receipt
from flows.sources.config import SourceConfig
from flows.sources.registry import pull
from tests.unit.flows.conftest import NOW, read

FIXTURES = Path(__file__).parents[2] / "fixtures" / "vendors"
MAPPINGS = Path(__file__).parents[3] / "config" / "mappings"

Row = dict[str, object]
Land = Callable[[str], tuple[list[Row], list[Row]]]


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """Land a vendor's fixture; give the rows that landed, and the faults of those that did not."""
    home = Home(tmp_path / "home")

    def landed(vendor: str) -> tuple[list[Row], list[Row]]:
        source = SourceConfig(
            name=vendor,
            kind="files",
            path=str(FIXTURES / vendor),
            mapping=str(MAPPINGS / f"{vendor}.yml"),
            downloads=str(tmp_path / "downloads"),
        )
        landing = Landing(home)
        receipts: list[Receipt] = [landing.land(delivery, now=NOW, not_after=NOW) for delivery in pull(source)]
        good = [row for receipt in receipts for row in read(landing.data(receipt))]
        bad = [row for receipt in receipts for row in read(home.quarantine / vendor / receipt.table / f"{receipt.batch}.parquet")]
        return good, bad

    return landed


def cells(rows: list[Row], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type, misc]


def test_prints_take_the_place_in_the_chain_that_their_status_code_says(land: Land) -> None:
    good, bad = land("trace_prints")
    assert cells(good, "trade_id", "status", "original_trade_id") == [
        ("20250602-0000001", "NEW", None),
        ("20250602-0000002", "NEW", None),
        ("20250602-0000003", "NEW", None),
        ("20250602-0000004", "NEW", None),
        ("20250602-0000004-X", "CANCEL", "20250602-0000004"),
        ("20250602-0000005", "NEW", None),
        ("20250602-0000005-C", "CANCEL", "20250602-0000005"),
        ("20250602-0000006", "NEW", None),
        ("20250602-0000007", "NEW", None),
        ("20250602-0000008", "CORRECT", "20250602-0000007"),
        ("20250603-0000001-Y", "CANCEL", "20250602-0000001"),
        ("20250603-0000002", "NEW", None),
    ]
    assert [(row["row"], row["column_name"], row["rule"], row["value"]) for row in bad if row["column_name"] != "status"] == [
        (11, "trc_st", "unknown_code", "Q"),
        (12, "security_id", "check_digit", "037833101"),
    ]


def test_prints_keep_their_cap_and_tell_the_time_of_new_york(land: Land) -> None:
    good, _ = land("trace_prints")
    assert cells(good[:3], "quantity", "quantity_capped", "reporting_side", "executed_at") == [
        (250_000.0, False, "B", utc(2025, 6, 2, 13, 31, 5)),
        (5_000_000.0, True, "S", utc(2025, 6, 2, 13, 45)),
        (1_000_000.0, True, "D", utc(2025, 6, 2, 14, 2, 11)),
    ]
    # A late report: of the day before, in the next day's file.
    assert cells(good[-1:], "trade_id", "executed_at") == [("20250603-0000002", utc(2025, 6, 2, 20, 10))]


def test_a_venue_s_export_in_thousands_and_local_time_comes_out_in_units_and_utc(land: Land) -> None:
    good, _ = land("meridian_rfq")
    assert cells(good, "rfq_id", "dealer_id", "client_side", "quantity", "asked_at", "responded_at", "response", "outcome") == [
        ("M-1", "ALPHA", "BUY", 2_500_000.0, utc(2025, 6, 2, 14), utc(2025, 6, 2, 14, 0, 11, 250_000), "QUOTED", "TRADED"),
        ("M-1", "BETA", "BUY", 2_500_000.0, utc(2025, 6, 2, 14), utc(2025, 6, 2, 14, 0, 5), "DECLINED", "LOST"),
        # Winter time, and decimals that a float would spoil: 1.005 thousand.
        ("M-2", "ALPHA", "SELL", 1_005.0, utc(2025, 1, 15, 15), None, "TIMED_OUT", "NOT_TRADED"),
        # A millisecond before the hour that is skipped; the answer came just after it.
        ("M-5", "ALPHA", "BUY", 500_000.0, utc(2025, 3, 9, 6, 59, 59, 999_000), utc(2025, 3, 9, 7, 0, 9), "DECLINED", "NOT_TRADED"),
    ]
    assert cells(good[:1], "quote_price", "quote_quantity", "firm", "executed_price", "arrival_mid", "venue") == [
        (99.95, 2_500_000.0, True, 99.95, 99.9, "MERIDIAN")
    ]


def test_hours_that_come_twice_or_never_are_quarantined_and_so_is_what_the_mapping_cannot_read(land: Land) -> None:
    _, bad = land("meridian_rfq")
    assert {(row["row"], row["column_name"], row["rule"], row["value"]) for row in bad} == {
        (4, "asked_at", "ambiguous_time", "11/02/2025 01:30:00"),
        (4, "responded_at", "ambiguous_time", "11/02/2025 01:30:09"),
        (5, "asked_at", "nonexistent_time", "03/09/2025 02:30:00"),
        (7, "client_side", "unknown_value", "Buy"),
        (8, "quantity", "unit", "five"),
        (8, "asked_at", "time_format", "2025-06-02 10:00:00"),
    }
    assert '"Size (000)":"five"' in str(next(row["raw"] for row in bad if row["row"] == 8))


def test_an_answer_within_the_hidden_seconds_is_no_fast_answer(land: Land) -> None:
    good, bad = land("hidden_window_rfq")
    assert bad == []
    assert cells(good, "dealer_id", "responded_at", "responded_within_s", "response") == [
        ("ALPHA", None, "5", "QUOTED"),
        ("BETA", utc(2025, 6, 2, 10, 0, 5, 1_000), None, "QUOTED"),
        ("GAMMA", None, None, "TIMED_OUT"),
    ]
    assert cells(good[:1], "quantity", "quote_price", "executed_price", "executed_at") == [
        (2_500_000.0, 99.95, 99.95, utc(2025, 6, 2, 10, 0, 30))
    ]


def test_a_wide_tca_file_becomes_a_row_per_figure_with_sign_unit_horizon_and_reference(land: Land) -> None:
    good, bad = land("tidewater_tca")
    assert sorted(
        cells(good, "execution_ref", "metric", "horizon_s", "value", "unit", "positive_is", "reference"), key=str
    ) == sorted(
        [
            ("M-1", "price_reversion", 1800, -1.5, "bps", "GAIN", "MID"),
            ("M-1", "arrival_slippage", None, 2.0, "bps", "GAIN", "ARRIVAL"),
            ("M-1", "implementation_shortfall", None, -1250.0, "currency", "GAIN", "ARRIVAL"),
            ("H-1", "price_reversion", 1800, 2.25, "bps", "GAIN", "MID"),
            ("H-1", "arrival_slippage", None, -0.5, "bps", "GAIN", "ARRIVAL"),
            ("H-1", "implementation_shortfall", None, 310.5, "currency", "GAIN", "ARRIVAL"),
            ("M-9", "arrival_slippage", None, 1.0, "bps", "GAIN", "ARRIVAL"),
        ],
        key=str,
    )
    # London keeps summer time in June.
    assert {row["computed_at"] for row in good} == {utc(2025, 6, 3, 6)}
    assert [(row["row"], row["column_name"], row["rule"]) for row in bad] == [(3, "value", "type")]  # an empty cell is no figure


def test_a_spreadsheet_s_cusips_are_recovered_from_the_isin_where_that_is_safe(land: Land) -> None:
    good, bad = land("spreadsheet_securities")
    assert cells(good, "issuer_id", "cusip", "security_id", "amount_outstanding") == [
        ("I1", "037833100", "037833100", 500e6),
        ("I2", "345000E66", "345000E66", 1e9),
        ("I3", "0774MAY15", "0774MAY15", 45.5e6),
        ("I4", "00130H105", "00130H105", 300e6),
    ]
    assert {(row["row"], row["rule"], row["value"]) for row in bad if row["column_name"] == "cusip"} == {
        (5, "damaged_cusip", "3.45E+71"),
        (6, "damaged_cusip", "2.22E+10"),
        (7, "damaged_cusip", "45920010"),
        (8, "damaged_cusip", "11111AA27"),
    }
