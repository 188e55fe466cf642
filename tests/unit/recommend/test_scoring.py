"""The weighted sum of M-11, its weights, and dealers without history."""

import math
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pytest

from expectations.contracts.vocabulary import Metric
from serve.domain.beliefs import ClassTerms, unknown
from serve.domain.market import Scorecards
from serve.domain.models import Rating, parts, rate
from serve.domain.scoring import NEUTRAL, covering, score
from serve.domain.spec import ScoreSpec, ScoringError, spec_of
from tests.unit.recommend.cases import market

SEED = {"fill_rate": 0.30, "price_improvement": 0.40, "information_leakage": 0.20, "response_speed": 0.10}


def _rated(cards: Scorecards, spec: ScoreSpec) -> Rating:
    return rate(spec, cards, unknown(ClassTerms(scorecard_class="CORP_HY", half_spread_bps=None), cards.dealer_ids))


def test_worked_example_gives_1062_for_a_and_1063_for_c() -> None:
    cards = market().scorecards["CORP_HY", 90, 0]
    scores = score(cards, spec_of("seed_v0", 90, SEED))
    assert scores.total[cards.row["A"]] == pytest.approx(1.062, abs=1e-12)
    assert scores.total[cards.row["C"]] == pytest.approx(1.063, abs=1e-12)
    shown = {part.metric: part.score for part in parts(_rated(cards, spec_of("seed_v0", 90, SEED)), cards.row["A"])}
    assert [round(shown[metric], 9) for metric in list(Metric)[:4]] == [0.88, 1.32, 0.95, 0.80]


def test_contributions_added_from_left_to_right_are_the_score_to_the_last_digit() -> None:
    cards = market().scorecards["CORP_IG", 30, 0]
    spec = spec_of("seed_v0", 30, {"hit_rate": 0.1, "response_rate": 0.2, "size_ratio": 0.3, "fill_rate": 0.4})
    rating = _rated(cards, spec)
    for row in range(len(cards.dealer_ids)):
        shown = parts(rating, row)
        # sum() itself compensates from Python 3.12 on; a reader adds one after another.
        assert reduce(add, (part.contribution for part in shown)) == rating.total[row]
        assert all(math.isclose(part.weight * part.score, part.contribution) for part in shown)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"fill_rate": 0.5, "hit_rate": 0.3}, "weights add up to 0.8"),
        ({"fillrate": 1.0}, "did you mean 'fill_rate'"),
        ({"fill_rate": -0.5, "hit_rate": 1.5}, "must be above 0"),
        ({"fill_rate": math.nan}, "must be above 0"),
        ({}, "weights are empty"),
    ],
)
def test_bad_weights_are_refused_with_the_reason(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ScoringError, match=message):
        spec_of("seed_v0", 90, weights)


def test_weights_off_by_less_than_a_billionth_are_taken_as_they_are() -> None:
    assert spec_of("seed_v0", 90, {"fill_rate": 0.5, "hit_rate": 0.5 + 5e-10}).weights[1] == (Metric.HIT_RATE, 0.5 + 5e-10)


def test_renormalise_scales_the_weights_to_one() -> None:
    spec = spec_of("seed_v0", 90, {"information_leakage": 0.5, "fill_rate": 0.3}, renormalise=True)
    assert [weight for _, weight in spec.weights] == pytest.approx([0.625, 0.375])


def test_unknown_model_and_window_are_refused_with_the_choices() -> None:
    with pytest.raises(ScoringError, match="did you mean 'seed_v0'"):
        spec_of("seed_v1", 90, SEED)
    with pytest.raises(ScoringError, match="30d, 60d, 90d, 180d"):
        spec_of("seed_v0", 45, SEED)
    with pytest.raises(ScoringError, match="half_life 45d is not kept; use one of 60d, or leave it out"):
        spec_of("seed_v0", 90, SEED, half_life_days=45)


def test_dealer_missing_from_the_class_gets_the_mean_scores_and_no_observations() -> None:
    cards = market().scorecards["CORP_HY", 90, 0]
    wider = covering(cards, ("CORP_HY", 90, 0), (*cards.dealer_ids, "NEW"))
    assert wider.n[wider.row["NEW"]].tolist() == [0] * len(Metric)
    assert wider.score[wider.row["NEW"]] == pytest.approx(cards.score.mean(axis=0))
    assert math.isnan(wider.rank_share[wider.row["NEW"]])
    assert np.array_equal(wider.score[:-1], cards.score)


def test_class_without_scorecards_is_neutral_for_everybody() -> None:
    cards = covering(None, ("CRYPTO", 90, 0), ("A", "B"))
    assert cards.score.tolist() == [[NEUTRAL[metric] for metric in Metric]] * 2
    assert replace(cards).asked.tolist() == [0, 0]
