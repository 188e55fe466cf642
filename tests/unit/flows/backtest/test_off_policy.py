"""Off-policy estimates against a world whose truth is known, and their refusals."""

from itertools import combinations

import numpy as np
import pytest

from flows.backtest.off_policy import Logged, estimates, off_policy
from flows.backtest.scoring import ScoredRfq, View
from tests.unit.flows.backtest.cases import rfq

DEALERS, LIST = 8, 3
LISTS = list(combinations(range(DEALERS), LIST))


def market(seed: int, rfqs: int) -> tuple[Logged, float, float]:
    """Log lists drawn with known chances and give them with the truth: the rewards of the wanted and of the logging policy.

    A list's reward is the best of its dealers' quotes against 15 bps, times how wide the bond is; dealers differ, some do not
    answer, days have moods.
    """
    rng = np.random.default_rng(seed)
    skill, answers = rng.normal(7, 2.5, DEALERS), rng.uniform(0.5, 0.95, DEALERS)
    believed = skill + rng.normal(0, 1, DEALERS)

    def rewards(chosen: tuple[int, ...], days: np.ndarray) -> np.ndarray:
        quotes = skill[list(chosen)] + days[:, None] + rng.normal(0, 3, (len(days), LIST))
        quotes = np.where(rng.random(quotes.shape) < answers[list(chosen)], quotes, 15.0)
        return 15.0 - np.minimum(quotes.min(1), 15.0)

    merit = np.array([-believed[list(chosen)].sum() for chosen in LISTS])
    chances = 0.4 / len(LISTS) + 0.6 * np.exp(merit / 3) / np.exp(merit / 3).sum()
    wanted = min(LISTS, key=lambda chosen: skill[list(chosen)].sum())
    moods = rng.normal(0, 1, 200)
    # The truth of these very days: what each list would have brought, many times over.
    truth = {chosen: float(rewards(chosen, np.tile(moods, 100)).mean()) for chosen in LISTS}
    drawn = rng.choice(len(LISTS), size=rfqs, p=chances)
    day, wide = rng.integers(0, 200, rfqs), rng.lognormal(0, 0.6, rfqs)
    worth = [15 + float(merit[item]) / LIST for item in range(len(LISTS))]
    logged = Logged(
        days=[f"day {place:03d}" for place in day],
        reward=[float(x * rewards(LISTS[item], moods[[place]])[0]) for item, place, x in zip(drawn, day, wide, strict=True)],
        weight=[float(LISTS[item] == wanted) / chances[item] for item in drawn],
        told=[float(x * worth[item]) for item, x in zip(drawn, wide, strict=True)],
        told_own=[float(x * worth[LISTS.index(wanted)]) for x in wide],
    )
    mean_wide = float(wide.mean())
    return logged, mean_wide * truth[wanted], mean_wide * float(np.dot(chances, [truth[chosen] for chosen in LISTS]))


def test_robust_estimates_come_within_a_tenth_of_the_policy_gap_on_average() -> None:
    errors = {"snips": [], "robust": []}  # type: dict[str, list[float]]
    for seed in range(12):
        logged, wanted, as_it_was = market(seed, 20_000)
        told = estimates("model", logged)
        assert told.refused is None
        assert told.snips_bps is not None
        assert told.robust_bps is not None
        for name, figure in (("snips", told.snips_bps), ("robust", told.robust_bps)):
            assert figure.value is not None
            errors[name].append(abs(figure.value - wanted) / abs(wanted - as_it_was))
    # Bonds differ in width, and the model knows it: that is what the robust estimate gains by.
    assert np.mean(errors["robust"]) < 0.10
    assert np.mean(errors["robust"]) < np.mean(errors["snips"]) < 0.20


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = []
    for seed in range(20, 44):
        logged, wanted, _ = market(seed, 4_000)
        told = estimates("model", logged).robust_bps
        if told is not None:
            assert told.low is not None
            assert told.high is not None
            held.append(told.low <= wanted <= told.high)
    assert len(held) >= 15
    assert np.mean(held) >= 0.8


def test_too_few_effective_observations_are_refused() -> None:
    logged, _, _ = market(1, 150)
    told = estimates("model", logged)
    assert told.snips_bps is None
    assert told.refused is not None
    assert "effective observations, fewer than 30" in told.refused


def test_without_any_list_left_to_chance_there_is_no_answer() -> None:
    view = {"model": View("A", [], ["A", "B"])}
    items = [
        ScoredRfq(
            rfq=rfq({"A": 1.0, "B": 2.0}, day=day, propensity=chance), views=view, expected_cost_bps=None, expected_impact_bps=None
        )
        for day, chance in enumerate([1.0, None, 1.0])
    ]
    told = off_policy("model", items)
    assert told.refused is not None
    assert told.refused.startswith("no list was left to chance")


@pytest.mark.parametrize(
    ("asks", "sequential", "same"), [(["B", "A"], False, True), (["B", "A"], True, False), (["A"], False, False)]
)
def test_a_list_counts_where_the_challenger_would_have_asked_the_same(asks: list[str], *, sequential: bool, same: bool) -> None:
    past = rfq({"A": 1.0, "B": 2.0}, propensity=0.5, sequential=sequential)
    items = [ScoredRfq(rfq=past, views={"model": View("A", [], asks)}, expected_cost_bps=None, expected_impact_bps=None)] * 40
    told = off_policy("model", items)
    assert told.effective_n == (40.0 if same else 0.0)
