"""The desk role, put together: limits, venue, FIX gateway, and the use cases over them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from expectations.contracts.home import Home
from serve.adapters.answers import SqliteAnswers
from serve.adapters.brake import FileBrake
from serve.adapters.fix.gateway import FixGateway
from serve.adapters.fix.venue import Venue, load_venue
from serve.adapters.limits import load_limits
from serve.domain.limits import Limits
from serve.domain.market import Dealer
from serve.ports import Clock, Ids, Journal, Snapshots
from serve.usecases.kill_switch import Switch
from serve.usecases.rfq_floor import Floor, Practice
from serve.usecases.rfqs import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskConfig:
    """What the desk role reads before it starts."""

    limits: Limits
    venue: Venue


def load_desk_config(config: Path, venue: str = "sim", *, host: str | None = None, port: int | None = None) -> DeskConfig:
    """Read ``limits.yml`` and ``venues/<venue>.yml``; ``host`` and ``port`` go before the profile's.

    Raises LimitsError or VenueError, one clear line each.
    """
    profile = load_venue(config / "venues" / f"{venue}.yml")
    changed = replace(profile, host=host or profile.host, port=port or profile.port)
    return DeskConfig(limits=load_limits(config / "limits.yml"), venue=changed)


def build_desk(
    config: DeskConfig,
    *,
    home: Home,
    journal: Journal,
    clock: Clock,
    ids: Ids,
    snapshots: Snapshots,
    dealers: Iterable[Dealer],
    switch: Switch | None = None,
) -> Desk:
    """Build the desk; ``dealers`` with a ``fix_session`` get one session each. Raises VenueError for sessions that clash.

    Desks that follow one another in a process share a ``switch``; None = one of its own.
    """
    sessions = {dealer.dealer_id: dealer.fix_session for dealer in dealers if dealer.fix_session}
    venue = config.venue
    practice = Practice(venue=venue.venue, grace_s=venue.grace_s, tell_losers=venue.tell_losers, pass_on_close=venue.pass_on_close)
    floor = Floor(
        journal=journal,
        clock=clock,
        ids=ids,
        gateway=FixGateway(venue, sessions, home.fix),
        limits=config.limits,
        practice=practice,
        switch=switch or Switch(brake_of(home)),
    )
    return Desk(floor, snapshots)


def brake_of(home: Home) -> FileBrake:
    """Give the file that keeps the kill switch on across restarts, beside the journal."""
    return FileBrake(home.journal.with_name("kill-switch-on"))


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[Desk]:
    """Run the desk: recovered from the journal and connected inside, disconnected after. Raises VenueError, JournalError."""
    try:
        await desk.start()
        yield desk
    finally:
        await desk.stop()


@asynccontextmanager
async def answering(home: Home, clock: Clock) -> AsyncIterator[SqliteAnswers]:
    """Hold the answers by idempotency key, beside the journal."""
    answers = SqliteAnswers(home.journal.with_name("answers.db"), clock)
    try:
        yield answers
    finally:
        answers.close()
