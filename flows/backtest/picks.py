"""Did the pick beat those it was asked with? Every figure against the mean of those asked, in one RFQ at a time.

A dealer that did not quote is charged what not trading costs, one and a half half-spreads, or the worst quote of the RFQ where
that is more: the same for the pick as for those it is held against. RFQs in which nobody quoted tell nothing and are counted.
"""

from collections.abc import Sequence
from itertools import combinations

import msgspec
import numpy as np

from flows.backtest.charges import charged_costs
from flows.backtest.scoring import ScoredRfq
from flows.bootstrap import Days, Estimate, Floats

RANDOM = "random"
_CLOSE_BPS = 1e-9


class Uplift(msgspec.Struct, frozen=True, kw_only=True):
    """One challenger's picks. ``gain_bps`` is the mean cost of those asked less the pick's, positive = the pick was better;
    ``best_share`` how often no one asked was better, ``best_share_random`` the same for a pick by lot; ``quoted_share`` how
    often the pick quoted; ``top_share`` the part of all picks that fell on one dealer, ``top_dealer``.
    """

    name: str
    gain_bps: Estimate
    gain_hs: Estimate
    best_share: Estimate
    best_share_random: Estimate
    quoted_share: Estimate
    top_dealer: str | None
    top_share: float | None


class Versus(msgspec.Struct, frozen=True, kw_only=True):
    """Two challengers on the same RFQs: ``gain_bps`` is the first's gain less the second's; ``verdict`` names who is better."""

    first: str
    second: str
    gain_bps: Estimate
    verdict: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Every RFQ with two dealers or more that someone quoted on. ``charged``: costs by dealer asked, none missing."""

    rfqs: list[ScoredRfq]
    charged: list[Floats]
    alone: int
    unquoted: int


def compared(scored: Sequence[ScoredRfq]) -> Compared:
    """Choose the RFQs that can be compared, and charge those who did not quote."""
    kept, charged, alone, unquoted = [], [], 0, 0
    for item in scored:
        costs = charged_costs(item.rfq)
        if len(item.rfq.dealers) < 2:
            alone += 1
        elif costs is None:
            unquoted += 1
        else:
            kept.append(item)
            charged.append(costs)
    return Compared(rfqs=kept, charged=charged, alone=alone, unquoted=unquoted)


def gains(name: str, field: Compared) -> Floats:
    """Give each RFQ's gain of the pick over the mean of those asked, bps; NaN where the challenger knew nobody."""
    found = np.full(len(field.rfqs), np.nan)
    for place, (item, costs) in enumerate(zip(field.rfqs, field.charged, strict=True)):
        pick = item.views[name].pick
        if pick is not None:
            found[place] = costs.mean() - costs[item.rfq.dealers.index(pick)]
    return found


def uplift(name: str, field: Compared, days: Days) -> Uplift:
    """Sum up one challenger's picks."""
    gained = gains(name, field)
    halves = np.array([item.rfq.half_spread_bps or np.nan for item in field.rfqs])
    best, chance, quoted = (np.full(len(field.rfqs), np.nan) for _ in range(3))
    picks: list[str] = []
    for place, (item, costs) in enumerate(zip(field.rfqs, field.charged, strict=True)):
        pick = item.views[name].pick
        if pick is None:
            continue
        picks.append(pick)
        own = item.rfq.dealers.index(pick)
        is_best = costs <= costs.min() + _CLOSE_BPS
        best[place], chance[place] = is_best[own], is_best.mean()
        quoted[place] = item.rfq.quoted_bps[own] is not None
    top = max(sorted(set(picks)), key=picks.count, default=None)
    return Uplift(
        name=name,
        gain_bps=days.mean(gained),
        gain_hs=days.mean(gained / halves),
        best_share=days.mean(best),
        best_share_random=days.mean(chance),
        quoted_share=days.mean(quoted),
        top_dealer=top,
        top_share=picks.count(top) / len(picks) if top is not None else None,
    )


def versus(names: Sequence[str], field: Compared, days: Days) -> list[Versus]:
    """Hold every two challengers against each other; a difference inside its interval is a tie."""
    found = {name: gains(name, field) for name in names}
    return [_versus(first, second, days.mean(found[first] - found[second])) for first, second in combinations(names, 2)]


def _versus(first: str, second: str, gain: Estimate) -> Versus:
    better = "tie" if gain.is_tie or gain.value is None else first if gain.value > 0 else second
    return Versus(first=first, second=second, gain_bps=gain, verdict=better)


def gain_by_class(names: Sequence[str], field: Compared, days: Days) -> dict[str, dict[str, Estimate]]:
    """Give every challenger's gain by class, bps."""
    labels = np.array([item.rfq.scorecard_class for item in field.rfqs])
    return {
        str(label): {name: days.mean(np.where(labels == label, gains(name, field), np.nan)) for name in names}
        for label in np.unique(labels)
    }
