"""What a refresh takes in: which sources, what of theirs is new, what is missing."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from expectations.contracts.home import Home
from expectations.contracts.sources import JOURNAL_SOURCE, LANDING_TABLES, TABLES
from flows.drift import Schema
from flows.landing import Landing, Receipt
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.sources.config import SourceConfig, load
from flows.sources.pulled import Pulled, SourceError, closest, quoted
from flows.warehouse import opened

log = logging.getLogger("flows.deliveries")


class Landed(msgspec.Struct, frozen=True):
    """The receipts still to be judged (new ones, those an earlier refresh left unjudged or held back), and what went wrong."""

    receipts: list[Receipt]
    problems: list[str]


def sources_of(settings: FlowSettings, path: Path) -> list[SourceConfig]:
    """List the sources of a refresh: those of the file or folder, and the service's journal once it exists."""
    listed = load(path, home=settings.state.root)
    if settings.state.journal.exists():
        listed.append(SourceConfig(name=JOURNAL_SOURCE, kind="journal", path=str(settings.state.journal)))
    return listed


def missing_tables(landing: Landing, source: SourceConfig, pulled: Iterable[Pulled]) -> list[str]:
    """Name the tables that a source delivered before and does not have now, unless it declares them optional."""
    if source.name == JOURNAL_SOURCE:
        return []
    before = {receipt.table for receipt in landing.receipts() if receipt.source == source.name}
    if source.tables is not None:
        before &= set(source.tables)
    gone = before - {delivery.table for delivery in pulled} - set(source.optional)
    return [
        f"source {source.name!r}: {table} was delivered before and is missing from {source.path}; "
        "deliver it, or list it under `optional` in sources.yml"
        for table in sorted(gone)
    ]


def only(source: SourceConfig, tables: Sequence[str] | None) -> SourceConfig | None:
    """Limit a source to some tables for one pull; ``None`` where it would give none of them. ``tables`` ``None`` = all."""
    if tables is None:
        return source
    wanted = [table for table in tables if source.tables is None or table in source.tables]
    return msgspec.structs.replace(source, tables=wanted) if wanted else None


def check_tables(tables: Sequence[str] | None) -> None:
    """Refuse tables to pull that there are none of. Raises Refused."""
    if tables is None:
        return
    if not tables:
        raise Refused(["`tables` is empty, so nothing would be pulled; leave it out to pull all"])
    unknown = [
        f"there is no table {name!r} to pull{closest(name, LANDING_TABLES)}" for name in tables if name not in LANDING_TABLES
    ]
    if unknown:
        raise Refused(unknown)


def missing_needed(pulled: Iterable[Pulled], landed: Iterable[Receipt], problems: list[str]) -> list[str]:
    """Name the tables that a refresh cannot do without and no source gives or gave; quiet where another problem explains it."""
    given = {delivery.table for delivery in pulled} | {receipt.table for receipt in landed}
    missing = [table.name for table in TABLES.values() if table.needed and table.name not in given]
    if not missing or problems:
        return []
    return [f"no source gives {', '.join(missing)}: a refresh needs rfq_log, dealers and securities"]


def land_new(landing: Landing, pulled: Iterable[Pulled], *, now: datetime, not_after: datetime) -> Landed:
    """Land each delivery that is not landed yet; an unchanged file lands nothing. Every problem is told, not the first only.

    A delivery that was held back is judged again: what was bad may have been another that came with it, or the gate.
    """
    receipts, problems = [], []
    newest = landing.newest()
    for delivery in pulled:
        known = newest.get((delivery.source, delivery.table, delivery.file))
        if known and known.content_hash == delivery.content_hash:
            receipts += [] if landing.state(known) == "accepted" else [known]
        else:
            try:
                before = _columns_before(newest, delivery)
                receipts.append(landing.land(delivery, now=now, not_after=not_after, before=before))
            except SourceError as error:
                problems.append(str(error))
    return Landed(receipts, problems)


def _columns_before(newest: Mapping[tuple[str, str, str], Receipt], delivery: Pulled) -> list[Schema]:
    """Give the columns that came before: those of the file's last version, else those of each of its neighbours in the folder."""
    last = newest.get((delivery.source, delivery.table, delivery.file))
    if last:
        return [last.columns]
    folder = delivery.file.rpartition("/")[0]
    return [
        receipt.columns
        for (source, table, file), receipt in newest.items()
        if (source, table) == (delivery.source, delivery.table) and file.rpartition("/")[0] == folder
    ]


def quarantined(home: Home, used: Iterable[Receipt]) -> dict[str, int]:
    """Count the rows set aside, per table: those refused at landing, and those whose dealer or security nobody knows.

    The latter are written to ``quarantine/unresolved.parquet``.
    """
    counts: dict[str, int] = {}
    for receipt in used:
        if receipt.rejected:
            counts[receipt.table] = counts.get(receipt.table, 0) + receipt.rejected
    home.quarantine.mkdir(parents=True, exist_ok=True)
    target = home.quarantine / "unresolved.parquet"
    with opened(home.warehouse, read_only=True) as connection:
        connection.execute(f"copy (from intermediate.int_unresolved_rows) to {quoted(target)} (format parquet)")
        # A row of which two cells are unknown counts once.
        unresolved = connection.execute(
            "select coalesce(sum(row_count), 0) from "
            "(select max(row_count) as row_count from intermediate.int_unresolved_rows group by batch, row)"
        ).fetchall()[0][0]
    if unresolved:
        counts["unresolved"] = int(unresolved)
    return counts
