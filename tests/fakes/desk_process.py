"""A whole desk over a real journal and real FIX: run as a process so that a test can kill it in the middle of a trade."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from expectations.contracts.home import Home
from serve.adapters.clock import ScaledClock
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import SqliteJournal
from serve.desk import DeskConfig, build_desk, load_desk_config
from serve.domain.market import Dealer
from serve.domain.users import Role, User
from serve.usecases.rfq_views import RfqView
from serve.usecases.rfqs import Desk
from tests.fakes.clock import START
from tests.fakes.recommendation import FakeSnapshots, dealer, recommendation_made

TRADER = User(token_id="t", name="ann", role=Role.TRADER, desk="credit", expires_at=START + timedelta(days=9))
CONFIG = Path(__file__).parents[2] / "config"


@asynccontextmanager
async def real_desk(
    folder: Path, port: int, *, speed: float = 1.0, dealers: tuple[Dealer, ...] = (dealer("A"), dealer("B"), dealer("C"))
) -> AsyncIterator[tuple[Desk, SqliteJournal]]:
    """Run a desk with the simulated venue's profile against whatever listens on ``port``."""
    clock, ids, home = ScaledClock(START, speed), TimeOrderedIds(), Home(folder)
    loaded = load_desk_config(CONFIG, port=port)
    config = DeskConfig(limits=loaded.limits, venue=replace(loaded.venue, settle_s=0.1))
    journal = SqliteJournal(home.journal, clock, ids)
    try:
        desk = build_desk(
            config, home=home, journal=journal, clock=clock, ids=ids, snapshots=FakeSnapshots(*dealers), dealers=dealers
        )
        await desk.start()
        try:
            yield desk, journal
        finally:
            await desk.stop()
    finally:
        await asyncio.to_thread(journal.close)


async def until(desk: Desk, rfq_id: str, done: Callable[[RfqView], bool], seconds: float = 15) -> RfqView:
    """Wait until an RFQ is as wanted."""
    async with asyncio.timeout(seconds):
        while True:
            view = await desk.get(rfq_id, TRADER)
            if done(view):
                return view
            await asyncio.sleep(0.01)


async def ready(desk: Desk, *names: str) -> None:
    """Wait until the dealers' sessions can be used."""
    async with asyncio.timeout(15):
        while not all(desk.is_ready(name) for name in names):  # noqa: ASYNC110 - the engine sets no event
            await asyncio.sleep(0.01)


async def trade(folder: Path, port: int) -> None:
    """Start an RFQ, click on the first quote, say so, and wait to be killed."""
    async with real_desk(folder, port) as (desk, journal):
        await ready(desk, "A")
        await journal.append(recommendation_made(dealers=("A",)))
        rfq = await desk.begin("rec-1", None, TRADER)
        view = await until(desk, rfq.rfq_id, lambda seen: seen.dealers[0].quote is not None)
        assert view.dealers[0].quote is not None
        await desk.execute(rfq.rfq_id, view.dealers[0].quote.quote_id, TRADER)
        sys.stdout.write(f"{rfq.rfq_id}\n")
        sys.stdout.flush()
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(trade(Path(sys.argv[1]), int(sys.argv[2])))
