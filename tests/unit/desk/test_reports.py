"""What a hit or order came to, as its dealer tells it: money is never sent or booked twice."""

import pytest

from serve.domain.rfq import RfqState
from serve.domain.rfq_course import Refusal
from tests.unit.desk.play import Play
from tests.unit.desk.test_machine import quoted


def in_doubt() -> Play:
    play = quoted()
    play.execute(play.rfq.quotes[0])
    play.after(31)
    assert play.stage is RfqState.IN_DOUBT
    return play


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
