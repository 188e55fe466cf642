"""The journal: durable, chained, append-only, one writer."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contracts.journal import AlertRaised, KillSwitchSet
from serve.adapters.chain import GENESIS, Row, check_chain, seal, unseal
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import JournalError, JournalReader, SqliteJournal
from tests.fakes.clock import START, CountingIds, FakeClock


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    written = SqliteJournal(tmp_path / "journal.db", FakeClock(), CountingIds())
    yield written
    written.close()


def alert(rfq: str, text: str = "look") -> AlertRaised:
    return AlertRaised(rfq_id=rfq, message=text)


def chain_of(count: int) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, count + 1):
        previous = rows[-1].hash if rows else GENESIS
        rows.append(seal(alert(f"r{number % 3}", f"n{number}"), seq=number, event_id=f"e{number}", at=START, prev_hash=previous))
    return rows


async def test_appended_events_are_read_back_in_order_with_time_and_subject(journal: SqliteJournal) -> None:
    await journal.append(alert("r1"), alert("r2"))
    await journal.append(KillSwitchSet(on=True, actor="ann", reason="storm"))
    sealed = list(journal.read())
    assert [item.seq for item in sealed] == [1, 2, 3]
    assert sealed[0].at == START
    assert [item.event for item in journal.read(subject="r2")] == [alert("r2")]
    assert [item.seq for item in journal.read(kind="desk.kill_switch")] == [3]
    assert journal.head() == (3, sealed[-1].hash)
    assert journal.verify().ok


async def test_empty_journal_has_the_genesis_head_and_verifies(journal: SqliteJournal) -> None:
    assert journal.head() == (0, GENESIS)
    assert journal.verify(GENESIS).ok


async def test_concurrent_appends_share_commits_and_keep_one_chain(journal: SqliteJournal) -> None:
    await asyncio.gather(*(journal.append(alert(f"r{n}"), alert(f"r{n}", "second")) for n in range(200)))
    check = journal.verify()
    assert (check.ok, check.events) == (True, 400)


async def test_chain_goes_on_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for number in range(3):
        with closing(SqliteJournal(path, FakeClock(), CountingIds(f"run{number}"))) as journal:
            await journal.append(alert("r"))
    assert JournalReader(path).verify().events == 3


async def test_second_writer_is_refused_while_readers_are_not(journal: SqliteJournal) -> None:
    await journal.append(alert("r"))
    with pytest.raises(JournalError, match="another process is writing"):
        SqliteJournal(journal.path, FakeClock(), CountingIds())
    assert len(list(JournalReader(journal.path).read())) == 1


def test_reading_a_journal_that_is_not_there_says_where(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal at"):
        JournalReader(tmp_path / "none.db").head()


async def test_payload_that_is_no_event_is_named_when_it_is_read(journal: SqliteJournal) -> None:
    await journal.append(alert("r"))
    with closing(sqlite3.connect(journal.path)) as database, database:
        database.execute("drop trigger events_are_never_changed")
        database.execute("update events set payload = '{}'")
    with pytest.raises(JournalError, match=r"event 1 in .* is not an event.*audit verify"):
        list(journal.read())


def test_reading_a_file_that_is_no_database_is_refused_clearly(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("this is not a database, whatever its name says" * 20)
    for look in (JournalReader(path).verify, JournalReader(path).head):
        with pytest.raises(JournalError, match="cannot be read"):
            look()


def test_a_file_that_is_no_database_is_refused_clearly(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("this is not a database, whatever its name says" * 20)
    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteJournal(path, FakeClock(), CountingIds())


@pytest.mark.parametrize(
    "statement",
    ["update events set payload = '{}'", "delete from events", "insert or replace into events select * from events where seq = 1"],
)
async def test_changing_history_is_refused_by_the_database(journal: SqliteJournal, statement: str) -> None:
    await journal.append(alert("r"), alert("r"))
    with closing(sqlite3.connect(journal.path)) as database, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)


async def test_append_after_close_fails_and_nothing_is_lost_before(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", FakeClock(), CountingIds())
    pending = asyncio.gather(*(journal.append(alert("r")) for _ in range(20)))
    await asyncio.sleep(0)
    journal.close()
    assert len(await pending) == 20
    with pytest.raises(JournalError, match="closed"):
        await journal.append(alert("r"))


async def test_failed_write_reaches_the_caller_and_leaves_the_chain_whole(journal: SqliteJournal) -> None:
    await journal.append(alert("r"))
    # CountingIds give each id once; an id repeated breaks the table's own rule.
    journal._ids = type("Same", (), {"new": lambda _: "id-1"})()  # type: ignore[assignment]
    with pytest.raises(JournalError, match="could not be written"):
        await journal.append(alert("r"))
    journal._ids = CountingIds("later")
    await journal.append(alert("r"))
    check = journal.verify()
    assert (check.ok, check.events) == (True, 2)


async def test_followers_get_past_events_then_new_ones_once_each(journal: SqliteJournal) -> None:
    await journal.append(alert("r1", "past"), alert("other"))
    seen: list[str] = []

    async def follow() -> None:
        async for sealed in journal.follow(subject="r1"):
            assert isinstance(sealed.event, AlertRaised)
            seen.append(sealed.event.message)
            if len(seen) == 3:
                return

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.01)
    await journal.append(alert("r1", "first"))
    await journal.append(alert("r1", "second"))
    await asyncio.wait_for(task, 5)
    assert seen == ["past", "first", "second"]


@given(st.integers(0, 19), st.sampled_from(["event_id", "at", "kind", "subject", "payload", "prev_hash", "hash"]))
def test_any_edit_is_found_at_its_place(position: int, column: str) -> None:
    rows = chain_of(20)
    rows[position] = rows[position]._replace(**{column: getattr(rows[position], column) + "0"})
    check = check_chain(rows)
    assert not check.ok
    assert check.broken_seq == position + 1
    assert check.reason is not None
    assert "edited" in check.reason


@given(st.integers(0, 18))
def test_any_deletion_is_found(position: int) -> None:
    rows = chain_of(20)
    del rows[position]
    check = check_chain(rows)
    assert check.broken_seq == position + 1
    assert "missing" in str(check.reason)


@given(st.integers(0, 19), st.integers(0, 19), st.booleans())
def test_any_reordering_is_found(first: int, second: int, renumbered: bool) -> None:
    rows = chain_of(20)
    one, other = rows[first], rows[second]
    rows[first], rows[second] = other, one
    if renumbered:
        rows = [row._replace(seq=number) for number, row in enumerate(rows, 1)]
    check = check_chain(rows)
    assert check.ok == (first == second)
    if first != second:
        assert check.broken_seq == min(first, second) + 1


@given(st.integers(0, 19))
def test_truncation_is_found_only_against_a_head_noted_before(kept: int) -> None:
    rows = chain_of(20)
    assert check_chain(rows[:kept]).ok
    check = check_chain(rows[:kept], rows[-1].hash)
    assert (check.ok, check.broken_seq) == (False, kept + 1)
    assert check_chain(rows, rows[kept].hash).ok


async def test_edit_in_the_file_itself_is_found(journal: SqliteJournal) -> None:
    await journal.append(*(alert("r", str(number)) for number in range(30)))
    victim = random.Random(3).randint(1, 30)
    with closing(sqlite3.connect(journal.path)) as database, database:
        database.execute("drop trigger events_are_never_changed")
        database.execute("update events set payload = replace(payload, 'message', 'massage') where seq = ?", (victim,))
    assert journal.verify().broken_seq == victim


WRITER = """
import asyncio, sys
from pathlib import Path
from expectations.contracts.journal import AlertRaised
from serve.adapters.clock import RealClock
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), RealClock(), TimeOrderedIds())
    while True:
        sealed = await journal.append(*(AlertRaised(rfq_id="r", message="x" * 500) for _ in range(3)))
        print(sealed[-1].seq, flush=True)

asyncio.run(main())
"""


def test_killed_in_the_middle_of_writing_keeps_all_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(40)][-1]
        os.kill(process.pid, signal.SIGKILL)
    with closing(SqliteJournal(path, FakeClock(), TimeOrderedIds())) as journal:
        check = journal.verify()
        assert check.ok
        assert check.events >= acknowledged
        assert check.events % 3 == 0, "a transaction is whole or not there"


def test_sealed_row_reads_back_as_the_same_event() -> None:
    row = chain_of(1)[0]
    assert unseal(row).event == alert("r1", "n1")
