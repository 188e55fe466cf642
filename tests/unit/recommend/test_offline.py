"""Recommending from a file and replaying, without a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from serve.adapters.clock import RealClock
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import SqliteJournal
from serve.offline import OfflineError, recommend_file, replay_recorded
from serve.settings import Settings
from tests.fakes.snapshot import LIQUID_IG, UNRATED_MUNI, write_snapshot
from tests.unit.recommend.cases import HEADER

ORDER = {
    "order_id": "o-1",
    "security_id": LIQUID_IG,
    "security_id_type": "CUSIP",
    "side": "SELL",
    "quantity": 1e6,
    "currency": "USD",
    "received_at": "2026-01-30T21:00:00Z",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_snapshot(tmp_path / "home")
    return Settings(home=tmp_path / "home")


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "order.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_one_order_gives_one_answer(tmp_path: Path, settings: Settings) -> None:
    answer = recommend_file(written(tmp_path, ORDER), settings)
    assert [dealer["dealer_id"] for dealer in answer["dealers"]] == ["C", "A", "H", "E"]
    zoneless = recommend_file(written(tmp_path, ORDER | {"received_at": "2026-01-30T21:00:00"}), settings)
    assert zoneless | {"recommendation_id": ""} == answer | {"recommendation_id": ""}


def test_list_gives_a_list_in_order_with_an_error_where_one_failed(tmp_path: Path, settings: Settings) -> None:
    orders = [ORDER, ORDER | {"quantity": -1}, ORDER | {"security_id": "037833100"}, ORDER | {"security_id": UNRATED_MUNI}, 7]
    answers = recommend_file(written(tmp_path, orders), settings)
    assert [sorted(answer)[0] == "error" for answer in answers] == [False, True, True, False, True]
    assert answers[1]["error"]["errors"][0]["field"] == "quantity"
    assert answers[2]["error"]["type"] == "urn:sotto:problem:unknown-security"
    assert answers[3]["security"]["asset_class"] == "MUNI"


def test_rules_file_and_older_snapshot_can_be_chosen(tmp_path: Path, settings: Settings) -> None:
    first = settings.state.current.read_text().strip()
    write_snapshot(tmp_path / "home", snapshot_id="second")
    rules = tmp_path / "mine.yml"
    rules.write_text(HEADER + "  - {id: ONE, kind: constrain, when: order.notional > mm(0), max_dealers: 1}\n")
    answer = recommend_file(written(tmp_path, ORDER), settings, snapshot_id=first, rules=rules)
    assert answer["snapshot_id"] == first
    assert len(answer["dealers"]) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ({"order_id": "x"}, "is required"),
        (ORDER | {"currency": "EUR"}, "currency: "),
        (ORDER | {"quantity": -1, "colour": "red"}, "quantity: Expected `float` > 0.0; colour: is not a field of this body"),
    ],
)
def test_bad_file_is_one_clear_line(tmp_path: Path, settings: Settings, content: Any, said: str) -> None:
    with pytest.raises(OfflineError, match=said) as refused:
        recommend_file(written(tmp_path, content), settings)
    assert "\n" not in str(refused.value)


def test_missing_file_snapshot_and_journal_are_told(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(OfflineError, match="cannot be read"):
        recommend_file(tmp_path / "none.json", settings)
    there = settings.state.current.read_text().strip()
    with pytest.raises(OfflineError, match=f"there is no snapshot 'gone' in .*; there are {there}$"):
        recommend_file(written(tmp_path, ORDER), settings, snapshot_id="gone")
    with pytest.raises(OfflineError, match="sotto refresh"):
        recommend_file(written(tmp_path, ORDER), Settings(home=tmp_path / "empty"))
    with pytest.raises(OfflineError, match="no journal"):
        replay_recorded("x", settings)


def test_rule_book_named_by_its_path_has_nothing_to_do_with_the_configuration_folder(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(OfflineError, match=r"gone\.yml is missing$"):
        recommend_file(written(tmp_path, ORDER), settings, rules=tmp_path / "gone.yml")
    elsewhere = Settings(home=settings.home, config=tmp_path / "nowhere")
    with pytest.raises(OfflineError, match=r"rules\.yml is missing; set SOTTO_CONFIG to the folder that holds it$"):
        recommend_file(written(tmp_path, ORDER), elsewhere)


def test_replaying_what_was_not_recorded_says_what_is(settings: Settings) -> None:
    settings.state.journal.parent.mkdir(parents=True, exist_ok=True)
    SqliteJournal(settings.state.journal, RealClock(), TimeOrderedIds()).close()
    with pytest.raises(OfflineError, match=r"no recommendation 'x' in .*`sotto recommend` are not recorded"):
        replay_recorded("x", settings)
