"""Beliefs about dealers as a fold over days: a morning of advertisements, an evening of answers, and the figures that follow."""

from dataclasses import dataclass

import numpy as np

from flows import fit_alarm, fit_axes
from flows.fit_dealers import Answers, Prices, answers_of, day_weight, nested, prices_of
from flows.fit_leaks import Leaks, leaks_of
from flows.fit_state import Day, Floats, Knobs, State

_LEAST_WHISPERS = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is published of the groups. ``axe_gain`` is the HS gained on quotes of a dealer that advertised;
    ``fade`` the chance that a quote dies in one step of a whisper, ``premium`` how much wider dealers quote to one (HS), by group.
    """

    answers: Answers
    prices: Prices
    leaks: Leaks
    axe_gain: Floats
    axe_gain_n: Floats
    card_response: Floats
    card_price: Floats
    card_sector_price: Floats
    impact: Floats
    fade: Floats
    premium: Floats
    half_spread_bps: Floats


def morning(state: State, told: Floats, knobs: Knobs, placed: Floats | None = None) -> None:
    """Start a day: forget a little, and take in what is advertised (cells, 1.0 = told).

    ``placed`` is what of it was placed this day and not left to stand; ``None`` = all.
    """
    state.forget(knobs)
    fit_axes.expect(state, told, told if placed is None else placed, knobs)


def evening(state: State, day: Day, knobs: Knobs, believed: tuple[Answers, Prices] | None = None) -> None:
    """End a day: take in its answers, quotes and drifts, by what was believed before it (``None`` = what the sums say)."""
    answers, prices = believed or (answers_of(state, knobs), prices_of(state, knobs))
    state.whisper_n += day.whisper_n
    state.whisper_sum += day.whisper_sum
    n, missed = _sum_quotes(state, day, prices, knobs)
    fit_alarm.watch(state, n, missed, prices.sd, knobs)
    state.asked += day.asked.sum((1, 2))
    state.answered += day.answered.sum((1, 2))
    state.further += day.further.sum((1, 2))
    state.axe_asked += (state.axe * day.asked).sum((1, 2))
    fit_axes.update(state, day, answers, prices, knobs)
    state.steps_open += day.steps_open
    state.faded += day.faded
    state.half_spread_n += day.quote_n.sum((1, 2, 3))
    state.half_spread_sum += day.half_spread_sum
    state.lost += day.lost
    state.drift += day.drift
    state.rfqs += day.rfqs
    state.rfq_drift += day.rfq_drift
    state.rfq_squares += day.rfq_squares


def _sum_quotes(state: State, day: Day, prices: Prices, knobs: Knobs) -> tuple[Floats, Floats]:
    """Add up the day's quotes; give by dealer how many they count for and by how much they missed what was believed (HS)."""
    gain = prices.gain[:, None, None, None] * state.axe
    n, total = day.quote_n, day.quote_sum + day.quote_n * gain
    # An axe that is only likely leaves the mean right and the spread too wide by its own uncertainty.
    doubt = prices.gain[:, None, None, None] ** 2 * state.axe * (1 - state.axe)
    squares = day.quote_squares + 2 * gain * day.quote_sum + n * gain**2 - n * doubt
    state.price_n += n.sum((1, 2))
    state.price_sum += total.sum((1, 2))
    state.price_squares += squares.sum((1, 2))
    state.raw_sum += day.quote_sum.sum((1, 2))
    weight = day_weight(n.sum(2), knobs)
    counted, counted_sum = weight * n.sum(2), weight * total.sum(2)
    state.sector_n += counted
    state.sector_sum += counted_sum
    state.sector_raw += weight * day.quote_sum.sum(2)
    below = n * prices.sector_mean[:, :, None, :] - day.quote_sum
    state.gain_xx += (n * state.axe**2).sum((1, 2, 3))
    state.gain_xy += (state.axe * below).sum((1, 2, 3))
    state.told_n += (n * day.told).sum((1, 2))
    state.told_gain += (below * day.told).sum((1, 2))
    return counted.sum(1), (counted_sum - counted * prices.sector_mean).sum(1)


def figures_of(state: State, knobs: Knobs) -> Figures:
    """Turn the sums into figures."""
    answers, prices, leaks = answers_of(state, knobs), prices_of(state, knobs), leaks_of(state, knobs)
    prior = knobs.card_prior
    pooled = prior * prices.gain[:, None] * 0.5
    n, raw = state.sector_n.sum(1), state.sector_raw.sum(1)
    raw_class = (raw.sum(-1) + 2 * knobs.price_start_hs) / (n.sum(-1) + 2)
    card_price = (prior * raw_class[:, None] + raw) / (prior + n)
    impact = leaks.class_mean / knobs.leak_propensity
    return Figures(
        answers=answers,
        prices=prices,
        leaks=leaks,
        axe_gain=np.maximum((knobs.told_prior / prior * pooled + state.told_gain) / (knobs.told_prior + state.told_n), 0.0),
        axe_gain_n=state.told_n,
        card_response=(prior * answers.class_rate[:, None] + state.answered) / (prior + state.asked),
        card_price=card_price,
        card_sector_price=nested(card_price, state.sector_n, state.sector_raw, prices.sd, knobs),
        impact=impact,
        fade=state.faded / np.maximum(state.steps_open, _LEAST_WHISPERS),
        premium=_premium(state),
        half_spread_bps=state.half_spread_sum / np.maximum(state.half_spread_n, 1e-9),
    )


def _premium(state: State) -> Floats:
    """Compare a dealer's quotes to whispers with its other quotes, and average over dealers by how much each comparison tells."""
    others = np.maximum(state.price_n - state.whisper_n, 0.0)
    tells = state.whisper_n * others / np.maximum(state.whisper_n + others, 1e-9)
    differs = state.whisper_sum / np.maximum(state.whisper_n, 1e-9) - (state.raw_sum - state.whisper_sum) / np.maximum(others, 1e-9)
    total = tells.sum(-1)
    return np.asarray((tells * np.where(tells > 0, differs, 0.0)).sum(-1) / (total + _LEAST_WHISPERS), dtype=np.float64)
