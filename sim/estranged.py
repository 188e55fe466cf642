"""What the models do not assume, in one place for the vendors' files and the closed loops: a misspecified world.

Quotes err together and with heavy tails, answers fail when prices move, winners leak too, and axes have seasons.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sim.behaviour import Asked, Draws

Floats = npt.NDArray[np.float64]

# A winner's propensity to leak, as a share of what it has where it loses.
WINNERS_LEAK = 0.5
_HEAVY_DEGREES, _HEAVY_BOUND = 2.5, 6.0
_OWN_ERROR, _COMMON_ERROR = 0.8, 0.6
_CALM_LOGIT, _MOVE_LOGIT = 0.4, -0.6
_SEASON_DAYS, _SEASON_SWING = 21, 0.9


def draw_heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Draw errors with tails so heavy that they hardly have a variance."""
    return np.asarray(rng.standard_t(_HEAVY_DEGREES, shape) / np.sqrt(2 * _HEAVY_DEGREES), dtype=np.float64)


def estranged(draws: Draws, asked: Asked, heavy: Floats, shock: Floats) -> tuple[Draws, Asked]:
    """Let quotes err together and heavily, and fewer answer when the price moves.

    ``shock`` has mean 0 and standard deviation 1 and is the same for every dealer of an order; all shapes alike but for that.
    """
    error = _OWN_ERROR * np.clip(heavy, -_HEAVY_BOUND, _HEAVY_BOUND) + _COMMON_ERROR * shock
    logit = asked.response_logit + _CALM_LOGIT + _MOVE_LOGIT * np.abs(shock)
    return replace(draws, error=error), replace(asked, response_logit=logit)


def season(day: npt.ArrayLike) -> Floats:
    """Give how often axes begin on a day, over how often they do on the whole: from 0.1 to 1.9."""
    return np.asarray(1 + _SEASON_SWING * np.sin(2 * np.pi * np.asarray(day, dtype=np.float64) / _SEASON_DAYS), dtype=np.float64)
