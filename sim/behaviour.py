"""How a dealer answers: one set of formulas for the history (arrays) and for the dealers that answer over FIX (one row).

Costs are in half-spreads (HS) of the bond for the size asked, from the mid: positive = worse for the client.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.traits import CROWD_LOGIT, MANUAL_SHARE, USUAL_PANEL

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_AXE_LOGIT = 1.0
_SIZE_LOGIT = -0.35
_STRESS_LOGIT = -1.6
_STRESS_SPREAD = 1.7
_DECLINED, _REJECTED = 0.62, 0.04
_FADED_SHARE = 0.03
# A quote error is a skewed t: mostly small, with a long tail on the bad side.
_DEGREES, _SKEW = 6.0, 1.35
# E|T| of Student's t with six degrees of freedom.
_MEAN_OF_ABSOLUTE = 0.91856


@dataclass(frozen=True, slots=True)
class Asked:
    """What bears on an answer, one entry per dealer asked: see ``dealers.Skill`` for the first ones.

    ``relative_size`` is the quantity over the class's usual size; ``panel`` how many dealers were asked at once; ``axe`` from 0
    to 1 (1 = an axe in this bond on this side, a part for the same issuer); ``stress`` 0 or 1.
    """

    response_logit: Floats
    cost_hs: Floats
    cost_sd: Floats
    axe_gain_hs: Floats
    latency_s: Floats
    sigma: Floats
    firm: Floats
    full_size: Floats
    relative_size: Floats
    panel: Floats
    axe: Floats
    stress: Floats


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of it. ``refusal`` is 0 none, 1 declined, 2 rejected, 3 silent; ``size_ratio`` quoted / asked."""

    refusal: npt.NDArray[np.int64]
    latency_s: Floats
    cost_hs: Floats
    size_ratio: Floats
    firm: Flags
    fades: Flags


QUOTES, DECLINES, REJECTS, SILENT = 0, 1, 2, 3


def size_growth(relative_size: Floats) -> Floats:
    """Give how half-spread and impact grow with size: 1 at the usual size, +25 % per tenfold, never below 0.8."""
    return np.asarray(np.maximum(0.8, 1 + 0.25 * np.log10(relative_size)), dtype=np.float64)


def spread_in_stress(stress: Floats) -> Floats:
    """Give the factor by which half-spreads widen."""
    return np.asarray(1 + (_STRESS_SPREAD - 1) * stress, dtype=np.float64)


def response_probability(asked: Asked) -> Floats:
    """Give the probability to quote; logit -0.15 per further dealer in the panel."""
    score = (
        asked.response_logit
        + CROWD_LOGIT * (asked.panel - USUAL_PANEL)
        + _AXE_LOGIT * asked.axe
        + _SIZE_LOGIT * np.log10(asked.relative_size)
        + _STRESS_LOGIT * asked.stress
    )
    return np.asarray(1 / (1 + np.exp(-score)), dtype=np.float64)


def skewed_error(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw errors of mean 0 and standard deviation 1 with the long tail above."""
    heavy = np.abs(rng.standard_t(_DEGREES, shape))
    above = rng.random(shape) < _SKEW**2 / (1 + _SKEW**2)
    raw = np.where(above, heavy * _SKEW, -heavy / _SKEW)
    mean_heavy, square_heavy = _MEAN_OF_ABSOLUTE, _DEGREES / (_DEGREES - 2)
    mean = mean_heavy * (_SKEW - 1 / _SKEW)
    variance = square_heavy * (_SKEW**6 + 1) / (_SKEW**2 * (1 + _SKEW**2)) - mean**2
    return np.asarray((raw - mean) / np.sqrt(variance), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Draws:
    """The chances behind answers, one entry per dealer asked: whoever is asked meets the same ones, however many are asked beside.

    ``manual`` stretches the latency, ``error`` is of mean 0 and standard deviation 1, ``part`` the share quoted if not the whole.
    """

    answer: Floats
    refusal: Floats
    manual: Floats
    latency: Floats
    error: Floats
    full: Floats
    part: Floats
    firm: Floats
    fade: Floats


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Draws:
    """Draw every chance. Always the same count of draws, whatever comes of them."""
    return Draws(
        answer=rng.random(shape),
        refusal=rng.random(shape),
        manual=np.where(rng.random(shape) < MANUAL_SHARE, rng.uniform(3, 8, shape), 1.0),
        latency=rng.normal(0, 1, shape),
        error=skewed_error(rng, shape),
        full=rng.random(shape),
        part=rng.choice([0.25, 0.4, 0.5, 0.75], shape),
        firm=rng.random(shape),
        fade=rng.random(shape),
    )


def answers_to(asked: Asked, draws: Draws) -> Answers:
    """Give whether, when and how each dealer answers, by its behaviour and its chances."""
    quotes = draws.answer < response_probability(asked)
    refusal = np.where(
        quotes,
        QUOTES,
        np.where(draws.refusal < _DECLINED, DECLINES, np.where(draws.refusal < _DECLINED + _REJECTED, REJECTS, SILENT)),
    )
    latency = asked.latency_s * np.exp(asked.sigma * draws.latency) * draws.manual
    cost = asked.cost_hs + asked.cost_sd * draws.error - asked.axe_gain_hs * asked.axe
    full = draws.full < asked.full_size * np.where(asked.relative_size > 3, 0.9, 1.0)
    ratio = np.where(full, 1.0, draws.part)
    return Answers(
        refusal.astype(np.int64),
        latency,
        cost * spread_in_stress(asked.stress),
        ratio,
        draws.firm < asked.firm,
        draws.fade < _FADED_SHARE,
    )
