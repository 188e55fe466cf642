"""Intervals clustered by day: RFQs of one day share their market, so days are drawn, not RFQs (Efron and Tibshirani 1993)."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 2_000
_SEED = 20_260_101


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval, and the observations and days behind it; ``None`` = not enough to say."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    days: int

    @property
    def is_tie(self) -> bool:
        """Say whether nothing lies within the interval: a difference that may as well be none."""
        return self.low is None or self.high is None or self.low <= 0.0 <= self.high


class Days:
    """The same draws of days for every figure, so that differences between two of them are paired."""

    def __init__(self, days: Sequence[str], draws: int = DRAWS) -> None:
        """``days`` names the day of each observation."""
        names, self._place = np.unique(np.asarray(days, dtype=str), return_inverse=True)
        self.count = len(names)
        # One day that nothing was observed on stands for none at all, from which nothing can be drawn.
        even = np.full(max(self.count, 1), 1 / max(self.count, 1))
        self._weights = np.random.default_rng(_SEED).multinomial(self.count, even, size=draws).astype(np.float64)

    def sums(self, values: Floats) -> Floats:
        """Add values up by day; a row per day. ``values`` has an observation per row."""
        out = np.zeros((self.count, *values.shape[1:]))
        np.add.at(out, self._place, values)
        return out

    def mean(self, values: Floats) -> Estimate:
        """Estimate a mean over observations; NaN = does not count."""
        counts = np.isfinite(values)
        return self.ratio(np.where(counts, values, 0.0), counts.astype(np.float64), int(counts.sum()))

    def ratio(self, above: Floats, below: Floats, n: int) -> Estimate:
        """Estimate the ratio of two sums over observations."""
        tops, bottoms = self.sums(above), self.sums(below)
        return self.of(lambda weights: _divided(weights @ tops, weights @ bottoms), n, int((bottoms > 0).sum()))

    def of(self, figure: Callable[[Floats], Floats], n: int, days: int) -> Estimate:
        """Estimate any figure that hangs on how often each day counts (draws x days); NaN = it cannot be told."""
        if not self.count:
            return Estimate(None, None, None, n, days)
        value = float(figure(np.ones((1, self.count)))[0])
        drawn = figure(self._weights)
        drawn = drawn[np.isfinite(drawn)]
        if not np.isfinite(value):
            return Estimate(None, None, None, n, days)
        if days < 2 or not len(drawn):
            return Estimate(value, None, None, n, days)
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Estimate(value, float(low), float(high), n, days)


def _divided(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan), dtype=np.float64)


def floats(cells: object) -> Floats:
    """Give a column as the database has it, with NULL as NaN."""
    filled: Floats = np.ma.filled(np.ma.asarray(cells, dtype=np.float64), np.nan)
    return filled
