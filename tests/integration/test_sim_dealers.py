import signal
import time
from datetime import date, timedelta

import pytest

from sim.errors import SimulationError
from sim.fix import fields as tags
from sim.fix.acceptor import running_dealers
from sim.fix.fields import Outgoing
from sim.fix.scripts import Action, DeclineBy, OnHit, Script, Via
from sim.simulate import simulate
from sim.world import load_world
from tests.integration.sim_client import NOON, connected, hit, order, request, status_request


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    done = simulate(tmp_path_factory.mktemp("market") / "files", 5, 3, date(2026, 5, 29), securities=40, dealers=12)
    return load_world(done.truth)


@pytest.fixture(scope="module")
def bond(world):
    return next(bond for bond in world.bonds if bond.scorecard_class == "CORP_IG")


def test_scripted_dealers_quote_counter_pass_reject_and_stay_silent(world, bond):
    scripts = {
        "ASHWELL": Script(price=99.125, after_s=2),
        "BRACKEN": Script(price=99.25, quantity=4_000_000, via=Via.COUNTER),
        "CALDER": Script(Action.DECLINE),
        "DUNMORE": Script(Action.DECLINE, decline_by=DeclineBy.REQUEST_REJECT),
        "EASTLEA": Script(Action.REJECT, reason="3"),
        "FENWICK": Script(Action.SILENT),
    }
    with running_dealers(world, scripts=scripts, speed=20) as dealers, connected(dealers, list(scripts)) as client:
        for name in scripts:
            client.send(name, request(f"Q-{name}", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        assert quote[tags.QUOTE_REQ_ID] == "Q-ASHWELL"
        assert quote[tags.BID_PX] == "99.125"
        assert tags.OFFER_PX not in quote
        assert quote[tags.BID_SIZE] == "10000000"
        assert tags.read_timestamp(quote[tags.TRANSACT_TIME]) == NOON + timedelta(seconds=2)
        assert tags.read_timestamp(quote[tags.VALID_UNTIL]) == NOON + timedelta(seconds=302)
        counter = client.wait("BRACKEN", tags.QUOTE_RESPONSE)[0]
        assert (counter[tags.QUOTE_RESP_TYPE], counter[tags.PRICE], counter[tags.ORDER_QTY]) == (tags.COUNTER, "99.25", "4000000")
        assert client.wait("CALDER", tags.QUOTE_STATUS_REPORT)[0][tags.QUOTE_STATUS] == tags.PASSED
        assert client.wait("DUNMORE", tags.QUOTE_REQUEST_REJECT)[0][tags.REJECT_REASON] == tags.NO_INTEREST
        assert client.wait("EASTLEA", tags.QUOTE_REQUEST_REJECT)[0][tags.REJECT_REASON] == "3"
        assert client.got("FENWICK") == []
        assert dealers.failures == ()


def test_same_order_sent_twice_is_filled_once_and_reported_alike(world, bond):
    with running_dealers(world, scripts={"ASHWELL": Script(price=99.5)}, speed=50) as dealers, connected(dealers, ["ASHWELL"]) as client:
        client.send("ASHWELL", request("Q1", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        client.send("ASHWELL", hit(quote, "C1"))
        client.wait("ASHWELL", tags.EXECUTION_REPORT)
        client.send("ASHWELL", hit(quote, "C1"))
        first, second = client.wait("ASHWELL", tags.EXECUTION_REPORT, count=2)
        assert first[tags.EXEC_TYPE] == tags.NEW_TRADE
        assert first[tags.LAST_PX] == "99.5"
        assert (first[tags.EXEC_ID], first[tags.ORDER_ID]) == (second[tags.EXEC_ID], second[tags.ORDER_ID])
        client.send("ASHWELL", hit(quote, "C2"))
        third = client.wait("ASHWELL", tags.EXECUTION_REPORT, count=3)[2]
        assert (third[tags.EXEC_TYPE], third[tags.TEXT]) == (tags.REJECTED_ORDER, "quote already traded")
        assert len(dealers.fills) == 1


@pytest.mark.parametrize(
    ("script", "after_s", "text"),
    [
        (Script(valid_s=10), 11, "quote expired"),
        (Script(withdraw_after_s=3), 4, "quote withdrawn"),
        (Script(on_hit=OnHit.REFUSE), 1, "no longer there"),
    ],
    ids=["expired", "withdrawn", "refused"],
)
def test_hit_on_a_dead_quote_is_rejected_without_a_fill(world, bond, script, after_s, text):
    with running_dealers(world, scripts={"ASHWELL": script}, speed=50) as dealers, connected(dealers, ["ASHWELL"]) as client:
        client.send("ASHWELL", request("Q1", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        client.send("ASHWELL", hit(quote, "C1", after_s=after_s))
        report = client.wait("ASHWELL", tags.EXECUTION_REPORT)[0]
        assert (report[tags.EXEC_TYPE], report[tags.ORD_STATUS], report[tags.TEXT]) == ("8", "8", text)
        assert len(dealers.fills) == 0


def test_withdrawn_quote_is_cancelled_by_message(world, bond):
    scripts = {"ASHWELL": Script(withdraw_after_s=3)}
    with running_dealers(world, scripts=scripts, speed=50) as dealers, connected(dealers, ["ASHWELL"]) as client:
        client.send("ASHWELL", request("Q1", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        assert client.wait("ASHWELL", tags.QUOTE_CANCEL)[0][tags.QUOTE_ID] == quote[tags.QUOTE_ID]


def test_order_by_new_order_single_fills_and_another_type_is_refused(world, bond):
    with running_dealers(world, scripts={"ASHWELL": Script()}, speed=50) as dealers, connected(dealers, ["ASHWELL"]) as client:
        client.send("ASHWELL", request("Q1", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        client.send("ASHWELL", order(quote, "C1", ord_type="2"))
        assert client.wait("ASHWELL", tags.EXECUTION_REPORT)[0][tags.EXEC_TYPE] == tags.REJECTED_ORDER
        client.send("ASHWELL", order(quote, "C2"))
        assert client.wait("ASHWELL", tags.EXECUTION_REPORT, count=2)[1][tags.ORD_STATUS] == tags.FILLED


def test_losers_are_told_cover_and_done_away(world, bond):
    names = ["ASHWELL", "BRACKEN"]
    with running_dealers(world, scripts=dict.fromkeys(names, Script()), speed=50) as dealers, connected(dealers, names) as client:
        told = {}
        for name, code in zip(names, (tags.COVER, tags.DONE_AWAY), strict=True):
            client.send(name, request("Q1", bond.cusip))
            quote = client.wait(name, tags.QUOTE)[0]
            told[name] = [(quote[tags.QUOTE_ID], code)]
            fields = ((tags.QUOTE_RESP_ID, "L"), (tags.QUOTE_RESP_TYPE, code), (tags.QUOTE_ID, quote[tags.QUOTE_ID]), (tags.SYMBOL, "[N/A]"))
            client.send(name, Outgoing(tags.QUOTE_RESPONSE, fields))
        deadline = time.monotonic() + 5
        while any(not dealers.told(name) for name in names) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert {name: dealers.told(name) for name in names} == told


def test_unknown_security_oversize_and_incomplete_requests_are_rejected_with_their_codes(world, bond):
    with running_dealers(world, speed=50) as dealers, connected(dealers, ["ASHWELL"]) as client:
        client.send("ASHWELL", request("Q1", "000000000"))
        client.send("ASHWELL", request("Q2", bond.cusip, quantity="900000000000"))
        client.send("ASHWELL", request("Q3", bond.cusip, quantity="ten"))
        rejects = client.wait("ASHWELL", tags.QUOTE_REQUEST_REJECT, count=3)
        assert [(reject[tags.QUOTE_REQ_ID], reject[tags.REJECT_REASON]) for reject in rejects] == [("Q1", "1"), ("Q2", "3"), ("Q3", "99")]


def test_dealers_remember_fills_and_numbers_after_a_restart(world, bond, tmp_path):
    """The client asks about its order instead of sending it again."""
    scripts = {"ASHWELL": Script(on_hit=OnHit.FILL_SILENTLY)}
    store, mine = tmp_path / "dealers", str(tmp_path / "client")
    with running_dealers(world, scripts=scripts, speed=50, store=store) as dealers, connected(dealers, ["ASHWELL"], mine) as client:
        client.send("ASHWELL", request("Q1", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        client.send("ASHWELL", hit(quote, "C1"))
        deadline = time.monotonic() + 5
        while len(dealers.fills) == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert client.got("ASHWELL", tags.EXECUTION_REPORT) == []
    with running_dealers(world, scripts=scripts, speed=50, store=store) as dealers, connected(dealers, ["ASHWELL"], mine) as client:
        client.send("ASHWELL", status_request("C1"))
        client.send("ASHWELL", status_request("C9"))
        known, unknown = client.wait("ASHWELL", tags.EXECUTION_REPORT, count=2)
        assert (known[tags.EXEC_TYPE], known[tags.ORD_STATUS], known[tags.CL_ORD_ID]) == (tags.STATUS_OF_ORDER, tags.FILLED, "C1")
        assert (unknown[tags.EXEC_TYPE], unknown[tags.ORD_STATUS], unknown[tags.CL_ORD_ID]) == (tags.STATUS_OF_ORDER, "8", "C9")
        client.send("ASHWELL", hit(quote, "C1"))
        again = client.wait("ASHWELL", tags.EXECUTION_REPORT, count=3)[2]
        assert again[tags.EXEC_ID] == known[tags.EXEC_ID]
        assert len(dealers.fills) == 1


def test_all_dealers_of_the_model_tell_the_same_story_in_two_runs(world, bond):
    def story():
        names = [dealer.dealer_id for dealer in world.dealers]
        with running_dealers(world, speed=200) as dealers, connected(dealers, names) as client:
            for name in names:
                client.send(name, request(f"Q-{name}", bond.cusip))
            time.sleep(1.5)
            assert dealers.failures == ()
            return {
                name: [(m[35], m.get(60), m.get(tags.BID_PX), m.get(tags.PRICE), m.get(tags.BID_SIZE)) for m in client.got(name)]
                for name in names
            }

    first = story()
    assert first == story()
    assert sum(bool(answers) for answers in first.values()) >= 6


def test_taken_port_is_a_clear_error(world):
    with (
        running_dealers(world) as dealers,
        pytest.raises(SimulationError, match="cannot listen on"),
        running_dealers(world, port=dealers.port),
    ):
        pass


def test_interrupt_handler_is_the_same_after_the_engine_is_loaded():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
