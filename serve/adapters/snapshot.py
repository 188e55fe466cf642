"""Snapshots: read whole into memory, watched, swapped at once; a broken one never replaces a good one."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from expectations.contracts.home import Home
from serve.adapters.snapshot_history import read_history
from serve.adapters.snapshot_reader import SnapshotBroken, read_market
from serve.domain.market import Market, PastScorecard

log = structlog.get_logger(__name__)

LOADS = Counter("sotto_snapshot_loads_total", "Snapshots that the service tried to load", ["result"])
AS_OF = Gauge("sotto_snapshot_as_of_seconds", "The as-of time of the snapshot in use, in seconds since 1970")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KEPT = 4


class SnapshotStore:
    """The snapshot in use, and older ones by name. A request takes ``current`` once and holds what it got."""

    def __init__(self, home: Home, prepare: Callable[[Market], object] | None = None) -> None:
        """``prepare`` works out from a new snapshot what requests will need, before the first of them sees it."""
        self._home, self._prepare = home, prepare
        self._current: Market | None = None
        self._refused: tuple[str, int] | None = None
        self._older: OrderedDict[str, Market] = OrderedDict()

    def current(self) -> Market | None:
        """Give the last good snapshot, or ``None`` where there never was one."""
        return self._current

    def get(self, snapshot_id: str) -> Market:
        """Give a snapshot by its name, loading it if need be. Raises ``SnapshotBroken``."""
        if self._current is not None and self._current.snapshot_id == snapshot_id:
            return self._current
        if snapshot_id not in self._older:
            self._older[snapshot_id] = read_market(self._folder(snapshot_id))
        self._older.move_to_end(snapshot_id)
        while len(self._older) > _KEPT:
            self._older.popitem(last=False)
        return self._older[snapshot_id]

    def manifest(self, snapshot_id: str) -> dict[str, Any]:
        """Give what a snapshot says of itself. Raises ``SnapshotBroken`` where it is gone."""
        try:
            read: dict[str, Any] = msgspec.json.decode((self._folder(snapshot_id) / "manifest.json").read_bytes())
        except (OSError, msgspec.DecodeError) as exc:
            raise SnapshotBroken(f"the manifest of {snapshot_id} cannot be read: {exc}") from exc
        return read

    def history(self, snapshot_id: str, dealer_id: str) -> list[PastScorecard]:
        """Give one dealer's past scorecards, by class, the latest first. Raises ``SnapshotBroken``."""
        return read_history(self._folder(snapshot_id), dealer_id)

    def refresh(self) -> bool:
        """Load what ``CURRENT`` names if it is not in use yet; say whether the snapshot in use changed.

        A broken snapshot is logged and counted once, and the one in use stays.
        """
        name = self._named()
        if name is None or (self._current is not None and self._current.snapshot_id == name):
            return False
        mark = (name, self._written(name))
        if mark == self._refused:
            return False
        try:
            market = read_market(self._folder(name))
        except SnapshotBroken as exc:
            self._refused = mark
            LOADS.labels("refused").inc()
            kept = self._current.snapshot_id if self._current else None
            log.error("snapshot refused", snapshot_id=name, reason=str(exc), still_serving=kept)
            return False
        if self._prepare is not None:
            self._prepare(market)
        self._current = market
        LOADS.labels("loaded").inc()
        AS_OF.set(market.as_of.timestamp())
        log.info("snapshot in use", snapshot_id=name, as_of=market.as_of.isoformat())
        return True

    async def watch(self, every_s: float) -> None:
        """Look at ``CURRENT`` every so many seconds of wall time, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await asyncio.to_thread(self.refresh)

    def _named(self) -> str | None:
        try:
            return self._home.current.read_text().strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as exc:
            log.error("CURRENT cannot be read", path=str(self._home.current), reason=str(exc))
            return None

    def _written(self, name: str) -> int:
        try:
            return (self._folder(name) / "manifest.json").stat().st_mtime_ns
        except (OSError, SnapshotBroken):
            return 0

    def _folder(self, snapshot_id: str) -> Path:
        if not _NAME.fullmatch(snapshot_id):
            raise SnapshotBroken(f"{snapshot_id!r} is not a snapshot's name; 'ls {self._home.snapshots}' lists them")
        return self._home.snapshots / snapshot_id
