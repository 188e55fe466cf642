"""Which snapshots recommendations stand on: retention leaves them, so that every past decision can be replayed."""

import msgspec

from expectations.contracts.home import Home
from expectations.contracts.journal import RecommendationMade
from flows.sources.journal_reading import Mark, end, holds, note, noted, reading

_MADE = RecommendationMade.__struct_config__.tag


class _Cited(msgspec.Struct, frozen=True):
    """What was found up to a mark in the journal."""

    mark: Mark
    snapshots: list[str]


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
