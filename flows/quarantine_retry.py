"""Rows set aside, tried again under today's contract and mapping."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
from filelock import FileLock, Timeout

from expectations.contracts.home import Home
from expectations.contracts.sources import LANDING_TABLES
from flows.intake import DATA_FILE, QUARANTINE_FILE, take_in
from flows.landing import Landing, Receipt
from flows.quarantine import Wanted
from flows.refused import Refused
from flows.sources.mapped import compiled
from flows.sources.mapping import load_mapping
from flows.sources.pulled import Pulled, SourceError, instant_text, named, quoted


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery tried again: rows landed by it and rows still bad; ``problem`` says why it could not be tried."""

    source: str
    table: str
    file: str
    landed: int
    still_bad: int
    problem: str | None = None


def retry(home: Home, mappings: Mapping[str, str | None], *, now: datetime, wanted: Wanted | None = None) -> list[Retried]:
    """Read the bad rows of the newest versions again; what is good by now lands as a new version, exactly once.

    ``mappings`` gives each source's mapping file. The new version holds the rows that were good before, too, as they are. What is
    still bad stays, with today's reason. Deliveries that the gate holds back are left alone: they are bad as a whole. Raises
    Refused while a refresh runs.
    """
    wanted, landing = wanted or Wanted(), Landing(home)
    home.root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home.root / "refresh.lock", blocking=False):
            at = landing.instant(now)
            chosen = [receipt for receipt in landing.newest().values() if _is_wanted(landing, receipt, wanted)]
            return [_tried(home, landing, receipt, mappings.get(receipt.source), at) for receipt in chosen]
    except Timeout as error:
        raise Refused(["a refresh is running; wait for it to end"]) from error


def _is_wanted(landing: Landing, receipt: Receipt, wanted: Wanted) -> bool:
    fits = wanted.source in {None, receipt.source} and wanted.table in {None, receipt.table}
    return bool(receipt.rejected) and fits and landing.state(receipt) != "held"


def _tried(home: Home, landing: Landing, receipt: Receipt, mapping: str | None, now: datetime) -> Retried:
    work = home.landing / ".retry"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    answer = {"source": receipt.source, "table": receipt.table, "file": receipt.file}
    try:
        made = _landed(home, landing, receipt, mapping, work=work, now=now)
    except SourceError as error:
        return Retried(**answer, landed=0, still_bad=receipt.rejected, problem=str(error))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Retried(**answer, landed=made.rows - receipt.rows, still_bad=made.rejected)


def _landed(home: Home, landing: Landing, receipt: Receipt, mapping: str | None, *, work: Path, now: datetime) -> Receipt:
    """Land the new version and give its receipt; the old one where nothing has become good."""
    set_aside = home.quarantine / receipt.source / receipt.table / f"{receipt.batch}.parquet"
    again = _bad_rows(receipt, set_aside, mapping)
    if again is None:
        return receipt
    batch = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}-{receipt.batch.rpartition('-')[2]}"
    counts = take_in(again, work, batch=batch, now=now, not_after=now)
    rows = _join(landing.data(receipt), work, batch, receipt) if counts.rows else receipt.rows
    if rows == receipt.rows:
        return receipt
    made = msgspec.structs.replace(
        receipt,
        batch=batch,
        landed_at=now,
        rows=rows,
        rejected=counts.rejected + _keep_unreadable(set_aside, work, batch, now),
        happened_from=min(filter(None, (receipt.happened_from, counts.happened_from)), default=None),
        happened_to=max(filter(None, (receipt.happened_to, counts.happened_to)), default=None),
    )
    return landing.keep(made, work)


def _bad_rows(receipt: Receipt, set_aside: Path, mapping: str | None) -> Pulled | None:
    """Give the rows as they came, under their own numbers; ``None`` where none can be read."""
    lines = f"from read_parquet({quoted(set_aside)}) where rule <> 'unreadable'"
    with duckdb.connect() as connection:
        keys = connection.execute(f"select distinct unnest(json_keys(raw)) as key {lines} order by key").fetchall()
    if not keys:
        return None
    cells = ", ".join(f"json_extract_string(raw, {quoted('$.' + named(key))}) as {named(key)}" for (key,) in keys)
    select = f"select distinct on (_row) _row, {cells} from (select row as _row, raw {lines}) order by _row"
    spec = load_mapping(Path(mapping)).tables.get(receipt.table) if mapping else None
    mapped = compiled(Path(mapping).stem, receipt.table, spec) if mapping and spec else None
    return Pulled(
        receipt.source, receipt.table, receipt.file, receipt.content_hash, select, mapped=mapped, may_be_empty=True, numbered=True
    )


def _join(data: Path, work: Path, batch: str, receipt: Receipt) -> int:
    """Put the rows good before and those good now into one file; give how many there are.

    Every row keeps the time at which its delivery was landed: a row that became good late is no newer than the delivery that it
    came in, and must not win over a correction that came since. Of a row that makes several, those that were good already stay.
    """
    key = " and ".join(f"d.{named(name)} is not distinct from e.{named(name)}" for name in LANDING_TABLES[receipt.table].key)
    earlier, both = work / "earlier.parquet", work / DATA_FILE
    both.replace(earlier)
    old, new = f"read_parquet({quoted(data)})", f"read_parquet({quoted(earlier)})"
    with duckdb.connect() as connection:
        first = connection.execute(f"select min(_landed_at) from {old}").fetchall()[0][0]
        landed = (first or receipt.landed_at.astimezone(UTC)).strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute(
            f"create temp table joined as select * replace ({quoted(batch)} as _batch, timestamp {quoted(landed)} as _landed_at) "
            f"from (select * from {old} union all by name select * from {new} as e "
            f"where not exists (select 1 from {old} as d where d._row = e._row and {key})) order by _row"
        )
        connection.execute(f"copy joined to {quoted(both)} (format parquet, compression zstd)")
        rows: int = connection.execute("select count(*) from joined").fetchall()[0][0]
    earlier.unlink()
    return rows


def _keep_unreadable(set_aside: Path, work: Path, batch: str, now: datetime) -> int:
    """Take the lines that were no rows at all over into the new version's quarantine; give how many."""
    lines, bad = f"select * from read_parquet({quoted(set_aside)}) where rule = 'unreadable'", work / QUARANTINE_FILE
    stamp = instant_text(now)
    with duckdb.connect() as connection:
        count: int = connection.execute(f"select count(distinct row) from ({lines})").fetchall()[0][0]
        if count:
            others = f"union all by name select * from read_parquet({quoted(bad)})" if bad.exists() else ""
            connection.execute(
                f"create temp table kept as select * replace ({quoted(batch)} as batch, timestamp {quoted(stamp)} as landed_at) "
                f"from ({lines}) {others}"
            )
            connection.execute(f"copy (from kept order by row) to {quoted(bad)} (format parquet, compression zstd)")
    return count
