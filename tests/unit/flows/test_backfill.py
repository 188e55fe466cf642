"""Which days a backfill builds, from what, and when a day counts as done."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from filelock import FileLock
from pydantic import ValidationError

from flows.backfill import days_of, plan
from flows.backfill_day import Day, is_done, key_of
from flows.refused import Refused
from flows.settings import PROJECT, FlowSettings
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk

_T = TypeVar("_T")


def day_of(desk: Desk, **changes: object) -> Day:
    own = {
        "home": str(desk.home.root),
        "day": date(2025, 6, 30),
        "as_of": datetime(2025, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC),
        "known_at": NOW,
        "sources": ["market"],
        "memory": "1GB",
        "threads": 1,
    }
    return Day(**(own | changes))  # type: ignore[arg-type]


def test_days_are_those_of_the_week_and_weeks_are_seven_apart() -> None:
    friday = date(2025, 6, 27)
    assert days_of(friday, date(2025, 7, 1), "day") == [friday, date(2025, 6, 30), date(2025, 7, 1)]
    assert days_of(date(2025, 6, 1), date(2025, 6, 20), "week") == [date(2025, 6, 1), date(2025, 6, 8), date(2025, 6, 15)]
    assert days_of(friday, friday, "day") == [friday]
    assert days_of(friday, date(2025, 6, 26), "day") == []


def test_a_plan_shares_memory_and_threads_and_ends_each_day_at_its_last_microsecond(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 2))
    for receipt in desk.land():
        desk.landing.accept([receipt], at=NOW)
    settings = FlowSettings(home=desk.home.root, duckdb_memory="4GB", duckdb_threads=2)
    (desk.home.root / "sources.yml").write_text(f"sources: [{{name: market, kind: canonical, path: {desk.vendor}}}]")
    planned = plan(settings, str(desk.home.root / "sources.yml"), [date(2025, 6, 30)], 2, NOW)
    assert planned == [day_of(desk, memory="2000MB", threads=1)]


@pytest.mark.parametrize(("days", "words"), [([], "no day to build"), ([date(2025, 6, 30)], "nothing is landed")])
def test_a_backfill_of_nothing_is_refused(desk: Desk, days: list[date], words: str) -> None:
    desk.vendor.mkdir()
    with pytest.raises(Refused, match=words):
        plan(FlowSettings(home=desk.home.root), str(desk.vendor), days, 2, NOW)


def test_a_day_is_done_until_what_it_was_built_from_changes(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 2))
    desk.land()
    day = day_of(desk, known_at=NOW + timedelta(days=9))
    assert not is_done(day)
    for path, content in ((day.history, "x"), (day.place / "key", key_of(day))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert is_done(day)
    assert not is_done(day_of(desk, known_at=NOW + timedelta(days=9), as_of=NOW))
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    desk.land(now=NOW + timedelta(hours=1))
    assert not is_done(day)
    assert is_done(day_of(desk))  # known at an hour before the correction: what it uses is the same as then


def test_a_day_that_broke_off_before_its_key_is_not_done(desk: Desk) -> None:
    day = day_of(desk)
    day.place.mkdir(parents=True)
    Path(day.place / "manifest.json").write_text("{}")
    day.history.parent.mkdir(parents=True)
    day.history.write_text("x")
    assert not is_done(day)


@pytest.mark.parametrize(
    ("written", "share"), [("2500MB", "625MB"), ("2.5GB", "625MB"), ("1 GiB", "250MB"), ("512mb", "128MB"), ("1KB", "1MB")]
)
def test_memory_is_shared_whatever_unit_it_is_written_in(written: str, share: str) -> None:
    assert FlowSettings(duckdb_memory=written).share_of_memory(4) == share


@pytest.mark.parametrize("written", ["lots", "80%", "2", "-1GB", ""])
def test_memory_that_is_no_size_is_refused_as_a_setting(written: str) -> None:
    with pytest.raises(ValidationError, match="duckdb_memory"):
        FlowSettings(duckdb_memory=written)


def test_a_day_ends_with_the_backfill_that_it_was_started_by(desk: Desk) -> None:
    day = day_of(desk)
    day.lock.parent.mkdir(parents=True)
    parent = (
        "import os, subprocess, sys; "
        "subprocess.run([sys.executable, '-m', 'flows.backfill_day', str(os.getpid())], input=sys.stdin.buffer.read())"
    )
    with FileLock(day.lock), subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, cwd=PROJECT) as backfill:
        assert backfill.stdin is not None
        backfill.stdin.write(msgspec.json.encode(day))
        backfill.stdin.close()
        child = until(lambda: Path(f"/proc/{backfill.pid}/task/{backfill.pid}/children").read_text().strip())
        # It waits for the lock, or does not even know of it yet.
        os.kill(backfill.pid, signal.SIGKILL)
        until(lambda: not is_running(child))


def is_running(process: str) -> bool:
    """Whether it is there and not a zombie, which nobody may have taken note of."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(found: Callable[[], _T], seconds: float = 30) -> _T:
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer
