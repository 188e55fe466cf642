"""The kind ``journal``: the service's own RFQs and overrides, read from its event log as rows of two tables.

RFQs are delivered by the day on which they closed, so that a refresh lands the days on which something came, however long the
journal. Each day's rows are kept beside it, with a note of how far it was read.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import msgspec

from expectations.contracts import journal as events
from expectations.contracts.sources import JOURNAL_SOURCE, OVERRIDES, RFQ_LOG, Table
from flows.sources import journal_rfqs
from flows.sources.config import SourceConfig
from flows.sources.journal_overrides import override_rows
from flows.sources.journal_reading import Mark, end, holds, note, noted, reading
from flows.sources.journal_rfqs import Entry, RfqEvent, rfq_rows
from flows.sources.pulled import Pulled, quoted

Row = dict[str, str | None]

_KINDS = [str(kind.__struct_config__.tag) for kind in get_args(RfqEvent)]
_CLOSED, _FILLED, _STARTED, _MADE, _OVERRIDDEN = (
    str(kind.__struct_config__.tag)
    for kind in (
        events.RfqClosed,
        events.ExecutionReported,
        events.RfqStarted,
        events.RecommendationMade,
        events.RecommendationOverridden,
    )
)


class _Listed(msgspec.Struct, frozen=True):
    """What is kept beside the journal: days with the hash of their rows, up to a mark, and by which code they were made."""

    made_by: str
    mark: Mark
    days: dict[str, str]


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Read the closed RFQs and the overrides; an RFQ that is still open is left for a later pull.

    Raises SourceError when the file is not a journal.
    """
    path = Path(source.path)
    folder = path.with_name("journal-rows")
    with reading(path) as connection:
        days = _list_rfqs(connection, folder)
        overrides = list(_overrides(connection))
    for day, digest in sorted(days.items()):
        yield _delivery(RFQ_LOG, f"{path.name}#{day}", digest, folder / RFQ_LOG.name / f"{day}.json")
    if overrides:
        listing = folder / f"{OVERRIDES.name}.json"
        yield _delivery(OVERRIDES, path.name, _write(listing, overrides), listing)


def executed_rows(path: Path, *, without: set[str]) -> list[Row]:
    """Give the rows of closed RFQs that were executed, but for those in ``without``. Raises SourceError when it is no journal."""
    with reading(path) as connection:
        filled = connection.execute("select distinct subject from events where kind = ?", [_FILLED]).fetchall()
        return list(rfq_rows(_stories(connection, [rfq for (rfq,) in filled if rfq not in without])))


def _list_rfqs(connection: sqlite3.Connection, folder: Path) -> dict[str, str]:
    """Bring the rows that are kept of each day up to the journal; give the days, each with the hash of its rows.

    Only the days of RFQs of which something came are read again: those that closed, and those with a late fill.
    """
    nothing = _Listed(_made_by(), Mark(), {})
    listed = noted(folder / "listed.json", nothing)
    fits = listed.made_by == nothing.made_by and holds(connection, listed.mark)
    if not fits or not all((folder / RFQ_LOG.name / f"{day}.json").is_file() for day in listed.days):
        listed = nothing
    days = dict(listed.days)
    for day, rfqs in groupby(_closed_since(connection, listed.mark), lambda closed: closed[0]):
        place = folder / RFQ_LOG.name / f"{day}.json"
        before = [row["rfq_id"] for row in msgspec.json.decode(place.read_bytes())] if day in days else []
        rows = list(rfq_rows(_stories(connection, dict.fromkeys([*before, *(rfq for _, rfq in rfqs)]))))
        if rows:
            days[day] = _write(place, rows)
    note(folder / "listed.json", _Listed(nothing.made_by, end(connection), days))
    return days


def _closed_since(connection: sqlite3.Connection, mark: Mark) -> list[tuple[str, str]]:
    """Give the closed RFQs of which there is an event after the mark, with the day (UTC) on which each closed, in that order."""
    marks = ", ".join("?" * len(_KINDS))
    return connection.execute(
        "select substr(min(at), 1, 10) as day, subject from events where kind = ? and subject in "
        f"(select subject from events where seq > ? and kind in ({marks})) group by subject order by day, min(seq)",
        [_CLOSED, mark.seq, *_KINDS],
    ).fetchall()


def _stories(connection: sqlite3.Connection, rfqs: Iterable[str]) -> Iterator[Entry]:
    """Yield the events of these RFQs, one RFQ after the other."""
    marks = ", ".join("?" * len(_KINDS))
    query = f"select at, payload from events where subject = ? and kind in ({marks}) order by seq"
    for rfq in rfqs:
        for at, payload in connection.execute(query, [rfq, *_KINDS]):
            yield Entry(datetime.fromisoformat(at), msgspec.json.decode(payload, type=RfqEvent))


def _overrides(connection: sqlite3.Connection) -> Iterator[Row]:
    """Read the overrides, what had been recommended, and the RFQs that were started with them."""
    overridden = _read(connection, "kind = ?", [_OVERRIDDEN])
    if not overridden:
        return iter(())
    made = [
        entry
        for recommendation in dict.fromkeys(event.recommendation_id for _, event in overridden)
        for entry in _read(connection, "subject = ? and kind = ?", [recommendation, _MADE])
    ]
    started = _read(connection, "kind = ? and payload ->> '$.override_id' is not null", [_STARTED])
    return override_rows([*made, *overridden, *started])


def _read(connection: sqlite3.Connection, where: str, given: Sequence[str]) -> list[tuple[datetime, Any]]:
    found = connection.execute(f"select at, payload from events where {where} order by seq", given).fetchall()
    return [(datetime.fromisoformat(at), msgspec.json.decode(payload, type=events.AnyEvent)) for at, payload in found]


def _made_by() -> str:
    """Tell what rows depend on apart from the journal: with other code, all of them are made anew."""
    modules = (__file__, journal_rfqs.__file__, events.__file__)
    return hashlib.sha256(b"\0".join(Path(module).read_bytes() for module in modules)).hexdigest()


def _delivery(table: Table, file: str, digest: str, listing: Path) -> Pulled:
    cells = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in table.names)
    select = f"select * from read_json({quoted(listing)}, columns = {{{cells}}})"
    return Pulled(JOURNAL_SOURCE, table.name, file, digest, select)


def _write(path: Path, rows: list[Row]) -> str:
    """Write rows where landing can read them; give the hash of their content."""
    return hashlib.sha256(note(path, rows)).hexdigest()
