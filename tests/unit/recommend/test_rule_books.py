"""Rule books that are refused: where, why, and what to write instead."""

from pathlib import Path

import pytest

from serve.adapters.conditions import Conditions
from serve.adapters.rules import RuleBookRefused, check_rules, read_rule_book
from serve.domain.rules import RuleFailed
from tests.unit.recommend.cases import CONFIG, HEADER

RULE = "  - {{id: R, kind: select, priority: 1, when: '{when}', pick: [{{take: 1}}]}}\n"
SCORED = (
    "{{id: R, kind: select, priority: 1, when: order.illiquid, score: {{model: seed_v0, window: 90d, weights: {{{weights}}}}}}}"
)


def faults(rules: str) -> list[str]:
    with pytest.raises(RuleBookRefused) as refused:
        read_rule_book(HEADER + rules, "rules.yml", "0" * 16)
    return refused.value.faults


def test_shipped_rule_book_has_no_faults() -> None:
    assert check_rules(CONFIG / "rules.yml") == []


@pytest.mark.parametrize(
    ("when", "column", "reason"),
    [
        ("order.notionl > mm(5)", 1, "unknown name 'order.notionl' (did you mean 'order.notional'?)"),
        ("order.notional > 5", 16, "amounts take a unit or a decimal point: mm(5)"),
        ("order.asset_class > 5", 19, "found no matching overload"),
        ("order.notional", 1, "gives double, not true or false"),
        ("order.notional >", 17, "Syntax error"),
        ("order.rating < BBB", 1, "without asking 'order.is_rated &&' first"),
        ("dealer.tier == 1", 1, "known only where a dealer is at hand"),
        ("order.asset_class == CORPP", 22, "did you mean 'CORP'?"),
    ],
)
def test_bad_condition_is_refused_with_its_place_and_reason(when: str, column: int, reason: str) -> None:
    (fault,) = faults(RULE.format(when=when))
    place = fault.split(" ", 1)[0]
    assert place.startswith("rules.yml:8:")
    assert reason in fault
    assert int(place.split(":")[2]) == RULE.format(when="@").index("@") + column


def test_fault_in_a_block_condition_points_into_the_block() -> None:
    rule = "  - id: R\n    kind: constrain\n    max_dealers: 2\n    when: |\n      order.notional > mm(5) &&\n      order.foo\n"
    (fault,) = faults(rule)
    assert fault.startswith("rules.yml:13:")
    assert "order.foo" in fault


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{id: R, kind: choose, when: order.illiquid}", "kind must be 'select' or 'constrain'"),
        ("{id: R, kind: select, when: order.illiquid, pick: [{take: 1}]}", "lacks 'priority'"),
        ("{id: R, kind: select, priority: 1, when: order.illiquid}", "says nothing to do"),
        ("{id: R, kind: select, priority: 1, wehn: order.illiquid}", "did you mean 'when'?"),
        ("{id: R, kind: constrain, when: order.illiquid, pick: [{take: 1}]}", "belongs to select rules"),
        ("{id: R, kind: constrain, when: order.illiquid, protocol: {mode: staggered}}", "staggered needs one"),
        ("{id: R, kind: constrain, when: order.illiquid, protocol: {mode: parallel, delay: 5s}}", "goes with mode staggered"),
        ("{id: R, kind: constrain, when: order.illiquid, protocol: {mode: paralell}}", "mode must be one of"),
        ("{id: R, kind: constrain, when: order.illiquid, protocol: {timeout: 20}}", "a duration with its unit"),
        ("{id: R, kind: constrain, when: order.illiquid, max_dealers: 0}", "at least 1"),
        ("{id: R, kind: constrain, when: order.illiquid, max_dealers: 2, max_dealers: 3}", "stands twice"),
        ("{id: R, kind: select, priority: 1, when: order.illiquid, pick: [{tier: 4, take: 1}]}", "there is no tier 4"),
        ("{id: R, kind: select, priority: 1, when: order.illiquid, pick: [{take: some}]}", "take must be a number"),
        (SCORED.format(weights="hitrate: 1.0"), "did you mean 'hit_rate'?"),
        (SCORED.format(weights="hit_rate: 0.5"), "weights add up to 0.5"),
    ],
)
def test_bad_rule_is_refused_with_its_line_and_reason(rule: str, reason: str) -> None:
    found = faults(f"  - {rule}\n")
    assert all(fault.startswith("rules.yml:8:") for fault in found)
    assert any(reason in fault for fault in found)


def test_every_fault_is_reported_at_once_in_order() -> None:
    rules = "".join(f"  - {{id: R, kind: constrain, when: order.{name}, max_dealers: 1}}\n" for name in ("foo", "bar"))
    found = faults(rules)
    assert [fault.split(":")[1] for fault in found] == ["8", "9", "9"]
    assert any("the rule in line 8 has the id 'R' too" in fault for fault in found)


@pytest.mark.parametrize(
    "text", ["", "version: 1", "- a", "version: 2\ntiers: {}\ndefault: {}\nrules: []", "a: [", "a: &x 1\nb: *x", "\x00"]
)
def test_file_that_is_no_rule_book_is_refused_with_a_place(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text)
    found = check_rules(path)
    assert found
    assert found[0].startswith(f"{path}:1:") or found[0].startswith(f"{path}:2:")


def test_missing_rule_book_is_told_plainly(tmp_path: Path) -> None:
    assert "cannot be read" in check_rules(tmp_path / "none.yml")[0]


def test_condition_that_fails_when_run_is_an_error_not_a_verdict() -> None:
    condition = Conditions().on_order("1 / (order.rating - order.rating) > 0 && order.is_rated")
    with pytest.raises(RuleFailed, match="could not be evaluated"):
        condition.evaluate({"order.rating": 3, "order.is_rated": True})


def test_deeply_nested_condition_is_refused_not_run() -> None:
    when = "(" * 200 + "true" + ")" * 200
    assert "recursion limit" in faults(f"  - {{id: R, kind: constrain, max_dealers: 1, when: '{when}'}}\n")[0]
