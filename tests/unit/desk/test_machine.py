"""Quotes, clicks, reports, doubts and ends of one RFQ."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Protocol, Response, Side
from serve.domain import dealing
from serve.domain.rfq import RfqState
from serve.domain.rfq_course import Refusal
from serve.domain.rfq_executing import Execute
from serve.domain.rfq_machine import Halt, NotSent, Recover
from serve.domain.rfq_quotes import executable_quotes, why_not_executable
from serve.domain.rfq_replay import evolve
from tests.fakes.clock import START
from tests.unit.desk.play import Play

GOOD, POOR = 99.95, 99.80


def quoted(**changes: object) -> Play:
    play = Play(protocol=Protocol.PARALLEL, **changes).begin()
    play.quote("A", GOOD)
    play.quote("B", 99.94)
    play.quote("C", POOR)
    return play


def test_one_click_sends_one_hit_at_the_quoted_price_and_the_fill_closes_the_rfq() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    assert (hit.dealer_id, hit.dealer_quote_id, hit.price, hit.quantity) == ("A", "A-q", GOOD, 10_000_000.0)
    assert play.stage is RfqState.EXECUTING
    play.fill(hit)
    assert play.stage is RfqState.EXECUTED
    assert play.rfq.traded[0].average_price == GOOD


def test_event_stands_in_the_journal_before_every_command() -> None:
    play = quoted()
    play.around["tell_losers"] = "cover"
    play.fill(play.execute(play.rfq.quotes[0]))
    written = [type(event) for event, _ in play.history]
    assert written.count(events.DealerAsked) == len(play.asked)
    assert written.count(events.ExecutionRequested) == len(play.hits) == 1
    assert written.count(events.LoserTold) == len(play.told) == 2


@pytest.mark.parametrize(
    ("policy", "told"),
    [("cover", {"B": "cover", "C": "done_away"}), ("done_away", {"B": "done_away", "C": "done_away"}), ("none", {})],
)
def test_losers_are_told_as_the_venue_allows(policy: str, told: dict[str, str]) -> None:
    play = quoted()
    play.around["tell_losers"] = policy
    play.fill(play.execute(play.rfq.quotes[0]))
    assert play.told == told


def test_partial_quote_is_no_cover() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    play.around["tell_losers"] = "cover"
    play.quote("A", GOOD)
    play.quote("B", GOOD, bid_quantity=1_000_000.0)
    play.quote("C", POOR)
    play.fill(play.execute(play.rfq.quotes[0]))
    assert play.told == {"B": "done_away", "C": "cover"}


def test_second_click_is_refused_while_the_first_is_under_way_and_after_it() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    with pytest.raises(Refusal, match="already under way"):
        play.execute(play.rfq.quotes[1])
    play.fill(hit)
    with pytest.raises(Refusal, match="closed"):
        play.happen(Execute(play.rfq.quotes[1].quote_id, "ann"))
    assert len(play.hits) == 1


def test_unknown_quote_is_refused() -> None:
    with pytest.raises(Refusal, match="no quote 'nope'"):
        quoted().happen(Execute("nope", "ann"))


@pytest.mark.parametrize(
    ("limit", "side", "price", "allowed"),
    [
        (99.95, Side.SELL, 99.95, True),
        (99.96, Side.SELL, 99.95, False),
        (100.05, Side.BUY, 100.05, True),
        (100.04, Side.BUY, 100.05, False),
    ],
)
def test_limit_price_binds_on_the_right_side(limit: float, side: Side, price: float, allowed: bool) -> None:
    play = Play(protocol=Protocol.PARALLEL, limit_price=limit, side=side).begin()
    play.quote("A", 0, bid=price, offer=price)
    assert bool(executable_quotes(play.rfq, play.now)) is allowed
    if not allowed:
        with pytest.raises(Refusal, match="beyond the order's limit"):
            play.execute()


def test_expired_quote_cannot_be_executed() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    play.quote("A", GOOD, valid_until=START + timedelta(seconds=5))
    play.now += timedelta(seconds=5)
    with pytest.raises(Refusal, match="expired"):
        play.execute()


def test_expiry_is_journalled_when_it_comes() -> None:
    play = quoted()
    play.quote("A", 99.96, dealer_quote_id="A-q2", valid_until=START + timedelta(seconds=5))
    written = play.after(5)
    assert [event.reason for event in written if isinstance(event, events.QuoteWithdrawn)] == ["expired"]


def test_quote_that_comes_after_its_validity_is_shown_and_not_executable() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    play.after(10)
    play.quote("A", GOOD, valid_until=START + timedelta(seconds=9))
    quote = play.rfq.quotes[0]
    assert "had expired" in str(quote.withdrawn)
    assert why_not_executable(play.rfq, quote, play.now) is not None


def test_late_quote_after_the_time_out_is_shown_and_can_be_executed_while_the_rfq_is_open() -> None:
    play = quoted()
    play.after(20)
    play.quote("D", 99.97)
    assert play.execute(play.rfq.quotes[-1]).dealer_id == "D"


def test_quote_after_the_end_is_journalled_and_changes_nothing() -> None:
    play = quoted()
    play.cancel()
    written = play.quote("D", 99.99)
    assert [type(event) for event in written] == [events.QuoteReceived]
    assert play.stage is RfqState.CANCELLED
    with pytest.raises(Refusal, match="closed"):
        play.execute(play.rfq.quotes[-1])


def test_new_quote_replaces_the_old_one_even_under_the_same_identifier() -> None:
    play = quoted()
    old = play.rfq.quotes[0]
    play.quote("A", 99.93)
    assert "replaced" in str(play.rfq.quote(old.quote_id).withdrawn)  # type: ignore[union-attr]
    with pytest.raises(Refusal, match="replaced"):
        play.happen(Execute(old.quote_id, "ann"))


def test_repeated_quote_is_ignored() -> None:
    play = quoted()
    assert play.quote("A", GOOD) == ()


def test_withdrawn_quote_is_gone() -> None:
    play = quoted()
    play.happen(dealing.DealerWithdrew(dealer_id="A", quote_req_id=None, dealer_quote_id=None, reason="market moved"))
    with pytest.raises(Refusal, match="withdrawn by its dealer"):
        play.execute(play.rfq.quotes[0])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bid": None, "offer": 100.0}, "no price for a client that SELLS"),
        ({"our_side": Side.BUY}, "client that BUYS"),
        ({"security_ids": ("US0000000000",)}, "not for SEC1"),
        ({"currency": "EUR"}, "in EUR"),
        ({"dealer_id": "Z"}, "Z was not asked"),
    ],
)
def test_senseless_quote_is_kept_for_the_audit_and_not_shown(changes: dict[str, object], reason: str) -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    (refused,) = play.quote("A", GOOD, **changes)
    assert isinstance(refused, events.MessageRefused)
    assert reason in refused.reason
    assert refused.message == "S"
    assert play.rfq.quotes == ()


def test_price_far_from_the_mid_is_shown_and_cannot_be_executed() -> None:
    play = Play(protocol=Protocol.PARALLEL)
    play.around["price_band_bps"] = 500.0
    play.begin()
    play.quote("A", 9.995)
    assert "price_band_bps = 500" in str(play.rfq.quotes[0].withdrawn)
    assert "looks like an error" in play.alerts


def test_larger_quote_trades_only_what_was_asked() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    play.quote("A", GOOD, bid_quantity=25_000_000.0)
    assert play.execute().quantity == 10_000_000.0


def test_partial_quote_trades_its_own_size_and_the_rest_is_named() -> None:
    play = Play(protocol=Protocol.PARALLEL).begin()
    play.quote("A", GOOD, bid_quantity=4_000_000.0)
    hit = play.execute()
    assert hit.quantity == 4_000_000.0
    play.fill(hit)
    assert "6,000,000 of 10,000,000 remains untraded" in str(play.rfq.closed)


def test_repeated_execution_report_is_counted_once() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.fill(hit, quantity=4_000_000.0, cumulative=4_000_000.0, done=False)
    assert play.fill(hit, quantity=4_000_000.0, cumulative=4_000_000.0, done=False) == ()
    assert play.fill(hit, quantity=4_000_000.0, cumulative=4_000_000.0, done=False, exec_id="again") == ()
    assert play.stage is RfqState.EXECUTING
    play.fill(hit, quantity=6_000_000.0, cumulative=10_000_000.0, exec_id="x2", price=99.93)
    assert play.stage is RfqState.EXECUTED
    assert play.rfq.traded[0].average_price == pytest.approx(99.938)
    assert "worse than the 99.95" in play.alerts


def test_refused_execution_leaves_the_other_quotes_executable() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.refuse(hit)
    assert play.stage is RfqState.AWAITING_TRADER or play.stage is RfqState.QUOTED
    second = play.execute(play.rfq.quotes[1])
    assert second.cl_ord_id != hit.cl_ord_id
    with pytest.raises(Refusal):
        play.execute(play.rfq.quotes[0])


def test_remainder_refused_after_a_part_traded_ends_as_executed() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.fill(hit, quantity=4_000_000.0, cumulative=4_000_000.0, done=False)
    play.refuse(hit)
    assert play.stage is RfqState.EXECUTED


def test_no_report_in_time_is_a_doubt_and_is_asked_about_not_sent_again() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.after(30)
    assert play.stage is RfqState.IN_DOUBT
    assert [type(command) for command in play.sent[-1:]] == [dealing.AskOrderStatus]
    with pytest.raises(Refusal, match="under way"):
        play.execute(play.rfq.quotes[1])
    play.fill(hit, is_status=True, exec_id="status-1")
    assert play.stage is RfqState.EXECUTED
    assert len(play.hits) == 1


def test_lost_session_puts_the_execution_in_doubt_and_asks_when_it_is_back() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.session("A", ready=False)
    assert play.stage is RfqState.IN_DOUBT
    before = len(play.sent)
    play.session("A", ready=True)
    assert [type(command) for command in play.sent[before:]] == [dealing.AskOrderStatus]
    play.refuse(hit)
    assert play.rfq.active is None


def test_quote_of_a_lost_session_is_not_executed() -> None:
    play = quoted()
    play.session("A", ready=False)
    assert "session of A was lost" in play.alerts
    with pytest.raises(Refusal, match="not logged on"):
        play.execute(play.rfq.quotes[0])


def test_fill_after_the_end_is_journalled_with_an_alert() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.refuse(hit)
    play.cancel()
    play.fill(hit)
    assert play.stage is RfqState.CANCELLED
    assert "held for dead" in play.alerts
    assert play.rfq.traded[0].filled == 10_000_000.0


def test_fill_of_an_unknown_order_is_refused_loudly() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.fill(replace(hit, cl_ord_id="other"))
    assert "not sent to it" in play.alerts
    assert play.stage is RfqState.EXECUTING


def test_questioned_trade_calls_a_person() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.fill(hit)
    play.happen(dealing.TradeQuestioned(dealer_id="A", cl_ord_id=hit.cl_ord_id, reason="trade cancelled", raw="8"))
    assert "questions the trade" in play.alerts


def test_cancel_ends_at_once_but_not_under_an_execution() -> None:
    play = quoted()
    play.around["pass_on_close"] = True
    hit = play.execute(play.rfq.quotes[0])
    with pytest.raises(Refusal, match="cannot be called back"):
        play.cancel()
    play.refuse(hit)
    play.cancel()
    assert play.stage is RfqState.CANCELLED
    assert play.told == {"B": "pass", "C": "pass"}
    with pytest.raises(Refusal, match="already closed"):
        play.cancel()


def test_kill_switch_ends_an_open_rfq_and_sends_nothing() -> None:
    play = quoted()
    play.around = {"halted": True, "tell_losers": "cover", "pass_on_close": True}
    before = len(play.sent)
    play.happen(Halt("fat finger"))
    assert play.stage is RfqState.CANCELLED
    assert len(play.sent) == before


def test_kill_switch_leaves_an_execution_under_way_to_its_report() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.around["halted"] = True
    play.happen(Halt("storm"))
    assert play.stage is RfqState.EXECUTING
    play.fill(hit)
    assert play.stage is RfqState.EXECUTED
    assert play.told == {}


def test_click_under_the_kill_switch_is_refused() -> None:
    play = quoted()
    play.around["halted"] = True
    with pytest.raises(Refusal, match="kill switch"):
        play.execute(play.rfq.quotes[0])


def test_hit_known_not_to_be_sent_fails_and_the_quote_stays() -> None:
    play = quoted()
    hit = play.execute(play.rfq.quotes[0])
    play.happen(NotSent(hit, "session down"))
    assert play.rfq.active is None
    assert "was not sent" in play.alerts
    assert play.execute(play.rfq.quotes[0]).cl_ord_id != hit.cl_ord_id


def test_ask_known_not_to_be_sent_moves_the_whisper_on() -> None:
    play = Play().begin()
    play.happen(NotSent(play.sent[0], "session down"))
    assert play.asked == ["A", "B"]


def test_recovery_of_an_execution_without_report_is_a_doubt_never_a_second_hit() -> None:
    play = quoted()
    play.execute(play.rfq.quotes[0])
    play.happen(Recover())
    assert play.stage is RfqState.IN_DOUBT
    play.happen(Recover())
    assert len(play.hits) == 1
    assert sum(isinstance(command, dealing.AskOrderStatus) for command in play.sent) == 2


def test_recovery_without_an_execution_ends_untraded() -> None:
    play = quoted()
    play.happen(Recover())
    assert play.stage is RfqState.NOT_TRADED
    assert "the service stopped" in str(play.rfq.closed)


def test_pass_after_a_quote_takes_the_quote_back() -> None:
    play = quoted()
    play.passes("A")
    assert "its dealer passed" in str(play.rfq.quotes[0].withdrawn)


def test_pass_after_the_time_out_is_kept_for_the_audit() -> None:
    play = quoted()
    play.after(20)
    (written,) = play.passes("D")
    assert isinstance(written, events.MessageRefused)


def test_events_before_the_start_are_refused() -> None:
    with pytest.raises(ValueError, match="before the RFQ was started"):
        evolve(None, events.AlertRaised(rfq_id="r", message="m"), START)


@given(st.sampled_from([Response.DECLINED, Response.REJECTED]))
def test_whole_whisper_of_passes_asks_each_once(response: Response) -> None:
    play = Play().begin()
    for dealer in ["A", "B", "C", "D"]:
        play.passes(dealer, response)
    assert play.asked == ["A", "B", "C", "D"]
    assert play.stage is RfqState.NOT_TRADED
