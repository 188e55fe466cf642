"""What RFQs cost by how many were asked, and what was expected against what came."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from flows.backtest.scoring import ScoredRfq
from flows.bootstrap import Days, Estimate, Floats

_BINS = 5
_FEWEST = 20


class ByCount(msgspec.Struct, frozen=True, kw_only=True):
    """RFQs to so many dealers: the best quote's cost and the drift afterwards (bps, positive = against us), and the share of RFQs
    in which somebody quoted.
    """

    dealers: int
    best_quote_bps: Estimate
    impact_bps: Estimate
    quoted_share: Estimate


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """A pre-trade figure against what came, bps. ``slope`` is how much came for each basis point expected, by least squares
    (1 = as told); ``bins`` pair the mean expected with the mean that came, by size of what was expected.
    """

    what: str
    expected_bps: Estimate
    came_bps: Estimate
    difference_bps: Estimate
    slope: Estimate
    bins: list[tuple[float, float, int]]


def cost_by_count(scored: Sequence[ScoredRfq], days: Days) -> list[ByCount]:
    """Sum up by the number of dealers asked."""
    counts = np.array([len(item.rfq.dealers) for item in scored])
    best = _figures(scored, lambda item: min((cost for cost in item.rfq.quoted_bps if cost is not None), default=None))
    impact = _figures(scored, lambda item: item.rfq.impact_bps)
    return [
        ByCount(
            dealers=int(count),
            best_quote_bps=days.mean(np.where(counts == count, best, np.nan)),
            impact_bps=days.mean(np.where(counts == count, impact, np.nan)),
            quoted_share=days.mean(np.where(counts == count, np.isfinite(best).astype(np.float64), np.nan)),
        )
        for count in np.unique(counts)
    ]


def expected_against_came(scored: Sequence[ScoredRfq], days: Days) -> list[Expected]:
    """Hold the expected cost against what executions cost, and the expected impact against what came after them."""
    pairs = {
        "cost": (lambda item: item.expected_cost_bps, lambda item: item.rfq.executed_bps),
        "impact": (
            lambda item: item.expected_impact_bps,
            lambda item: item.rfq.impact_bps if item.rfq.executed_bps is not None else None,
        ),
    }  # type: dict[str, tuple[Callable[[ScoredRfq], float | None], Callable[[ScoredRfq], float | None]]]
    found = []
    for what, (told, came) in pairs.items():
        expected, seen = _figures(scored, told), _figures(scored, came)
        both = np.isfinite(expected) & np.isfinite(seen)
        if both.sum() >= _FEWEST:
            found.append(_expected(what, np.where(both, expected, np.nan), np.where(both, seen, np.nan), days))
    return found


def _expected(what: str, expected: Floats, came: Floats, days: Days) -> Expected:
    return Expected(
        what=what,
        expected_bps=days.mean(expected),
        came_bps=days.mean(came),
        difference_bps=days.mean(came - expected),
        slope=_slope(expected, came, days),
        bins=_bins(expected, came),
    )


def _slope(expected: Floats, came: Floats, days: Days) -> Estimate:
    both = np.isfinite(expected)
    x, y = np.where(both, expected, 0.0), np.where(both, came, 0.0)
    sums = days.sums(np.column_stack([both, x, y, x * y, x * x]).astype(np.float64))

    def figure(weights: Floats) -> Floats:
        n, sx, sy, sxy, sxx = (weights @ sums).T
        spread = n * sxx - sx * sx
        return np.asarray(np.where(spread > 0, (n * sxy - sx * sy) / np.where(spread > 0, spread, 1.0), np.nan), dtype=np.float64)

    return days.of(figure, int(both.sum()), days.count)


def _bins(expected: Floats, came: Floats) -> list[tuple[float, float, int]]:
    known = np.flatnonzero(np.isfinite(expected))
    groups = np.array_split(known[np.argsort(expected[known], kind="stable")], _BINS)
    return [(float(expected[group].mean()), float(came[group].mean()), len(group)) for group in groups if len(group)]


def _figures(scored: Sequence[ScoredRfq], figure: Callable[[ScoredRfq], float | None]) -> Floats:
    return np.array([np.nan if (value := figure(item)) is None else value for item in scored], dtype=np.float64)
