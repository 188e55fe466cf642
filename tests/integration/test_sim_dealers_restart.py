import signal
import socket
import subprocess
import sys
import time
from datetime import date

import msgspec
import pytest

from sim.errors import SimulationError
from sim.fix import fields as tags
from sim.fix.acceptor import running_dealers
from sim.fix.scripts import OnHit, Script
from sim.simulate import simulate
from sim.world import load_world
from tests.integration.sim_client import connected, hit, request, status_request


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    done = simulate(tmp_path_factory.mktemp("market") / "files", 5, 3, date(2026, 5, 29), securities=40, dealers=8)
    return load_world(done.truth)


@pytest.fixture(scope="module")
def bond(world):
    return next(bond for bond in world.bonds if bond.scorecard_class == "CORP_IG")


def test_dealers_remember_fills_and_numbers_after_a_restart(world, bond, tmp_path):
    """The client asks about its order instead of sending it again."""
    scripts = {"ASHWELL": Script(on_hit=OnHit.FILL_SILENTLY)}
    store, mine = tmp_path / "dealers", str(tmp_path / "client")
    with running_dealers(world, scripts=scripts, speed=50, store=store) as dealers, connected(dealers, ["ASHWELL"], mine) as client:
        client.send("ASHWELL", request("Q1", bond.cusip))
        quote = client.wait("ASHWELL", tags.QUOTE)[0]
        client.send("ASHWELL", hit(quote, "C1"))
        deadline = time.monotonic() + 5
        while dealers.fills.count == 0 and time.monotonic() < deadline:
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
        assert dealers.fills.count == 1


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
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SimulationError, match=f"cannot listen on 127.0.0.1:{port}"), running_dealers(world, port=port):
            pass


def test_second_set_of_the_same_dealers_in_one_process_is_refused(world):
    with running_dealers(world), pytest.raises(SimulationError, match="already in this process"), running_dealers(world):
        pass


def test_dealers_on_their_own_stop_cleanly_on_a_signal(world, tmp_path):
    (tmp_path / "world.json").write_bytes(msgspec.json.encode(world))
    call = f"serve_dealers(Path({str(tmp_path)!r}), port=0, speed=5)"
    code = f"from pathlib import Path; from sim.fix.acceptor import serve_dealers; {call}"
    with subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "8 dealers answer on 127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out.strip(), err) == (0, "the dealers stop", "")
