"""What if another challenger had chosen the list? Estimates from lists that were chosen partly by lot, and whose chance is logged.

Self-normalised inverse propensity scoring (Swaminathan and Joachims 2015) and doubly robust estimation (Dudik, Langford and Li
2011). A reward is the best quote's gain over not trading, bps. Where too few RFQs speak for a challenger, it is not answered for.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from flows.backtest.charges import NOT_TRADING_HS
from flows.backtest.scoring import ScoredRfq
from flows.bootstrap import Days, Estimate, Floats

FEWEST_EFFECTIVE = 30.0
_CERTAIN = 1.0


class OffPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One challenger. ``effective_n`` is (sum of weights) squared over the sum of their squares; ``snips_bps`` and ``robust_bps``
    the reward per RFQ had it chosen, ``logged_bps`` as it was; ``refused`` says why there is no answer.
    """

    name: str
    effective_n: float
    n: int
    logged_bps: Estimate | None = None
    snips_bps: Estimate | None = None
    robust_bps: Estimate | None = None
    refused: str | None = None


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """RFQs as arrays: ``reward`` in bps; ``weight`` is 1 / propensity where the challenger would have asked the same list, else 0;
    ``told`` and ``told_own`` what a model expects of the logged list and of the challenger's own.
    """

    days: list[str]
    reward: list[float]
    weight: list[float]
    told: list[float]
    told_own: list[float]


def off_policy(name: str, scored: Sequence[ScoredRfq]) -> OffPolicy:
    """Estimate one challenger's reward from the RFQs whose list was chosen with a logged chance below 1."""
    drawn = [item for item in scored if item.rfq.propensity is not None and item.rfq.half_spread_bps]
    if all((item.rfq.propensity or _CERTAIN) >= _CERTAIN for item in drawn):
        why = "no list was left to chance: propensities are not logged, or all are 1 (exploration is off)"
        return OffPolicy(name=name, effective_n=0.0, n=len(drawn), refused=why)
    return estimates(name, _logged(name, drawn))


def estimates(name: str, logged: Logged) -> OffPolicy:
    """Estimate from arrays; refuses below thirty effective observations."""
    weight, reward = np.array(logged.weight), np.array(logged.reward)
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
    if effective < FEWEST_EFFECTIVE:
        why = (
            f"{effective:.0f} effective observations, fewer than {FEWEST_EFFECTIVE:.0f}: its lists were hardly ever asked; "
            "explore more or wait longer"
        )
        return OffPolicy(name=name, effective_n=effective, n=len(reward), refused=why)
    days = Days(logged.days)
    told, own = _fitted(np.array(logged.told), np.array(logged.told_own), reward)
    return OffPolicy(
        name=name,
        effective_n=effective,
        n=len(reward),
        logged_bps=days.mean(reward),
        snips_bps=days.ratio(weight * reward, weight, int((weight > 0).sum())),
        robust_bps=_robust(days, weight, reward - told, own),
    )


def _robust(days: Days, weight: Floats, left: Floats, own: Floats) -> Estimate:
    """Add the weighted mean of what the model left unexplained to what it expects of the challenger's own lists."""
    sums = days.sums(np.column_stack([weight * left, weight, own, np.ones(len(own))]))

    def figure(draws: Floats) -> Floats:
        unexplained, weights, expected, count = (draws @ sums).T
        return np.asarray(expected / count + np.where(weights > 0, unexplained / np.where(weights > 0, weights, 1.0), 0.0))

    return days.of(figure, len(own), days.count)


def _fitted(told: Floats, own: Floats, reward: Floats) -> tuple[Floats, Floats]:
    """Put what was told on the reward's scale by least squares; any such model keeps the estimate honest, a good one sharp."""
    spread = float(np.var(told))
    slope = float(np.cov(told, reward, bias=True)[0, 1]) / spread if spread > 0 else 0.0
    level = float(reward.mean() - slope * told.mean())
    return level + slope * told, level + slope * own


def _logged(name: str, drawn: Sequence[ScoredRfq]) -> Logged:
    views = [item.views[name] for item in drawn]
    same = [_same(item, view.asks) for item, view in zip(drawn, views, strict=True)]
    return Logged(
        days=[item.rfq.day.isoformat() for item in drawn],
        reward=[_reward(item) for item in drawn],
        weight=[float(match) / (item.rfq.propensity or _CERTAIN) for item, match in zip(drawn, same, strict=True)],
        told=[view.worth_asked for view in views],
        told_own=[view.worth_own for view in views],
    )


def _same(item: ScoredRfq, asks: Sequence[str]) -> bool:
    """Say whether a challenger would have asked these; in a whisper the order is part of the list."""
    return list(asks) == item.rfq.dealers if item.rfq.sequential else sorted(asks) == sorted(item.rfq.dealers)


def _reward(item: ScoredRfq) -> float:
    outside = NOT_TRADING_HS * (item.rfq.half_spread_bps or 0.0)
    best = min((cost for cost in item.rfq.quoted_bps if cost is not None), default=outside)
    return outside - min(best, outside)
