"""What a fold over days carries: sums with decay, and what is believed of axes. By group (class), sector, side, dealer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SIDES = ("BUY", "SELL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """Priors and forgetting. Pseudo-observations are counts; HS are half-spreads; the sources are in docs/guides/scoring.md.

    ``*_prior`` are pseudo-observations, ``sector_prior`` the least of a dealer's mean over all sectors in each of them;
    ``day_correlation`` how alike quotes of one dealer, sector and day are; ``leak_spread`` how far leaks (as a propensity) differ
    between dealers, ``leak_beta`` their prior; ``axe_*`` the daily filter: pull towards the base rate, chance that an axe is
    advertised, the largest log-ratio one day's answers may add; ``alarm_*`` a move of a dealer's quotes that is looked for, how
    sure one must be of it (a log-ratio), and what then is left of its past quotes.
    """

    half_life_days: float = 90.0
    leak_half_life_days: float = 180.0
    response_prior: float = 16.0
    price_prior: float = 2.5
    sector_prior: float = 10.0
    day_correlation: float = 0.15
    sd_prior: float = 8.0
    sd_start_hs: float = 0.41
    axe_base: float = 0.08
    axe_pull: float = 0.2
    axe_told: float = 0.8
    axe_standing: float = 0.25
    axe_alone: float = 0.05
    axe_alone_prior: float = 20.0
    axe_cap: float = 3.0
    axe_logit: float = 1.0
    axe_gain_hs: float = 0.35
    axe_gain_prior: float = 6.0
    told_prior: float = 10.0
    alarm_shift_hs: float = 0.3
    alarm_bound: float = 6.0
    alarm_keeps: float = 0.15
    crowd_logit: float = -0.15
    card_prior: float = 6.0
    response_start: float = 0.7
    price_start_hs: float = 0.7
    leak_start_hs: float = 0.06
    leak_start_sd: float = 0.06
    leak_spread: float = 0.12
    leak_beta: tuple[float, float] = (0.6, 5.0)
    intercept_sd: float = 0.02
    leak_propensity: float = 0.107
    outside_hs: float = 1.5


@dataclass(slots=True)
class Day:
    """One day's statistics. Cells are groups x sectors x sides x dealers; ``lost`` groups x dealers x dealers."""

    asked: Floats
    answered: Floats
    further: Floats
    quote_n: Floats
    quote_sum: Floats
    quote_squares: Floats
    told: Floats
    whisper_n: Floats
    whisper_sum: Floats
    steps_open: Floats
    faded: Floats
    half_spread_sum: Floats
    lost: Floats
    drift: Floats
    rfqs: Floats
    rfq_drift: Floats
    rfq_squares: Floats


# Groups x sectors x sides x dealers; groups x dealers; groups.
_CELLS, _OWN, _CLASS = ("axe",), (), ()


@dataclass(slots=True)
class State:
    """Sums so far. Mutable, because a fold over years of days copies nothing that it need not.

    Per cell: ``axe``, the probability of an axe. Per sector and dealer: ``sector_*``, quotes in which those of one day count for
    fewer, because they err together. Per dealer: counts and sums of answers and quotes (``price_*`` net of the
    axe's gain, ``raw_sum`` as quoted), what was advertised without an axe, quotes of a dealer that advertised; ``alarm_*``
    how much speaks for quotes that have moved up or down.
    Per class: the regression of quotes on axes, whispers, the normal equations of leaks.
    """

    axe: Floats
    sector_n: Floats
    sector_sum: Floats
    sector_raw: Floats
    asked: Floats
    answered: Floats
    further: Floats
    axe_asked: Floats
    price_n: Floats
    price_sum: Floats
    price_squares: Floats
    raw_sum: Floats
    alone_n: Floats
    alone_told: Floats
    told_n: Floats
    told_gain: Floats
    alarm_up: Floats
    alarm_down: Floats
    whisper_n: Floats
    whisper_sum: Floats
    gain_xx: Floats
    gain_xy: Floats
    half_spread_n: Floats
    half_spread_sum: Floats
    steps_open: Floats
    faded: Floats
    lost: Floats
    drift: Floats
    rfqs: Floats
    rfq_drift: Floats
    rfq_squares: Floats

    @classmethod
    def empty(cls, shape: tuple[int, int, int], knobs: Knobs) -> "State":
        """Give the state of somebody who has seen nothing: ``shape`` is groups, sectors, dealers."""
        groups, sectors, dealers = shape
        own: dict[str, Any] = {
            name: np.zeros((groups, dealers))
            for name in (
                "asked", "answered", "further", "axe_asked", "price_n", "price_sum", "price_squares", "raw_sum", "alone_n",
                "alone_told", "told_n", "told_gain", "alarm_up", "alarm_down", "whisper_n", "whisper_sum", "drift",
            )
        }  # fmt: skip
        whole: dict[str, Any] = {
            name: np.zeros(groups)
            for name in (
                "gain_xx", "gain_xy", "half_spread_n", "half_spread_sum", "steps_open", "faded", "rfqs", "rfq_drift",
                "rfq_squares",
            )
        }  # fmt: skip
        cells = {name: np.zeros((groups, sectors, dealers)) for name in ("sector_n", "sector_sum", "sector_raw")}
        return cls(
            axe=np.full((groups, sectors, 2, dealers), knobs.axe_base),
            **cells,
            lost=np.zeros((groups, dealers, dealers)),
            **own,
            **whole,
        )

    def forget(self, knobs: Knobs) -> None:
        """Let a day pass: what was seen weighs less."""
        keep, keep_leak = 0.5 ** (1 / knobs.half_life_days), 0.5 ** (1 / knobs.leak_half_life_days)
        for name in (
            "asked", "answered", "further", "axe_asked", "price_n", "price_sum", "price_squares", "raw_sum", "alone_n",
            "alone_told", "told_n", "told_gain", "whisper_n", "whisper_sum", "gain_xx", "gain_xy", "half_spread_n",
            "half_spread_sum", "steps_open", "faded", "sector_n", "sector_sum", "sector_raw",
        ):  # fmt: skip
            getattr(self, name).__imul__(keep)
        for name in ("lost", "drift", "rfqs", "rfq_drift", "rfq_squares"):
            getattr(self, name).__imul__(keep_leak)
