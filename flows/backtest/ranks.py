"""Do ranks tell of the future, and do they stay? Spearman's rank correlation, class by class."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from scipy.stats import rankdata, spearmanr  # type: ignore[import-untyped]  # ships no types

from flows.backtest.picks import Compared
from flows.backtest.scoring import Period
from flows.bootstrap import Days, Estimate, Floats

_FEWEST_DEALERS, _FEWEST_RFQS = 4, 5


class RankFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``forecast``: the scores as of the first day against what each dealer then cost more than those it was asked with, over the
    whole span; 1 = foretold. ``stability``: the scores of one re-fit against the next; 1 = nobody moved.
    """

    name: str
    forecast: Estimate
    stability: float | None
    stability_by_refit: list[tuple[str, float | None]]


def rank_figures(name: str, periods: Sequence[Period], field: Compared, days: Days) -> RankFigures:
    """Give the rank figures of one challenger."""
    steps = [(later.since, _alike(earlier, later, name)) for earlier, later in pairwise(periods)]
    known = [figure for _, figure in steps if figure is not None]
    return RankFigures(
        name=name,
        forecast=_forecast(periods[0].standings.get(name, {}), field, days),
        stability=float(np.mean(known)) if known else None,
        stability_by_refit=steps,
    )


def _alike(earlier: Period, later: Period, name: str) -> float | None:
    """Give the mean rank correlation over classes of two re-fits, weighed by dealers."""
    before, after = earlier.standings.get(name, {}), later.standings.get(name, {})
    found, weights = [], []
    for label in sorted(before.keys() & after.keys()):
        both = sorted(before[label].keys() & after[label].keys())
        first, second = ([scores[label][dealer] for dealer in both] for scores in (before, after))
        if len(both) >= _FEWEST_DEALERS and np.ptp(first) > 0 and np.ptp(second) > 0:
            found.append(float(spearmanr(first, second).statistic))
            weights.append(len(both))
    return float(np.average(found, weights=weights)) if found else None


def _forecast(standings: dict[str, dict[str, float]], field: Compared, days: Days) -> Estimate:
    blocks = []
    for label, scores in sorted(standings.items()):
        dealers = sorted(scores)
        excess, count = _excess(label, dealers, field, days)
        enough = count.sum(0) >= _FEWEST_RFQS
        if enough.sum() >= _FEWEST_DEALERS:
            ranked = rankdata(np.array([-scores[dealer] for dealer in dealers])[enough])
            blocks.append((ranked, excess[:, enough], count[:, enough]))
    if not blocks:
        return Estimate(None, None, None, 0, days.count)
    n = int(sum(count.sum() for _, _, count in blocks))

    def figure(weights: Floats) -> Floats:
        parts = [_correlations(ranked, (weights @ excess) / np.maximum(weights @ count, 1e-9)) for ranked, excess, count in blocks]
        return np.average(parts, axis=0, weights=[len(ranked) for ranked, _, _ in blocks])

    return days.of(figure, n, days.count)


def _excess(label: str, dealers: Sequence[str], field: Compared, days: Days) -> tuple[Floats, Floats]:
    """Add up, by day and dealer, what each cost more than the mean of those asked with it, and how often it was asked."""
    place = {dealer: column for column, dealer in enumerate(dealers)}
    excess, count = (np.zeros((len(field.rfqs), len(dealers))) for _ in range(2))
    for row, (item, costs) in enumerate(zip(field.rfqs, field.charged, strict=True)):
        if item.rfq.scorecard_class != label:
            continue
        for dealer, cost in zip(item.rfq.dealers, costs - costs.mean(), strict=True):
            if dealer in place:
                excess[row, place[dealer]] += cost
                count[row, place[dealer]] += 1
    return days.sums(excess), days.sums(count)


def _correlations(ranked: Floats, costs: Floats) -> Floats:
    """Correlate one ranking with each row's ranking."""
    others = rankdata(costs, axis=1)
    centred, others = ranked - ranked.mean(), others - others.mean(1, keepdims=True)
    scale = np.sqrt((centred**2).sum() * (others**2).sum(1))
    return np.asarray(np.where(scale > 0, others @ centred / np.where(scale > 0, scale, 1.0), np.nan), dtype=np.float64)
