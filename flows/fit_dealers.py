"""Response and price of every dealer, shrunk to its class: from decayed sums to figures with counts and intervals."""

from dataclasses import dataclass

import numpy as np

from flows.fit_state import Floats, Knobs, State

_Z = 1.96
_LEAST_SD_HS = 0.15
# A sector counts as seen above so many quotes; below such a share of the noise nothing is between sectors.
_SEEN, _LEAST_SHARE = 1.0, 1e-4


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
    """Groups x dealers: the mean quote without an axe and its spread, half-spreads; ``class_mean`` and ``gain`` by group.

    ``sector_*`` are the same mean in each sector: groups x sectors x dealers.
    """

    class_mean: Floats
    gain: Floats
    mean: Floats
    sd: Floats
    n: Floats
    low: Floats
    high: Floats
    sector_mean: Floats
    sector_n: Floats
    sector_low: Floats
    sector_high: Floats


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
    """Shrink each dealer's quotes, net of the axe's gain, to its class, and in each sector to its own mean."""
    n = state.sector_n.sum(1)
    class_mean, mean = class_wide(n, state.sector_sum.sum(1), knobs)
    sd = _spread(state, mean, knobs)
    gain = (knobs.axe_gain_prior * knobs.axe_gain_hs + state.gain_xy) / (knobs.axe_gain_prior + state.gain_xx)
    half = _Z * sd / np.sqrt(knobs.price_prior + n)
    in_sector = nested(mean, state.sector_n, state.sector_sum, sd, knobs)
    of_class = sector_prior(state.sector_n, state.sector_sum, sd, knobs)[:, None, None]
    told = of_class + state.sector_n
    half_in_sector = np.sqrt((_Z * sd[:, None]) ** 2 / told + (of_class / told * half[:, None]) ** 2)
    return Prices(
        class_mean=class_mean,
        gain=np.maximum(gain, 0.0),
        mean=mean,
        sd=sd,
        n=n,
        low=mean - half,
        high=mean + half,
        sector_mean=in_sector,
        sector_n=state.sector_n,
        sector_low=in_sector - half_in_sector,
        sector_high=in_sector + half_in_sector,
    )


def day_weight(n: Floats, knobs: Knobs) -> Floats:
    """Give what each of ``n`` quotes of one day counts for: a dealer's quotes of a day share its mood (Kish 1965)."""
    return np.asarray(1 / (1 + knobs.day_correlation * np.maximum(n - 1, 0)), dtype=np.float64)


def class_wide(n: Floats, total: Floats, knobs: Knobs) -> tuple[Floats, Floats]:
    """Give each class's mean quote, every dealer counting by how much it tells, and each dealer's, shrunk to it."""
    weight = n / (n + knobs.price_prior)
    own = total / np.maximum(n, 1e-9)
    class_mean = ((weight * own).sum(-1) + 2 * knobs.price_start_hs) / (weight.sum(-1) + 2)
    return class_mean, (knobs.price_prior * class_mean[:, None] + total) / (knobs.price_prior + n)


def nested(mean: Floats, n: Floats, total: Floats, sd: Floats, knobs: Knobs) -> Floats:
    """Shrink quotes by sector to the dealer's ``mean`` (groups x dealers); give groups x sectors x dealers.

    A class that quotes in one sector only has nothing to tell apart: its mean stays as it is.
    """
    several = ((n.sum(-1) > 0).sum(-1) > 1)[:, None, None]
    prior = sector_prior(n, total, sd, knobs)[:, None, None]
    shrunk = (prior * mean[:, None] + total) / (prior + n)
    return np.asarray(np.where(several, shrunk, mean[:, None]), dtype=np.float64)


def sector_prior(n: Floats, total: Floats, sd: Floats, knobs: Knobs) -> Floats:
    """Give by class how many quotes a dealer's mean over all sectors counts for in each: the fewer, the more sectors differ.

    The variance between a dealer's sectors is that of their means beyond what chance makes of it (DerSimonian and Laird 1986).
    """
    whole = n.sum(1)
    centre = total.sum(1) / np.maximum(whole, 1e-9)
    apart = (n * (total / np.maximum(n, 1e-9) - centre[:, None]) ** 2).sum((1, 2))
    noise = (whole * sd**2).sum(-1) / np.maximum(whole.sum(-1), 1e-9)
    by_chance = noise * np.maximum((n > _SEEN).sum(1) - 1, 0).sum(-1)
    room = (whole - (n**2).sum(1) / np.maximum(whole, 1e-9)).sum(-1)
    between = np.maximum(apart - by_chance, 0.0) / np.maximum(room, 1e-9)
    return np.asarray(np.maximum(noise / np.maximum(between, noise * _LEAST_SHARE + 1e-12), knobs.sector_prior), dtype=np.float64)


def _spread(state: State, mean: Floats, knobs: Knobs) -> Floats:
    """Give how far single quotes lie apart, by dealer."""
    n = state.price_n
    squares = np.maximum(state.price_squares - 2 * mean * state.price_sum + n * mean**2, 0.0)
    variance = (knobs.sd_prior * knobs.sd_start_hs**2 + squares) / (knobs.sd_prior + n)
    return np.asarray(np.maximum(np.sqrt(variance), _LEAST_SD_HS), dtype=np.float64)
