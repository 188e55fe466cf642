"""Whom the machine asks, and when: whisper, staggered, parallel."""

from datetime import timedelta

import pytest

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Protocol, Response, Side
from serve.domain.rfq import RfqState
from serve.domain.rfq_policy import Around, next_wake
from tests.fakes.clock import START
from tests.unit.desk.play import Play

# Selling at 100.00 with 5 bps expected and 3 allowed beyond it: 99.92 is the worst competitive bid.
GOOD, POOR = 99.95, 99.80


def test_whisper_asks_one_dealer_first() -> None:
    play = Play().begin()
    assert play.asked == ["A"]
    assert play.stage is RfqState.OPEN


def test_whisper_goes_on_after_the_time_out_and_not_before() -> None:
    play = Play().begin()
    play.after(19.9)
    assert play.asked == ["A"]
    play.after(0.1)
    assert play.asked == ["A", "B"]
    line = play.rfq.line("A")
    assert line is not None
    assert (line.response, line.responded_at) == (Response.TIMED_OUT, None)


def test_venue_grace_is_added_to_the_time_out() -> None:
    play = Play()
    play.around["grace_s"] = 5.0
    play.begin()
    play.after(24)
    assert play.asked == ["A"]
    play.after(1)
    assert play.asked == ["A", "B"]


@pytest.mark.parametrize("response", [Response.DECLINED, Response.REJECTED])
def test_whisper_goes_on_at_once_when_a_dealer_passes(response: Response) -> None:
    play = Play().begin()
    play.passes("A", response)
    assert play.asked == ["A", "B"]


@pytest.mark.parametrize(
    ("price", "changes"),
    [(POOR, {}), (GOOD, {"bid_quantity": 9_000_000.0}), (GOOD, {"firm": False})],
    ids=["uncompetitive", "partial size", "indicative"],
)
def test_whisper_goes_on_when_the_quote_is_not_good_enough(price: float, changes: dict[str, object]) -> None:
    play = Play().begin()
    play.quote("A", price, **changes)
    assert play.asked == ["A", "B"]


def test_whisper_stops_at_a_competitive_full_quote_and_alerts_the_trader() -> None:
    play = Play().begin()
    play.after(18)
    play.quote("A", GOOD)
    play.after(300)
    assert play.asked == ["A"]
    assert play.stage is RfqState.AWAITING_TRADER
    assert "Competitive quote" in play.alerts
    assert "+5.0 bps" in play.alerts


@pytest.mark.parametrize(("price", "competitive"), [(99.92, True), (99.9199, False)])
def test_competitive_ends_exactly_at_expected_cost_plus_tolerance(price: float, competitive: bool) -> None:
    play = Play().begin()
    play.quote("A", price)
    assert (play.asked == ["A"]) is competitive


def test_buying_turns_cost_round() -> None:
    play = Play(side=Side.BUY).begin()
    play.quote("A", 0.0, bid=None, offer=100.05)
    assert play.asked == ["A"]
    dear = Play(side=Side.BUY).begin()
    dear.quote("A", 0.0, bid=None, offer=100.20)
    assert dear.asked == ["A", "B"]


# A whisper whose rule says nothing of "competitive": the plan's levels decide before each dealer.
LEVELS = [
    events.WhisperLevel(dealer_id="A", stop_below_bps=-20.0, leak_bps=1.0),
    events.WhisperLevel(dealer_id="B", stop_below_bps=4.0, leak_bps=0.5),
    events.WhisperLevel(dealer_id="C", stop_below_bps=9.0, leak_bps=0.5),
]


@pytest.mark.parametrize(("price", "asked"), [(99.95, ["A"]), (99.949, ["A", "B"])])
def test_levels_ask_the_next_dealer_only_where_that_pays(price: float, asked: list[str]) -> None:
    play = Play(competitive_within_bps=None, dealers=["A", "B", "C"], levels=LEVELS).begin()
    play.quote("A", price)
    assert play.asked == asked


def test_with_levels_the_best_quote_in_hand_is_judged_against_the_dealer_who_would_be_next() -> None:
    play = Play(competitive_within_bps=None, dealers=["A", "B", "C"], levels=LEVELS).begin()
    play.quote("A", 99.92)
    assert play.asked == ["A", "B"]
    play.passes("B", Response.DECLINED)
    # 8 bps less A's leak lies below C's level of 9, so nobody else is told.
    assert play.asked == ["A", "B"]
    assert play.stage is RfqState.AWAITING_TRADER


def test_a_rules_own_tolerance_goes_before_the_levels() -> None:
    play = Play(dealers=["A", "B", "C"], levels=LEVELS).begin()
    play.quote("A", 99.92)
    assert play.asked == ["A"]


@pytest.mark.parametrize("unknown", ["arrival_mid", "expected_cost_bps"])
def test_without_cost_basis_any_full_firm_quote_is_good_and_an_alert_says_so(unknown: str) -> None:
    play = Play(**{unknown: None}).begin()
    assert unknown.split("_")[0] in play.alerts
    play.quote("A", 80.0)
    assert play.asked == ["A"]
    assert play.stage is RfqState.AWAITING_TRADER


def test_late_competitive_quote_stops_the_whisper_where_it_is() -> None:
    play = Play().begin()
    play.after(20)
    assert play.asked == ["A", "B"]
    play.quote("A", GOOD)
    play.after(20)
    assert play.asked == ["A", "B"]
    assert play.stage is RfqState.AWAITING_TRADER


def test_whisper_asks_on_when_the_dealer_withdraws_its_good_quote() -> None:
    play = Play().begin()
    play.quote("A", GOOD)
    play.happen(_withdrawal(play))
    assert play.asked == ["A", "B"]


def _withdrawal(play: Play) -> object:
    from serve.domain.dealing import DealerWithdrew

    return DealerWithdrew(dealer_id="A", quote_req_id=None, dealer_quote_id="A-q", reason="fade")


def test_good_quote_expired_unclicked_ends_the_whisper_rather_than_telling_more_dealers() -> None:
    play = Play().begin()
    play.quote("A", GOOD, valid_until=START + timedelta(seconds=30))
    play.after(30)
    assert play.asked == ["A"]
    assert play.stage is RfqState.NOT_TRADED
    assert "expired unclicked" in str(play.rfq.closed)


def test_dealer_whose_session_is_down_is_passed_over_without_a_request() -> None:
    play = Play()
    play.down = {"A", "C"}
    play.begin()
    play.passes("B")
    assert play.asked == ["B", "D"]
    line = play.rfq.line("A")
    assert line is not None
    assert line.asked_at is None
    assert "not logged on" in str(line.reason)


def test_staggered_asks_the_next_after_the_delay_without_waiting() -> None:
    play = Play(protocol=Protocol.STAGGERED, delay_s=5.0, dealers=["A", "B", "C"]).begin()
    assert play.asked == ["A"]
    play.after(4.9)
    assert play.asked == ["A"]
    play.after(0.1)
    assert play.asked == ["A", "B"]
    play.quote("A", GOOD)
    play.after(5)
    assert play.asked == ["A", "B", "C"]


def test_staggered_stops_asking_while_an_execution_is_under_way_and_goes_on_if_it_fails() -> None:
    play = Play(protocol=Protocol.STAGGERED, delay_s=5.0).begin()
    play.quote("A", GOOD)
    hit = play.execute()
    play.after(20)
    assert play.asked == ["A"]
    play.refuse(hit)
    assert play.asked == ["A", "B"]


def test_parallel_asks_all_at_once() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    assert play.asked == ["A", "B", "C", "D"]
    play.quote("B", POOR)
    assert play.stage is RfqState.QUOTED
    play.after(20)
    assert play.stage is RfqState.AWAITING_TRADER
    assert "none competitively" in play.alerts


@pytest.mark.parametrize("protocol", list(Protocol))
def test_silence_of_all_ends_the_rfq_untraded(protocol: Protocol) -> None:
    play = Play(protocol=protocol, delay_s=5.0).begin()
    for _ in range(20):
        play.after(5)
    assert play.asked == ["A", "B", "C", "D"]
    assert play.stage is RfqState.NOT_TRADED
    assert "no dealer gave a quote" in str(play.rfq.closed)


def test_nobody_logged_on_ends_the_rfq_with_nothing_sent() -> None:
    play = Play()
    play.down = {"A", "B", "C", "D"}
    play.begin()
    assert play.sent == []
    assert play.stage is RfqState.NOT_TRADED


def test_quote_that_never_expires_is_ended_with_the_life_of_the_rfq() -> None:
    play = Play().begin()
    play.quote("A", GOOD)
    play.after(3599)
    assert play.stage is RfqState.AWAITING_TRADER
    play.after(1)
    assert play.stage is RfqState.NOT_TRADED


def test_next_wake_is_the_earliest_of_time_out_validity_and_stagger() -> None:
    play = Play(protocol=Protocol.STAGGERED, delay_s=5.0).begin()
    around = Around(now=play.now, new_id=str, ready=lambda _: True)
    assert next_wake(play.rfq, around) == START + timedelta(seconds=5)
    play.quote("A", POOR, valid_until=START + timedelta(seconds=2))
    assert next_wake(play.rfq, around) == START + timedelta(seconds=2)
    play.cancel()
    assert next_wake(play.rfq, around) is None


def test_sequence_counts_from_one_and_request_ids_tell_a_dealer_nothing() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    asked = [event for event, _ in play.history if isinstance(event, events.DealerAsked)]
    assert [event.sequence for event in asked] == [1, 2, 3, 4]
    assert len({event.quote_req_id for event in asked}) == 4
    assert not any("rfq-1" in event.quote_req_id for event in asked)
