"""Whatever dealers, people and the clock do, in whatever order: what must always hold."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contracts import journal as events
from expectations.contracts.journal import Sealed
from expectations.contracts.vocabulary import Protocol
from serve.domain import dealing
from serve.domain.rfq_course import Refusal
from serve.domain.rfq_machine import Halt, NotSent, Recover
from serve.domain.rfq_replay import rebuild
from serve.domain.rfq_settling import Settle
from tests.unit.desk.play import Play
from tests.unit.desk.test_machine import GOOD, POOR

DEALERS = ["A", "B", "C", "D", "E"]
steps = st.one_of(
    st.tuples(st.just("after"), st.floats(0.1, 40)),
    st.tuples(
        st.just("quote"),
        st.sampled_from(DEALERS),
        st.sampled_from([GOOD, POOR, 99.99, 50.0]),
        st.booleans(),
        st.sampled_from([None, 1, 30]),
    ),
    st.tuples(st.just("partial"), st.sampled_from(DEALERS)),
    st.tuples(st.just("pass"), st.sampled_from(DEALERS)),
    st.tuples(st.just("withdraw"), st.sampled_from(DEALERS)),
    st.tuples(st.just("click"), st.integers(0, 5)),
    st.tuples(st.just("trade"), st.integers(0, 3), st.floats(0.1, 1.0), st.booleans()),
    st.tuples(st.just("repeat"), st.integers(0, 3)),
    st.tuples(st.just("status"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("unknown"), st.integers(0, 3)),
    st.tuples(st.just("settle"), st.booleans()),
    st.tuples(st.just("refuse"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("session"), st.sampled_from(DEALERS), st.booleans()),
    st.tuples(
        st.just("not_sent"),
    ),
    st.tuples(
        st.just("cancel"),
    ),
    st.tuples(
        st.just("kill"),
    ),
    st.tuples(
        st.just("recover"),
    ),
)


class Books(Play):
    """A play whose dealers report truly: ``trades`` is what each order traded at its dealer, reported or not.

    ``given_up``: somebody said of an order that it would trade no more, which may have been wrong.
    """

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.trades: dict[str, list[tuple[float, float]]] = {}
        self.given_up = False

    def trade(self, hit: dealing.Hit, share: float, *, reported: bool) -> None:
        of_hit = self.trades.setdefault(hit.cl_ord_id, [])
        left = hit.quantity - self.total(hit)
        quantity = left if share == 1.0 else round(left * share, 2)
        of_hit.append((quantity, hit.price + len(of_hit) / 100))
        if reported:
            self.report(hit)

    def report(self, hit: dealing.Hit) -> None:
        """Tell of the last trade of an order, as the dealer does, again and again."""
        of_hit = self.trades[hit.cl_ord_id]
        quantity, price = of_hit[-1]
        total = self.total(hit)
        done, name = total > hit.quantity - 0.01, f"{hit.cl_ord_id}-{len(of_hit)}"
        self.fill(hit, exec_id=name, quantity=quantity, price=price, cumulative=total, done=done)

    def status(self, hit: dealing.Hit, *, own_name: bool) -> None:
        total = self.total(hit)
        name = f"{hit.cl_ord_id}-{len(self.trades[hit.cl_ord_id])}" if own_name else f"s{len(self.history)}"
        told = {"quantity": total, "cumulative": total, "price": self.average(hit), "average": self.average(hit)}
        self.fill(hit, exec_id=name, is_status=True, done=total > hit.quantity - 0.01, **told)
        attempt = self.rfq.attempt(hit.cl_ord_id)
        assert attempt is not None
        assert attempt.filled == pytest.approx(total, abs=0.02), "what the dealer says is what is booked"

    def settle(self, *, traded: bool) -> None:
        active = self.rfq.active
        hit = next((hit for hit in self.hits if active and hit.cl_ord_id == active.cl_ord_id), None)
        traded = traded and hit is not None and hit.cl_ord_id in self.trades
        word = (self.average(hit), self.total(hit)) if traded and hit is not None else (None, None)
        self.happen(Settle(traded, *word, "by phone", "ann"))
        self.given_up = True

    def total(self, hit: dealing.Hit) -> float:
        return sum(quantity for quantity, _ in self.trades[hit.cl_ord_id])

    def average(self, hit: dealing.Hit) -> float:
        return sum(quantity * price for quantity, price in self.trades[hit.cl_ord_id]) / self.total(hit)

    def check_money(self, new: list[dealing.AnyCommand]) -> None:
        attempts, ordered = self.rfq.attempts, self.rfq.started.quantity
        for attempt in attempts:
            hit = next(hit for hit in self.hits if hit.cl_ord_id == attempt.cl_ord_id)
            assert attempt.filled <= attempt.quantity + 0.02, "no more is booked than was sent"
            assert attempt.filled <= (self.total(hit) if hit.cl_ord_id in self.trades else 0.0) + 0.02, "nor than traded"
        alive = sum(attempt.quantity if attempt == self.rfq.active else attempt.filled for attempt in attempts)
        assert alive <= ordered + 0.02 or self.given_up, "no more is out than was ordered"
        sent = sum(command.quantity for command in new if isinstance(command, dealing.Hit))
        booked = sum(attempt.filled for attempt in attempts)
        assert not sent or sent + booked <= ordered + 0.02, "a click orders no more than is left"
        lost = {
            item.dealer_id for item in new if isinstance(item, dealing.TellLoser) and item.told is not dealing.Told.NOTHING_DONE
        }
        assert not lost & {attempt.dealer_id for attempt in attempts}, "who was sent an order is not told that it lost"
        assert self.rfq.closed is not None or self.rfq.active is not None or not booked, "what traded ends the RFQ"


def perform(play: Books, step: tuple[object, ...]) -> None:  # noqa: PLR0912
    match step:
        case "after", float(seconds):
            play.after(seconds)
        case "quote", str(dealer), float(price), bool(firm), life:
            until = None if life is None else play.now + timedelta(seconds=float(str(life)))
            play.quote(dealer, price, firm=firm, valid_until=until, dealer_quote_id=f"{dealer}{len(play.history)}")
        case "partial", str(dealer):
            play.quote(dealer, GOOD, bid_quantity=1_000_000.0)
        case "pass", str(dealer):
            play.passes(dealer)
        case "withdraw", str(dealer):
            play.happen(dealing.DealerWithdrew(dealer_id=dealer, quote_req_id=None, dealer_quote_id=None, reason="w"))
        case "click", int(number) if number < len(play.rfq.quotes):
            play.execute(play.rfq.quotes[number])
        case "trade", int(number), float(share), bool(reported) if number < len(play.hits):
            play.trade(play.hits[number], share, reported=reported)
        case "repeat", int(number) if number < len(play.hits) and play.hits[number].cl_ord_id in play.trades:
            play.report(play.hits[number])
        case "status", int(number), bool(named) if number < len(play.hits) and play.hits[number].cl_ord_id in play.trades:
            play.status(play.hits[number], own_name=named)
        case "unknown", int(number) if number < len(play.hits):
            play.unknown(play.hits[number])
        case "settle", bool(traded):
            play.settle(traded=traded)
        case "refuse", int(number), bool(certain) if number < len(play.hits):
            play.refuse(play.hits[number], certain=certain)
            play.given_up = play.given_up or certain or play.rfq.attempts[number].fate == "FAILED"
        case "session", str(dealer), bool(ready):
            play.session(dealer, ready=ready)
        case ("not_sent",) if play.sent:
            play.happen(NotSent(play.sent[-1], "down"))
            play.given_up = True
        case ("cancel",):
            play.cancel()
        case ("kill",):
            play.around["halted"] = True
            play.happen(Halt("k"))
        case ("recover",):
            play.happen(Recover())


def play_through(play: Books, course: list[tuple[object, ...]]) -> None:
    for step in course:
        before, killed, closed, active = len(play.sent), play.around.get("halted"), play.rfq.closed, play.rfq.active
        try:
            perform(play, step)
        except Refusal:
            assert len(play.sent) == before
        new = play.sent[before:]
        play.check_money(new)
        assert not (killed and new), "nothing is sent under the kill switch"
        assert not (closed and new), "nothing is sent after the end"
        assert not (active and any(isinstance(item, dealing.Hit) for item in new)), "one execution at a time"
        assert not (active and any(isinstance(item, dealing.Ask) for item in new) and play.rfq.active), "nobody is asked meanwhile"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Protocol)), st.lists(steps, max_size=25))
def test_whatever_happens_the_invariants_hold(protocol: Protocol, course: list[tuple[object, ...]]) -> None:
    play = Books(protocol=protocol, delay_s=5.0)
    play.around = {"tell_losers": "cover", "pass_on_close": True, "price_band_bps": 1000.0}
    play.begin()
    play_through(play, course)
    asked, hits = play.asked, [hit.cl_ord_id for hit in play.hits]
    assert len(asked) == len(set(asked)) <= 4, "each dealer once, in order, never more than named"
    assert asked == sorted(asked)
    assert len(hits) == len(set(hits)), "each order is sent once"
    written = [event for event, _ in play.history]
    assert sum(isinstance(event, events.RfqClosed) for event in written) <= 1
    assert sum(isinstance(event, events.ExecutionRequested) for event in written) == len(hits)
    sealed = [
        Sealed(seq=n, event_id=str(n), at=at, event=event, prev_hash="", hash="") for n, (event, at) in enumerate(play.history, 1)
    ]
    assert rebuild(sealed) == play.rfq, "the journal rebuilds the same state"


orders = st.one_of(
    st.tuples(st.just("click"), st.integers(0, 5)),
    st.tuples(st.just("trade"), st.integers(0, 3), st.sampled_from([0.3, 0.5, 1.0]), st.booleans()),
    st.tuples(st.just("repeat"), st.integers(0, 3)),
    st.tuples(st.just("status"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("unknown"), st.integers(0, 3)),
    st.tuples(st.just("settle"), st.booleans()),
    st.tuples(st.just("refuse"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("after"), st.sampled_from([1.0, 31.0])),
    st.tuples(st.just("session"), st.sampled_from(DEALERS), st.booleans()),
    st.tuples(st.just("recover")),
)

FIRST = [("click", 0)]
DOUBT = [*FIRST, ("after", 31.0)]
PART = [*FIRST, ("trade", 0, 0.5, True), ("after", 31.0)]
SECOND = [*DOUBT, ("settle", False), ("click", 1)]
OPENINGS = [FIRST, DOUBT, PART, SECOND, [*DOUBT, ("unknown", 0), ("click", 1)]]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(OPENINGS), st.lists(orders, max_size=12))
def test_whatever_becomes_of_orders_no_money_is_made_up(
    opening: list[tuple[object, ...]], course: list[tuple[object, ...]]
) -> None:
    play = Books(protocol=Protocol.PARALLEL)
    play.around = {"tell_losers": "cover", "pass_on_close": True, "price_band_bps": 1000.0}
    play.begin()
    for dealer, price, size in (("A", GOOD, None), ("B", GOOD, 4e6), ("C", POOR, 25e6), ("D", POOR, None)):
        play.quote(dealer, price, bid_quantity=size)
    play_through(play, [*opening, *course])
