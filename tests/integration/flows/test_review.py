"""The review pack of the published day: its figures counted again row by row, and nobody else's name in it."""

import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from typer.testing import CliRunner

import sotto
from expectations.contracts.home import Home
from flows import warehouse
from flows.publish import current_id
from flows.refused import Refused
from flows.review.figures import LEAST_ASKED, LEAST_OBSERVED, LEAST_PEERS, peers_of
from flows.review.observed import LEAST_QUOTES
from flows.review.pack import write_review
from flows.review.review import Review, Row
from flows.settings import FlowSettings
from tests.conftest import GoodDay

FIRST, LAST = date(2025, 6, 19), date(2025, 6, 27)
BEFORE_FIRST, BEFORE_LAST = date(2025, 6, 10), date(2025, 6, 18)
Request = dict[str, Any]


@pytest.fixture(scope="module")
def requests(good_day: GoodDay) -> list[Request]:
    """Give every dealer's requests of the published day, as the marts have them."""
    with duckdb.connect(str(Home(good_day.home).warehouse), read_only=True) as connection:
        found = connection.execute("select * from marts.fct_rfq_responses")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def dealer_id(requests: list[Request]) -> str:
    """Give the dealer that was asked most often."""
    asked: dict[str, int] = defaultdict(int)
    for request in within(requests, FIRST, LAST):
        asked[request["dealer_id"]] += 1
    return max(asked, key=lambda name: (asked[name], name))


@pytest.fixture(scope="module")
def written(good_day: GoodDay, dealer_id: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Review, str]]:
    """Give what writes the pack to a file of that name, and reads it."""
    folder = tmp_path_factory.mktemp("review")

    def write(name: str) -> tuple[Review, str]:
        made = write_review(FlowSettings(home=good_day.home), dealer_id, FIRST, LAST, folder / "packs" / name)
        return made, (folder / "packs" / name).read_text(encoding="utf-8")

    return write


def within(requests: list[Request], first: date, last: date) -> list[Request]:
    return [request for request in requests if first <= request["asked_on"] <= last]


def row_of(review: Review, figure: str, scorecard_class: str = "") -> Row:
    item = next(item for item in review.classes if item.scorecard_class == scorecard_class)
    return next(row for row in item.rows if row.figure == figure)


def share_quoted(requests: list[Request]) -> float:
    return statistics.fmean(request["response"] == "QUOTED" for request in requests)


def test_shares_are_those_of_the_dealers_requests_row_by_row(
    written: Callable[[str], tuple[Review, str]], requests: list[Request], dealer_id: str
) -> None:
    review, _ = written("shares.html")
    own = [request for request in within(requests, FIRST, LAST) if request["dealer_id"] == dealer_id]
    before = [request for request in within(requests, BEFORE_FIRST, BEFORE_LAST) if request["dealer_id"] == dealer_id]
    answered = row_of(review, "answered")
    assert answered.own.value == pytest.approx(share_quoted(own))
    assert answered.own.n == len(own) == review.classes[0].asked
    assert answered.before.value == pytest.approx(share_quoted(before))
    quoted = [request for request in own if request["response"] == "QUOTED"]
    assert row_of(review, "won_quoted").own.value == pytest.approx(
        statistics.fmean(request["outcome"] == "TRADED" for request in quoted)
    )
    assert review.classes[0].quantity == pytest.approx(sum(request["quantity"] for request in own))
    per_class = {item.scorecard_class: item.asked for item in review.classes[1:]}
    assert per_class == {name: sum(request["scorecard_class"] == name for request in own) for name in per_class}
    assert sum(per_class.values()) == len(own)


def test_the_distance_from_the_best_is_that_of_the_quotes_of_each_rfq(
    written: Callable[[str], tuple[Review, str]], requests: list[Request], dealer_id: str
) -> None:
    review, _ = written("distances.html")
    quotes: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        if request["quote_price"] is not None:
            quotes[request["rfq_id"]].append(request)
    distances = []
    for rfq in quotes.values():
        prices = [request["quote_price"] for request in rfq]
        for request in within(rfq, FIRST, LAST):
            if request["dealer_id"] == dealer_id and len(rfq) >= LEAST_QUOTES:
                best = min(prices) if request["client_side"] == "BUY" else max(prices)
                distances.append(abs(request["quote_price"] - best) / best * 10_000)
    behind = row_of(review, "behind")
    assert behind.own.n == len(distances) > 0
    assert behind.own.value == pytest.approx(statistics.fmean(distances))
    assert row_of(review, "best").own.value == pytest.approx(statistics.fmean(distance == 0 for distance in distances))
    assert sum(band.own for band in review.bands) == pytest.approx(1)
    assert review.bands[0].own == pytest.approx(row_of(review, "best").own.value)


def test_peers_are_the_others_asked_often_enough_and_the_rank_is_among_them(
    written: Callable[[str], tuple[Review, str]], requests: list[Request], dealer_id: str
) -> None:
    review, _ = written("peers.html")
    by_dealer: dict[str, list[Request]] = defaultdict(list)
    for request in within(requests, FIRST, LAST):
        by_dealer[request["dealer_id"]].append(request)
    others = [share_quoted(asked) for name, asked in by_dealer.items() if name != dealer_id and len(asked) >= LEAST_ASKED]
    answered = row_of(review, "answered")
    assert answered.peers is not None
    assert answered.peers.count == len(others) >= LEAST_PEERS
    assert answered.peers.median == pytest.approx(statistics.median(others))
    assert answered.rank == 1 + sum(other > share_quoted(by_dealer[dealer_id]) for other in others)
    # Where less is better, the first is who has least.
    silent = [statistics.fmean(request["response"] == "TIMED_OUT" for request in by_dealer[name]) for name in by_dealer]
    timed_out = row_of(review, "timed_out")
    assert timed_out.rank is not None
    assert timed_out.rank <= 1 + sum(share < (timed_out.own.value or 0.0) for share in silent)


def test_of_too_few_peers_nothing_is_shown(
    written: Callable[[str], tuple[Review, str]], requests: list[Request], dealer_id: str
) -> None:
    assert peers_of([0.5] * (LEAST_PEERS - 1)) is None
    assert peers_of([0.5] * LEAST_PEERS) is not None
    review, _ = written("few.html")
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for request in within(requests, FIRST, LAST):
        asked[request["scorecard_class"], request["dealer_id"]] += 1
    small = 0
    for item in review.classes[1:]:
        peers = sum(
            count >= LEAST_ASKED for (name, other), count in asked.items() if name == item.scorecard_class and other != dealer_id
        )
        if peers < LEAST_PEERS:
            small += 1
            assert all(row.peers is None and row.rank is None for row in item.rows)
    assert small
    assert LEAST_OBSERVED <= LEAST_ASKED


@pytest.mark.parametrize("name", ["pack.html", "pack.json"])
def test_the_pack_names_nobody_but_the_dealer(
    written: Callable[[str], tuple[Review, str]], good_day: GoodDay, dealer_id: str, name: str
) -> None:
    _, text = written(name)
    with duckdb.connect(str(Home(good_day.home).warehouse), read_only=True) as connection:
        dealers = connection.execute(
            "select dealer_id, dealer_id from marts.dim_dealers union all select dealer_id, name from marts.dim_dealers "
            "union all select dealer_id, dealer_ref from intermediate.int_dealer_names"
        ).fetchall()
    others = {called for whose, called in dealers if whose != dealer_id}
    assert len(others) > LEAST_PEERS
    assert not [called for called in others if re.search(rf"\b{re.escape(called)}\b", text, re.IGNORECASE)]
    assert dealer_id in text


def test_the_page_loads_nothing_and_the_json_holds_every_figure(written: Callable[[str], tuple[Review, str]]) -> None:
    review, page = written("page.html")
    assert not re.search(r"https?://(?!www\.w3\.org/)|<script|<link|@import", page)
    assert page.count("<svg") == 2
    again, text = written("figures.json")
    assert msgspec.json.decode(text, type=Review) == again == review


@pytest.mark.parametrize(
    ("asked_for", "out_and_words"),
    [
        (("NOBODY", FIRST, LAST), ("x.html", "no dealer 'NOBODY' is on record; there is ")),
        (("{}X", FIRST, LAST), ("x.html", "there is {}")),
        (("{}", LAST, FIRST), ("x.html", "give the earlier day first")),
        (("{}", date(2019, 1, 1), date(2019, 2, 1)), ("x.html", "was not asked for a price from 2019-01-01")),
        (("{}", FIRST, LAST), ("x.pdf", "ends in .html or .json")),
        (("{}", FIRST, LAST), ("file/x.html", "cannot be written")),
    ],
    ids=["nobody", "mistyped", "days", "not asked", "kind", "no folder"],
)
def test_what_cannot_be_reviewed_is_refused_with_the_reason(
    good_day: GoodDay, dealer_id: str, tmp_path: Path, asked_for: tuple[str, date, date], out_and_words: tuple[str, str]
) -> None:
    (dealer, first, last), (out, words) = asked_for, out_and_words
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=re.escape(words.format(dealer_id))):
        write_review(FlowSettings(home=good_day.home), dealer.format(dealer_id), first, last, tmp_path / out)


def test_a_dealer_is_found_by_its_name_whatever_the_case(
    good_day: GoodDay, written: Callable[[str], tuple[Review, str]], tmp_path: Path
) -> None:
    review, _ = written("named.html")
    found = write_review(FlowSettings(home=good_day.home), review.about.name.upper(), FIRST, LAST, tmp_path / "x.json")
    assert found.about == review.about


def test_what_the_gate_has_not_passed_is_not_told(copied: Home, dealer_id: str, tmp_path: Path) -> None:
    """A warehouse that is ahead of the snapshot was refused, or gone back from."""
    with duckdb.connect(str(copied.warehouse)) as connection:
        connection.execute("update landing_index.built set as_of = as_of + interval 1 hour")
    with pytest.raises(Refused, match=f"not what the current snapshot {current_id(copied)} was made of"):
        write_review(FlowSettings(), dealer_id, FIRST, LAST, tmp_path / "x.html")


def test_a_refresh_that_writes_is_waited_for(copied: Home, dealer_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "PATIENCE_S", 0.5)
    writes = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(flush=True); "
    until = "sys.stdin.readline(); time.sleep(1)"
    command = [sys.executable, "-c", writes + until, str(copied.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(Refused, match=rf"is open in another process \(.*PID {writer.pid}\)\); close it there"):
            write_review(FlowSettings(), dealer_id, FIRST, LAST, tmp_path / "x.html")
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
        monkeypatch.setattr(warehouse, "PATIENCE_S", 60)
        assert write_review(FlowSettings(), dealer_id, FIRST, LAST, tmp_path / "x.html").classes


def test_the_command_prints_what_to_talk_about_and_where_the_pack_is(good_day: GoodDay, dealer_id: str, tmp_path: Path) -> None:
    page = tmp_path / "pack.html"
    arguments = ["review", dealer_id, "--from", f"{FIRST}", "--to", f"{LAST}", "--out", str(page)]
    run = CliRunner().invoke(sotto.app, arguments, env={"SOTTO_HOME": str(good_day.home)})
    assert run.exit_code == 0, run.output
    assert "Better than the median peer" in run.stdout
    assert str(page) in run.stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_flow_writes_a_pack_for_every_dealer_that_was_asked(
    prefect_api: str, copied: Home, requests: list[Request], dealer_id: str
) -> None:
    from flows.review.flow import reviews

    state = reviews(FIRST, LAST, return_state=True)
    assert state.is_completed(), state.message
    asked = sorted({request["dealer_id"] for request in within(requests, FIRST, LAST)})
    assert state.result() == asked
    pages = sorted((copied.root / "reviews" / f"{FIRST}-{LAST}").iterdir())
    assert [page.stem for page in pages] == asked
    state = reviews(FIRST, LAST, dealers=[dealer_id, "NOBODY"], out=str(copied.root / "some"), return_state=True)
    assert state.is_failed()
    assert "no dealer 'NOBODY'" in (state.message or "")


@pytest.mark.parametrize(
    ("last", "months", "first"),
    [
        (date(2026, 10, 31), 3, date(2026, 8, 1)),
        (date(2026, 2, 28), 3, date(2025, 12, 1)),
        (date(2025, 12, 31), 12, date(2025, 1, 1)),
        (date(2026, 1, 31), 1, date(2026, 1, 1)),
    ],
)
def test_whole_months_begin_with_their_first_day(last: date, months: int, first: date) -> None:
    from flows.review.flow import first_of

    assert first_of(last, months) == first
