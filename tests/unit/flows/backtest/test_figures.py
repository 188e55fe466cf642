"""Figures of the back-test on RFQs small enough to work out by hand, and on many whose truth is known."""

import numpy as np
import pytest

from flows.backtest.costs import cost_by_count, expected_against_came
from flows.backtest.odds import calibration
from flows.backtest.picks import compared, gains, uplift, versus
from flows.backtest.ranks import rank_figures
from flows.backtest.scoring import Period, ScoredRfq, View
from flows.bootstrap import Days
from tests.unit.flows.backtest.cases import rfq, scored


def days_of(items: list[ScoredRfq]) -> Days:
    return Days([item.rfq.day.isoformat() for item in items])


def test_the_gain_is_the_mean_of_those_asked_less_the_pick() -> None:
    field = compared([scored(rfq({"A": 2.0, "B": 6.0, "C": 10.0}), "A")])
    assert gains("model", field).tolist() == [4.0]
    told = uplift("model", field, days_of(field.rfqs))
    assert (told.best_share.value, told.best_share_random.value) == (1.0, pytest.approx(1 / 3))
    assert (told.top_dealer, told.top_share) == ("A", 1.0)


def test_a_pick_that_does_not_quote_is_charged_what_not_trading_costs() -> None:
    field = compared([scored(rfq({"A": None, "B": 5.0}, half_spread=10.0), "A")])
    assert field.charged[0].tolist() == [15.0, 5.0]
    assert gains("model", field).tolist() == [-5.0]


def test_a_silent_dealer_is_never_better_than_the_worst_quote() -> None:
    field = compared([scored(rfq({"A": None, "B": 40.0}, half_spread=10.0), "B")])
    assert field.charged[0].tolist() == [40.0, 40.0]


def test_rfqs_that_tell_nothing_are_counted_apart() -> None:
    field = compared(
        [scored(rfq({"A": 1.0}), "A"), scored(rfq({"A": None, "B": None}), "A"), scored(rfq({"A": 1.0, "B": 2.0}), "A")]
    )
    assert (len(field.rfqs), field.alone, field.unquoted) == (1, 1, 1)


def test_a_challenger_that_knows_nobody_has_no_gain() -> None:
    field = compared([scored(rfq({"A": 1.0, "B": 2.0}), None)])
    assert np.isnan(gains("model", field)).all()
    assert uplift("model", field, days_of(field.rfqs)).gain_bps.value is None


def test_a_difference_inside_its_interval_is_a_tie() -> None:
    rng = np.random.default_rng(1)
    items = []
    for day in range(60):
        past = rfq({"A": float(rng.normal(5, 3)), "B": float(rng.normal(5, 3)), "C": 9.0}, day=day)
        views = {"a": View("A", [], []), "b": View("B", [], []), "c": View("C", [], [])}
        items.append(ScoredRfq(rfq=past, views=views, expected_cost_bps=None, expected_impact_bps=None))
    field = compared(items)
    verdicts = {(item.first, item.second): item.verdict for item in versus(["a", "b", "c"], field, days_of(items))}
    assert verdicts == {("a", "b"): "tie", ("a", "c"): "a", ("b", "c"): "b"}


def test_intervals_are_as_wide_as_days_differ_however_many_rfqs_a_day_has() -> None:
    rng = np.random.default_rng(2)
    moods = rng.normal(0, 1, 50)
    often = Days(np.repeat(np.arange(50), 40).astype(str).tolist()).mean(np.repeat(moods, 40))
    once = Days(np.arange(50).astype(str).tolist()).mean(moods)
    assert often.low == pytest.approx(once.low)
    assert often.high == pytest.approx(once.high)
    assert once.high is not None
    assert once.low is not None
    assert once.high - once.low == pytest.approx(2 * 1.96 / np.sqrt(50), rel=0.35)


def test_a_single_day_has_no_interval() -> None:
    told = Days(["2025-06-02"] * 5).mean(np.arange(5.0))
    assert (told.value, told.low, told.high, told.is_tie) == (2.0, None, None, True)


@pytest.mark.parametrize(("scores", "expected"), [([4.0, 3.0, 2.0, 1.0], 1.0), ([1.0, 2.0, 3.0, 4.0], -1.0)])
def test_ranks_are_foretold_where_the_best_score_is_the_cheapest_dealer(scores: list[float], expected: float) -> None:
    names = ["A", "B", "C", "D"]
    items = [scored(rfq(dict(zip(names, (1.0, 2.0, 3.0, 4.0), strict=True)), day=day), "A") for day in range(8)]
    standings = {"model": {"CORP_IG": dict(zip(names, scores, strict=True))}}
    periods = [Period(since=day, until=day, rfqs=[], standings=standings, unknown=0) for day in ("2025-06-02", "2025-06-09")]
    told = rank_figures("model", periods, compared(items), days_of(items))
    assert told.forecast.value == pytest.approx(expected)
    assert told.stability == pytest.approx(1.0)


def test_chances_that_are_what_they_say_have_a_small_calibration_error_and_beat_the_base_rate() -> None:
    rng = np.random.default_rng(3)
    items = []
    for day in range(200):
        chances = rng.uniform(0.1, 0.95, 10)
        costs = {f"D{place}": 1.0 if rng.random() < chance else None for place, chance in enumerate(chances)}
        items.append(scored(rfq(costs, day=day), "D0", chances=chances.tolist()))
    told = calibration("model", items)
    assert told is not None
    assert told.ece.value is not None
    assert told.ece.value < 0.03
    assert told.brier.value is not None
    assert told.brier_base.value is not None
    assert told.brier.value < told.brier_base.value - 0.02
    assert sum(cell.n for cell in told.bins) == 2000


def test_chances_that_are_too_high_show_in_the_calibration_error() -> None:
    items = [scored(rfq({"A": 1.0 if day % 2 else None, "B": 1.0}, day=day), "A", chances=[0.9, 1.0]) for day in range(40)]
    told = calibration("model", items)
    assert told is not None
    assert told.ece.value == pytest.approx(0.2)


def test_costs_by_count_take_the_best_quote_and_count_silence() -> None:
    items = [scored(rfq({"A": 4.0, "B": 2.0}, day=day), "A") for day in range(3)]
    items += [scored(rfq({"A": None, "B": None, "C": None}, day=day), "A") for day in range(3)]
    two, three = cost_by_count(items, days_of(items))
    assert (two.dealers, two.best_quote_bps.value, two.quoted_share.value) == (2, 2.0, 1.0)
    assert (three.dealers, three.best_quote_bps.value, three.quoted_share.value) == (3, None, 0.0)


def test_expected_costs_are_held_against_executions_only() -> None:
    items = []
    for day in range(40):
        executed = 2.0 * day if day % 2 else None
        past = rfq({"A": 1.0, "B": 2.0}, day=day, executed_bps=executed)
        items.append(ScoredRfq(rfq=past, views={}, expected_cost_bps=float(day), expected_impact_bps=None))
    (told,) = expected_against_came(items, days_of(items))
    assert told.what == "cost"
    assert (told.expected_bps.n, told.slope.value) == (20, pytest.approx(2.0))
