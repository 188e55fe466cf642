"""The daily filter for axes: what is advertised, then what is answered and quoted, each turned into a probability."""

import numpy as np

from flows.fit_dealers import Answers, Prices, logistic
from flows.fit_state import Day, Floats, Knobs, State


def expect(state: State, told: Floats, placed: Floats, knobs: Knobs) -> None:
    """Let a night pass over the axes, and take in what is advertised in the morning (Bayes); learn who advertises without one.

    What was placed before this day and left to stand says little that it has not said already.
    """
    state.axe += knobs.axe_pull * (knobs.axe_base - state.axe)
    alone = (knobs.axe_alone_prior * knobs.axe_alone + state.alone_told) / (knobs.axe_alone_prior + state.alone_n)
    alone = np.clip(alone, 0.005, 0.6)[:, None, None, :]
    with_axe = np.where(told > 0, knobs.axe_told, 1 - knobs.axe_told)
    without = np.where(told > 0, alone, 1 - alone)
    says = np.where(told > placed, knobs.axe_standing, 1.0)
    odds = state.axe / (1 - state.axe) * (with_axe / without) ** says
    state.axe = odds / (1 + odds)
    state.alone_n += (1 - state.axe).sum((1, 2))
    state.alone_told += ((1 - state.axe) * told).sum((1, 2))


def update(state: State, day: Day, answers: Answers, prices: Prices, knobs: Knobs) -> None:
    """Take in the day's answers and quotes (Bayes); the log-ratio of one cell's day is capped."""
    shape = (slice(None), None, None, slice(None))
    further = day.further / np.maximum(day.asked, 1)
    bare = answers.logit[shape] + knobs.crowd_logit * further
    plain, axed = logistic(bare), logistic(bare + knobs.axe_logit)
    ratio = day.answered * np.log(axed / plain) + (day.asked - day.answered) * np.log((1 - axed) / (1 - plain))
    gain, variance = prices.gain[:, None, None, None], prices.sd[shape] ** 2
    below = day.quote_n * prices.sector_mean[:, :, None, :] - day.quote_sum
    ratio += (gain * below - 0.5 * day.quote_n * gain**2) / variance
    odds = state.axe / (1 - state.axe) * np.exp(np.clip(ratio, -knobs.axe_cap, knobs.axe_cap))
    state.axe = np.clip(odds / (1 + odds), 1e-4, 1 - 1e-4)
