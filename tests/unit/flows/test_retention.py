"""Retention: old snapshots go, those by which something was recommended stay."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from expectations.contracts.home import Home
from expectations.contracts.journal import RecommendationMade
from expectations.contracts.snapshot import Manifest
from flows import publish
from flows.aftermath import drop_old_snapshots, leave_behind
from flows.cited import cited_snapshots
from flows.landing import Landing
from flows.settings import FlowSettings
from flows.sources.pulled import SourceError
from tests.fakes.journal_file import write_events

START = datetime(2025, 6, 2, 14, tzinfo=UTC)
MANIFEST = b"""{
    "contract_version": 1, "snapshot_id": "s3", "as_of": "2025-06-02T14:00:00Z", "known_at": "2025-06-02T14:00:00Z",
    "created_at": "2025-06-02T14:00:00Z", "tables": {}, "quarantined": {}, "gate": [], "dbt_invocation_id": "",
    "code_version": "0", "sources": []
}"""


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


def test_nothing_is_dropped_while_the_journal_cannot_be_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    snapshots(home, "s1", "s2", "s3", "s4")
    home.journal.write_bytes(b"no database" * 100)
    with pytest.raises(SourceError, match="cannot be read as a journal"):
        drop_old_snapshots(FlowSettings(home=tmp_path, keep_snapshots=2))
    assert left(home) == ["s1", "s2", "s3", "s4"]


def test_the_page_of_a_snapshot_goes_with_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    snapshots(home, "s1", "s2", "s3")
    home.data_docs.mkdir()
    for name in ("s1", "s2", "refused"):
        (home.data_docs / f"{name}.html").touch()
    drop_old_snapshots(FlowSettings(home=tmp_path, keep_snapshots=2))
    assert sorted(path.name for path in home.data_docs.iterdir()) == ["refused.html", "s2.html"]


def test_what_fails_after_the_switch_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = Home(tmp_path)
    snapshots(home, "s1", "s2", "s3")
    home.journal.write_bytes(b"no database" * 100)
    home.data_docs.write_bytes(b"no folder")
    manifest = msgspec.json.decode(MANIFEST, type=Manifest)
    leave_behind(FlowSettings(home=tmp_path, keep_snapshots=2), manifest, [], Landing(home), [], at=START)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert [message.split(":")[0] for message in told] == [
        "the snapshot is published, but no old snapshot is dropped",
        "the snapshot is published, but it has no page, or no artifacts",
    ]
