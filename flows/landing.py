"""Landing: immutable Parquet with a receipt per delivery; bad rows go to quarantine with their reasons."""

import hashlib
import shutil
from bisect import insort
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from expectations.contracts.home import Home
from expectations.contracts.sources import LANDING_TABLES
from flows import durable
from flows.drift import Schema
from flows.intake import DATA_FILE, QUARANTINE_FILE, take_in
from flows.layout import layout_of
from flows.refused import Refused
from flows.sources.pulled import Pulled

_RECEIPT, _ACCEPTED, _HELD = "receipt.json", "accepted.json", "held.json"
_MOMENT = timedelta(microseconds=1)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What landed: ``rows`` good ones, ``rejected`` to quarantine, ``repeated`` = good rows whose key came before in it.

    ``happened_from`` and ``happened_to`` bound the rows' own times (UTC; ``None`` for tables without one). ``columns`` are the
    vendor's, as they came; ``layout`` marks those that the file has (see ``flows.layout``).
    """

    source: str
    table: str
    file: str
    content_hash: str
    batch: str
    landed_at: datetime
    rows: int
    rejected: int
    repeated: int
    happened_from: datetime | None = None
    happened_to: datetime | None = None
    columns: Schema = {}
    layout: str = ""


class Landing:
    """The landing folder. One writer at a time: the refresh holds the lock, and what it has read of receipts holds for it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._receipts: list[Receipt] | None = None

    def newest(self) -> dict[tuple[str, str, str], Receipt]:
        """Give the receipt of the newest version of each file, by source, table and file."""
        return {(receipt.source, receipt.table, receipt.file): receipt for receipt in self.receipts()}

    def receipts(self) -> list[Receipt]:
        """Give every receipt, in order of source, table and batch. They are read once: a day's refresh asks several times.

        Raises Refused where one cannot be read.
        """
        if self._receipts is None:
            paths = self._home.landing.glob(f"*/*/*/{_RECEIPT}")
            self._receipts = sorted(map(_read, paths), key=_place)
        return list(self._receipts)

    def instant(self, now: datetime) -> datetime:
        """Give the instant to land at: now, but after all that is landed, also where the clock was set back.

        The newest version of a file is the one that was landed last.
        """
        return max([now, *(receipt.landed_at + _MOMENT for receipt in self.receipts())])

    def state(self, receipt: Receipt) -> str:
        """Say whether a batch is ``accepted``, ``held`` or ``pending`` (landed, not judged yet)."""
        folder = self.folder(receipt)
        if (folder / _HELD).exists():
            return "held"
        return "accepted" if (folder / _ACCEPTED).exists() else "pending"

    def folder(self, receipt: Receipt) -> Path:
        """Give the folder of one batch."""
        return self._home.landing / receipt.source / receipt.table / receipt.batch

    def data(self, receipt: Receipt) -> Path:
        """Give the Parquet file of one batch."""
        return self.folder(receipt) / DATA_FILE

    def accept(self, receipts: Iterable[Receipt], *, at: datetime) -> None:
        """Mark batches as judged and good."""
        for receipt in receipts:
            _mark(self.folder(receipt) / _ACCEPTED, {"at": at})

    def hold(self, receipts: Iterable[Receipt], *, reason: str, at: datetime) -> None:
        """Hold batches back: they stay in landing and are not used."""
        for receipt in receipts:
            _mark(self.folder(receipt) / _HELD, {"at": at, "reason": reason})

    def release(self, receipts: Iterable[Receipt]) -> None:
        """Take back that batches are held back: they are to be judged again."""
        for receipt in receipts:
            (self.folder(receipt) / _HELD).unlink(missing_ok=True)

    def land(self, pulled: Pulled, *, now: datetime, not_after: datetime, before: Collection[Schema] = ()) -> Receipt:
        """Type, check and write one delivery; ``before``: the columns of earlier deliveries.

        Raises SourceError when it cannot be read, is empty, lacks a column, or has drifted.
        """
        # All that tells deliveries apart: the same content may come under two names, and the same file from two sources.
        mark = hashlib.sha256("\n".join((pulled.source, pulled.table, pulled.file, pulled.content_hash)).encode()).hexdigest()
        batch = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}-{mark[:8]}"
        work = self._home.landing / ".work"
        # What a landing that was killed has left behind.
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            counts = take_in(pulled, work, batch=batch, now=now, not_after=not_after, before=before)
            receipt = Receipt(
                source=pulled.source,
                table=pulled.table,
                file=pulled.file,
                content_hash=pulled.content_hash,
                batch=batch,
                landed_at=now,
                layout=layout_of(LANDING_TABLES[pulled.table]),
                **msgspec.structs.asdict(counts),
            )
            return self.keep(receipt, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def keep(self, receipt: Receipt, work: Path) -> Receipt:
        """Move a finished work folder to its place, quarantined rows first: with the rename it is landed, before it is not.

        After a power cut, too: what is landed is whole.
        """
        if receipt.rejected:
            target = self._home.quarantine / receipt.source / receipt.table / f"{receipt.batch}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            durable.sync(work / QUARANTINE_FILE)
            (work / QUARANTINE_FILE).replace(target)
            durable.sync(target.parent)
        durable.sync(work / DATA_FILE)
        durable.write(work / _RECEIPT, msgspec.json.format(msgspec.json.encode(receipt)))
        folder = self.folder(receipt)
        folder.parent.mkdir(parents=True, exist_ok=True)
        work.rename(folder)
        durable.sync(folder.parent)
        if self._receipts is not None:
            insort(self._receipts, receipt, key=_place)
        return receipt


def _read(path: Path) -> Receipt:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except msgspec.DecodeError as error:
        told = "move its folder out of landing, and the next refresh lands what it held anew from the source"
        raise Refused([f"{path} cannot be read ({error}); {told}"]) from error


def _place(receipt: Receipt) -> tuple[str, str, str]:
    return receipt.source, receipt.table, receipt.batch


def _mark(path: Path, said: dict[str, object]) -> None:
    """Write a mark beside its place and move it there. After a power cut it may be gone, and the batch is judged again."""
    written = path.with_suffix(".new")
    written.write_bytes(msgspec.json.encode(said))
    written.replace(path)
