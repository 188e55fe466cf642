"""Are the chances to quote what they say they are? Brier score, calibration error, and a reliability table."""

from collections.abc import Sequence

import msgspec
import numpy as np

from flows.backtest.scoring import ScoredRfq
from flows.bootstrap import Days, Estimate, Floats

_BINS = 10


class Bin(msgspec.Struct, frozen=True):
    """Chances that lie together: their mean, how often it then came true, and how many."""

    told: float
    seen: float
    n: int


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """``brier`` is the mean squared error of the chances, ``brier_base`` that of the class's share over the span (which no
    forecaster could know); ``ece`` the mean distance between told and seen over bins of equal counts.
    """

    name: str
    brier: Estimate
    brier_base: Estimate
    ece: Estimate
    bins: list[Bin]


def calibration(name: str, scored: Sequence[ScoredRfq]) -> Calibration | None:
    """Hold a challenger's chances against who quoted; ``None`` where it gives none."""
    told, seen, labels, dates = [], [], [], []
    for item in scored:
        for chance, quoted in zip(item.views[name].chances, item.rfq.quoted_bps, strict=False):
            if chance >= 0:
                told.append(chance)
                seen.append(float(quoted is not None))
                labels.append(item.rfq.scorecard_class)
                dates.append(item.rfq.day.isoformat())
    if not told:
        return None
    days, chances, came = Days(dates), np.array(told), np.array(seen)
    return Calibration(
        name=name,
        brier=days.mean((chances - came) ** 2),
        brier_base=days.mean((_shares(labels, came) - came) ** 2),
        ece=_ece(chances, came, days),
        bins=_bins(chances, came),
    )


def _shares(labels: Sequence[str], came: Floats) -> Floats:
    names, place = np.unique(np.array(labels), return_inverse=True)
    return (np.bincount(place, came) / np.bincount(place, minlength=len(names)))[place]


def _edges(chances: Floats) -> Floats:
    return np.asarray(np.unique(np.quantile(chances, np.linspace(0, 1, _BINS + 1)[1:-1])), dtype=np.float64)


def _bins(chances: Floats, came: Floats) -> list[Bin]:
    place = np.searchsorted(_edges(chances), chances, side="right")
    groups = [place == number for number in np.unique(place)]
    return [Bin(float(chances[group].mean()), float(came[group].mean()), int(group.sum())) for group in groups]


def _ece(chances: Floats, came: Floats, days: Days) -> Estimate:
    place = np.searchsorted(_edges(chances), chances, side="right")
    inside = (place[:, None] == np.unique(place)[None, :]).astype(np.float64)
    gap, total = days.sums(inside * (chances - came)[:, None]), days.sums(np.ones(len(chances)))
    return days.of(lambda weights: np.abs(weights @ gap).sum(1) / (weights @ total), len(chances), days.count)
