"""What counts as a quote, and when one stands in another's place."""

import pytest

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Protocol
from serve.domain import dealing
from serve.domain.rfq import RfqState
from tests.unit.desk.play import Play
from tests.unit.desk.test_machine import GOOD


def asked() -> Play:
    return Play(protocol=Protocol.PARALLEL).begin()


def live(play: Play) -> list[float]:
    return [quote.price for quote in play.rfq.live_quotes()]


def test_quote_without_size_on_our_side_is_kept_for_the_audit_and_not_shown() -> None:
    play = asked()
    (refused,) = play.quote("A", GOOD, bid_quantity=0.0, offer_quantity=5e6)
    assert isinstance(refused, events.MessageRefused)
    assert "no size on our side" in refused.reason
    assert play.rfq.quotes == ()
    assert play.stage is RfqState.OPEN


def test_size_taken_away_takes_the_quote_back() -> None:
    play = asked()
    play.quote("A", GOOD)
    play.quote("A", GOOD, bid_quantity=0.0)
    assert live(play) == []
    assert "no size on our side" in str(play.rfq.quotes[0].withdrawn)


def test_quote_without_any_size_is_for_all_that_was_asked() -> None:
    play = asked()
    play.quote("A", GOOD)
    assert play.rfq.quotes[0].quantity == 10_000_000.0


def test_quote_back_at_an_earlier_price_under_the_same_identifier_counts() -> None:
    play = asked()
    for price in (99.95, 99.97, 99.95):
        play.quote("A", price)
    assert live(play) == [99.95]
    assert [quote.withdrawn is None for quote in play.rfq.quotes] == [False, False, True]


def test_quote_withdrawn_and_sent_again_is_a_new_one() -> None:
    play = asked()
    play.quote("A", GOOD)
    play.happen(dealing.DealerWithdrew(dealer_id="A", quote_req_id=None, dealer_quote_id="A-q", reason="moved"))
    assert live(play) == []
    play.quote("A", GOOD)
    assert live(play) == [GOOD]


@pytest.mark.parametrize("firm", [True, False])
def test_same_quote_made_firm_or_indicative_is_a_new_one(firm: bool) -> None:
    play = asked()
    play.quote("A", GOOD, firm=not firm)
    play.quote("A", GOOD, firm=firm)
    assert [quote.firm for quote in play.rfq.live_quotes()] == [firm]
