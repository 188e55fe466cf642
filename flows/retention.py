"""Retention: old snapshots go, but for those that recommendations stand on, so that every past decision can be replayed."""

import logging

import msgspec

from expectations.contracts.home import Home
from expectations.contracts.journal import RecommendationMade
from flows.publish import drop_old
from flows.settings import FlowSettings
from flows.sources.journal_reading import Mark, end, holds, note, noted, reading
from flows.sources.pulled import SourceError

log = logging.getLogger("flows.retention")

_MADE = RecommendationMade.__struct_config__.tag


class _Cited(msgspec.Struct, frozen=True):
    """What was found up to a mark in the journal."""

    mark: Mark
    snapshots: list[str]


def drop_old_snapshots(settings: FlowSettings) -> None:
    """Delete the oldest snapshots beyond ``keep_snapshots`` by which nothing was decided; none where that cannot be told."""
    try:
        drop_old(settings.state, keep=settings.keep_snapshots, cited=cited_snapshots(settings.state))
    except SourceError as error:
        log.warning("no old snapshot is dropped: %s", error)


def cited_snapshots(home: Home) -> set[str]:
    """Give the identifiers of all snapshots that a recommendation in the journal was made by; there may be no such snapshot.

    Only what the journal has more than the last time is read. Raises SourceError when it cannot be read.
    """
    if not home.journal.exists():
        return set()
    nothing = _Cited(Mark(), [])
    before = noted(home.cited, nothing)
    with reading(home.journal) as connection:
        before = before if holds(connection, before.mark) else nothing
        found = connection.execute(
            "select distinct payload ->> '$.snapshot_id' from events where kind = ? and seq > ?", [_MADE, before.mark.seq]
        ).fetchall()
        cited = _Cited(end(connection), sorted({*before.snapshots, *(snapshot_id for (snapshot_id,) in found)}))
    note(home.cited, cited)
    return set(cited.snapshots)
