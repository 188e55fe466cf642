"""Retention: old snapshots go, those by which something was recommended stay."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from expectations.contracts.home import Home
from expectations.contracts.journal import RecommendationMade
from flows import publish
from flows.retention import cited_snapshots, drop_old_snapshots
from flows.settings import FlowSettings
from flows.sources.pulled import SourceError
from tests.fakes.journal_file import write_events

START = datetime(2025, 6, 2, 14, tzinfo=UTC)


def made_by(snapshot_ids: Iterable[str]) -> list[tuple[datetime, RecommendationMade]]:
    return [
        (
            START + timedelta(seconds=number),
            RecommendationMade(
                recommendation_id=f"rec-{number}",
                order_id="O1",
                snapshot_id=snapshot_id,
                rules_version="v1",
                desk="credit",
                request={},
                answer={},
            ),
        )
        for number, snapshot_id in enumerate(snapshot_ids)
    ]


def snapshots(home: Home, *names: str) -> None:
    """Lay down as many snapshots, the oldest first, and make the last one current."""
    for name in names:
        (home.snapshots / name).mkdir(parents=True)
        (home.snapshots / name / publish.MANIFEST).write_text("{}", encoding="utf-8")
    publish.switch_to(home, names[-1])


def left(home: Home) -> list[str]:
    return sorted(path.name for path in home.snapshots.iterdir() if path.is_dir())


def test_a_snapshot_by_which_something_was_recommended_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    snapshots(home, "s1", "s2", "s3", "s4", "s5")
    write_events(home.journal, made_by(["s2"]))
    drop_old_snapshots(FlowSettings(home=tmp_path, keep_snapshots=2))
    assert left(home) == ["s2", "s4", "s5"]


def test_without_a_journal_only_the_newest_are_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    snapshots(home, "s1", "s2", "s3")
    drop_old_snapshots(FlowSettings(home=tmp_path, keep_snapshots=2))
    assert left(home) == ["s2", "s3"]


def test_only_what_is_new_in_the_journal_is_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_events(home.journal, made_by(["s1", "s2", "s1"]))
    assert cited_snapshots(home) == {"s1", "s2"}
    # What was read is not read again: of what is noted as read, nothing is found any more.
    home.cited.write_bytes(home.cited.read_bytes().replace(b'"s1",', b""))
    write_events(home.journal, made_by(["s3"]))
    assert cited_snapshots(home) == {"s2", "s3"}


@pytest.mark.parametrize("damage", ["a note that cannot be read", "a note that is gone", "another journal"])
def test_everything_is_read_again_where_the_note_does_not_fit(tmp_path: Path, damage: str) -> None:
    home, other = Home(tmp_path), tmp_path / "other.db"
    write_events(home.journal, made_by(["s1", "s2"]))
    write_events(other, made_by(["s2", "s3", "s3"]))
    assert cited_snapshots(home) == {"s1", "s2"}
    if damage == "a note that cannot be read":
        home.cited.write_bytes(b"{")
    elif damage == "a note that is gone":
        home.cited.unlink()
    else:
        shutil.copyfile(other, home.journal)
    assert cited_snapshots(home) == ({"s2", "s3"} if damage == "another journal" else {"s1", "s2"})


def test_nothing_is_dropped_while_the_journal_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = Home(tmp_path)
    snapshots(home, "s1", "s2", "s3", "s4")
    home.journal.write_bytes(b"no database" * 100)
    with pytest.raises(SourceError, match="cannot be read as a journal"):
        cited_snapshots(home)
    drop_old_snapshots(FlowSettings(home=tmp_path, keep_snapshots=2))
    assert left(home) == ["s1", "s2", "s3", "s4"]
    assert "no old snapshot is dropped: source journal:" in caplog.text
