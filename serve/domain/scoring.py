"""``seed_v0``, the weighted sum of M-11, and the parts that a score of any model is shown by."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from expectations.contracts.vocabulary import Metric
from serve.domain.market import COLUMN, METRICS, Floats, Scorecards
from serve.domain.spec import ScoreSpec

# Where a whole class has no RFQs there is no mean to stand in: no gain, no reversion, no credit for anything else.
NEUTRAL: Mapping[Metric, float] = {
    metric: 1.0 if metric in {Metric.PRICE_IMPROVEMENT, Metric.INFORMATION_LEAKAGE} else 0.0 for metric in METRICS
}


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a score: ``contribution`` = weight x score, and contributions add up to the whole.

    ``metric`` is a metric of ``seed_v0`` or a term of a fitted model; ``raw``, ``low`` and ``high`` are in ``unit``.
    """

    metric: str
    raw: float | None
    unit: str
    n: int
    score: float
    weight: float
    contribution: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of every dealer of a scorecard set: ``contributions`` is dealers x weights, ``total`` their sum from left to right."""

    contributions: Floats
    total: Floats


def score(cards: Scorecards, spec: ScoreSpec) -> Scores:
    """Add up weight x component score per dealer (``seed_v0``, M-11)."""
    columns = [COLUMN[metric] for metric, _ in spec.metrics]
    contributions = cards.score[:, columns] * np.array([weight for _, weight in spec.weights])
    total = np.zeros(len(cards.dealer_ids))
    # Column by column rather than a pairwise sum: whoever adds the parts in the answer gets the same last digit.
    for column in range(contributions.shape[1]):
        total = total + contributions[:, column]
    return Scores(contributions, total)


def covering(cards: Scorecards | None, key: tuple[str, int, int], dealer_ids: tuple[str, ...]) -> Scorecards:
    """Give scorecards with a row for each of ``dealer_ids``; who is missing has no observations and the class's mean scores.

    ``key`` is the scorecard class, the window and the half-life, both in days.
    """
    if cards is not None and cards.dealer_ids == dealer_ids:
        return cards
    size = len(dealer_ids)
    neutral = np.array([NEUTRAL[metric] for metric in METRICS])
    mean = neutral if cards is None or not len(cards.dealer_ids) else cards.score.mean(axis=0)
    take = np.array([-1 if cards is None else cards.row.get(dealer_id, -1) for dealer_id in dealer_ids], dtype=np.int64)
    known = take >= 0

    def spread(source: Floats | None, fill: Floats | float, shape: tuple[int, ...]) -> Floats:
        out = np.empty(shape)
        out[:] = fill
        if source is not None:
            out[known] = source[take[known]]
        return out

    table, column = (size, len(METRICS)), (size,)
    old = cards
    counts = {
        name: spread(getattr(old, name, None), 0.0, column).astype(np.int64)
        for name in ("asked", "quoted", "declined", "timed_out", "rejected", "won")
    }
    return Scorecards(
        scorecard_class=key[0],
        asset_class=old.asset_class if old else key[0],
        window_days=key[1],
        half_life_days=key[2],
        dealer_ids=dealer_ids,
        raw=spread(old.raw if old else None, np.nan, table),
        n=spread(old.n.astype(np.float64) if old else None, 0.0, table).astype(np.int64),
        low=spread(old.low if old else None, np.nan, table),
        high=spread(old.high if old else None, np.nan, table),
        score=spread(old.score if old else None, mean, table),
        composite=spread(old.composite if old else None, np.nan, column),
        rank_share=spread(old.rank_share if old else None, np.nan, column),
        **counts,
    )


def known(value: float) -> float | None:
    """Give a figure, ``None`` where it is not known (NaN)."""
    return None if math.isnan(value) else float(value)
