"""Weights proposed from history: searched on the first two thirds of the days, told on the last third. A person approves, or not.

What the search cannot see it does not touch: leaks do not show in quotes, so the weight of the leak stays as it is.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import msgspec
import numpy as np
import yaml

from flows.backtest.picks import Compared, compared
from flows.backtest.scoring import Period
from flows.bootstrap import Days, Estimate, Floats
from serve.domain.advise import Desk
from serve.domain.spec import SEED, ScoreSpec

HELD = frozenset({"leak", "information_leakage"})
_BONUS = "axe"
_SHARE_TO_SEARCH = 2 / 3
_STEPS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
_FEWEST_DAYS = 10


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Other weights for one challenger. ``test_gain_hs`` is their gain over today's weights on days that the search has not seen,
    half-spreads; ``verdict``: better, worse or tie; ``draft`` is a rule book's text to hand in as a draft.
    """

    name: str
    weights_now: dict[str, float]
    weights: dict[str, float]
    searched_to: str
    train_gain_hs: Estimate
    test_gain_hs: Estimate
    verdict: str
    draft: str


def propose(challengers: Mapping[str, Desk], periods: Sequence[Period], book_text: str) -> list[Proposal]:
    """Search weights for every challenger that has some and no rules. ``book_text`` is the rule book that drafts are made from."""
    field = compared([item for period in periods for item in period.rfqs])
    names = sorted({item.rfq.day.isoformat() for item in field.rfqs})
    if len(names) < _FEWEST_DAYS:
        return []
    cut = names[int(len(names) * _SHARE_TO_SEARCH)]
    plain = {
        name: desk.book.default.score
        for name, desk in challengers.items()
        if desk.book.default.score.weights and not desk.book.selects
    }
    return [_proposal(name, spec, field, cut, book_text) for name, spec in plain.items()]


def _proposal(name: str, spec: ScoreSpec, field: Compared, cut: str, book_text: str) -> Proposal:
    days, scale = np.array([item.rfq.day.isoformat() for item in field.rfqs]), _scales(field)
    learnt = days < cut
    now = _gains(name, np.ones(len(spec.weights)), field) / scale
    best = max(_factors(spec), key=lambda factors: float(np.nanmean((_gains(name, factors, field) / scale)[learnt])))
    ahead = _gains(name, best, field) / scale - now
    test = Days(days[~learnt].tolist()).mean(ahead[~learnt])
    weights = _weights(spec, best)
    return Proposal(
        name=name,
        weights_now=dict(spec.weights),
        weights=weights,
        searched_to=cut,
        train_gain_hs=Days(days[learnt].tolist()).mean(ahead[learnt]),
        test_gain_hs=test,
        verdict="tie" if test.is_tie or test.value is None else "better" if test.value > 0 else "worse",
        draft=draft_of(book_text, spec, weights),
    )


def _factors(spec: ScoreSpec) -> list[Floats]:
    """List by what to multiply each weight: the parts that quotes speak of, the others as they are; today's first."""
    free = [place for place, (name, _) in enumerate(spec.weights) if name not in HELD]
    found = [np.ones(len(spec.weights))]
    for steps in product(_STEPS, repeat=len(free)):
        if any(step for step, place in zip(steps, free, strict=True) if spec.weights[place][0] != _BONUS):
            factors = np.ones(len(spec.weights))
            factors[free] = steps
            found.append(factors * _to_one(spec, factors))
    return found


def _to_one(spec: ScoreSpec, factors: Floats) -> Floats:
    """Give what brings the searched weights back to the sum they have now: those that are held, and the axe's bonus, stay."""
    searched = np.array([name not in HELD | {_BONUS} for name, _ in spec.weights])
    weights = np.array([weight for _, weight in spec.weights])
    total = float((weights * factors)[searched].sum())
    return np.where(searched, float(weights[searched].sum()) / total if total else 0.0, 1.0)


def _weights(spec: ScoreSpec, factors: Floats) -> dict[str, float]:
    """Give weights that add up to 1, the axe's bonus apart; a part of weight 0 is left out."""
    raw = {name: round(weight * float(factor), 4) for (name, weight), factor in zip(spec.weights, factors, strict=True)}
    kept = {name: weight for name, weight in raw.items() if weight > 0 or name == _BONUS}
    first = next(name for name in kept if name not in HELD | {_BONUS})
    kept[first] = round(kept[first] + 1 - sum(weight for name, weight in kept.items() if name != _BONUS), 4)
    return kept


def _gains(name: str, factors: Floats, field: Compared) -> Floats:
    """Give each RFQ's gain of the pick by re-weighed parts, bps; NaN where the challenger knows nobody."""
    found = np.full(len(field.rfqs), np.nan)
    for place, (item, costs) in enumerate(zip(field.rfqs, field.charged, strict=True)):
        parts = item.views[name].parts
        if parts:
            found[place] = costs.mean() - costs[int(np.argmax(np.array(parts) @ factors))]
    return found


def _scales(field: Compared) -> Floats:
    return np.array([item.rfq.half_spread_bps or np.nan for item in field.rfqs])


def draft_of(book_text: str, spec: ScoreSpec, weights: Mapping[str, float]) -> str:
    """Put weights into the default score of a rule book's text; every other letter stays as it was."""
    root = yaml.compose(book_text, Loader=yaml.SafeLoader)
    if root is None:
        raise ValueError("the rule book is empty")
    default = next(value for key, value in root.value if key.value == "default")
    score = next(value for key, value in default.value if key.value == "score")
    listed = ", ".join(f"{name}: {weight:g}" for name, weight in weights.items())
    window = f"window: {spec.window_days}d, " if spec.model == SEED else ""
    written = f"{{model: {spec.model}, {window}weights: {{{listed}}}}}"
    return book_text[: score.start_mark.index] + written + book_text[score.end_mark.index :]
