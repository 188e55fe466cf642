"""Conditions on dealers are decided when the snapshot or the book changes, and a difference between books is told rule by rule."""

from collections import Counter

import msgspec
import pytest

from serve.adapters import conditions
from serve.domain.advise import Desk
from serve.domain.rules import Verdict
from serve.domain.rules_bench import Bench
from serve.domain.rules_diff import diff
from tests.fakes.snapshot import LIQUID_IG, UNRATED_MUNI
from tests.unit.recommend.cases import desk, market, names, recommended, shipped

RULES = (
    "  - {id: P, kind: select, priority: 1, when: order.notional > mm(0), pick: [{take: 2, where: dealer.scores.hit_rate > 0.6}]}\n"
    "  - {id: X, kind: constrain, when: order.notional > mm(0), exclude: {where: '\"MUNI\" in dealer.specialties'}}\n"
)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each condition is run."""
    counted: Counter[str] = Counter()
    run = conditions.CelCondition.evaluate

    def counting(self: conditions.CelCondition, values: dict[str, object]) -> Verdict:
        counted[self.source] += 1
        return run(self, values)

    monkeypatch.setattr(conditions.CelCondition, "evaluate", counting)
    return counted


def test_request_runs_no_condition_on_dealers_once_the_bench_is_warm(runs: Counter[str]) -> None:
    world, rules = market(), desk(RULES)
    assert Bench.of(world, rules.book).warm() > 0
    runs.clear()
    answer = recommended(LIQUID_IG, 1e6, market_=world, desk_=rules)
    assert names(answer) == ["C", "A"]
    assert set(runs) == {"order.notional > mm(0)"}


def test_new_snapshot_and_new_book_are_decided_afresh(runs: Counter[str]) -> None:
    world, rules, others = market(), desk(RULES), desk(RULES.replace("> 0.6", "> 0.9"))
    for desk_ in (rules, others, rules):
        recommended(LIQUID_IG, 1e6, market_=world, desk_=desk_)
    assert (runs["dealer.scores.hit_rate > 0.6"], runs["dealer.scores.hit_rate > 0.9"]) == (8, 8)
    recommended(LIQUID_IG, 1e6, market_=market(), desk_=rules)
    assert runs["dealer.scores.hit_rate > 0.6"] == 16


def test_condition_on_specialties_is_decided_once_for_all_classes(runs: Counter[str]) -> None:
    world, rules = market(), desk(RULES)
    for security_id in (LIQUID_IG, UNRATED_MUNI):
        recommended(security_id, 1e6, market_=world, desk_=rules)
    assert runs['"MUNI" in dealer.specialties'] == 8
    assert runs["dealer.scores.hit_rate > 0.6"] == 16


def test_condition_that_names_the_order_too_is_decided_once_per_value(runs: Counter[str]) -> None:
    where = "order.notional > mm(2) && dealer.tier == 1"
    rules = desk(f"  - {{id: P, kind: select, priority: 1, when: order.illiquid || true, pick: [{{take: 2, where: {where}}}]}}\n")
    world = market()
    picked = [names(recommended(LIQUID_IG, size, market_=world, desk_=rules)) for size in (3e6, 1e6, 3e6)]
    assert picked == [["C", "A"], [], ["C", "A"]]
    assert runs[where] == 16


def test_bench_in_use_outlives_those_of_books_that_were_only_looked_at() -> None:
    world, rules = market(), desk(RULES)
    live = Bench.of(world, rules.book)
    for _ in range(10):
        Bench.of(world, desk(RULES).book)
        assert Bench.of(world, rules.book) is live
    assert len(world.memo) <= 4


def test_difference_names_each_rule_and_part_that_changed() -> None:
    old = shipped()
    text = old.source.replace("take: 3", "take: 2").replace("NR-MUNI-OVER-2MM", "NR-MUNI").replace("timeout: 60s", "timeout: 45s")
    found = diff(old, reread(text, old))
    told = {change.id: (change.change, [part.part for part in change.parts]) for change in found.changes}
    assert told["HY-CORP-OVER-5MM"] == ("changed", ["pick"])
    assert (told["NR-MUNI-OVER-2MM"][0], told["NR-MUNI"][0]) == ("removed", "added")
    assert told["default"] == ("changed", ["default"])
    assert set(told) == {"HY-CORP-OVER-5MM", "NR-MUNI-OVER-2MM", "NR-MUNI", "default"}
    assert "-    pick: [{take: 3}]" in found.unified
    assert "+    pick: [{take: 2}]" in found.unified
    assert msgspec.json.encode(found)


def test_changed_comment_changes_the_text_and_no_rule() -> None:
    old = shipped()
    found = diff(old, reread(old.source + "# a word\n", old))
    assert (found.changes, "+# a word" in found.unified) == ([], True)
    assert diff(old, old).unified == ""


def test_changed_thresholds_are_told() -> None:
    old = shipped()
    found = diff(old, reread(old.source, old, old.scoring.replace("days_since_last_trade: 7", "days_since_last_trade: 5")))
    assert [change.id for change in found.changes] == ["thresholds"]
    assert "scoring.yml" in found.unified


def reread(text: str, old: Desk, scoring: str | None = None) -> Desk:
    from serve.adapters.desk_config import read_desk

    return read_desk(text, scoring or old.scoring)
