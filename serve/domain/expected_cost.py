"""What asking one list of dealers rather than another is expected to cost, from the scorecards' price improvement.

Of a list, dealer i is taken to be the one we trade with in proportion to its fill rate (equally, where no fill rate is known).
The list's expected gain is the mean of the dealers' price improvement so weighted; expected cost is its negative, in bps of
price against arrival. A dealer without a figure counts with its class's mean and the spread of the class. The 95 % interval
comes from the dealers' own intervals: se = (high - low) / 3.92, dealers independent of each other; a dealer who is in both lists
counts only with the difference of its weights, and one dealer's error is the same in every order that it appears in.
It speaks of price against arrival alone: not of leakage, nor of how many answer.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from expectations.contracts.vocabulary import Metric
from serve.domain.market import COLUMN, Scorecards

_GAIN, _FILL = COLUMN[Metric.PRICE_IMPROVEMENT], COLUMN[Metric.FILL_RATE]
_WIDTH_IN_SE = 2 * 1.96


class CostDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Mean expected cost of the second list less that of the first, bps; positive = the second costs more.

    ``low`` and ``high`` are the 95 % interval; ``orders`` were counted in, ``unknown`` had no figures to go by. ``None`` = no
    order had figures. ``verdict`` is ``tie`` where the interval holds zero.
    """

    bps: float | None
    low: float | None
    high: float | None
    orders: int
    unknown: int
    verdict: str


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One order's two lists, by which scorecards they are judged, and of which snapshot those are."""

    snapshot_id: str
    cards: Scorecards
    first: Sequence[str]
    second: Sequence[str]


class _Estimate(msgspec.Struct, frozen=True):
    gain: float
    se: float


def cost_difference(pairs: Sequence[Pair]) -> CostDifference:
    """Compare the second lists with the first over all orders."""
    weights: dict[tuple[str, str, int, int, str], float] = defaultdict(float)
    estimates: dict[tuple[str, str, int, int, str], _Estimate] = {}
    counted = 0
    for pair in pairs:
        shift, known = _shift(pair), _estimates(pair.cards, {*pair.first, *pair.second})
        if shift is None or known is None:
            continue
        counted += 1
        for dealer_id, weight in shift.items():
            cards = pair.cards
            key = (pair.snapshot_id, cards.scorecard_class, cards.window_days, cards.half_life_days, dealer_id)
            weights[key] += weight
            estimates[key] = known[dealer_id]
    if not counted:
        return CostDifference(bps=None, low=None, high=None, orders=0, unknown=len(pairs), verdict="unknown")
    mean = -math.fsum(weight * estimates[key].gain for key, weight in weights.items()) / counted
    error = 1.96 * math.sqrt(math.fsum((weight * estimates[key].se) ** 2 for key, weight in weights.items())) / counted
    low, high = mean - error, mean + error
    verdict = "tie" if low <= 0 <= high else "costs more" if low > 0 else "costs less"
    return CostDifference(bps=mean, low=low, high=high, orders=counted, unknown=len(pairs) - counted, verdict=verdict)


def _shift(pair: Pair) -> dict[str, float] | None:
    """Give each dealer's weight in the second list less that in the first; ``None`` where a list is empty."""
    if not pair.first or not pair.second:
        return None
    shift: dict[str, float] = defaultdict(float)
    for sign, listed in ((-1.0, pair.first), (1.0, pair.second)):
        for dealer_id, weight in _weights(pair.cards, listed).items():
            shift[dealer_id] += sign * weight
    return shift


def _weights(cards: Scorecards, listed: Sequence[str]) -> Mapping[str, float]:
    fills = np.array([cards.raw[cards.row[name], _FILL] if name in cards.row else math.nan for name in listed])
    known = fills[~np.isnan(fills)]
    filled = np.where(np.isnan(fills), known.mean() if known.size else 1.0, fills)
    total = float(filled.sum())
    shares = filled / total if total > 0 else np.full(len(listed), 1 / len(listed))
    return dict(zip(listed, shares.tolist(), strict=True))


def _estimates(cards: Scorecards, dealers: set[str]) -> dict[str, _Estimate] | None:
    gains = cards.raw[:, _GAIN]
    seen = gains[~np.isnan(gains)]
    if not seen.size:
        return None
    stand_in = _Estimate(float(seen.mean()), float(seen.std(ddof=1)) if seen.size > 1 else 0.0)
    found = {}
    for dealer_id in dealers:
        row = cards.row.get(dealer_id)
        if row is None or math.isnan(gains[row]):
            found[dealer_id] = stand_in
            continue
        width = float(cards.high[row, _GAIN] - cards.low[row, _GAIN])
        found[dealer_id] = _Estimate(float(gains[row]), stand_in.se if math.isnan(width) else width / _WIDTH_IN_SE)
    return found
