"""Priors proposed from history: each searched by itself on the first two thirds of the days, told on the last third.

Half-lives and priors of answers and quotes are searched by the log score of what came, that of leaks by the error of drifts. The
draft holds what was better on days that the search has not seen, and nothing else; a person puts it into force, or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import yaml

from flows.backtest.foretelling import NOW, SEARCHED, Foretold, candidates_of
from flows.backtest.scoring import Period
from flows.bootstrap import Days, Estimate, Floats
from flows.priors import Priors

_SHARE_TO_SEARCH = 2 / 3
_FEWEST_DAYS = 10
_LEAKS = "leak_half_life_days"
_BETTER = "better"


class PriorProposal(msgspec.Struct, frozen=True, kw_only=True):
    """Another value for one prior. ``train`` and ``test`` are what it foretells better than today's, per observation (``measure``),
    on the days searched and on unseen ones; ``test_gain_hs`` what its picks gain over today's there, half-spreads; ``verdict``:
    better, worse, tie, or keep (nothing was better where it was searched).
    """

    name: str
    now: float
    value: float
    measure: str
    searched_to: str
    train: Estimate
    test: Estimate
    test_gain_hs: Estimate
    verdict: str


def propose_priors(priors: Priors, periods: Sequence[Period]) -> list[PriorProposal]:
    """Search every prior; nothing below ten days."""
    lists = _by_candidate(periods)
    days = sorted({item.day for item in lists.get(NOW, [])})
    if len(days) < _FEWEST_DAYS:
        return []
    cut = days[int(len(days) * _SHARE_TO_SEARCH)]
    return [_searched(name, priors, lists, cut) for name in SEARCHED]


def draft_of_priors(text: str, proposals: Sequence[PriorProposal]) -> str | None:
    """Put what was better on unseen days into the text of ``priors.yml``, every other letter as it was; ``None`` = nothing was."""
    better = {item.name: item.value for item in proposals if item.verdict == _BETTER}
    if not better:
        return None
    root = yaml.compose(text, Loader=yaml.SafeLoader) if text.strip() else None
    places = {key.value: value for key, value in root.value} if root is not None else {}
    for name in sorted(better.keys() & places.keys(), key=lambda name: -places[name].start_mark.index):
        start, end = places[name].start_mark.index, places[name].end_mark.index
        text = f"{text[:start]}{better[name]:g}{text[end:]}"
    added = "".join(f"{name}: {value:g}\n" for name, value in better.items() if name not in places)
    return text if not added else f"{text.rstrip()}\n{added}".lstrip()


def _by_candidate(periods: Sequence[Period]) -> dict[str, list[Foretold]]:
    found: dict[str, list[Foretold]] = {}
    for period in periods:
        for name, told in period.foretold.items():
            found.setdefault(name, []).extend(told)
    return found


@dataclass(frozen=True)
class _Sums:
    """Of one candidate less today's priors, by day."""

    day: list[str]
    measure: Floats
    count: Floats
    gain: Floats
    picks: Floats


def _searched(name: str, priors: Priors, lists: dict[str, list[Foretold]], cut: str) -> PriorProposal:
    now = lists[NOW]
    tried = {key: getattr(other, name) for key, other in candidates_of(priors).items() if key.startswith(f"{name}=")}
    sums = {key: _less(lists[key], now, of_leaks=name == _LEAKS) for key in tried}
    learnt = np.array([item.day < cut for item in now])
    best = max(sums, key=lambda key: _mean(sums[key], learnt))
    keep = _mean(sums[best], learnt) <= 0
    train, test = (_estimate(sums[best], chosen) for chosen in (learnt, ~learnt))
    return PriorProposal(
        name=name,
        now=getattr(priors, name),
        value=getattr(priors, name) if keep else tried[best],
        measure="squared error of drift" if name == _LEAKS else "log score",
        searched_to=cut,
        train=train,
        test=test,
        test_gain_hs=_gained(sums[best], ~learnt),
        verdict="keep" if keep else _verdict(test),
    )


def _less(told: Sequence[Foretold], now: Sequence[Foretold], *, of_leaks: bool) -> _Sums:
    def measured(item: Foretold) -> float:
        return -item.drifts if of_leaks else item.answers + item.quotes

    return _Sums(
        day=[item.day for item in now],
        measure=np.array([measured(one) - measured(other) for one, other in zip(told, now, strict=True)]),
        count=np.array([float(item.drifted if of_leaks else item.asked) for item in now]),
        gain=np.array([one.gain_hs - other.gain_hs for one, other in zip(told, now, strict=True)]),
        picks=np.array([float(item.picks) for item in now]),
    )


def _mean(sums: _Sums, chosen: Floats) -> float:
    return float(sums.measure[chosen].sum() / max(sums.count[chosen].sum(), 1.0))


def _estimate(sums: _Sums, chosen: Floats) -> Estimate:
    days = Days([day for day, inside in zip(sums.day, chosen, strict=True) if inside])
    return days.ratio(sums.measure[chosen], sums.count[chosen], int(sums.count[chosen].sum()))


def _gained(sums: _Sums, chosen: Floats) -> Estimate:
    days = Days([day for day, inside in zip(sums.day, chosen, strict=True) if inside])
    return days.ratio(sums.gain[chosen], sums.picks[chosen], int(sums.picks[chosen].sum()))


def _verdict(test: Estimate) -> str:
    if test.is_tie or test.value is None:
        return "tie"
    return _BETTER if test.value > 0 else "worse"
