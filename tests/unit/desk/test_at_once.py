"""Things that happen while the journal is still writing."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from serve.adapters.journal import JournalError
from serve.domain.rfq import RfqState
from serve.usecases import rfq_floor
from serve.usecases.refusals import Refusal
from tests.fakes.clock import FakeClock, settle
from tests.fakes.journal import SlowJournal
from tests.fakes.recommendation import recommendation_made
from tests.unit.desk.test_desk import LIMITS, TRADER, House
from tests.unit.desk.test_settling import NOT_TRADED


class Slow(House):
    """A desk whose journal takes its time."""

    def __init__(self, **limits: float) -> None:
        clock = FakeClock()
        self.slow = SlowJournal(clock)
        super().__init__(replace(LIMITS, **limits), self.slow, clock)

    async def recommended(self, count: int) -> list[str]:
        await self.desk.start()
        names = [f"rec-{number}" for number in range(count)]
        await self.journal.append(*(recommendation_made(name) for name in names))
        return names

    async def quoted(self, count: int, price: float) -> list[tuple[str, str]]:
        rfqs = [(await self.desk.begin(name, None, TRADER)).rfq_id for name in await self.recommended(count)]
        for rfq in rfqs:
            ask = next(ask for ask in self.gateway.asks if ask.rfq_id == rfq)
            self.gateway.quote(ask, price, dealer_quote_id=f"q-{rfq}")
        await settle()
        return [(rfq, await self.first_quote(rfq)) for rfq in rfqs]


@pytest.mark.parametrize(
    ("limits", "named"),
    [({"max_open_rfqs": 2}, "max_open_rfqs"), ({"max_day_notional": 25e6}, "max_day_notional")],
)
async def test_starts_at_once_keep_to_the_limits(limits: dict[str, float], named: str) -> None:
    house = Slow(**limits)
    names = await house.recommended(5)
    done = await asyncio.gather(*(house.desk.begin(name, None, TRADER) for name in names), return_exceptions=True)
    refused = [item for item in done if isinstance(item, Refusal)]
    assert len(refused) == 3
    assert all(named in item.detail for item in refused)
    assert len(house.floor.book.open) == 2
    await house.desk.stop()


async def test_start_that_could_not_be_written_takes_no_room() -> None:
    house = Slow(max_open_rfqs=1)
    one, two = await house.recommended(2)
    house.journal.fail_next = JournalError("disk full")
    with pytest.raises(JournalError):
        await house.desk.begin(one, None, TRADER)
    assert await house.desk.begin(two, None, TRADER)
    await house.desk.stop()


async def test_start_goes_on_and_takes_its_room_when_its_caller_hangs_up() -> None:
    house = Slow(max_open_rfqs=1)
    one, two = await house.recommended(2)
    house.slow.gate.clear()
    starting = asyncio.create_task(house.desk.begin(one, None, TRADER))
    await asyncio.sleep(0.05)
    starting.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(Refusal, match="max_open_rfqs"):
            await house.desk.begin(two, None, TRADER)
    house.slow.gate.set()
    await settle()
    assert len(house.floor.book.open) == 1
    await house.desk.stop()


async def test_rfq_that_cannot_tell_when_it_wakes_goes_on_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    house = Slow()
    ((rfq, quote),) = await house.quoted(1, 99.95)
    faults = iter([ValueError("no such time")])
    known = rfq_floor.next_wake

    def faulty(*args: Any) -> Any:
        for fault in faults:
            raise fault
        return known(*args)

    monkeypatch.setattr(rfq_floor, "next_wake", faulty)
    await house.desk.execute(rfq, quote, TRADER)
    await settle()
    async with asyncio.timeout(5):
        with pytest.raises(Refusal, match="cannot be called back"):
            await house.desk.cancel(rfq, TRADER)
    await house.clock.advance(31)
    assert await house.state(rfq) is RfqState.IN_DOUBT
    await house.desk.stop()


async def test_clicks_at_once_keep_to_the_days_limit() -> None:
    house = Slow(max_day_notional=20.3e6)
    quotes = await house.quoted(2, 102.0)
    done = await asyncio.gather(*(house.desk.execute(*quote, TRADER) for quote in quotes), return_exceptions=True)
    (refused,) = [item for item in done if isinstance(item, Refusal)]
    assert "max_day_notional" in refused.detail
    assert len(house.gateway.hits) == 1
    await house.desk.stop()


async def test_order_whose_report_is_out_counts_until_it_has_failed() -> None:
    house = Slow(max_day_notional=20.3e6)
    one, two = await house.quoted(2, 102.0)
    await house.desk.execute(*one, TRADER)
    with pytest.raises(Refusal, match="whose report is still out"):
        await house.desk.execute(*two, TRADER)
    await house.clock.advance(31)
    with pytest.raises(Refusal, match="whose report is still out"):
        await house.desk.execute(*two, TRADER)
    await house.desk.settle(one[0], NOT_TRADED, TRADER)
    await house.desk.execute(*two, TRADER)
    assert len(house.gateway.hits) == 2
    await house.desk.stop()


async def test_click_that_could_not_be_written_counts_for_nothing() -> None:
    house = Slow(max_day_notional=20.3e6)
    one, two = await house.quoted(2, 102.0)
    house.journal.fail_next = JournalError("disk full")
    with pytest.raises(JournalError):
        await house.desk.execute(*one, TRADER)
    await house.desk.execute(*two, TRADER)
    await house.desk.stop()
