"""The journal, delivered by days: what it has more than before is read, and the days are those of all of it read at once."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Response
from flows.sources import journal as source
from flows.sources.config import SourceConfig
from flows.sources.journal import executed_rows
from flows.sources.journal_rfqs import Entry, rfq_rows
from flows.sources.registry import pull
from tests.fakes import rfq_started
from tests.fakes.journal_file import write_events

START = datetime(2025, 6, 2, 14, tzinfo=UTC)


@st.composite
def stories(draw: st.DrawFn) -> list[Entry]:
    """Draw the events of a few RFQs over some days, one among the other; some stay open, some are filled after their end."""
    story: list[Entry] = []
    for number in range(draw(st.integers(1, 6))):
        rfq, begins = f"R{number}", START + timedelta(hours=draw(st.integers(0, 60)))
        told: list[tuple[int, events.AnyEvent]] = [(0, rfq_started.started(rfq_id=rfq, dealers=["A", "B"]))]
        for dealer in ("A", "B"):
            told.append((1, events.DealerAsked(rfq_id=rfq, dealer_id=dealer, sequence=1, quote_req_id=f"Q{rfq}{dealer}")))
            if draw(st.booleans()):
                told.append((2, quoted(rfq, dealer, begins)))
            else:
                told.append((2, without(rfq, dealer, draw(st.sampled_from([Response.TIMED_OUT, Response.REJECTED])))))
        if draw(st.booleans()):
            told.append((draw(st.sampled_from([3, 5])), filled(rfq, "A", begins)))
        if draw(st.booleans()):
            told.append((4, events.RfqClosed(rfq_id=rfq, state="EXECUTED", reason="")))
        # Hours apart: an RFQ may stand over midnight.
        story += [Entry(begins + timedelta(hours=hours), event) for hours, event in told]
    return sorted(story, key=lambda entry: entry.at)


def quoted(rfq: str, dealer: str, at: datetime) -> events.QuoteReceived:
    names = {"rfq_id": rfq, "dealer_id": dealer, "quote_id": f"q{rfq}{dealer}"}
    return events.QuoteReceived(
        **names, price=99.5, quantity=1e6, firm=True, responded_at=at + timedelta(seconds=9), valid_until=None
    )


def without(rfq: str, dealer: str, response: Response) -> events.DealerAnsweredWithout:
    return events.DealerAnsweredWithout(rfq_id=rfq, dealer_id=dealer, response=response, responded_at=None, reason="")


def filled(rfq: str, dealer: str, at: datetime) -> events.ExecutionReported:
    names = {"rfq_id": rfq, "dealer_id": dealer, "cl_ord_id": f"C{rfq}", "exec_id": f"E{rfq}"}
    return events.ExecutionReported(**names, price=99.5, quantity=1e6, executed_at=at + timedelta(seconds=10))


def delivered(path: Path) -> dict[str, list[dict[str, object]]]:
    """Pull, and give the rows of each delivery."""
    found = {}
    with duckdb.connect() as connection:
        for delivery in pull(SourceConfig(name="journal", kind="journal", path=str(path))):
            relation = connection.sql(delivery.select)
            found[delivery.file] = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    return found


def by_key(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: (str(row["rfq_id"]), str(row["dealer_id"])))


@settings(max_examples=60, deadline=None)
@given(stories(), st.lists(st.integers(0, 40), max_size=4))
def test_a_journal_that_grows_in_portions_gives_the_rows_of_all_of_it(story: list[Entry], cuts: list[int]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        borders = [0, *sorted(min(cut, len(story)) for cut in cuts), len(story)]
        for start, end in pairwise(borders):
            write_events(path, [(entry.at, entry.event) for entry in story[start:end]])
            days = delivered(path)
        assert by_key([row for rows in days.values() for row in rows]) == by_key(list(rfq_rows(story)))
        closed = {entry.event.rfq_id: f"{entry.at:%Y-%m-%d}" for entry in story if isinstance(entry.event, events.RfqClosed)}
        assert all(file == f"journal.db#{closed[str(row['rfq_id'])]}" for file, rows in days.items() for row in rows)
        # At once, in a place where nothing is kept: the same days, to the byte.
        other = Path(folder) / "other"
        other.mkdir()
        shutil.copyfile(path, other / "journal.db")
        assert delivered(other / "journal.db") == days
        assert kept(other) == kept(Path(folder))


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "journal-rows").rglob("*.json")}


def an_rfq(name: str, days: int) -> list[tuple[datetime, events.AnyEvent]]:
    at = START + timedelta(days=days)
    asked = events.DealerAsked(rfq_id=name, dealer_id="A", sequence=1, quote_req_id=f"Q{name}")
    closed = events.RfqClosed(rfq_id=name, state="NOT_TRADED", reason="")
    return [(at, rfq_started.started(rfq_id=name, dealers=["A"])), (at, asked), (at, quoted(name, "A", at)), (at, closed)]


def test_only_days_of_which_something_came_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_events(tmp_path / "journal.db", [*an_rfq("R1", 0), *an_rfq("R2", 1)])
    delivered(path)
    told: list[str] = []
    stories = source._stories
    monkeypatch.setattr(source, "_stories", lambda connection, rfqs: stories(connection, told.extend(rfqs) or told))
    delivered(path)
    assert told == []
    write_events(path, an_rfq("R3", 1))
    assert set(delivered(path)) == {"journal.db#2025-06-02", "journal.db#2025-06-03"}
    assert told == ["R2", "R3"]


@pytest.mark.parametrize("change", ["another journal", "other code", "a day's file is gone", "a note that cannot be read"])
def test_everything_is_read_again_where_what_is_kept_does_not_fit(tmp_path: Path, change: str) -> None:
    path = write_events(tmp_path / "journal.db", [*an_rfq("R1", 0), *an_rfq("R2", 1)])
    rows, note = delivered(path), tmp_path / "journal-rows" / "listed.json"
    day = note.parent / "rfq_log" / "2025-06-02.json"
    day.write_bytes(b"[]")
    if change == "another journal":
        path.unlink()
        write_events(path, [*an_rfq("R3", 2), *an_rfq("R1", 0), *an_rfq("R2", 1)])
        rows = {**rows, "journal.db#2025-06-04": [{**row, "rfq_id": "R3"} for row in rows["journal.db#2025-06-03"]]}
    elif change == "other code":
        note.write_text(json.dumps({**json.loads(note.read_bytes()), "made_by": "an older version"}), encoding="utf-8")
    elif change == "a day's file is gone":
        day.unlink()
    else:
        note.write_bytes(b"{")
    found = delivered(path)
    assert {file: len(lines) for file, lines in found.items()} == {file: len(lines) for file, lines in rows.items()}
    assert found["journal.db#2025-06-02"] == rows["journal.db#2025-06-02"]


def test_executions_that_were_sent_are_not_read(tmp_path: Path) -> None:
    path = write_events(tmp_path / "journal.db", [*an_rfq("R1", 0), (START, filled("R1", "A", START)), *an_rfq("R2", 0)])
    assert [row["rfq_id"] for row in executed_rows(path, without=set())] == ["R1"]
    assert executed_rows(path, without={"R1"}) == []
