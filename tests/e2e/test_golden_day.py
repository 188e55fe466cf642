"""One whole trip round the loop, as ``sotto demo`` tells it."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.home import Home
from expectations.contracts.journal import DealerAsked, ExecutionReported, ExecutionRequested, RfqClosed
from serve.adapters.journal import JournalReader
from tests.e2e.command import sotto

Told = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("golden")


@pytest.fixture(scope="module")
def told(home: Path) -> Told:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = sotto(home, "demo", "--json", "--days", "90", "--seed", "7", "--port", str(port))
    assert run.returncode == 0, run.stderr
    answer: Told = json.loads(run.stdout)
    return answer


def test_the_answer_for_programs_is_whole(told: Told) -> None:
    assert set(told) == {"snapshots", "recommendation", "rfq", "execution", "scores_before", "scores_after"}
    assert told["snapshots"]["before"] != told["snapshots"]["after"]
    assert told["recommendation"]["liquidity"]["illiquid"]
    assert told["recommendation"]["plan"]["mode"] == "sequential"
    assert all(dealer["reason"] for dealer in told["recommendation"]["dealers"])


def test_dealers_were_asked_one_after_another_and_one_order_was_sent(told: Told, home: Path) -> None:
    rfq_id = told["rfq"]["rfq_id"]
    story = [sealed.event for sealed in JournalReader(Home(home).journal).read(subject=rfq_id)]
    asked = [event for event in story if isinstance(event, DealerAsked)]
    recommended = [dealer["dealer_id"] for dealer in told["recommendation"]["dealers"]]
    assert [event.dealer_id for event in asked] == recommended[: len(asked)]
    assert [event.sequence for event in asked] == list(range(1, len(asked) + 1))
    requested = [event for event in story if isinstance(event, ExecutionRequested)]
    filled = [event for event in story if isinstance(event, ExecutionReported)]
    assert len({event.cl_ord_id for event in requested}) == len(requested)
    assert [event.cl_ord_id for event in filled] == [told["execution"]["cl_ord_id"]]
    assert isinstance(next(event for event in story if isinstance(event, RfqClosed)), RfqClosed)


def test_the_trade_moved_the_winners_score(told: Told) -> None:
    winner = told["execution"]["dealer_id"]
    before, after = told["scores_before"][winner], told["scores_after"][winner]
    assert after["rfqs_asked"] == before["rfqs_asked"] + 1
    assert after["rfqs_won"] == before["rfqs_won"] + 1
    assert after["price_improvement_n"] == before["price_improvement_n"] + 1
    assert after["information_leakage_n"] == before["information_leakage_n"] + 1
    assert after["composite"] != before["composite"]


def test_dealers_who_were_not_asked_kept_their_counts(told: Told) -> None:
    asked = {line["dealer_id"] for line in told["rfq"]["dealers"] if line["state"] != "NOT_ASKED"}
    for dealer, after in told["scores_after"].items():
        assert after["rfqs_asked"] == told["scores_before"][dealer]["rfqs_asked"] + (dealer in asked)


def test_the_journal_is_whole_and_the_recommendation_replays(told: Told, home: Path) -> None:
    verified = sotto(home, "audit", "verify")
    assert (verified.returncode, "chain whole" in verified.stdout) == (0, True), verified.stderr
    replayed = sotto(home, "replay", told["recommendation"]["recommendation_id"])
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["identical"] is True


def test_a_published_snapshot_can_be_gone_back_to(told: Told, home: Path) -> None:
    first = told["snapshots"]["before"]
    assert sotto(home, "rollback", first).returncode == 0
    listed = sotto(home, "snapshots").stdout.splitlines()
    assert [line for line in listed if line.startswith("*")] == [line for line in listed if first in line]
