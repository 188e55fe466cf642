"""Scores: one interface for models, and ``seed_v0``, the weighted sum of M-11."""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from expectations.contracts.snapshot import HALF_LIVES_DAYS, WINDOWS_DAYS
from expectations.contracts.vocabulary import METRIC_UNITS, Metric
from serve.domain.market import COLUMN, METRICS, Floats, Scorecards

WEIGHTS_TOLERANCE = 1e-9
# Where a whole class has no RFQs there is no mean to stand in: no gain, no reversion, no credit for anything else.
NEUTRAL: Mapping[Metric, float] = {
    metric: 1.0 if metric in {Metric.PRICE_IMPROVEMENT, Metric.INFORMATION_LEAKAGE} else 0.0 for metric in METRICS
}


class ScoringError(ValueError):
    """A model, window or set of weights that cannot be used; the message says which and what to write instead."""


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One metric's part in a score: ``contribution`` = weight x score. ``raw``, ``low`` and ``high`` are in ``unit``."""

    metric: Metric
    raw: float | None
    unit: str
    n: int
    score: float
    weight: float
    contribution: float
    low: float | None
    high: float | None


class ScoreSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to score by: weights add up to 1 and stand in the order in which contributions are added.

    ``half_life_days`` = 0: every observation of the window weighs the same.
    """

    model: str
    window_days: int
    weights: tuple[tuple[Metric, float], ...]
    half_life_days: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of every dealer of a scorecard set: ``contributions`` is dealers x weights, ``total`` their sum from left to right."""

    contributions: Floats
    total: Floats


Model = Callable[[Scorecards, ScoreSpec], Scores]


def seed_v0(cards: Scorecards, spec: ScoreSpec) -> Scores:
    """Add up weight x component score per dealer (M-11)."""
    columns = [COLUMN[metric] for metric, _ in spec.weights]
    contributions = cards.score[:, columns] * np.array([weight for _, weight in spec.weights])
    total = np.zeros(len(cards.dealer_ids))
    # Column by column rather than a pairwise sum: whoever adds the parts in the answer gets the same last digit.
    for column in range(contributions.shape[1]):
        total = total + contributions[:, column]
    return Scores(contributions, total)


MODELS: Mapping[str, Model] = {"seed_v0": seed_v0}


def score(cards: Scorecards, spec: ScoreSpec) -> Scores:
    """Score every dealer of the set by the model that ``spec`` names."""
    return MODELS[spec.model](cards, spec)


def spec_of(
    model: str, window_days: int, weights: Mapping[str, float], *, half_life_days: int = 0, renormalise: bool = False
) -> ScoreSpec:
    """Check a model, window, half-life and weights. Raises ``ScoringError`` naming what is wrong and the nearest valid choice."""
    if model not in MODELS:
        raise ScoringError(f"unknown model {model!r}{_nearest(model, MODELS)}; there are: {', '.join(MODELS)}")
    if window_days not in WINDOWS_DAYS:
        raise ScoringError(f"window {window_days}d is not kept; use one of {', '.join(f'{days}d' for days in WINDOWS_DAYS)}")
    if half_life_days not in HALF_LIVES_DAYS:
        kept = ", ".join(f"{days}d" for days in HALF_LIVES_DAYS if days)
        raise ScoringError(f"half_life {half_life_days}d is not kept; use one of {kept}, or leave it out")
    if not weights:
        raise ScoringError("weights are empty; name at least one metric")
    for name, weight in weights.items():
        if name not in METRICS:
            raise ScoringError(f"unknown metric {name!r}{_nearest(name, METRICS)}; there are: {', '.join(METRICS)}")
        if not 0 < weight < math.inf:
            raise ScoringError(f"the weight of {name} must be above 0, not {weight}")
    total = math.fsum(weights.values())
    if abs(total - 1) > WEIGHTS_TOLERANCE and not renormalise:
        raise ScoringError(f"weights add up to {total:.4g}, not 1; correct them or say 'renormalise: true'")
    divisor = total if renormalise else 1.0
    return ScoreSpec(
        model=model,
        window_days=window_days,
        weights=tuple((Metric(name), weight / divisor) for name, weight in weights.items()),
        half_life_days=half_life_days,
    )


def components(cards: Scorecards, spec: ScoreSpec, scores: Scores, row: int) -> list[Component]:
    """Take one dealer's score apart."""
    return [
        Component(
            metric=metric,
            raw=_known(cards.raw[row, COLUMN[metric]]),
            unit=METRIC_UNITS[metric],
            n=int(cards.n[row, COLUMN[metric]]),
            score=float(cards.score[row, COLUMN[metric]]),
            weight=weight,
            contribution=float(scores.contributions[row, place]),
            low=_known(cards.low[row, COLUMN[metric]]),
            high=_known(cards.high[row, COLUMN[metric]]),
        )
        for place, (metric, weight) in enumerate(spec.weights)
    ]


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


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _nearest(name: str, choices: object) -> str:
    near = difflib.get_close_matches(name, [str(choice) for choice in choices], n=1)  # type: ignore[attr-defined]
    return f" (did you mean {near[0]!r}?)" if near else ""
