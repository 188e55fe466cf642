"""Who may not be asked, and that nobody goes without a reason."""

from datetime import date

import pytest

from tests.fakes.snapshot import CLASSES, FIGURES, ILLIQUID_IG, LIQUID_IG, TREASURY, Rows, scorecards
from tests.unit.recommend.cases import desk, gates, market, names, recommended

ONE_MM = 1e6


def with_a(**changes: object) -> object:
    def change(rows: Rows) -> None:
        rows["dim_dealers"][0].update(changes)

    return market(change)  # dealer A


@pytest.mark.parametrize(
    ("changes", "gate", "said"),
    [
        ({"status": "SUSPENDED"}, "suspended", "is suspended"),
        ({"restricted": True}, "restricted", "restricted list"),
        ({"due_diligence_expiry": date(2026, 1, 29)}, "due_diligence", "expired on 2026-01-29"),
        ({"credit_limit": 999_999.0}, "credit", "above the credit limit of 999,999"),
    ],
)
def test_gate_leaves_out_the_dealer_and_says_why(changes: dict[str, object], gate: str, said: str) -> None:
    answer = recommended(LIQUID_IG, ONE_MM, market_=with_a(**changes))
    assert "A" not in names(answer)
    assert gates(answer)["A"] == gate
    assert said in next(item.reason for item in answer.excluded if item.dealer_id == "A")


@pytest.mark.parametrize(
    "changes",
    [{"due_diligence_expiry": date(2026, 1, 30)}, {"due_diligence_expiry": None}, {"credit_limit": 1e6}, {"credit_limit": None}],
)
def test_dealer_at_the_edge_of_a_gate_or_without_the_record_may_be_asked(changes: dict[str, object]) -> None:
    assert "A" in names(recommended(LIQUID_IG, ONE_MM, market_=with_a(**changes)))


def test_every_dealer_is_ranked_or_left_out_with_a_reason_once() -> None:
    answer = recommended(ILLIQUID_IG, 10e6)
    shown = [*names(answer), *(item.dealer_id for item in answer.excluded)]
    assert sorted(shown) == sorted(FIGURES)
    assert all(item.reason.endswith(".") for item in [*answer.dealers, *answer.excluded])


def test_reason_names_figures_counts_and_units() -> None:
    best = recommended(LIQUID_IG, ONE_MM).dealers[0]
    assert "price improvement +2.8 bps (n = 50) gives 0.512" in best.reason
    assert "ranks 1 of 8 for CORP_IG over 90 days, scoring 1.063 (tier 1)" in best.reason


def test_axe_on_our_side_is_shown_and_one_on_the_other_side_is_not() -> None:
    selling = {dealer.dealer_id: dealer for dealer in recommended(ILLIQUID_IG, 10e6).dealers}
    buying = {dealer.dealer_id: dealer for dealer in recommended(ILLIQUID_IG, 10e6, side="BUY").dealers}
    assert selling["C"].axe is not None
    assert "buys 5,000,000 of this bond" in selling["C"].reason
    assert buying["C"].axe is None


def test_dealers_without_history_are_ranked_by_the_class_figures_and_say_so() -> None:
    def empty(rows: Rows) -> None:
        rows["fct_dealer_scorecards"] = [
            row for name in CLASSES for days in (30, 60, 90, 180) for row in scorecards(name, days, FIGURES, 0)
        ]

    answer = recommended(LIQUID_IG, ONE_MM, market_=market(empty))
    assert len(answer.dealers) == 4
    assert all("was asked nothing of this class in 90 days" in dealer.reason for dealer in answer.dealers)
    assert all(part.n == 0 and part.raw is None for dealer in answer.dealers for part in dealer.components)


def test_class_without_scorecards_still_gets_dealers_in_a_fixed_order() -> None:
    def no_govt(rows: Rows) -> None:
        rows["fct_dealer_scorecards"] = [row for row in rows["fct_dealer_scorecards"] if row["scorecard_class"] != "GOVT"]

    assert names(recommended(TREASURY, ONE_MM, market_=market(no_govt))) == ["A", "B", "C", "D"]


def test_equal_scores_are_ranked_by_dealer_id() -> None:
    def equal(rows: Rows) -> None:
        same = dict.fromkeys(reversed(FIGURES), FIGURES["A"])
        rows["fct_dealer_scorecards"] = [row for name in CLASSES for row in scorecards(name, 90, same)]

    assert names(recommended(LIQUID_IG, ONE_MM, market_=market(equal))) == ["A", "B", "C", "D"]


def test_rule_may_leave_out_dealers_by_name_and_by_condition() -> None:
    rules = desk(
        "  - {id: NOT-C, kind: constrain, when: order.notional > mm(0), exclude: {dealers: [C]}}\n"
        "  - {id: SLOW, kind: constrain, when: order.notional > mm(0), exclude: {where: dealer.scores.response_speed < 0.5}}\n"
    )
    answer = recommended(LIQUID_IG, ONE_MM, desk_=rules)
    left_out = {item.dealer_id: item.reason for item in answer.excluded if item.gate == "rule"}
    assert set(left_out) == {"C", "D", "F"}
    assert left_out["C"] == "Rule NOT-C leaves out Dealer C."
    assert "SLOW" in left_out["D"]
