"""Response and price of every dealer, shrunk to its class: from decayed sums to figures with counts and intervals."""

from dataclasses import dataclass

import numpy as np

from flows.fit_state import Floats, Knobs, State

_Z = 1.96
_LEAST_SD_HS = 0.15


@dataclass(frozen=True, slots=True)
class Answers:
    """Groups x dealers unless said otherwise. ``logit``, ``low``, ``high``: answering alone, without an axe; ``rate``: as asked."""

    class_rate: Floats
    rate: Floats
    logit: Floats
    n: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Prices:
    """Groups x dealers: the mean quote without an axe and its spread, half-spreads; ``class_mean`` and ``gain`` by group."""

    class_mean: Floats
    gain: Floats
    mean: Floats
    sd: Floats
    n: Floats
    low: Floats
    high: Floats


def logit(probability: Floats) -> Floats:
    """Give ln(p / (1 - p)), with p kept within [0.01, 0.99]."""
    inside = np.clip(probability, 0.01, 0.99)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def logistic(x: Floats) -> Floats:
    """Give 1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-x)), dtype=np.float64)


def answers_of(state: State, knobs: Knobs) -> Answers:
    """Shrink each dealer's answers to its class, at the crowd and the axes that it saw.

    The class counts every dealer alike, however often it was asked: those asked most are those thought best.
    """
    n, prior = state.asked, knobs.response_prior
    seen = np.maximum(n, 1e-9)
    shift = knobs.crowd_logit * state.further / seen + knobs.axe_logit * state.axe_asked / seen
    weight = n / (n + prior)
    bare = logit((state.answered + 0.5 * knobs.response_start) / (n + 0.5)) - np.where(n > 0, shift, 0.0)
    class_logit = ((weight * bare).sum(-1) + 2 * logit(np.array(knobs.response_start))) / (weight.sum(-1) + 2)
    expected = logistic(class_logit[:, None] + np.where(n > 0, shift, 0.0))
    rate = (prior * expected + state.answered) / (prior + n)
    half = _Z * np.sqrt(rate * (1 - rate) / (prior + n + 1))
    return Answers(
        class_rate=logistic(class_logit),
        rate=rate,
        logit=logit(rate) - np.where(n > 0, shift, 0.0),
        n=n,
        low=logistic(logit(rate - half) - np.where(n > 0, shift, 0.0)),
        high=logistic(logit(rate + half) - np.where(n > 0, shift, 0.0)),
    )


def prices_of(state: State, knobs: Knobs) -> Prices:
    """Shrink each dealer's quotes, net of the axe's gain, to its class."""
    n, prior = state.price_n, knobs.price_prior
    own = state.price_sum / np.maximum(n, 1e-9)
    weight = n / (n + prior)
    class_mean = ((weight * own).sum(-1) + 2 * knobs.price_start_hs) / (weight.sum(-1) + 2)
    mean = (prior * class_mean[:, None] + state.price_sum) / (prior + n)
    squares = np.maximum(state.price_squares - 2 * mean * state.price_sum + n * mean**2, 0.0)
    variance = (knobs.sd_prior * knobs.sd_start_hs**2 + squares) / (knobs.sd_prior + n)
    sd = np.maximum(np.sqrt(variance), _LEAST_SD_HS)
    gain = (knobs.axe_gain_prior * knobs.axe_gain_hs + state.gain_xy) / (knobs.axe_gain_prior + state.gain_xx)
    half = _Z * sd / np.sqrt(prior + n)
    return Prices(class_mean, np.maximum(gain, 0.0), mean, sd, n, mean - half, mean + half)
