from datetime import UTC, datetime, timedelta

import pytest

from sim.fix import fields as tags
from sim.fix.dealer_book import DealerBook
from sim.fix.desk_time import DeskTime
from sim.fix.fills import FillBook
from sim.fix.model import price_via
from sim.fix.scripts import Script, Via
from sim.world import load_world

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(small_files):
    return load_world(small_files.truth)


@pytest.fixture
def bond(world):
    return next(bond for bond in world.bonds if bond.scorecard_class == "CORP_IG")


def _request(bond, **changes):
    message = {
        tags.MSG_TYPE: tags.QUOTE_REQUEST, tags.QUOTE_REQ_ID: "Q1", tags.NO_RELATED_SYM: "1", tags.SECURITY_ID: bond.cusip,
        tags.SIDE: tags.SELL, tags.ORDER_QTY: "10000000", tags.TRANSACT_TIME: tags.timestamp(NOON),
    }  # fmt: skip
    return message | changes.get("fields", {})


def _book(world, dealer=None, scripts=None, fills=None):
    return DealerBook(world, dealer or world.dealers[0], fills if fills is not None else FillBook(), scripts or {}, "test")


def _fields(due):
    return dict(due.message.fields)


def test_model_answers_the_same_request_alike_in_two_runs_and_differently_when_asked_again(world, bond):
    def answers():
        books = [_book(world, dealer) for dealer in world.dealers]
        return [[(due.at, due.message) for due in book.handle(_request(bond), NOON)] for book in books for _ in range(3)]

    first = answers()
    assert first == answers()
    assert any(first[place] != first[place + 1] for place in range(0, len(first), 3))


def test_quotes_of_the_model_lie_within_some_half_spreads_of_the_mid_and_mostly_below_it_for_a_seller(world, bond):
    prices = []
    for dealer in world.dealers:
        book = _book(world, dealer)
        for _ in range(20):
            for due in book.handle(_request(bond), NOON):
                fields = _fields(due)
                if tags.BID_PX in fields or tags.PRICE in fields:
                    prices.append(float(fields.get(tags.BID_PX) or fields[tags.PRICE]))
    worst = bond.mid * (1 - 1e-4 * 6 * bond.half_spread_bps)
    assert len(prices) > 60
    assert all(worst < price < bond.mid * (1 + 1e-4 * 3 * bond.half_spread_bps) for price in prices)
    assert sum(price < bond.mid for price in prices) > 0.8 * len(prices)


def test_a_few_dealers_price_by_counter(world):
    ways = [price_via(world, dealer) for dealer in world.dealers]
    assert 1 <= ways.count(Via.COUNTER) <= len(ways) // 4


def test_answer_after_the_request_expired_is_withheld_unless_scripted(world, bond):
    late = {"fields": {tags.EXPIRE_TIME: tags.timestamp(NOON + timedelta(seconds=20))}}
    dealer = world.dealers[0].dealer_id
    assert _book(world, scripts={dealer: Script(after_s=21)}).handle(_request(bond, **late), NOON) == []
    assert len(_book(world, scripts={dealer: Script(after_s=21, even_late=True)}).handle(_request(bond, **late), NOON)) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({tags.SECURITY_ID: "XXXXXXXXX"}, tags.UNKNOWN_SYMBOL),
        ({tags.ORDER_QTY: "-5"}, tags.OTHER_REASON),
        ({tags.ORDER_QTY: "nan"}, tags.OTHER_REASON),
        ({tags.SIDE: "9"}, tags.OTHER_REASON),
        ({tags.TRANSACT_TIME: "yesterday"}, tags.OTHER_REASON),
        ({tags.NO_RELATED_SYM: "2"}, tags.OTHER_REASON),
        ({tags.ORDER_QTY: "999000000000"}, tags.LIMIT_EXCEEDED),
    ],
)
def test_request_that_cannot_be_priced_is_rejected_with_its_code(world, bond, fields, reason):
    (due,) = _book(world).handle(_request(bond, fields=fields), NOON)
    assert due.message.msg_type == tags.QUOTE_REQUEST_REJECT
    assert _fields(due)[tags.REJECT_REASON] == reason


def test_hit_before_the_quote_was_shown_is_refused(world, bond):
    book = _book(world, scripts={world.dealers[0].dealer_id: Script(after_s=10)})
    (due,) = book.handle(_request(bond), NOON)
    order = {
        tags.MSG_TYPE: tags.QUOTE_RESPONSE,
        tags.QUOTE_RESP_TYPE: tags.HIT_OR_LIFT,
        tags.QUOTE_ID: _fields(due)[tags.QUOTE_ID],
        tags.CL_ORD_ID: "C1",
    }
    (report,) = book.handle(order, NOON + timedelta(seconds=5))
    assert _fields(report)[tags.TEXT] == "unknown quote"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({tags.PRICE: "101"}, "price is not the quote's"),
        ({tags.ORDER_QTY: "10000001"}, "size is beyond the quote's"),
        ({tags.ORDER_QTY: "-1"}, "size is beyond the quote's"),
        ({tags.SIDE: tags.BUY}, "side is not the quote's"),
        ({tags.PRICE: "x"}, "price or size is not a number"),
        ({tags.CL_ORD_ID: ""}, "no client order id"),
    ],
)
def test_hit_that_departs_from_the_quote_is_refused(world, bond, fields, text):
    fills = FillBook()
    book = _book(world, scripts={world.dealers[0].dealer_id: Script(price=99.0)}, fills=fills)
    (due,) = book.handle(_request(bond), NOON)
    order = {
        tags.MSG_TYPE: tags.QUOTE_RESPONSE,
        tags.QUOTE_RESP_TYPE: tags.HIT_OR_LIFT,
        tags.QUOTE_ID: _fields(due)[tags.QUOTE_ID],
        tags.CL_ORD_ID: "C1",
    }
    (report,) = book.handle(order | fields, NOON + timedelta(seconds=5))
    assert _fields(report)[tags.TEXT] == text
    assert fills.count == 0


def test_part_of_a_quote_may_be_taken(world, bond):
    book = _book(world, scripts={world.dealers[0].dealer_id: Script(price=99.0)})
    (due,) = book.handle(_request(bond), NOON)
    order = {
        tags.MSG_TYPE: tags.NEW_ORDER,
        tags.ORD_TYPE: tags.PREVIOUSLY_QUOTED,
        tags.QUOTE_ID: _fields(due)[tags.QUOTE_ID],
        tags.CL_ORD_ID: "C1",
        tags.ORDER_QTY: "4000000",
    }
    (report,) = book.handle(order, NOON + timedelta(seconds=5))
    assert (_fields(report)[tags.LAST_QTY], _fields(report)[tags.LAST_PX]) == ("4000000", "99")


def test_desk_time_runs_on_from_the_last_message_at_its_speed():
    ticks = iter([0.0, 10.0, 13.0])
    clock = DeskTime(20, lambda: next(ticks))
    assert clock.hear({tags.TRANSACT_TIME: tags.timestamp(NOON)}) == NOON
    assert clock.now() == NOON + timedelta(seconds=60)
    assert clock.wait_for(NOON + timedelta(seconds=40), NOON) == 2.0


def test_fills_survive_in_their_file_and_a_torn_one_is_named(tmp_path, world, bond):
    path = tmp_path / "fills.jsonl"
    dealer = world.dealers[0]
    book = _book(world, scripts={dealer.dealer_id: Script(price=99.0)}, fills=FillBook(path))
    (due,) = book.handle(_request(bond), NOON)
    order = {
        tags.MSG_TYPE: tags.QUOTE_RESPONSE,
        tags.QUOTE_RESP_TYPE: tags.HIT_OR_LIFT,
        tags.QUOTE_ID: _fields(due)[tags.QUOTE_ID],
        tags.CL_ORD_ID: "C1",
    }
    book.handle(order, NOON + timedelta(seconds=5))
    assert FillBook(path).find(dealer.dealer_id, "C1") is not None
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="line 1 is not a fill"):
        FillBook(path)
