"""What a hit or order came to, as its dealer tells it: money is never sent or booked twice."""

import pytest

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Side
from serve.domain.rfq import RfqState
from serve.domain.rfq_course import Refusal
from serve.domain.rfq_executing import Execute
from serve.domain.rfq_replay import evolve
from serve.domain.rfq_settling import Settle
from serve.usecases.rfq_views import view
from tests.unit.desk.play import Play
from tests.unit.desk.test_machine import GOOD, quoted


def in_doubt() -> Play:
    play = quoted()
    play.execute(play.rfq.quotes[0])
    play.after(31)
    assert play.stage is RfqState.IN_DOUBT
    return play


def half_filled() -> Play:
    play = quoted()
    play.fill(play.execute(play.rfq.quotes[0]), quantity=4e6, cumulative=4e6, done=False)
    play.after(60)
    assert play.stage is RfqState.IN_DOUBT
    return play


def traded(quantity: float, price: float = GOOD) -> Settle:
    return Settle(traded=True, price=price, quantity=quantity, comment="by phone", actor="ann")


NOT_TRADED = Settle(traded=False, price=None, quantity=None, comment="by phone", actor="ann")


def test_dealer_that_does_not_know_an_order_frees_no_second_one() -> None:
    play = in_doubt()
    (hit,) = play.hits
    play.unknown(hit)
    play.unknown(hit)
    assert play.stage is RfqState.IN_DOUBT
    assert play.alerts.count("does not know the order") == 1
    assert "call the dealer, then settle" in play.alerts
    with pytest.raises(Refusal, match="already under way"):
        play.execute(play.rfq.quotes[1])
    play.fill(hit)
    assert sum(attempt.filled for attempt in play.rfq.attempts) == 10_000_000.0


def test_order_not_known_before_it_was_asked_about_is_in_doubt() -> None:
    play = quoted()
    play.unknown(play.execute(play.rfq.quotes[0]))
    assert play.stage is RfqState.IN_DOUBT


@pytest.mark.parametrize(("certain", "stage"), [(False, RfqState.IN_DOUBT), (True, RfqState.AWAITING_TRADER)])
def test_rejection_that_may_answer_the_question_leaves_the_order_in_doubt(certain: bool, stage: RfqState) -> None:
    play = in_doubt()
    play.after(1)
    play.passes("D")
    play.refuse(play.hits[0], certain=certain)
    assert play.stage is stage


def test_rejection_of_an_order_that_nobody_asked_about_needs_no_reason() -> None:
    play = quoted()
    play.refuse(play.execute(play.rfq.quotes[0]), certain=False)
    assert play.rfq.active is None


def test_order_not_known_after_its_end_changes_nothing() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.refuse(hit)
    assert play.unknown(hit) == ()


def test_total_settled_after_a_part_was_reported_books_the_difference() -> None:
    play = half_filled()
    play.happen(traded(10e6, 99.89))
    (attempt,) = play.rfq.attempts
    assert [fill.quantity for fill in attempt.fills] == [4e6, 6e6]
    assert attempt.fills[1].price == pytest.approx(99.85)
    assert attempt.average_price == pytest.approx(99.89)
    assert play.stage is RfqState.EXECUTED


def test_total_that_is_known_already_books_nothing_more() -> None:
    play = half_filled()
    play.happen(traded(4e6))
    assert play.rfq.attempts[0].filled == 4e6
    assert "6,000,000 of 10,000,000 remains untraded" in str(play.rfq.closed)


def test_total_below_what_is_reported_is_refused() -> None:
    with pytest.raises(Refusal, match="4,000,000 of the order is reported"):
        half_filled().happen(traded(3e6))


def test_average_that_puts_the_rest_out_of_the_band_is_refused() -> None:
    play = half_filled()
    play.around["price_band_bps"] = 500.0
    with pytest.raises(Refusal, match="for what is not reported yet"):
        play.happen(traded(4_100_000.0, 99.0))


def test_rest_settled_as_not_traded_ends_the_rfq_with_its_part() -> None:
    play = half_filled()
    play.happen(NOT_TRADED)
    assert play.stage is RfqState.EXECUTED
    assert "6,000,000 of 10,000,000 remains untraded" in str(play.rfq.closed)
    with pytest.raises(Refusal, match="closed"):
        play.execute(play.rfq.quotes[1])


@pytest.mark.parametrize(("filled", "ordered"), [(4e6, 6e6), (10e6, None)])
def test_click_orders_no_more_than_is_left_of_the_order(filled: float, ordered: float | None) -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    report = {"rfq_id": "rfq-1", "dealer_id": "A", "cl_ord_id": hit.cl_ord_id}
    play.state = evolve(
        play.state,
        events.ExecutionReported(**report, exec_id="x", price=GOOD, quantity=filled, executed_at=play.now),
        play.now,
    )
    play.state = evolve(play.state, events.ExecutionFailed(**report, reason="rest refused"), play.now)
    if ordered is not None:
        assert play.execute(play.rfq.quotes[1]).quantity == ordered
    else:
        with pytest.raises(Refusal, match="have traded"):
            play.happen(Execute(play.rfq.quotes[1].quote_id, "ann"))


def second_order_under_way() -> Play:
    play = in_doubt()
    play.around["tell_losers"] = "cover"
    play.happen(NOT_TRADED)
    play.execute(play.rfq.quotes[1])
    return play


def test_late_fill_of_a_failed_order_leaves_the_second_one_under_way_and_tells_nobody() -> None:
    play = second_order_under_way()
    first, second = play.hits
    play.fill(first)
    assert play.stage is RfqState.EXECUTING
    assert play.told == {}
    assert "may trade on top of it: call both dealers now" in play.alerts
    play.fill(second, exec_id="x2")
    assert play.stage is RfqState.EXECUTED
    assert "A traded 10,000,000 at 99.95, B traded 10,000,000 at 99.94; that is 10,000,000 more" in str(play.rfq.closed)
    assert play.told == {"C": "cover"}, "neither A nor B lost"
    assert [item.dealer_id for item in view(play.rfq, play.now).executions] == ["A", "B"]


def test_late_fill_counts_when_the_second_order_comes_to_nothing() -> None:
    play = second_order_under_way()
    first, second = play.hits
    play.fill(first, quantity=4e6, cumulative=4e6, done=False)
    play.refuse(second)
    assert play.stage is RfqState.EXECUTED
    assert "A traded 4,000,000 at 99.95; 6,000,000 of 10,000,000 remains untraded" in str(play.rfq.closed)
    assert play.told == {"C": "cover"}


def test_late_fill_of_a_part_with_nothing_else_under_way_is_an_order_under_way_again() -> None:
    play = in_doubt()
    play.happen(NOT_TRADED)
    play.fill(play.hits[0], quantity=4e6, cumulative=4e6, done=False)
    assert play.stage is RfqState.IN_DOUBT, "its rest is late already"
    with pytest.raises(Refusal, match="already under way"):
        play.execute(play.rfq.quotes[1])


def status(play: Play, cumulative: float, average: float | None, **changes: object) -> None:
    told = {"quantity": cumulative, "cumulative": cumulative, "price": average or 99.0, "average": average, "is_status": True}
    play.fill(play.hits[0], **{"exec_id": "st", **told, **changes})


def test_status_after_a_part_books_the_rest_at_the_price_that_the_average_leaves_for_it() -> None:
    play = half_filled()
    status(play, 10e6, 99.89)
    (attempt,) = play.rfq.attempts
    assert [fill.price for fill in attempt.fills] == [GOOD, pytest.approx(99.85)]
    assert attempt.average_price == pytest.approx(99.89)
    assert "worse than the 99.95" in play.alerts
    assert play.stage is RfqState.EXECUTED


def test_status_without_an_average_books_the_rest_at_its_last_price() -> None:
    play = half_filled()
    status(play, 10e6, None)
    assert play.rfq.attempts[0].fills[1].price == 99.0


def test_average_that_makes_no_sense_for_the_rest_calls_a_person() -> None:
    play = half_filled()
    play.around["price_band_bps"] = 500.0
    status(play, 4.1e6, 98.0, done=False)
    assert "looks like an error" in play.alerts
    assert play.rfq.attempts[0].average_price == pytest.approx(98.0)
    status(play, 4.2e6, 9.0, done=False, exec_id="st2")
    assert play.rfq.attempts[0].fills[-1].price == 9.0


def test_status_under_the_name_of_a_known_fill_books_what_was_missed() -> None:
    play = half_filled()
    status(play, 10e6, GOOD, exec_id="x1")
    assert [(fill.exec_id, fill.quantity) for fill in play.rfq.attempts[0].fills] == [("x1", 4e6), ("status-x1", 6e6)]


@pytest.mark.parametrize("is_status", [True, False])
def test_total_that_the_reports_do_not_add_up_to_calls_a_person(is_status: bool) -> None:
    play = half_filled()
    play.fill(play.hits[0], exec_id="x3", quantity=1e6, cumulative=3e6 if is_status else 10e6, is_status=is_status, done=True)
    assert "its reports add up to" in play.alerts


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"our_side": Side.BUY}, "for a client that BUYS, we SELL"),
        ({"security_ids": ("US0000000000",)}, "for US0000000000, not for SEC1"),
        ({"currency": "EUR"}, "in EUR, not in USD"),
    ],
)
def test_trade_that_contradicts_the_order_is_booked_and_calls_a_person(told: dict[str, object], wrong: str) -> None:
    play = quoted()
    play.fill(play.execute(play.rfq.quotes[0]), **told)
    assert play.stage is RfqState.EXECUTED
    assert f"reports a trade {wrong}" in play.alerts


def test_trade_that_fits_the_order_calls_nobody() -> None:
    play = quoted()
    before = play.alerts
    play.fill(play.execute(play.rfq.quotes[0]), our_side=Side.SELL, security_ids=("912828ZT0",), currency="USD")
    assert play.alerts == before
