"""The backfill: a real day in a room of its own; the flow over days, with a failure, and the next run going on from there."""

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import msgspec
import pytest

from expectations.contracts.home import Home
from expectations.contracts.snapshot import Manifest
from flows.backfill_day import Day, build_day, is_done, key_of
from flows.refused import Refused
from flows.sources.config import SourceConfig
from tests.fakes import plain_refresh

LANDED = datetime(2025, 7, 1, 6, tzinfo=UTC)


@pytest.fixture
def landed(market: Path, home: Home) -> Home:
    plain_refresh.land(home, SourceConfig(name="files", kind="canonical", path=str(market)), now=LANDED)
    return home


def test_a_past_day_is_built_apart_from_everything_that_is_published(landed: Home) -> None:
    end = datetime(2025, 6, 25, 23, 59, 59, 999_999, tzinfo=UTC)
    day = Day(home=str(landed.root), day=end.date(), as_of=end, known_at=LANDED, sources=["files"], memory="1GB", threads=2)
    place = build_day(day)
    manifest = msgspec.json.decode((place / "manifest.json").read_bytes(), type=Manifest)
    assert (manifest.as_of, manifest.known_at) == (end, LANDED)
    assert manifest.gate
    assert all(result.passed for result in manifest.gate)
    with duckdb.connect() as connection:
        found = connection.execute(f"select count(*), min(as_of), max(as_of) from '{day.history}'").fetchall()[0]
    assert found == (manifest.tables["fct_dealer_scorecards"].rows, *(end.replace(tzinfo=None),) * 2)
    assert is_done(day)
    assert sorted(path.name for path in landed.backfill.iterdir()) == ["days", "scorecards"]
    assert not landed.warehouse.exists()
    assert not landed.snapshots.exists()


def test_a_day_that_fails_is_told_and_the_next_run_builds_that_one_alone(
    landed: Home, market: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import backfill as module
    from flows.orchestration import run_backfill

    built: list[date] = []
    broken = {date(2025, 6, 24)}

    def process(command: list[str], *, input: bytes, **_: object) -> "subprocess.CompletedProcess[bytes]":  # noqa: A002 - its name there
        day = msgspec.json.decode(input, type=Day)
        built.append(day.day)
        if day.day in broken:
            return subprocess.CompletedProcess(command, 1, b"", b"noise\nRuntimeError: the gate said no\n")
        for path, content in ((day.history, "x"), (day.place / "key", key_of(day))):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(module.subprocess, "run", process)
    span = (date(2025, 6, 23), date(2025, 6, 26))
    with pytest.raises(Refused, match="2025-06-24: RuntimeError: the gate said no"):
        run_backfill(market, *span, every="day", parallel=2)
    assert sorted(built) == [date(2025, 6, number) for number in (23, 24, 25, 26)]
    built.clear()
    broken.clear()
    assert run_backfill(market, *span, every="day", parallel=2) == [f"2025-06-{number}" for number in (23, 24, 25, 26)]
    assert built == [date(2025, 6, 24)]
    with pytest.raises(Refused, match="nothing is landed"):
        run_backfill(market, *span, every="day", parallel=2, known_at=datetime(2020, 1, 1, tzinfo=UTC))
