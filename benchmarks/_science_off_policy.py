"""How far off-policy estimates lie from the truth, in worlds where what another policy would have brought is known.

A desk asks three of the eight dealers that it knows best, two times in five by lot, else by habit; the chance is logged. What
is wanted is what ``expected_utility`` would have brought with the beliefs of the first day, axes apart. The estimates are those
of the back-test; the truth is the mean over many other chances of the same orders. An error counts as a share of the gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from benchmarks._science_loop import Loop
from benchmarks._science_policies import CLASSES, SIDES, Policy, beliefs_of
from benchmarks._science_sql import ScienceSql
from flows.backtest.off_policy import Logged, estimates
from flows.fit_beliefs import figures_of
from flows.fit_state import State
from serve.domain.expected_utility import utility, worth_of
from sim.behaviour import draw
from sim.lab import OUTSIDE_HS, SECTORS, Conditions, Lab, LabDay
from sim.lab_answers import answered, half_spread_bps
from sim.randomness import stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIELD, ASKED = 8, 3
LISTS = np.array(list(combinations(range(FIELD), ASKED)))
_BY_LOT, _HABIT = 0.4, 1.5
_PAST_DAYS, _RFQS_A_DAY, _OTHER_CHANCES = 60, 100, 10
_DRAWS = 2_000


@dataclass
class Log:
    """One world's log so far: what ``Logged`` holds, and the rewards, under other chances, of both policies."""

    days: list[str]
    reward: list[Floats]
    weight: list[Floats]
    told: list[Floats]
    own: list[Floats]
    wanted: list[Floats]
    as_logged: list[Floats]

    def logged(self, rfqs: int) -> Logged:
        """Give the first so many RFQs as the back-test takes them."""
        cells = (self.reward, self.weight, self.told, self.own)
        reward, weight, told, own = (np.concatenate(parts)[:rfqs].tolist() for parts in cells)
        return Logged(days=self.days[:rfqs], reward=reward, weight=weight, told=told, told_own=own)

    def gap(self, rfqs: int) -> tuple[float, float]:
        """Give what the wanted policy truly brings, and how much more that is than what was asked."""
        wanted, as_logged = (float(np.concatenate(parts)[:rfqs].mean()) for parts in (self.wanted, self.as_logged))
        return wanted, wanted - as_logged


def off_policy_table(conditions: Conditions, seeds: Sequence[int], sizes: Sequence[int]) -> str:
    """Lay out the mean error over worlds for logs of so many RFQs, with its 95 % interval over worlds."""
    logs = _lived(conditions, seeds, max(sizes))
    lines = [
        "## off-policy estimates",
        "",
        f"{len(logs)} {conditions.name} worlds; {ASKED} of {FIELD} dealers asked, {_BY_LOT:.0%} by lot;",
        "mean error over the gap between the policies.",
        "",
        "| RFQs logged | effective, median | doubly robust | SNIPS | worlds not answered for |",
        "|---|---|---|---|---|",
    ]
    for size in sizes:
        found = [_errors(log, size) for log in logs]
        known = [item for item in found if item is not None]
        told = " | ".join(_interval([getattr(item, name) for item in known]) for name in ("robust", "snips"))
        effective = f"{np.median([item.effective_n for item in known]):.0f}" if known else "-"
        lines.append(f"| {size:,} | {effective} | {told} | {len(found) - len(known)} |")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Error:
    robust: float
    snips: float
    effective_n: float


def _errors(log: Log, rfqs: int) -> _Error | None:
    told = estimates("expected_utility", log.logged(rfqs))
    if told.snips_bps is None or told.robust_bps is None or told.snips_bps.value is None or told.robust_bps.value is None:
        return None
    wanted, gap = log.gap(rfqs)
    robust, snips = (abs(value - wanted) / abs(gap) for value in (told.robust_bps.value, told.snips_bps.value))
    return _Error(robust, snips, told.effective_n)


def _interval(errors: Sequence[float]) -> str:
    if not errors:
        return "-"
    drawn = np.random.default_rng(1).choice(errors, (_DRAWS, len(errors))).mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{np.mean(errors):.1%} [{low:.1%}, {high:.1%}]"


def _lived(conditions: Conditions, seeds: Sequence[int], rfqs: int) -> list[Log]:
    """Let every world learn from a past, then log enough RFQs."""
    busier = replace(conditions, rfqs_per_day=_RFQS_A_DAY)
    with TemporaryDirectory() as folder:
        loop = Loop(conditions, list(seeds), [Policy(name="expected_utility", kind="utility")], ScienceSql(Path(folder)))
        loop.warm_up(_PAST_DAYS)
        worths = _worths(loop)
    lab = Lab(busier, list(seeds))
    logs = [Log([], [], [], [], [], [], []) for _ in seeds]
    number = 0
    while min(len(log.days) for log in logs) < rfqs:
        _log_day(lab, lab.day(number), number, worths, logs)
        number += 1
    return logs


@dataclass(frozen=True)
class _Worths:
    """By world x class: ``field``, who may be asked; ``chance`` of each list; and by sector its ``worth``, half-spreads."""

    field: Ints
    chance: Floats
    worth: Floats


def _worths(loop: Loop) -> _Worths:
    mind = loop.minds[0]
    assert isinstance(mind.state, State)
    figures, told = figures_of(mind.state, mind.policy.knobs), np.zeros_like(mind.state.axe)
    reach = np.log(np.moveaxis(loop.lab.skill["reach"], 1, 2).reshape(loop.groups, loop.dealers))
    field = np.sort(np.argsort(-reach, axis=1)[:, :FIELD], axis=1)
    habit = np.exp(np.take_along_axis(reach, field, 1)[:, LISTS].sum(-1) * _HABIT)
    chance = _BY_LOT / len(LISTS) + (1 - _BY_LOT) * habit / habit.sum(1, keepdims=True)
    worth = np.empty((loop.groups, SECTORS, len(LISTS)))
    for group in range(loop.groups):
        beliefs = beliefs_of(figures, mind.state, told, group, tuple(f"w000000D{dealer}" for dealer in range(loop.dealers)))
        beliefs = replace(beliefs, axes={})
        for sector in range(SECTORS):
            view = utility(beliefs, f"S{sector}", SIDES[0])
            worth[group, sector] = [worth_of(view, field[group, chosen].tolist()) for chosen in LISTS]
    return _Worths(field, chance, worth)


def _log_day(lab: Lab, day: LabDay, number: int, worths: _Worths, logs: list[Log]) -> None:
    group, spread = day.world * CLASSES + day.klass, half_spread_bps(day)
    chance, worth = worths.chance[group], worths.worth[group, day.sector]
    rng = stream(lab.seeds[0], "off-policy", number)
    drawn, own = _by_chance(rng, chance), worth.argmax(1)
    rows = np.arange(len(group))
    wanted, as_logged = np.zeros(len(group)), np.zeros(len(group))
    for _ in range(_OTHER_CHANCES):
        other = replace(day, draws=draw(rng, day.axe.shape))
        wanted += _rewards(other, worths.field[group], own) * spread / _OTHER_CHANCES
        as_logged += _rewards(other, worths.field[group], _by_chance(rng, chance)) * spread / _OTHER_CHANCES
    cells = {
        "reward": _rewards(day, worths.field[group], drawn) * spread,
        "weight": (drawn == own) / chance[rows, drawn],
        "told": worth[rows, drawn] * spread,
        "own": worth[rows, own] * spread,
        "wanted": wanted,
        "as_logged": as_logged,
    }
    for place, log in enumerate(logs):
        mine = day.world == place
        log.days += [f"{number:05d}"] * int(mine.sum())
        for name, column in cells.items():
            getattr(log, name).append(column[mine])


def _by_chance(rng: np.random.Generator, chance: Floats) -> Ints:
    """Draw a list for each order."""
    return np.asarray((rng.random((len(chance), 1)) > np.cumsum(chance, 1)).sum(1).clip(max=len(LISTS) - 1), dtype=np.int64)


def _rewards(day: LabDay, field: Ints, lists: Ints) -> Floats:
    """Give what the best quote of each order's list saves against not trading, half-spreads."""
    back = answered(day, np.full(len(lists), float(ASKED)))
    asked = np.take_along_axis(field, LISTS[lists], 1)
    cost = np.where(back.quoted, back.worth_hs, OUTSIDE_HS)
    return np.asarray(OUTSIDE_HS - np.minimum(np.take_along_axis(cost, asked, 1).min(1), OUTSIDE_HS), dtype=np.float64)
