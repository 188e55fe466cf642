"""The desk against the simulated dealers over FIX, twenty times as fast as life."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from serve.domain.market import Dealer
from serve.domain.orders import Mode, Plan
from serve.domain.rfq import RfqState
from serve.evidence import write_evidence
from serve.settings import Settings
from sim.fix.acceptor import RunningDealers, running_dealers
from sim.fix.scripts import Action, OnHit, Script, Via
from sim.simulate import simulate
from sim.world import World, load_world
from tests.fakes.desk_process import CONFIG, TRADER, ready, real_desk, until
from tests.fakes.recommendation import dealer, recommendation_made

SPEED = 20.0
SCRIPTS = {
    "ASHWELL": Script(Action.SILENT),
    "BRACKEN": Script(price=99.10, after_s=5),
    "CALDER": Script(price=99.95, after_s=18, via=Via.COUNTER),
    "DUNMORE": Script(Action.DECLINE, after_s=2),
    "EASTLEA": Script(price=99.96, after_s=1, on_hit=OnHit.REFUSE),
    "FENWICK": Script(price=99.95, after_s=1, on_hit=OnHit.REPORT_TWICE),
    "GARTHWAY": Script(price=99.90, after_s=1),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    done = simulate(tmp_path_factory.mktemp("market") / "files", 5, 3, date(2026, 5, 29), securities=40, dealers=16)
    return load_world(done.truth)


@pytest.fixture
def dealers(world: World) -> Iterator[RunningDealers]:
    with running_dealers(world, scripts=SCRIPTS, speed=SPEED) as running:
        yield running
        assert running.failures == ()


def known(world: World) -> tuple[Dealer, ...]:
    return tuple(dealer(item.dealer_id, fix_session=item.fix_session) for item in world.dealers if item.dealer_id in SCRIPTS)


def bond(world: World) -> str:
    return next(item.cusip for item in world.bonds if item.scorecard_class == "CORP_IG")


async def test_whisper_then_refused_then_traded(world: World, dealers: RunningDealers, tmp_path: Path) -> None:
    async with real_desk(tmp_path, dealers.port, speed=SPEED, dealers=known(world)) as (desk, journal):
        await ready(desk, *SCRIPTS)
        await journal.append(recommendation_made(dealers=("ASHWELL", "BRACKEN", "CALDER", "DUNMORE"), cusip=bond(world)))
        rfq = await desk.begin("rec-1", None, TRADER)
        view = await until(desk, rfq.rfq_id, lambda seen: seen.state is RfqState.AWAITING_TRADER)
        assert [line.state for line in view.dealers] == ["TIMED_OUT", "QUOTED", "QUOTED", "NOT_ASKED"]
        silent, poor, good = view.dealers[:3]
        assert (silent.asked_at, poor.asked_at, good.asked_at, good.responded_at) == tuple(
            sorted(filter(None, (silent.asked_at, poor.asked_at, good.asked_at, good.responded_at)))
        )
        assert poor.asked_at is not None
        assert silent.asked_at is not None
        assert 20 <= (poor.asked_at - silent.asked_at).total_seconds() < 24
        assert poor.quote is not None
        assert good.quote is not None
        assert (poor.quote.competitive, good.quote.competitive) == (False, True)
        assert dealers.received("DUNMORE") == [], "nobody beyond the competitive quote hears of the order"
        await desk.execute(rfq.rfq_id, good.quote.quote_id, TRADER)
        done = await until(desk, rfq.rfq_id, lambda seen: seen.closed_at is not None)
        assert done.execution is not None
        assert (done.state, done.execution.dealer_id, done.execution.price) == (RfqState.EXECUTED, "CALDER", 99.95)
        await _parallel_with_a_refusal(world, dealers, desk, journal)
        assert journal.verify().ok
        pack = write_evidence(rfq.rfq_id, tmp_path / "pack.json", Settings(home=tmp_path, config=CONFIG))
        kinds = {kind for line in pack.fix_messages for kind in re.findall(r"\|35=(\w+)\|", line)}
        assert {"R", "S", "AJ", "8"} <= kinds, "the evidence holds what went over the wire: request, quote, hit and fill"


async def _parallel_with_a_refusal(world, dealers, desk, journal):
    plan = Plan(mode=Mode.PARALLEL, timeout_s=20, max_dealers=4, competitive_within_bps=3.0)
    names = ("DUNMORE", "EASTLEA", "FENWICK", "GARTHWAY")
    await journal.append(recommendation_made("rec-2", dealers=names, cusip=bond(world), plan=plan))
    rfq = await desk.begin("rec-2", None, TRADER)
    view = await until(desk, rfq.rfq_id, lambda seen: all(line.response for line in seen.dealers))
    assert [line.state for line in view.dealers] == ["DECLINED", "QUOTED", "QUOTED", "QUOTED"]
    refusing, twice = view.dealers[1].quote, view.dealers[2].quote
    await desk.execute(rfq.rfq_id, refusing.quote_id, TRADER)
    await until(desk, rfq.rfq_id, lambda seen: seen.state is not RfqState.EXECUTING)
    await desk.execute(rfq.rfq_id, twice.quote_id, TRADER)
    done = await until(desk, rfq.rfq_id, lambda seen: seen.closed_at is not None)
    assert (done.execution.dealer_id, done.execution.quantity) == ("FENWICK", 10_000_000.0)
    await until(desk, rfq.rfq_id, lambda _: bool(dealers.told("GARTHWAY")))
    assert [code for _, code in dealers.told("GARTHWAY")] == ["4"], "the best loser hears that it was the cover"
    reported = [item for item in journal.read(subject=rfq.rfq_id) if type(item.event).__name__ == "ExecutionReported"]
    assert len(reported) == 1, "a report that comes twice counts once"
