"""What is claimed of rules without running them, held against running them, also where figures are not known."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve.adapters.conditions import ConditionRefused, Conditions
from serve.adapters.rules import RuleBookRefused, read_rule_book
from serve.domain.rules import Verdict, decide
from serve.domain.rules_logic import possible
from serve.domain.rules_shadow import Earlier
from tests.unit.recommend.cases import HEADER

CONDITIONS = Conditions()
ATOMS = [
    *(f"order.notional {sign} mm({amount})" for sign in ("<", "<=", ">", ">=", "==", "!=") for amount in (1, 5)),
    *(f"order.adv30_share {sign} pct({amount})" for sign in ("<", ">") for amount in (10, 50)),
    *("order.asset_class == CORP", "order.asset_class != CORP", "order.asset_class in [CORP, MUNI]", "order.asset_class == MUNI"),
    *("order.side == BUY", "order.side != BUY", "order.illiquid", "!order.illiquid", "order.illiquid == false", "true"),
    *("order.is_rated && order.rating < BBB", "order.is_rated && order.rating in [BB, A]", "mm(5) < order.quantity"),
    *("order.sector.startsWith('EN')", "order.sector == 'ENERGY'", "(order.illiquid ? order.side == BUY : order.side == SELL)"),
]
BINARY = st.sampled_from(["&&", "||"])
CONDITION = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, BINARY, inner).map(lambda parts: f"({' '.join(parts)})"), inner.map(lambda part: f"!({part})")
    ),
    max_leaves=6,
)
VALUES: dict[str, list[Any]] = {
    "order.notional": [0.5e6, 1e6, 3e6, 5e6, 5_000_001.0, 9e6],
    "order.adv30_share": [None, 0.05, 0.1, 0.3, 0.5, 0.7],
    "order.asset_class": ["CORP", "MUNI", "EM"],
    "order.side": ["BUY", "SELL"],
    "order.illiquid": [True, False],
    "order.sector": [None, "ENERGY", "ENGINES", "UTILITIES"],
    "order.rating": [None, 5, 12, 13, 14, 20],
}
ORDER = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def known(order: dict[str, Any]) -> dict[str, Any]:
    full = {**order, "order.quantity": order["order.notional"], "order.is_rated": order["order.rating"] is not None}
    return {name: value for name, value in full.items() if value is not None}


def compiled(source: str) -> Any:
    """A condition, or None where it is refused as one that can never hold (or without a guard)."""
    try:
        return CONDITIONS.on_order(source)
    except ConditionRefused:
        return None


@QUICK
@given(st.lists(CONDITION, min_size=1, max_size=6), st.lists(ORDER, min_size=1, max_size=8))
def test_indexed_book_decides_as_running_every_rule_does(sources: list[str], orders: list[dict[str, Any]]) -> None:
    sources = [source for source in sources if compiled(source)]
    rules = [
        f'  - {{id: S{number}, kind: select, priority: {number}, when: "{source}", pick: [{{take: 1}}]}}\n'
        f'  - {{id: C{number}, kind: constrain, when: "{source}", max_dealers: 2}}\n'
        for number, source in enumerate(sources)
    ]
    text = HEADER + ("".join(rules) or "  []\n")
    book = read_rule_book(text, "book.yml", "0" * 16, was_in_force=True)
    for order in orders:
        values = known(order)
        decision = decide(book, values)
        verdicts = {rule.id: rule.when.evaluate(values) for rule in (*book.selects, *book.constrains)}
        first = next((rule.id for rule in book.selects if verdicts[rule.id] is Verdict.TRUE), None)
        limits = [rule.id for rule in book.constrains if verdicts[rule.id] is not Verdict.FALSE]
        assert [rule.id for rule in decision.matched] == [*([first] if first else []), *limits]


@QUICK
@given(CONDITION, st.lists(ORDER, min_size=20, max_size=20))
def test_condition_refused_as_impossible_is_never_true(source: str, orders: list[dict[str, Any]]) -> None:
    try:
        CONDITIONS.on_order(source)
    except ConditionRefused as refused:
        if "can never hold" not in str(refused):
            return
        # With a part that may be true beside it, the rest is compiled and can be run.
        whole = CONDITIONS.on_order(f"order.currency == 'USD' || {source}")
        for order in orders:
            assert whole.evaluate({**known(order), "order.currency": "EUR"}) is not Verdict.TRUE


@QUICK
@given(st.lists(CONDITION, min_size=1, max_size=3), CONDITION, st.lists(ORDER, min_size=20, max_size=20))
def test_rule_said_to_be_shadowed_never_gets_its_turn(before: list[str], source: str, orders: list[dict[str, Any]]) -> None:
    earlier, later = [condition for text in before if (condition := compiled(text))], compiled(source)
    if later is None:
        return
    known_before = Earlier()
    for number, condition in enumerate(earlier):
        known_before.add(str(number), possible(condition.cases))
    if known_before.covering(possible(later.cases)) is None:
        return
    for order in orders:
        values = known(order)
        if later.evaluate(values) is Verdict.TRUE:
            assert any(condition.evaluate(values) is Verdict.TRUE for condition in earlier)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("order.notional > mm(5)", "order.notional >= mm(5)"),
        ("order.asset_class == CORP", "order.asset_class in [CORP, MUNI]"),
        ("order.illiquid && order.side == BUY", "order.illiquid"),
        ("order.adv30_share > pct(10)", "order.illiquid"),
        ("order.is_rated && order.rating < BB", "order.is_rated && order.rating < BBB"),
        ("order.sector.startsWith('EN')", "order.sector == 'ENERGY'"),
        ("order.notional > mm(5) || order.illiquid", "order.notional > mm(4)"),
    ],
)
def test_rule_that_may_still_get_its_turn_is_not_refused(first: str, second: str) -> None:
    rule = '  - {{id: {}, kind: select, priority: {}, when: "{}", pick: [{{take: 1}}]}}\n'
    book = read_rule_book(HEADER + rule.format("A", 1, first) + rule.format("B", 2, second), "book.yml", "0" * 16)
    assert [shown.id for shown in book.selects] == ["A", "B"]


@pytest.mark.parametrize(
    "when",
    [
        "order.is_rated && order.rating < BBB",
        "order.rating < BBB && order.illiquid && order.is_rated",
        "!order.is_rated || order.rating < BBB",
        "order.is_rated ? order.rating < BBB : order.illiquid",
        "order.is_rated == true && (order.rating < BBB || order.rating > AA)",
        "!(order.is_rated && order.illiquid) || order.rating < BBB",
        "order.illiquid && (!order.is_rated || order.rating < B)",
    ],
)
def test_rating_that_is_asked_for_only_where_there_is_one_is_accepted(when: str) -> None:
    condition = CONDITIONS.on_order(when)
    assert condition.evaluate({"order.is_rated": False, "order.illiquid": True}) is not Verdict.UNKNOWN


def test_two_rules_together_can_shadow_a_third_and_are_both_named() -> None:
    rule = '  - {{id: {}, kind: select, priority: {}, when: "{}", pick: [{{take: 1}}]}}\n'
    rules = [
        ("BUYS", 1, "order.side == BUY"),
        ("SELLS", 2, "order.side == SELL"),
        ("LATE", 3, "order.side in [BUY, SELL] && order.illiquid"),
    ]
    assert not faults_of(HEADER + "".join(rule.format(*item) for item in rules[:2]))
    split = "order.side == BUY && order.illiquid || order.side == SELL && order.illiquid"
    (fault,) = faults_of(HEADER + "".join(rule.format(*item) for item in [*rules[:2], ("LATE", 3, split)]))
    assert "rule LATE can never fire: rules BUYS and SELLS come earlier" in fault


def test_old_version_with_a_rule_that_never_fires_can_still_be_read_for_replay() -> None:
    rule = "  - {{id: {}, kind: select, priority: {}, when: order.illiquid, pick: [{{take: 1}}]}}\n"
    text = HEADER + rule.format("A", 1) + rule.format("B", 2)
    assert faults_of(text)
    assert len(read_rule_book(text, "book.yml", "0" * 16, was_in_force=True).selects) == 2


def test_tier_must_exist_in_the_class_that_the_rule_is_for() -> None:
    header = HEADER.replace("{default: [0.25, 0.60]}", "{CORP: [0.2, 0.4, 0.6], CORP_HY: [0.5], default: [0.5]}")
    rule = '  - {{id: R, kind: select, priority: 1, when: "{}", pick: [{{tier: {}, take: 1}}]}}\n'
    assert not faults_of(header + rule.format("order.asset_class == CORP", 4))
    assert not faults_of(header + rule.format("order.illiquid", 4))
    for when in (
        "order.asset_class == MUNI",
        "order.scorecard_class == CORP_HY",
        "order.asset_class in [MUNI, EM] && order.illiquid",
    ):
        (fault,) = faults_of(header + rule.format(when, 4))
        assert "there is no tier 4; the cut-points make 2 for this rule" in fault


def test_score_profile_is_used_by_name_and_an_unknown_one_is_refused() -> None:
    profiles = "profiles: {quiet: {model: seed_v0, window: 30d, weights: {information_leakage: 1.0}}}\n"
    rule = "  - {{id: R, kind: select, priority: 1, when: order.illiquid, score: {}}}\n"
    book = read_rule_book(HEADER + rule.format("quiet") + profiles, "book.yml", "0" * 16)
    assert book.selects[0].score is not None
    assert (book.selects[0].score.window_days, len(book.selects[0].score.weights)) == (30, 1)
    assert book.selects[0].score.half_life_days == 0
    (fault,) = faults_of(HEADER + rule.format("quite") + profiles)
    assert "did you mean 'quiet'?" in fault


def test_half_life_is_optional_and_one_that_is_not_kept_is_refused_at_its_place() -> None:
    score = "{{model: seed_v0, window: 90d, {}weights: {{hit_rate: 1.0}}}}"
    rule = f"  - {{{{id: R, kind: select, priority: 1, when: order.illiquid, score: {score}}}}}\n"
    book = read_rule_book(HEADER + rule.format("half_life: 60d, "), "book.yml", "0" * 16)
    assert book.selects[0].score is not None
    assert book.selects[0].score.half_life_days == 60
    (fault,) = faults_of(HEADER + rule.format("half_life: 45d, "))
    assert "half_life 45d is not kept" in fault


def faults_of(text: str) -> list[str]:
    try:
        read_rule_book(text, "book.yml", "0" * 16)
    except RuleBookRefused as exc:
        return exc.faults
    return []
