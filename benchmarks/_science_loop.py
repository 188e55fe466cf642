"""The closed loop: each evening every policy's own log goes through the compiled SQL and the fits, each morning it decides anew."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from benchmarks._science_days import Rows
from benchmarks._science_market import Asking, Result, settle
from benchmarks._science_policies import CLASSES, Chooser, Policy, beliefs_of, oracle, with_truth
from benchmarks._science_report import area_under_curve, calibration
from benchmarks._science_sql import ScienceSql
from flows.fit_beliefs import evening, figures_of, morning
from flows.fit_dealers import Answers, Prices
from flows.fit_leaks import leaks_of
from flows.fit_state import Day, Knobs, State
from serve.domain.market import METRICS, Scorecards
from serve.domain.rules import Pick
from serve.domain.scoring import score
from serve.domain.selection import Ranked, select
from serve.domain.spec import spec_of
from serve.domain.tables import floats
from sim.lab import LAB_CLASSES, SECTORS, Conditions, Lab, LabDay
from sim.lab_answers import answered
from sim.randomness import stream

Floats = npt.NDArray[np.float64]
HISTORY = 0
CHECKED = "expected_utility"
PLANTED = 0.2
_FOUR = 4
_SEED = {"fill_rate": 0.30, "price_improvement": 0.40, "information_leakage": 0.20, "response_speed": 0.10}


@dataclass
class Mind:
    """What a policy has learnt."""

    policy: Policy
    mark: int
    state: State | None = None
    believed: tuple[Answers, Prices] | None = None


class Loop:
    """One kind of world, many worlds and policies. ``run`` gives utility by policy and world, mean per order."""

    def __init__(self, conditions: Conditions, seeds: Sequence[int], policies: Sequence[Policy], sql: ScienceSql) -> None:
        self.lab = Lab(conditions, list(seeds))
        self.sql, self.conditions = sql, conditions
        self.worlds, self.dealers = len(self.lab.seeds), self.lab.dealers
        self.minds = [Mind(policy, mark) for mark, policy in enumerate(policies, start=1)]
        self.groups = self.worlds * CLASSES
        for mark in range(len(policies) + 1):
            sql.add_dealers(mark, self.worlds, self.dealers)
        self.seed_marks = [mind.mark for mind in self.minds if mind.policy.kind == "seed"]
        for mark in self.seed_marks:
            sql.on_record(mark)
        self.wins = np.zeros((self.worlds, CLASSES, self.dealers))
        self.forecasts: list[tuple[Floats, Floats]] = []

    def warm_up(self, days: int) -> None:
        """Let everyone live through the same past: panels of three to six dealers, as the desk happened to ask."""
        states = {mind.policy.knobs: self._empty(mind.policy.knobs) for mind in self.minds if mind.policy.believes}
        for number in range(days):
            day = self.lab.day(number)
            told = self._told(number, day)
            result = settle(day, self._habit(number, day), HISTORY, alien=self.conditions.alien)
            self._count_wins(day, result)
            self.sql.day(number, result.log, result.rfqs, [HISTORY])
            learnt = self._learnt(HISTORY, told)
            for knobs, state in states.items():
                morning(state, told, knobs)
                evening(state, learnt, knobs)
        for mind in self.minds:
            if mind.policy.believes:
                mind.state = copy.deepcopy(states[mind.policy.knobs])
        for mark in self.seed_marks:
            self.sql.copy_cards(HISTORY, mark)

    def run(self, first: int, days: int) -> dict[str, Floats]:
        """Give each policy's mean utility per order by world, over all the days."""
        total = {mind.policy.name: np.zeros(self.worlds) for mind in self.minds}
        orders = np.zeros(self.worlds)
        for number in range(first, first + days):
            day = self.lab.day(number)
            told = self._told(number, day)
            results = [self._live(mind, number, day, told) for mind in self.minds]
            for mind, result in zip(self.minds, results, strict=True):
                np.add.at(total[mind.policy.name], day.world, result.utility)
            np.add.at(orders, day.world, 1)
            self._evening(number, results, told)
        return {name: sums / np.maximum(orders, 1) for name, sums in total.items()}

    def _live(self, mind: Mind, number: int, day: LabDay, told: Floats) -> Result:
        premium = mind.policy.premium
        asking = self._asking(mind, number, day, told)
        return settle(day, asking, mind.mark, alien=self.conditions.alien, premium=premium)

    def _asking(self, mind: Mind, number: int, day: LabDay, told: Floats) -> Asking:
        policy = mind.policy
        if policy.believes and mind.state is not None:
            morning(mind.state, told, policy.knobs)
            figures = figures_of(mind.state, policy.knobs)
            if policy.knows:
                figures = with_truth(figures, self.lab, number, policy.knows)
                mind.believed = (figures.answers, figures.prices)
            ids = [tuple(f"p{mind.mark:02d}w{w:03d}D{d:02d}" for d in range(self.dealers)) for w in range(self.worlds)]
            beliefs = [beliefs_of(figures, mind.state, told, group, ids[group // CLASSES]) for group in range(self.groups)]
            chooser = Chooser(policy, beliefs, number, len(day.world))
            asking = chooser.asking(day)
            if policy.name == CHECKED:
                self._check(chooser.said, asking, day)
            return asking
        if policy.kind == "oracle":
            return oracle(day)
        if policy.kind == "seed":
            return self._by_scorecards(number, day)
        if policy.kind == "random":
            return _first(-self._chance("random", number, day), np.full(len(day.world), _FOUR))
        wins = self.wins if policy.kind == "static_class" else self.wins.sum(1, keepdims=True).repeat(CLASSES, 1)
        return _first(wins[day.world, day.klass], np.full(len(day.world), _FOUR))

    def _by_scorecards(self, number: int, day: LabDay) -> Asking:
        """Rank by ``seed_v0`` on yesterday's scorecards and pick four, with the desk's own code."""
        table = self.sql.scorecards(number - 1)
        names = table["scorecard_class"]
        starts = [0, *np.flatnonzero(names[1:] != names[:-1]) + 1, len(names)]
        chosen: dict[tuple[int, int], list[int]] = {}
        spec = spec_of("seed_v0", 90, _SEED)
        for start, end in pairwise(starts):
            cards = _cards({key: cells[start:end] for key, cells in table.items()})
            total = score(cards, spec).total
            in_turn = np.argsort(-total, kind="stable").tolist()
            ranked = [
                Ranked(dealer_id=cards.dealer_ids[row], row=row, place=place, score=float(total[row]), tier=None)
                for place, row in enumerate(in_turn, start=1)
            ]
            picked = select(ranked, [Pick(take=_FOUR)], None, lambda _condition: ())
            world, klass = int(names[start][4:7]), LAB_CLASSES.index(names[start][7:])
            chosen[world, klass] = [int(item.dealer_id[8:]) for item in picked.chosen]
        mask = np.zeros(day.axe.shape, dtype=bool)
        for row, key in enumerate(zip(day.world.tolist(), day.klass.tolist(), strict=True)):
            mask[row, chosen.get(key, list(range(_FOUR)))] = True
        return Asking(mask, np.zeros_like(mask, dtype=np.int64))

    def _check(self, said: Floats, asking: Asking, day: LabDay) -> None:
        back = answered(day, asking.mask.sum(1).astype(float))
        told = asking.mask & ~np.isnan(said)
        self.forecasts.append((said[told], back.quoted[told].astype(float)))

    def checks(self, number: int) -> dict[str, str]:
        """Hold ``expected_utility`` against the truth as of a day: calibration of its forecasts, and whether it finds leakers."""
        if not self.forecasts:
            return {}
        said, happened = (np.concatenate(cells) for cells in zip(*self.forecasts, strict=True))
        brier, base, error = calibration(said, happened)
        mind = next(mind for mind in self.minds if mind.policy.name == CHECKED)
        assert mind.state is not None
        believed, true = leaks_of(mind.state, mind.policy.knobs).mean, self.lab.skill_of("leak", number)
        areas = [area_under_curve(believed[group], true[group] > PLANTED) for group in range(self.groups)]
        return {
            "Brier score of P(quote), against the base rate's": f"{brier:.4f} / {base:.4f}",
            "calibration error (ECE)": f"{error:.4f}",
            f"AUC of finding who leaks above {PLANTED:g}, mean over classes": f"{np.nanmean(areas):.3f}",
        }

    def _evening(self, number: int, results: list[Result], told: Floats) -> None:
        logged = [(m, r) for m, r in zip(self.minds, results, strict=True) if m.policy.believes or m.policy.kind == "seed"]
        if not logged:
            return
        log = {key: np.concatenate([result.log[key] for _, result in logged]) for key in logged[0][1].log}
        rfqs = {key: np.concatenate([result.rfqs[key] for _, result in logged]) for key in logged[0][1].rfqs}
        self.sql.day(number, log, rfqs, self.seed_marks)
        rows = Rows(self.sql, self.worlds, self.dealers)
        for mind, _ in logged:
            if mind.state is not None:
                evening(mind.state, rows.day_of(mind.mark, told), mind.policy.knobs, mind.believed)

    def _learnt(self, mark: int, told: Floats) -> Day:
        return Rows(self.sql, self.worlds, self.dealers).day_of(mark, told)

    def _told(self, number: int, day: LabDay) -> Floats:
        return self.sql.notices(number, day.told).reshape(self.groups, SECTORS, 2, self.dealers)

    def _habit(self, number: int, day: LabDay) -> Asking:
        pull = np.log(self.lab.skill["reach"][day.world, :, day.klass])
        panels = np.stack([stream(seed, "panel", number).integers(3, 7, 400) for seed in self.lab.seeds])
        place = np.arange(len(day.world)) - np.searchsorted(day.world, day.world)
        return _first(pull - np.log(-np.log(self._chance("habit", number, day))), panels[day.world, place])

    def _chance(self, purpose: str, number: int, day: LabDay) -> Floats:
        counts = np.bincount(day.world, minlength=self.worlds)
        drawn = [stream(s, purpose, number).random((c, self.dealers)) for s, c in zip(self.lab.seeds, counts, strict=True)]
        return np.concatenate(drawn)

    def _count_wins(self, day: LabDay, result: Result) -> None:
        won = result.log["outcome"] == 0
        rfq = result.log["rfq"][won]
        np.add.at(self.wins, (day.world[rfq], day.klass[rfq], result.log["dealer"][won]), 1)

    def _empty(self, knobs: Knobs) -> State:
        return State.empty((self.groups, SECTORS, self.dealers), knobs)


def _first(worth: Floats, counts: Floats) -> Asking:
    place = np.argsort(np.argsort(-worth, axis=1, kind="stable"), axis=1)
    mask = place < counts[:, None]
    return Asking(mask, np.zeros_like(mask, dtype=np.int64))


def _cards(table: dict[str, npt.NDArray[np.generic]]) -> Scorecards:
    def figures(suffix: str) -> Floats:
        return np.column_stack([floats(table[f"{m}{suffix}"]) for m in METRICS])

    size = len(table["dealer_id"])
    counts = np.zeros(size, dtype=np.int64)
    return Scorecards(
        scorecard_class=str(table["scorecard_class"][0]),
        asset_class=str(table["asset_class"][0]),
        window_days=90,
        half_life_days=0,
        dealer_ids=tuple(table["dealer_id"].tolist()),
        raw=figures(""),
        n=figures("_n").astype(np.int64),
        low=figures("_low"),
        high=figures("_high"),
        score=figures("_score"),
        composite=np.zeros(size),
        rank_share=np.zeros(size),
        asked=counts, quoted=counts, declined=counts, timed_out=counts, rejected=counts, won=counts,
    )  # fmt: skip
