"""First match, strictest limits, and figures that are not known."""

import pytest

from serve.domain.orders import Mode
from serve.domain.rules import ProtocolSpec, plan_of
from tests.fakes.snapshot import LIQUID_IG, UNTRADED, Rows
from tests.unit.recommend.cases import desk, market, names, recommended

DEFAULT = ProtocolSpec(mode=Mode.PARALLEL, timeout_s=60.0)


def test_lower_priority_number_wins_whatever_the_order_in_the_file() -> None:
    rules = desk(
        "  - {id: LATER, kind: select, priority: 20, when: order.notional > mm(0), pick: [{take: 1}]}\n"
        "  - {id: FIRST, kind: select, priority: 10, when: order.notional < mm(9), pick: [{take: 2}]}\n"
    )
    answer = recommended(LIQUID_IG, 1e6, desk_=rules)
    assert [rule.id for rule in answer.matched_rules] == ["FIRST"]
    assert len(answer.dealers) == 2


def test_select_rule_on_an_unknown_figure_is_passed_over_and_said() -> None:
    rules = desk("  - {id: THIN, kind: select, priority: 1, when: order.adv30_share > pct(50), pick: [{take: 1}]}\n")
    answer = recommended(UNTRADED, 1e6, desk_=rules)
    assert answer.matched_rules == []
    assert "Rule THIN was passed over: order.adv30_share is not known for this order." in answer.notes


def test_condition_that_does_not_hang_on_the_unknown_figure_is_decided() -> None:
    rules = desk(
        "  - {id: EITHER, kind: select, priority: 1, when: order.adv30_share > pct(50) || !order.is_rated, pick: [{take: 1}]}\n"
        "  - {id: BOTH, kind: constrain, when: order.adv30_share > pct(50) && order.notional > mm(5), max_dealers: 1}\n"
    )
    assert [rule.id for rule in recommended(UNTRADED, 1e6, desk_=rules).matched_rules] == ["EITHER"]


def test_all_limits_apply_and_the_strictest_of_each_kind_wins() -> None:
    plan = plan_of(
        DEFAULT,
        ProtocolSpec(mode=Mode.STAGGERED, delay_s=3.0, timeout_s=45.0, max_dealers=5),
        [ProtocolSpec(mode=Mode.STAGGERED, delay_s=5.0, max_dealers=3), ProtocolSpec(timeout_s=30.0, max_dealers=4)],
    )
    assert (plan.mode, plan.delay_s, plan.timeout_s, plan.max_dealers) == (Mode.STAGGERED, 5.0, 30.0, 3)


@pytest.mark.parametrize(
    ("chosen", "limit", "expected"),
    [
        (Mode.PARALLEL, Mode.STAGGERED, Mode.STAGGERED),
        (Mode.SEQUENTIAL, Mode.STAGGERED, Mode.SEQUENTIAL),
        (Mode.STAGGERED, Mode.SEQUENTIAL, Mode.SEQUENTIAL),
        (Mode.SEQUENTIAL, Mode.PARALLEL, Mode.SEQUENTIAL),
    ],
)
def test_the_quieter_mode_wins(chosen: Mode, limit: Mode, expected: Mode) -> None:
    specs = {mode: ProtocolSpec(mode=mode, delay_s=5.0 if mode is Mode.STAGGERED else None) for mode in Mode}
    plan = plan_of(DEFAULT, specs[chosen], [specs[limit]])
    assert plan.mode is expected
    assert (plan.delay_s is not None) is (expected is Mode.STAGGERED)


def test_tier_block_keeps_its_dealers_when_the_limit_cuts() -> None:
    rules = desk(
        "  - {id: PICK, kind: select, priority: 1, when: order.is_rated, pick: [{tier: 2, take: 2}, {tier: 1, take: all}]}\n"
        "  - {id: THREE, kind: constrain, when: order.notional > mm(0), max_dealers: 3}\n"
    )
    assert names(recommended(LIQUID_IG, 1e6, desk_=rules)) == ["C", "H", "E"]


def test_the_half_spread_of_the_market_is_what_it_is_quoted_at_and_not_what_executions_cost() -> None:
    def wider(rows: Rows) -> None:
        for row in rows["fit_market_costs"]:
            row["quoted_half_spread_bps"] = 20.0

    rules = desk("  - {id: WIDE, kind: select, priority: 1, when: market.half_spread_bps > bps(15), pick: [{take: 1}]}\n")
    assert recommended(LIQUID_IG, 1e6, desk_=rules).matched_rules == []
    assert [rule.id for rule in recommended(LIQUID_IG, 1e6, desk_=rules, market_=market(wider)).matched_rules] == ["WIDE"]
