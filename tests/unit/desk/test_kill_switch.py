"""The kill switch against a slow journal, a full disk, a restart and a start without a snapshot."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.contracts.home import Home
from serve import desk_role
from serve.adapters.brake import FileBrake
from serve.adapters.journal import JournalError
from serve.domain.rfq import RfqState
from serve.usecases.kill_switch import Switch
from serve.usecases.refusals import NotReady
from tests.fakes.clock import settle
from tests.unit.desk.test_at_once import Slow
from tests.unit.desk.test_desk import GOOD, TRADER, House
from tests.unit.desk.test_settling import NOT_TRADED

FULL = JournalError("disk full")


async def press(house: House, *, on: bool) -> None:
    await house.desk.kill_switch(on=on, reason="storm", user=TRADER)


@pytest.fixture
async def stopped() -> AsyncIterator[Slow]:
    house = Slow()
    await house.desk.start()
    await press(house, on=True)
    yield house
    house.slow.gate.set()
    await house.desk.stop()


async def test_off_under_way_does_not_undo_an_on_that_came_after_it(stopped: Slow) -> None:
    stopped.slow.gate.clear()
    off = asyncio.create_task(press(stopped, on=False))
    await settle()
    on = asyncio.create_task(press(stopped, on=True))
    await settle()
    stopped.slow.gate.set()
    await off
    assert stopped.desk.halted, "ON is still being written"
    await on
    assert stopped.desk.halted
    assert stopped.floor.book.halted, "the journal says last what counts"
    await press(stopped, on=False)
    assert not stopped.desk.halted


async def test_off_under_way_does_not_undo_an_on_that_the_journal_does_not_take(stopped: Slow) -> None:
    stopped.slow.gate.clear()
    off = asyncio.create_task(press(stopped, on=False))
    await settle()
    on = asyncio.create_task(press(stopped, on=True))
    stopped.slow.gate.set()
    await off
    stopped.journal.fail_next = FULL
    with pytest.raises(NotReady):
        await on
    assert stopped.desk.halted


async def test_off_that_cannot_be_written_changes_nothing(stopped: Slow) -> None:
    stopped.journal.fail_next = FULL
    with pytest.raises(JournalError):
        await press(stopped, on=False)
    assert stopped.desk.halted


async def test_stop_that_cannot_be_written_holds_and_cancels_and_says_so() -> None:
    house = House()
    await house.desk.start()
    rfq = await house.begin()
    house.journal.fail_next = FULL
    with pytest.raises(NotReady, match="stopped, until the service is restarted, but that could not be written"):
        await press(house, on=True)
    assert house.desk.halted
    assert await house.state(rfq) is RfqState.CANCELLED
    await house.desk.stop()


async def test_rfq_whose_cancellation_cannot_be_written_is_cancelled_when_it_can() -> None:
    house = Slow()
    (name,) = await house.recommended(1)
    rfq = (await house.desk.begin(name, None, TRADER)).rfq_id
    house.slow.gate.clear()
    pressed = asyncio.create_task(press(house, on=True))
    await settle()
    house.slow.gate.set()
    while "desk.kill_switch" not in house.kinds:  # noqa: ASYNC110 - the fake says nothing when it has written
        await asyncio.sleep(0)
    house.journal.fail_next = FULL
    await pressed
    assert await house.state(rfq) is RfqState.OPEN
    await house.clock.advance(1)
    assert await house.state(rfq) is RfqState.CANCELLED
    await house.desk.stop()


async def test_execution_that_comes_to_nothing_under_the_switch_leaves_no_open_rfq() -> None:
    house = House()
    await house.desk.start()
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    await house.desk.execute(rfq, await house.first_quote(rfq), TRADER)
    await press(house, on=True)
    await house.clock.advance(31)
    assert (await house.desk.settle(rfq, NOT_TRADED, TRADER)).state is RfqState.CANCELLED
    await house.desk.stop()


async def test_stop_that_only_the_file_knows_survives_a_restart_until_it_is_turned_off(tmp_path: Path) -> None:
    brake = FileBrake(tmp_path / "state" / "kill-switch-on")
    house = House()
    house.floor.switch = Switch(brake)
    await house.desk.start()
    house.journal.fail_next = FULL
    with pytest.raises(NotReady, match="also after a restart"):
        await press(house, on=True)
    again = House(journal=house.journal, clock=house.clock)
    again.floor.switch = Switch(brake)
    await again.desk.start()
    assert again.desk.halted
    await press(again, on=False)
    assert not again.desk.halted
    assert not Switch(brake).on
    for running in (house, again):
        await running.desk.stop()


class NoFile:
    """A disk that takes nothing."""

    def is_set(self) -> bool:
        return False

    def set(self) -> None:
        raise OSError("disk full")

    def clear(self) -> None:
        raise OSError("read-only")


async def test_file_that_cannot_be_written_keeps_nobody_from_pressing() -> None:
    house = House()
    house.floor.switch = Switch(NoFile())
    await house.desk.start()
    await press(house, on=True)
    assert house.desk.halted
    await press(house, on=False)
    assert not house.desk.halted
    await house.desk.stop()


async def test_stop_before_the_first_snapshot_holds_for_the_desk_that_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = House()
    real = House(journal=waiting.journal, clock=waiting.clock)
    connecting, start = asyncio.Event(), real.gateway.start

    async def slowly(sink: Any) -> None:
        await connecting.wait()
        await start(sink)

    real.gateway.start = slowly  # type: ignore[method-assign]
    houses = iter([waiting, real])

    def build(*_: Any, switch: Switch, **__: Any) -> Any:
        house = next(houses)
        house.floor.switch = switch
        return house.desk

    monkeypatch.setattr(desk_role, "build_desk", build)
    found = iter([None, SimpleNamespace(dealers={})])
    snapshots = SimpleNamespace(current=lambda: next(found))
    settings = SimpleNamespace(state=Home(tmp_path), snapshot_poll_s=0.01)
    parts: Any = SimpleNamespace(snapshots=snapshots, settings=settings, clock=None, ids=None)
    app: Any = SimpleNamespace(state=SimpleNamespace())
    none: Any = None
    async with desk_role.dealing(app, parts, none, none):
        await asyncio.sleep(0.1)
        assert app.state.desk is waiting.desk
        await press(waiting, on=True)
        connecting.set()
        await asyncio.sleep(0.05)
        assert app.state.desk is real.desk
        with pytest.raises(NotReady, match="kill switch"):
            await real.begin()
        assert real.gateway.sent == []
