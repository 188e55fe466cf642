import subprocess
import sys
import time
from datetime import date, timedelta

import pytest

from sim.fix import fields as tags
from sim.fix.acceptor import running_dealers
from sim.fix.fields import Outgoing
from sim.fix.scripts import Action, DeclineBy, OnHit, Script, Via
from sim.simulate import simulate
from sim.world import load_world
from tests.integration.sim_client import NOON, connected, hit, order, request


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    done = simulate(tmp_path_factory.mktemp("market") / "files", 5, 3, date(2026, 5, 29), securities=40, dealers=16)
    return load_world(done.truth)


@pytest.fixture(scope="module")
def bond(world):
    return next(bond for bond in world.bonds if bond.scorecard_class == "CORP_IG")


SCRIPTS = {
    "ASHWELL": Script(price=99.125, after_s=2),
    "BRACKEN": Script(price=99.25, quantity=4_000_000, via=Via.COUNTER),
    "CALDER": Script(Action.DECLINE),
    "DUNMORE": Script(Action.DECLINE, decline_by=DeclineBy.REQUEST_REJECT),
    "EASTLEA": Script(Action.REJECT, reason="3"),
    "FENWICK": Script(Action.SILENT),
    "GARTHWAY": Script(price=99.5),
    "HALDEN": Script(valid_s=10),
    "INVERLOCH": Script(withdraw_after_s=3),
    "JESMOND": Script(on_hit=OnHit.REFUSE),
    "KELSTON": Script(),
    "LARKFIELD": Script(),
    "MARSTON": Script(),
    "NETHERBY": Script(on_hit=OnHit.REPORT_TWICE),
    "OAKHURST": [Script(Action.DECLINE), Script(price=98.5, even_late=True, after_s=90)],
}


@pytest.fixture(scope="module")
def dealers(world):
    with running_dealers(world, scripts=SCRIPTS, speed=50) as running:
        yield running
        assert running.failures == ()


@pytest.fixture(scope="module")
def client(dealers):
    with connected(dealers, list(dealers.sessions)) as desk:
        yield desk


@pytest.fixture
def quote_of(client, bond):
    def ask(dealer):
        client.send(dealer, request(f"Q-{dealer}", bond.cusip))
        return client.wait(dealer, tags.QUOTE)[0]

    return ask


def test_quote_carries_price_size_and_expiry_on_the_desks_clock(quote_of):
    quote = quote_of("ASHWELL")
    assert quote[tags.QUOTE_REQ_ID] == "Q-ASHWELL"
    assert (quote[tags.BID_PX], quote[tags.BID_SIZE]) == ("99.125", "10000000")
    assert tags.OFFER_PX not in quote
    assert tags.read_timestamp(quote[tags.TRANSACT_TIME]) == NOON + timedelta(seconds=2)
    assert tags.read_timestamp(quote[tags.VALID_UNTIL]) == NOON + timedelta(seconds=302)


def test_price_may_come_as_a_counter(client, bond):
    client.send("BRACKEN", request("Q1", bond.cusip))
    counter = client.wait("BRACKEN", tags.QUOTE_RESPONSE)[0]
    assert (counter[tags.QUOTE_RESP_TYPE], counter[tags.PRICE], counter[tags.ORDER_QTY]) == (tags.COUNTER, "99.25", "4000000")
    assert counter[tags.QUOTE_REQ_ID] == "Q1"


def test_dealers_pass_in_two_ways_reject_or_say_nothing(client, bond):
    for name in ("CALDER", "DUNMORE", "EASTLEA", "FENWICK"):
        client.send(name, request(f"Q-{name}", bond.isin))
    assert client.wait("CALDER", tags.QUOTE_STATUS_REPORT)[0][tags.QUOTE_STATUS] == tags.PASSED
    assert client.wait("DUNMORE", tags.QUOTE_REQUEST_REJECT)[0][tags.REJECT_REASON] == tags.NO_INTEREST
    assert client.wait("EASTLEA", tags.QUOTE_REQUEST_REJECT)[0][tags.REJECT_REASON] == "3"
    assert client.got("FENWICK") == []


def test_same_order_sent_twice_is_filled_once_and_reported_alike(client, dealers, quote_of):
    quote = quote_of("GARTHWAY")
    client.send("GARTHWAY", hit(quote, "C1"))
    client.wait("GARTHWAY", tags.EXECUTION_REPORT)
    client.send("GARTHWAY", hit(quote, "C1"))
    first, second = client.wait("GARTHWAY", tags.EXECUTION_REPORT, count=2)
    assert (first[tags.EXEC_TYPE], first[tags.LAST_PX]) == (tags.NEW_TRADE, "99.5")
    assert (first[tags.EXEC_ID], first[tags.ORDER_ID]) == (second[tags.EXEC_ID], second[tags.ORDER_ID])
    client.send("GARTHWAY", hit(quote, "C2"))
    third = client.wait("GARTHWAY", tags.EXECUTION_REPORT, count=3)[2]
    assert (third[tags.EXEC_TYPE], third[tags.TEXT]) == (tags.REJECTED_ORDER, "quote already traded")
    assert dealers.fills.find("GARTHWAY", "C2") is None


@pytest.mark.parametrize(
    ("dealer", "after_s", "text"),
    [("HALDEN", 11, "quote expired"), ("INVERLOCH", 4, "quote withdrawn"), ("JESMOND", 1, "no longer there")],
    ids=["expired", "withdrawn", "refused"],
)
def test_hit_on_a_dead_quote_is_rejected_without_a_fill(client, dealers, quote_of, *, dealer, after_s, text):
    client.send(dealer, hit(quote_of(dealer), "C1", after_s=after_s))
    report = client.wait(dealer, tags.EXECUTION_REPORT)[0]
    assert (report[tags.EXEC_TYPE], report[tags.ORD_STATUS], report[tags.TEXT]) == ("8", "8", text)
    assert dealers.fills.find(dealer, "C1") is None


def test_withdrawn_quote_is_cancelled_by_message(client, quote_of):
    quote = quote_of("INVERLOCH")
    assert client.wait("INVERLOCH", tags.QUOTE_CANCEL)[0][tags.QUOTE_ID] == quote[tags.QUOTE_ID]


def test_order_by_new_order_single_fills_and_another_type_is_refused(client, quote_of):
    quote = quote_of("KELSTON")
    client.send("KELSTON", order(quote, "C1", ord_type="2"))
    assert client.wait("KELSTON", tags.EXECUTION_REPORT)[0][tags.EXEC_TYPE] == tags.REJECTED_ORDER
    client.send("KELSTON", order(quote, "C2"))
    assert client.wait("KELSTON", tags.EXECUTION_REPORT, count=2)[1][tags.ORD_STATUS] == tags.FILLED


def test_losers_are_told_cover_and_done_away(client, dealers, quote_of):
    told = {}
    for name, code in (("LARKFIELD", tags.COVER), ("MARSTON", tags.DONE_AWAY)):
        quote = quote_of(name)[tags.QUOTE_ID]
        told[name] = [(quote, code)]
        fields = ((tags.QUOTE_RESP_ID, "L"), (tags.QUOTE_RESP_TYPE, code), (tags.QUOTE_ID, quote), (tags.SYMBOL, "[N/A]"))
        client.send(name, Outgoing(tags.QUOTE_RESPONSE, fields))
    deadline = time.monotonic() + 5
    while any(not dealers.told(name) for name in told) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert {name: dealers.told(name) for name in told} == told


def test_fill_reported_twice_carries_one_exec_id(client, quote_of):
    client.send("NETHERBY", hit(quote_of("NETHERBY"), "C1"))
    reports = client.wait("NETHERBY", tags.EXECUTION_REPORT, count=2)
    assert len({report[tags.EXEC_ID] for report in reports}) == 1


def test_scripts_are_used_in_turn_and_a_late_answer_can_be_forced(client, bond):
    client.send("OAKHURST", request("Q1", bond.cusip))
    client.wait("OAKHURST", tags.QUOTE_STATUS_REPORT)
    client.send("OAKHURST", request("Q2", bond.cusip))
    quote = client.wait("OAKHURST", tags.QUOTE)[0]
    assert tags.read_timestamp(quote[tags.TRANSACT_TIME]) == NOON + timedelta(seconds=90)


def test_unknown_security_oversize_and_unreadable_requests_are_rejected_with_their_codes(client, bond):
    client.send("PENROSE", request("Q1", "000000000"))
    client.send("PENROSE", request("Q2", bond.cusip, quantity="900000000000"))
    client.send("PENROSE", request("Q3", bond.cusip, quantity="ten"))
    rejects = client.wait("PENROSE", tags.QUOTE_REQUEST_REJECT, count=3)
    assert [(reject[tags.QUOTE_REQ_ID], reject[tags.REJECT_REASON]) for reject in rejects] == [
        ("Q1", "1"),
        ("Q2", "3"),
        ("Q3", "99"),
    ]


def test_interrupt_handler_is_the_same_after_the_engine_is_loaded():
    # In a process of its own: what started this one may have had interrupts ignored.
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import sim.fix.engine; "
        "raise SystemExit(signal.getsignal(signal.SIGINT) is not signal.default_int_handler)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
