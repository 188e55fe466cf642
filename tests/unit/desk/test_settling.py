"""An execution in doubt that no dealer answers: settled by a person, once, on the record."""

from collections.abc import AsyncIterator

import pytest

from expectations.contracts.journal import ExecutionReported, ExecutionSettled
from serve.domain.rfq import RfqState
from serve.domain.rfq_settling import Settle
from serve.usecases.refusals import Conflict, NotThere
from tests.fakes.clock import settle
from tests.unit.desk.test_desk import GOOD, TRADER, House, crashed

TRADED = Settle(traded=True, price=GOOD, quantity=10e6, comment="J. Smith, by phone", actor="trader")
NOT_TRADED = Settle(traded=False, price=None, quantity=None, comment="J. Smith, by phone", actor="trader")


@pytest.fixture
async def doubt() -> AsyncIterator[tuple[House, House, str]]:
    house = House()
    await house.desk.start()
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    await house.desk.execute(rfq, await house.first_quote(rfq), TRADER)
    again = await crashed(house)
    assert await again.state(rfq) is RfqState.IN_DOUBT
    yield house, again, rfq
    await again.desk.stop()
    await house.desk.stop()


def settled_with(quantity: float) -> Settle:
    return Settle(traded=True, price=GOOD, quantity=quantity, comment="by phone", actor="trader")


async def test_trade_confirmed_by_phone_ends_the_rfq_as_executed_and_sends_nothing(doubt: tuple[House, House, str]) -> None:
    house, again, rfq = doubt
    sent, quantity = list(again.gateway.sent), house.gateway.hits[0].quantity
    view = await again.desk.settle(rfq, settled_with(quantity), TRADER)
    assert view.state is RfqState.EXECUTED
    assert view.execution is not None
    assert (view.execution.price, view.execution.quantity) == (GOOD, quantity)
    assert [command for command in again.gateway.sent[len(sent) :] if type(command).__name__ == "Hit"] == []
    events = [sealed.event for sealed in again.journal.read(subject=rfq)]
    (word,) = [event for event in events if isinstance(event, ExecutionSettled)]
    (report,) = [event for event in events if isinstance(event, ExecutionReported)]
    assert (word.settled_by, word.comment, report.exec_id) == ("trader", "by phone", f"settled-{word.cl_ord_id}")


async def test_report_that_comes_after_all_does_not_count_the_trade_twice(doubt: tuple[House, House, str]) -> None:
    house, again, rfq = doubt
    hit = house.gateway.hits[0]
    await again.desk.settle(rfq, settled_with(hit.quantity), TRADER)
    again.gateway.fill(hit)
    await settle()
    view = await again.desk.get(rfq, TRADER)
    assert view.execution is not None
    assert view.execution.quantity == hit.quantity


async def test_execution_that_did_not_trade_fails_and_the_rfq_can_end(doubt: tuple[House, House, str]) -> None:
    _, again, rfq = doubt
    view = await again.desk.settle(rfq, NOT_TRADED, TRADER)
    assert view.state not in {RfqState.IN_DOUBT, RfqState.EXECUTED}
    with pytest.raises(Conflict, match="nothing to settle"):
        await again.desk.settle(rfq, NOT_TRADED, TRADER)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (Settle(traded=True, price=None, quantity=1e6, comment="c", actor="t"), "give both"),
        (Settle(traded=True, price=GOOD, quantity=1e11, comment="c", actor="t"), "more than the"),
        (Settle(traded=True, price=GOOD * 2, quantity=1e6, comment="c", actor="t"), "bps from"),
        (Settle(traded=False, price=GOOD, quantity=None, comment="c", actor="t"), "leave both out"),
        (Settle(traded=False, price=None, quantity=None, comment="  ", actor="t"), "who at the dealer"),
    ],
)
async def test_word_that_cannot_be_is_refused_and_nothing_is_recorded(
    doubt: tuple[House, House, str], word: Settle, reason: str
) -> None:
    _, again, rfq = doubt
    before = list(again.kinds)
    with pytest.raises(Conflict, match=reason):
        await again.desk.settle(rfq, word, TRADER)
    assert again.kinds == before
    assert await again.state(rfq) is RfqState.IN_DOUBT


async def test_nothing_in_doubt_is_nothing_to_settle() -> None:
    house = House()
    await house.desk.start()
    rfq = await house.begin()
    with pytest.raises(Conflict, match="nothing to settle"):
        await house.desk.settle(rfq, TRADED, TRADER)
    with pytest.raises(NotThere):
        await house.desk.settle("none", TRADED, TRADER)
    await house.desk.stop()
