"""What a running service is made of, put together once from the settings."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from serve.adapters.clock import RealClock, ScaledClock
from serve.adapters.desk_config import DeskFiles
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.issuer import Claims, EitherTokens, Issuer
from serve.adapters.journal import SqliteJournal
from serve.adapters.snapshot import SnapshotStore
from serve.adapters.tokens import TokenFile
from serve.api.service import Ready
from serve.domain.market import Market
from serve.domain.rules_bench import Bench
from serve.pace import settle_down
from serve.ports import Clock, Tokens
from serve.settings import Settings
from serve.usecases.advice import zoned
from serve.usecases.lookups import Lookups
from serve.usecases.recommendations import Recommendations

_BREATH_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The adapters and the use cases over them."""

    settings: Settings
    clock: Clock
    ids: TimeOrderedIds
    desks: DeskFiles
    snapshots: SnapshotStore
    tokens: Tokens
    lookups: Lookups


def assemble(settings: Settings) -> Parts:
    """Read the configuration and build what needs no running loop. Raises what the adapters raise for bad files."""
    clock = clock_of(settings)
    desks = DeskFiles(settings.rules_file, settings.scoring_file, settings.state.rules)
    snapshots = SnapshotStore(settings.state, prepare=lambda market: _prepare(market, desks))
    return Parts(
        settings=settings,
        clock=clock,
        ids=TimeOrderedIds(),
        desks=desks,
        snapshots=snapshots,
        tokens=_tokens(settings),
        lookups=Lookups(snapshots, snapshots, desks, clock),
    )


def _tokens(settings: Settings) -> Tokens:
    own = TokenFile(settings.state.tokens)
    if settings.jwt_issuer is None or settings.jwt_keys is None:
        return own
    claims = Claims(
        issuer=settings.jwt_issuer, audience=settings.jwt_audience, role=settings.jwt_role_claim, desk=settings.jwt_desk_claim
    )
    return EitherTokens(own, Issuer(settings.jwt_keys, claims))


def _prepare(market: Market, desks: DeskFiles) -> None:
    """Decide the rules' conditions on dealers before the first request sees a snapshot, and let requests in between."""
    Bench.of(market, desks.current().book).warm(pause=lambda: time.sleep(_BREATH_S))
    settle_down()


def clock_of(settings: Settings) -> Clock:
    """Give the desk's clock: the wall's, unless a speed or a start is set."""
    if settings.clock_start is None and settings.clock_speed == 1.0:
        return RealClock()
    return ScaledClock(zoned(settings.clock_start or datetime.now(UTC)), settings.clock_speed)


@asynccontextmanager
async def watching(parts: Parts) -> AsyncIterator[None]:
    """Load the current snapshot and follow it while the service runs."""
    await asyncio.to_thread(parts.snapshots.refresh)
    watcher = asyncio.create_task(parts.snapshots.watch(parts.settings.snapshot_poll_s))
    try:
        yield
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


@asynccontextmanager
async def journalling(parts: Parts) -> AsyncIterator[tuple[SqliteJournal, Recommendations]]:
    """Hold the journal while the service runs; on leaving, what is queued is written first."""
    parts.settings.state.journal.parent.mkdir(parents=True, exist_ok=True)
    journal = SqliteJournal(parts.settings.state.journal, parts.clock, parts.ids)
    try:
        yield journal, Recommendations(parts.snapshots, parts.desks, journal, parts.clock, parts.ids)
    finally:
        await asyncio.to_thread(journal.close)


def readiness(parts: Parts, desk_reasons: list[str]) -> Ready:
    """Say whether work should be sent here: a snapshot that is not stale, and a desk that has recovered."""
    market = parts.snapshots.current()
    reasons = list(desk_reasons)
    if market is None:
        reasons.append("no snapshot is published")
    else:
        oldest = timedelta(hours=parts.settings.snapshot_max_age_hours)
        age = parts.clock.now() - market.as_of
        if age > oldest:
            reasons.append(
                f"the snapshot is stale: {age.total_seconds() / 3600:.0f} hours old, {oldest.total_seconds() / 3600:.0f} allowed"
            )
    return Ready(
        ready=not reasons,
        reasons=reasons,
        snapshot_id=market.snapshot_id if market else None,
        as_of=market.as_of if market else None,
    )
