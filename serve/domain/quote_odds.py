"""How likely each dealer quotes at or below each price: the arithmetic under ``expected_utility`` and the whisper.

A quote is normal around the dealer's mean, lower by the axe's gain where the dealer has one. Prices are on one grid in
half-spreads from the mid; the last point is what not trading costs, and nothing beyond it is worth having.
"""

import math
from dataclasses import dataclass

import numpy as np

from serve.domain.beliefs import Beliefs
from serve.domain.market import Floats

POINTS = 48
_LOWEST_HS = -1.2
_TABLE_X = np.linspace(-6.0, 6.0, 4801)
_TABLE_Y = np.array([0.5 * (1 + math.erf(float(x) / math.sqrt(2))) for x in _TABLE_X])


def normal_cdf(x: Floats) -> Floats:
    """Give the standard normal distribution function, to about 1e-6."""
    return np.asarray(np.interp(x, _TABLE_X, _TABLE_Y), dtype=np.float64)


def logistic(x: Floats) -> Floats:
    """Give 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def logit(probability: Floats) -> Floats:
    """Give ln(p / (1 - p)), with p kept within [0.01, 0.99]."""
    inside = np.clip(probability, 0.01, 0.99)
    return np.log(inside / (1 - inside))


@dataclass(frozen=True, slots=True)
class QuoteOdds:
    """Of every dealer of a class, whatever the order: ``plain`` and ``axed`` are dealers x grid, the probability that a quote
    is at or below each price; ``worth_plain`` and ``worth_axed`` the HS that a quote is expected to save against not trading;
    ``worth_usual`` the same at the dealer's mean over all sectors; the logits of answering when asked alone.
    """

    grid: Floats
    step: float
    plain: Floats
    axed: Floats
    worth_usual: Floats
    worth_plain: Floats
    worth_axed: Floats
    logit_plain: Floats
    logit_axed: Floats
    crowd_logit: float


def odds_of(beliefs: Beliefs, sector: str | None = None, premium_hs: float = 0.0) -> QuoteOdds:
    """Lay out a class's quotes in a sector once; ``premium_hs`` is added to every mean (what a whisper costs)."""
    terms = beliefs.terms
    grid = np.linspace(_LOWEST_HS, terms.outside_hs, POINTS)
    step = float(grid[1] - grid[0])
    price = beliefs.price_in(sector)
    scaled = (grid - (price.mean[:, None] + premium_hs)) / beliefs.price_sd[:, None]
    plain = normal_cdf(scaled)
    worth = integral(plain, step)
    same = price is beliefs.price
    usual = (
        worth
        if same
        else integral(normal_cdf(scaled + (price.mean - beliefs.price.mean)[:, None] / beliefs.price_sd[:, None]), step)
    )
    axed = normal_cdf(scaled + terms.axe_gain_hs / beliefs.price_sd[:, None])
    alone = logit(beliefs.response.mean)
    return QuoteOdds(
        grid=grid,
        step=step,
        plain=plain,
        axed=axed,
        worth_usual=usual,
        worth_plain=worth,
        worth_axed=integral(axed, step),
        logit_plain=alone,
        logit_axed=alone + terms.axe_logit,
        crowd_logit=terms.crowd_logit,
    )


def integral(values: Floats, step: float) -> Floats:
    """Integrate over the grid by the trapezium rule, along the last axis."""
    return np.asarray((values.sum(axis=-1) - 0.5 * (values[..., 0] + values[..., -1])) * step, dtype=np.float64)
