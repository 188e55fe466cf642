"""What asking is worth: parts that add up, a set that stops growing, whispers that stop, and a draw that a replay repeats."""

from dataclasses import replace
from functools import reduce
from itertools import combinations
from operator import add

import numpy as np
import pytest

from expectations.contracts.vocabulary import Side
from serve.domain.beliefs import Beliefs, ClassTerms, Figure, Floats, unknown
from serve.domain.expected_utility import best_set, utility, worth_of
from serve.domain.exploration import Exploration, explore
from serve.domain.models import Context, parts, rate
from serve.domain.quote_odds import normal_cdf
from serve.domain.scorecard import card, usual_count
from serve.domain.scoring import covering
from serve.domain.spec import ScoringError, spec_of
from serve.domain.whisper import asks_on, course, savings, whisper_pays

TERMS = ClassTerms(scorecard_class="CORP_IG", half_spread_bps=6.0)
SMALL = Context(sector="TECH", side=Side.BUY, half_spread_bps=6.0)


def beliefs_of(
    response: list[float], price: list[float], leak: list[float], axe: list[float] | None = None, terms: ClassTerms = TERMS
) -> Beliefs:
    """Give a class of so many dealers, each seen forty times."""
    count = len(response)

    def figure(cells: list[float]) -> Figure:
        mean = np.array(cells)
        return Figure(mean, np.full(count, 40.0), mean - 0.05, mean + 0.05)

    told: Floats = np.zeros(count)
    return Beliefs(
        terms=terms,
        dealer_ids=tuple(f"D{number}" for number in range(count)),
        response=figure(response),
        price=figure(price),
        price_sd=np.full(count, 0.4),
        leak=figure(leak),
        axe_gain=figure([0.2] * count),
        card_response=figure(response),
        card_price=figure(price),
        card_leak=figure([cell / terms.impact_hs for cell in leak]),
        axes={("TECH", Side.BUY): np.array(axe)} if axe else {},
        advertised={("TECH", Side.BUY): (np.array(axe) > 0.5).astype(float)} if axe else {("TECH", Side.BUY): told},
    )


ALIKE = beliefs_of([0.8] * 6, [0.7] * 6, [0.07] * 6)


def test_parts_added_from_left_to_right_are_the_score_to_the_last_digit() -> None:
    beliefs = beliefs_of([0.9, 0.5, 0.7], [0.5, 0.9, 0.7], [0.01, 0.3, 0.07], [0.7, 0.02, 0.08])
    cards = covering(None, ("CORP_IG", 90, 0), beliefs.dealer_ids)
    for spec in (spec_of("expected_utility"), spec_of("scorecard")):
        rating = rate(spec, cards, beliefs, SMALL)
        for row in range(3):
            shown = parts(rating, row)
            assert reduce(add, (part.contribution for part in shown)) == rating.total[row]
            assert all(part.contribution == pytest.approx(part.weight * part.score, abs=1e-12) for part in shown)
            assert all(part.n >= 0 for part in shown)


def test_a_sector_in_which_a_dealer_quotes_better_is_a_part_of_its_own_and_only_there() -> None:
    plain = beliefs_of([0.8] * 3, [0.5, 0.6, 0.7], [0.07] * 3)
    better = Figure(np.array([0.5, 0.6, 0.4]), np.array([30.0, 0.0, 12.0]), np.full(3, 0.3), np.full(3, 0.8))
    beliefs = replace(plain, sector_prices={"TECH": better}, sector_card_prices={"TECH": better})
    cards = covering(None, ("CORP_IG", 90, 0), beliefs.dealer_ids)
    spec = spec_of("expected_utility")
    rating, elsewhere = (
        rate(spec, cards, beliefs, Context(sector=name, side=Side.BUY, half_spread_bps=6.0)) for name in ("TECH", None)
    )
    shown = {part.metric: part for part in parts(rating, 2)}
    assert (shown["sector_price"].raw, shown["sector_price"].n) == (0.4, 12)
    assert shown["sector_price"].contribution > 0
    assert reduce(add, (part.contribution for part in parts(rating, 2))) == rating.total[2]
    assert rating.total.argmax() == 2
    assert elsewhere.total.argmax() == 0
    assert all(part.metric != "sector_price" for part in parts(elsewhere, 2))
    assert [card(beliefs, name, Side.BUY).total.argmax() for name in ("TECH", "OIL")] == [2, 0]
    assert parts(rating, 0)[3].contribution == 0


def test_worth_of_one_dealer_is_in_line_with_a_simulation() -> None:
    beliefs = beliefs_of([0.8], [0.6], [0.1], [0.3])
    view = utility(beliefs, "TECH", Side.BUY)
    rng = np.random.default_rng(7)
    axed = rng.random(400_000) < 0.3
    odds = np.log(0.8 / 0.2) + axed * TERMS.axe_logit
    quotes = rng.random(400_000) < 1 / (1 + np.exp(-odds))
    price = 0.6 - axed * TERMS.axe_gain_hs + 0.4 * rng.standard_normal(400_000)
    traded = quotes & (price < TERMS.outside_hs)
    gained = np.where(traded, TERMS.outside_hs - price, 0.0) - np.where(traded, 0.0, 0.1)
    assert view.alone[0] == pytest.approx(gained.mean(), abs=0.01)


def test_the_grown_set_is_as_good_as_the_best_of_all_sets() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        beliefs = beliefs_of(list(rng.uniform(0.4, 0.95, 7)), list(rng.uniform(0.3, 1.0, 7)), list(rng.uniform(0, 0.25, 7)))
        view = utility(beliefs, None, None)
        grown = worth_of(view, best_set(view, range(7), 7))
        every = max(worth_of(view, rows) for size in range(1, 8) for rows in combinations(range(7), size))
        assert grown >= every - 0.02


def test_cheap_leaks_let_more_dealers_in_than_dear_ones() -> None:
    counts = [
        len(best_set(utility(beliefs_of([0.8] * 8, [0.7] * 8, [leak] * 8), None, None), range(8), 8)) for leak in (0.0, 0.05, 0.3)
    ]
    assert counts[0] == 8 > counts[1] > counts[2] >= 1


def test_a_bound_and_a_refusal_hold_while_the_set_grows() -> None:
    view = utility(beliefs_of([0.8] * 6, [0.5, 0.6, 0.7, 0.7, 0.7, 0.7], [0.0] * 6), None, None)
    assert best_set(view, range(6), 2) == [0, 1]
    assert best_set(view, range(6), 6, lambda row, _beside: row >= 4) == [4, 5]
    assert best_set(view, [], 4) == []


def test_a_dealer_of_whom_nothing_is_known_ranks_by_the_class() -> None:
    beliefs = unknown(TERMS, ("NEW", "NEWER"))
    view = utility(beliefs, None, None)
    assert view.alone[0] == view.alone[1]
    assert beliefs.response.n.tolist() == [0.0, 0.0]


def test_a_leak_seen_on_few_losses_is_withheld_and_still_counted() -> None:
    seen = beliefs_of([0.8], [0.7], [0.2])
    few = replace(seen, leak=replace(seen.leak, n=np.array([12.0])))
    cards = covering(None, ("CORP_IG", 90, 0), seen.dealer_ids)
    shown = {
        name: parts(rate(spec_of("expected_utility"), cards, item, SMALL), 0)[-1] for name, item in (("seen", seen), ("few", few))
    }
    assert shown["seen"].raw == pytest.approx(0.2)
    assert (shown["few"].raw, shown["few"].low, shown["few"].n) == (None, None, 12)
    assert shown["few"].contribution == shown["seen"].contribution


def test_an_axe_raises_the_score_of_the_side_it_suits_only() -> None:
    beliefs = beliefs_of([0.8] * 2, [0.7] * 2, [0.07] * 2, [0.9, 0.08])
    assert np.argmax(utility(beliefs, "TECH", Side.BUY).alone) == 0
    assert np.ptp(utility(beliefs, "TECH", Side.SELL).alone) == 0


def test_normal_distribution_is_right_where_it_matters() -> None:
    assert normal_cdf(np.array([-8.0, -1.959964, 0.0, 1.644854, 8.0])) == pytest.approx([0, 0.025, 0.5, 0.95, 1], abs=1e-6)


def test_reservation_level_is_where_the_expected_saving_pays_for_the_leak() -> None:
    view = utility(ALIKE, None, None)
    step = course(view, [0], 1)[0]
    assert savings(view, [0]).at(0, step.level + step.leak) == pytest.approx(step.leak + 0.01, abs=1e-3)


def test_a_whisper_goes_from_the_best_level_and_stops_at_a_good_quote() -> None:
    view = utility(beliefs_of([0.9, 0.9, 0.9], [0.9, 0.4, 0.6], [0.05, 0.05, 0.05]), None, None)
    steps = course(view, [0, 1, 2], 3)
    assert [step.row for step in steps][:2] == [1, 2]
    assert not asks_on(0.2, 0.05, steps[1])
    assert asks_on(0.9, 0.05, steps[1])
    assert asks_on(None, 0.0, steps[1])


def test_quotes_that_fade_end_a_whisper_sooner() -> None:
    view = utility(ALIKE, None, None)
    calm, fading = course(view, [0, 1], 2, fade=0.0), course(view, [0, 1], 2, fade=0.3)
    assert fading[1].stop_below > calm[1].stop_below


@pytest.mark.parametrize(
    ("impact", "fade", "premium", "whispers"),
    [(0.7, 0.0, 0.0, True), (0.1, 0.0, 0.0, False), (0.7, 0.3, 0.0, False), (0.7, 0.0, 0.1, False)],
)
def test_whispering_pays_where_leaks_cost_and_quotes_stay(impact: float, fade: float, premium: float, *, whispers: bool) -> None:
    terms = ClassTerms(scorecard_class="X", half_spread_bps=5.0, impact_hs=impact, fade=fade, premium_hs=premium)
    pays, why = whisper_pays(terms)
    assert pays is whispers
    assert "half-spreads" in why


def test_scorecard_counts_an_axe_only_where_it_is_advertised() -> None:
    beliefs = beliefs_of([0.8] * 2, [0.7] * 2, [0.07] * 2, [0.9, 0.08])
    points = card(beliefs, "TECH", Side.BUY).total
    assert points[0] - points[1] == pytest.approx(45 * 0.2)
    assert usual_count(beliefs) == 3


def test_exploration_is_off_by_default_and_a_replay_draws_the_same() -> None:
    view = utility(beliefs_of([0.8] * 6, [0.5, 0.6, 0.7, 0.7, 0.7, 0.7], [0.05] * 6), None, None)
    assert explore(view, [0, 1], range(6), Exploration(), "R1").rows == [0, 1]
    rules = Exploration(share=0.1, seed=4)
    made = [explore(view, [0, 1], range(6), rules, f"R{number}") for number in range(3000)]
    assert made == [explore(view, [0, 1], range(6), rules, f"R{number}") for number in range(3000)]
    drawn = [item for item in made if item.added is not None]
    assert 0.07 < len(drawn) / len(made) < 0.13
    assert all(item.rows[0] == 0 and 0 < item.propensity < 0.1 for item in drawn)
    with pytest.raises(ValueError, match="share"):
        Exploration(share=0.5)


@pytest.mark.parametrize(
    ("model", "weights", "message"),
    [
        ("expected_utility", {"response": 1.0}, "no place in expected_utility"),
        ("scorecard", {"response": 0.5}, "add up to 0.5"),
        ("scorecard", {"fill_rate": 1.0}, "unknown part"),
        ("scorecard", {"response": 1.0, "axe": -1.0}, "must not be below 0"),
    ],
)
def test_fitted_models_refuse_what_they_cannot_use(model: str, weights: dict[str, float], message: str) -> None:
    with pytest.raises(ScoringError, match=message):
        spec_of(model, None, weights)
