"""The service's own RFQs as rows of the RFQ log."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from expectations.contracts import journal as events
from expectations.contracts.sources import RFQ_LOG
from expectations.contracts.vocabulary import Protocol, Response, Side
from flows.sources.config import SourceConfig
from flows.sources.journal_rfqs import rfq_rows
from flows.sources.pulled import SourceError
from flows.sources.registry import pull
from tests.fakes import rfq_started
from tests.fakes.journal_file import write_events

START = datetime(2025, 6, 2, 14, tzinfo=UTC)


class Entry(NamedTuple):
    at: datetime
    event: events.AnyEvent


def at(seconds: float, event: events.AnyEvent) -> Entry:
    return Entry(START + timedelta(seconds=seconds), event)


def started(dealers: list[str], *, side: Side = Side.SELL, protocol: Protocol = Protocol.SEQUENTIAL, rfq: str = "R1") -> Entry:
    names = {"rfq_id": rfq, "order_id": "O1", "venue": "SIMULATED", "security_id": "S1", "cusip": "037833100"}
    event = rfq_started.started(**names, side=side, protocol=protocol, expected_cost_bps=10.0, dealers=dealers, propensity=0.9)
    return at(0, event)


def asked(seconds: float, dealer: str, sequence: int, rfq: str = "R1") -> Entry:
    return at(seconds, events.DealerAsked(rfq_id=rfq, dealer_id=dealer, sequence=sequence, quote_req_id=f"Q{sequence}"))


def quoted(seconds: float, dealer: str, price: float, *, quantity: float = 10_000_000.0) -> Entry:
    event = events.QuoteReceived(
        rfq_id="R1",
        dealer_id=dealer,
        quote_id=f"{dealer}-{seconds}",
        price=price,
        quantity=quantity,
        firm=True,
        responded_at=START + timedelta(seconds=seconds),
        valid_until=None,
    )
    return at(seconds, event)


def silent(seconds: float, dealer: str, response: Response, *, answered: bool) -> Entry:
    responded = START + timedelta(seconds=seconds) if answered else None
    event = events.DealerAnsweredWithout(rfq_id="R1", dealer_id=dealer, response=response, responded_at=responded, reason="")
    return at(seconds, event)


def filled(seconds: float, dealer: str, price: float, quantity: float = 10_000_000.0) -> Entry:
    event = events.ExecutionReported(
        rfq_id="R1",
        dealer_id=dealer,
        cl_ord_id="C1",
        exec_id=f"E{seconds}",
        price=price,
        quantity=quantity,
        executed_at=START + timedelta(seconds=seconds),
    )
    return at(seconds, event)


def closed(seconds: float, state: str = "EXECUTED", rfq: str = "R1") -> Entry:
    return at(seconds, events.RfqClosed(rfq_id=rfq, state=state, reason=""))


WHISPER = [
    started(["A", "B", "C"]),
    asked(0, "A", 1),
    silent(20, "A", Response.TIMED_OUT, answered=False),
    asked(20, "B", 2),
    silent(25, "B", Response.DECLINED, answered=True),
    asked(25, "C", 3),
    quoted(43, "C", 99.9),
    filled(50, "C", 99.9),
    closed(51),
]


def by_dealer(entries: list[Entry]) -> dict[str, dict[str, str | None]]:
    return {str(row["dealer_id"]): row for row in rfq_rows(entries)}


def test_an_executed_whisper_gives_a_row_per_dealer_asked() -> None:
    rows = by_dealer(WHISPER)
    assert {dealer: (row["response"], row["outcome"]) for dealer, row in rows.items()} == {
        "A": ("TIMED_OUT", "LOST"),
        "B": ("DECLINED", "LOST"),
        "C": ("QUOTED", "TRADED"),
    }
    won = rows["C"]
    assert (won["rfq_id"], won["order_id"], won["venue"], won["security_id"]) == ("R1", "O1", "SIMULATED", "S1")
    assert (won["client_side"], won["protocol"], won["sequence"], won["dealers_asked"]) == ("SELL", "SEQUENTIAL", "3", "3")
    assert (won["asked_at"], won["responded_at"]) == ("2025-06-02T14:00:25+00:00", "2025-06-02T14:00:43+00:00")
    assert (won["quote_price"], won["executed_price"], won["executed_quantity"]) == ("99.9", "99.9", "10000000.0")
    assert (won["executed_at"], won["arrival_mid"], won["propensity"]) == ("2025-06-02T14:00:50+00:00", "100.0", "0.9")


def test_a_silent_dealer_has_no_answer_a_declining_one_has_its_time() -> None:
    rows = by_dealer(WHISPER)
    assert (rows["A"]["responded_at"], rows["A"]["quote_price"], rows["A"]["executed_price"]) == (None, None, None)
    assert rows["B"]["responded_at"] == "2025-06-02T14:00:25+00:00"


@pytest.mark.parametrize(("side", "cover"), [(Side.BUY, "B"), (Side.SELL, "C")])
def test_the_best_losing_quote_is_the_cover_and_the_others_lost(side: Side, cover: str) -> None:
    start = started(["A", "B", "C", "D"], side=side, protocol=Protocol.PARALLEL)
    story = [
        start,
        *(asked(0, dealer, n) for n, dealer in enumerate("ABCD", 1)),
        quoted(5, "A", 100.0),
        quoted(6, "B", 100.1),
        quoted(7, "C", 100.3),
        quoted(8, "D", 100.2),
        filled(10, "A", 100.0),
        closed(11),
    ]
    outcomes = {dealer: row["outcome"] for dealer, row in by_dealer(story).items()}
    assert outcomes == {"A": "TRADED", "B": "LOST", "C": "LOST", "D": "LOST"} | {cover: "COVER"}


def test_the_cover_is_a_firm_quote_that_stands_for_all_of_the_order() -> None:
    taken_back = events.QuoteWithdrawn(rfq_id="R1", dealer_id="B", quote_id="B-6", reason="the dealer took it back")
    past = events.QuoteWithdrawn(rfq_id="R1", dealer_id="D", quote_id="D-8", reason=events.EXPIRED)
    story = [
        started(["A", "B", "C", "D"], protocol=Protocol.PARALLEL),
        *(asked(0, dealer, n) for n, dealer in enumerate("ABCD", 1)),
        quoted(5, "A", 100.3),
        quoted(6, "B", 100.2),
        quoted(7, "C", 100.1, quantity=1_000_000.0),
        quoted(8, "D", 100.0),
        at(9, taken_back),
        at(9, past),
        filled(10, "A", 100.3),
        closed(11),
    ]
    outcomes = {dealer: row["outcome"] for dealer, row in by_dealer(story).items()}
    assert outcomes == {"A": "TRADED", "B": "EXPIRED", "C": "LOST", "D": "COVER"}


def test_a_quote_of_a_whisper_that_died_before_the_trade_is_a_dead_one_and_no_cover() -> None:
    past = events.QuoteWithdrawn(rfq_id="R1", dealer_id="A", quote_id="A-5", reason=events.EXPIRED)
    story = [
        started(["A", "B", "C"]),
        asked(0, "A", 1),
        quoted(5, "A", 100.3),
        asked(5, "B", 2),
        quoted(15, "B", 100.1),
        asked(15, "C", 3),
        at(20, past),
        quoted(25, "C", 100.2),
        filled(30, "C", 100.2),
        closed(31),
    ]
    outcomes = {dealer: row["outcome"] for dealer, row in by_dealer(story).items()}
    assert outcomes == {"A": "EXPIRED", "B": "COVER", "C": "TRADED"}


def test_who_had_not_answered_when_the_rfq_ended_was_asked_and_silent_for_as_long_as_that() -> None:
    story = [
        started(["A", "B", "C"], protocol=Protocol.PARALLEL),
        asked(0, "A", 1),
        asked(1, "B", 2),
        asked(11, "C", 3),
        quoted(5, "A", 100.0),
        filled(10, "A", 100.0),
        closed(11),
    ]
    rows = by_dealer(story)
    assert {(row["response"], row["outcome"], row["timeout_s"], row["dealers_asked"]) for row in (rows["B"], rows["C"])} == {
        ("TIMED_OUT", "LOST", "10.0", "3"),
        ("TIMED_OUT", "LOST", "0.001", "3"),
    }


def test_a_fill_that_comes_after_the_end_is_in_the_log() -> None:
    story = [started(["A"]), asked(0, "A", 1), quoted(5, "A", 100.0), closed(11, "CANCELLED"), filled(60, "A", 100.0)]
    row = by_dealer(story)["A"]
    assert (row["outcome"], row["executed_price"], row["executed_quantity"]) == ("TRADED", "100.0", "10000000.0")


def test_without_a_trade_nobody_lost() -> None:
    story = [started(["A"]), asked(0, "A", 1), quoted(5, "A", 99.0), closed(60, "NOT_TRADED")]
    assert by_dealer(story)["A"]["outcome"] == "NOT_TRADED"


def test_several_fills_are_one_execution_at_their_mean_price() -> None:
    story = [
        started(["A"]),
        asked(0, "A", 1),
        quoted(5, "A", 99.0),
        filled(6, "A", 99.0, 6e6),
        filled(8, "A", 98.0, 2e6),
        closed(9),
    ]
    row = by_dealer(story)["A"]
    assert (row["executed_price"], row["executed_quantity"]) == ("98.75", "8000000.0")
    assert row["executed_at"] == "2025-06-02T14:00:08+00:00"


def test_an_open_rfq_is_left_out_until_it_closes() -> None:
    open_one = [started(["X"], rfq="R2"), asked(1, "X", 1, rfq="R2")]
    assert {row["rfq_id"] for row in rfq_rows([*WHISPER, *open_one])} == {"R1"}
    assert list(rfq_rows(WHISPER[:-1])) == []


def test_a_quote_after_the_time_out_changes_nothing() -> None:
    late = [*WHISPER[:-1], quoted(50.5, "A", 101.0), closed(51)]
    assert by_dealer(late) == by_dealer(WHISPER)


def test_a_dealer_whose_request_never_went_out_was_not_asked() -> None:
    story = [
        started(["A", "B"]),
        asked(0, "A", 1),
        silent(0, "A", Response.REJECTED, answered=False),
        asked(1, "B", 2),
        quoted(5, "B", 99.0),
        closed(60, "NOT_TRADED"),
    ]
    rows = by_dealer(story)
    assert list(rows) == ["B"]
    assert rows["B"]["dealers_asked"] == "1"


def test_interleaved_rfqs_keep_apart() -> None:
    other = [started(["A"], rfq="R2"), asked(3, "A", 1, rfq="R2")]
    mixed = [WHISPER[0], other[0], *WHISPER[1:4], other[1], *WHISPER[4:], closed(70, "CANCELLED", rfq="R2")]
    assert [row for row in rfq_rows(mixed) if row["rfq_id"] == "R1"] == list(rfq_rows(WHISPER))


def journal(path: Path, entries: list[Entry]) -> SourceConfig:
    write_events(path, entries)
    return SourceConfig(name="journal", kind="journal", path=str(path))


def test_a_day_is_one_delivery_whose_hash_moves_with_its_content(tmp_path: Path) -> None:
    noise = at(0, events.AlertRaised(rfq_id="R1", message="look"))
    source = journal(tmp_path / "journal #1.db", [noise, *WHISPER])
    (delivery,) = pull(source)
    assert (delivery.source, delivery.table, delivery.file) == ("journal", "rfq_log", "journal #1.db#2025-06-02")
    with duckdb.connect() as connection:
        found = connection.execute(delivery.select)
        assert [name for name, *_ in found.description or []] == list(RFQ_LOG.names)
        assert len(found.fetchall()) == 3
    assert pull(source)[0].content_hash == delivery.content_hash
    (other,) = pull(journal(tmp_path / "other.db", [*WHISPER[:-2], closed(51, "NOT_TRADED")]))
    assert other.content_hash != delivery.content_hash


def test_a_journal_without_a_closed_rfq_delivers_nothing(tmp_path: Path) -> None:
    assert pull(journal(tmp_path / "journal.db", WHISPER[:-1])) == []


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100], ids=["no events table", "not a database"])
def test_a_file_that_is_no_journal_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        pull(SourceConfig(name="journal", kind="journal", path=str(path)))
    assert "cannot be read as a journal" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_event_that_is_broken_is_refused_in_one_line(tmp_path: Path) -> None:
    source = journal(tmp_path / "journal.db", WHISPER)
    with sqlite3.connect(source.path) as connection:
        connection.execute('update events set payload = \'{"kind": "rfq.closed"}\' where seq = 9')
    connection.close()
    with pytest.raises(SourceError, match="cannot be read as a journal"):
        pull(source)
