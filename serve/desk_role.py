"""The desk role inside the service: built from the first snapshot's dealers, and not ready until then."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import structlog
from litestar import Litestar

from serve.adapters.journal import JournalError, SqliteJournal
from serve.desk import DeskConfig, brake_of, build_desk, load_desk_config, running
from serve.domain.market import Market
from serve.parts import Parts
from serve.settings import Settings
from serve.usecases.kill_switch import Switch
from serve.usecases.rfqs import Desk

log = structlog.get_logger(__name__)


def read_desk_config(settings: Settings) -> DeskConfig:
    """Read limits and venue. Raises LimitsError or VenueError."""
    return load_desk_config(settings.config, settings.venue, host=settings.fix_host, port=settings.fix_port)


def desk_reasons(app: Litestar) -> list[str]:
    """Say why no RFQ can be started now; empty = one can."""
    desk: Desk = app.state.desk
    return desk.not_ready_because()


@asynccontextmanager
async def dealing(app: Litestar, parts: Parts, config: DeskConfig, journal: SqliteJournal) -> AsyncIterator[None]:
    """Run the desk while the service runs. Without a snapshot there are no dealers to connect to: it waits for the first.

    Raises VenueError or JournalError.
    """
    async with AsyncExitStack() as stack:
        market = parts.snapshots.current()
        # The desk that waits and the one that takes over have one kill switch: a stop is never lost between the two.
        build = partial(_desk, parts, config, journal, Switch(brake_of(parts.settings.state)))
        app.state.desk = build(market)
        if market is not None:
            await stack.enter_async_context(running(app.state.desk))
            yield
            return
        waiting = asyncio.create_task(_start_later(app, parts, build, stack))
        try:
            yield
        finally:
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting


def _desk(parts: Parts, config: DeskConfig, journal: SqliteJournal, switch: Switch, market: Market | None) -> Desk:
    return build_desk(
        config,
        home=parts.settings.state,
        journal=journal,
        clock=parts.clock,
        ids=parts.ids,
        snapshots=parts.snapshots,
        dealers=market.dealers.values() if market else (),
        switch=switch,
    )


async def _start_later(app: Litestar, parts: Parts, build: Callable[[Market | None], Desk], stack: AsyncExitStack) -> None:
    market = await _first_snapshot(parts)
    desk = build(market)
    try:
        await stack.enter_async_context(running(desk))
    except (JournalError, ValueError, OSError) as exc:
        log.error("the desk could not start; restart the service once this is put right", reason=str(exc))
        return
    app.state.desk = desk
    log.info("the desk is connected", dealers=len(market.dealers))


async def _first_snapshot(parts: Parts) -> Market:
    while (market := parts.snapshots.current()) is None:  # noqa: ASYNC110 - the store is filled by a watcher that polls as well
        await asyncio.sleep(parts.settings.snapshot_poll_s)
    return market
