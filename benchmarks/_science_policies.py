"""The policies that are compared: what each believes, and whom it asks. Learners use the code that the desk uses."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from benchmarks._science_market import Asking, whisper
from expectations.contracts.vocabulary import Side
from flows.fit_beliefs import Figures
from flows.fit_dealers import logistic, logit
from flows.fit_state import Knobs, State
from serve.domain.beliefs import Beliefs, ClassTerms, Figure
from serve.domain.expected_utility import Utility, best_set, utility
from serve.domain.exploration import Exploration, explore
from serve.domain.quote_odds import QuoteOdds, odds_of
from serve.domain.scorecard import card, usual_count
from serve.domain.whisper import course
from sim.lab import (
    IMPACT_HS,
    LAB_CLASSES,
    OUTSIDE_HS,
    REFERENCE_NOISE_HS,
    SECTORS,
    TIMEOUT_S,
    UNFILLED_HS,
    Lab,
    LabDay,
    timely_share,
)
from sim.lab_answers import answered, true_response
from sim.traits import CROWD_LOGIT, USUAL_PANEL

Floats = npt.NDArray[np.float64]
CLASSES = len(LAB_CLASSES)
MOST = 8
EVERYTHING = frozenset({"answers", "prices", "leaks"})
EXPLORING = Exploration(share=0.10)
SIDES = (Side.BUY, Side.SELL)
Tweak = Callable[[Beliefs], Beliefs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``kind`` says how it chooses; ``fade`` and ``premium`` what whispering meets; ``tweak`` takes a part of the beliefs away,
    ``knows`` (of ``EVERYTHING``) puts the truth in its place.
    """

    name: str
    kind: str
    knobs: Knobs = field(default_factory=Knobs)
    fade: float = 0.0
    premium: float = 0.0
    tweak: Tweak | None = None
    take: int | None = None
    knows: frozenset[str] = frozenset()

    @property
    def believes(self) -> bool:
        """Say whether it learns by the fold."""
        return self.kind in {"scorecard", "utility", "whisper", "explore"}


def beliefs_of(figures: Figures, state: State, told: Floats, group: int, ids: tuple[str, ...]) -> Beliefs:
    """Give one class of one world as the desk would read it from a snapshot."""
    f, g = figures, group
    terms = ClassTerms(
        scorecard_class=ids[0][:7] + LAB_CLASSES[g % CLASSES],
        half_spread_bps=float(f.half_spread_bps[g]),
        response=float(f.answers.class_rate[g]),
        price_hs=float(f.prices.class_mean[g]),
        price_sd_hs=float(f.prices.sd[g].mean()),
        leak_hs=float(f.leaks.class_mean[g]),
        axe_gain_hs=float(f.prices.gain[g]),
        impact_hs=float(f.impact[g]),
        fade=float(f.fade[g]),
        premium_hs=float(f.premium[g]),
    )
    none = np.zeros(len(ids))

    def figure(mean: Floats) -> Figure:
        return Figure(mean[g], none, none, none)

    cells = {(f"S{s}", SIDES[b]): (s, b) for s in range(SECTORS) for b in range(2)}
    return Beliefs(
        terms=terms,
        dealer_ids=ids,
        response=figure(logistic(f.answers.logit)),
        price=figure(f.prices.mean),
        price_sd=f.prices.sd[g],
        leak=figure(f.leaks.mean),
        axe_gain=figure(f.axe_gain),
        card_response=figure(f.card_response),
        card_price=figure(f.card_price),
        card_leak=figure(f.leaks.mean / np.maximum(f.impact, 0.05)[:, None]),
        axes={key: state.axe[g, s, b] for key, (s, b) in cells.items()},
        advertised={key: told[g, s, b] for key, (s, b) in cells.items()},
        sector_prices={f"S{s}": figure(f.prices.sector_mean[:, s]) for s in range(SECTORS)},
        sector_card_prices={f"S{s}": figure(f.card_sector_price[:, s]) for s in range(SECTORS)},
    )


class Chooser:
    """A policy's beliefs of one day, laid out once per class and world."""

    def __init__(self, policy: Policy, beliefs: list[Beliefs], number: int, orders: int) -> None:
        self._policy, self._number = policy, number
        self.said = np.full((orders, len(beliefs[0].dealer_ids)), np.nan)
        self._beliefs = [policy.tweak(item) for item in beliefs] if policy.tweak else beliefs
        self._odds: dict[tuple[int, int], QuoteOdds] = {}

    def asking(self, day: LabDay) -> Asking:
        """Choose for every order of the day."""
        if self._policy.kind == "whisper":
            return self._whispers(day)
        mask = np.zeros(day.axe.shape, dtype=bool)
        for row in range(len(mask)):
            mask[row, self._pick(day, row)] = True
        return Asking(mask, np.zeros_like(mask, dtype=np.int64))

    def _pick(self, day: LabDay, row: int) -> list[int]:
        beliefs = self._beliefs[day.world[row] * CLASSES + day.klass[row]]
        if self._policy.kind == "scorecard":
            points = card(beliefs, f"S{day.sector[row]}", SIDES[day.side[row]]).total
            return [int(row) for row in np.argsort(-points, kind="stable")[: usual_count(beliefs)]]
        view = self._view(day, row)
        if self._policy.take:
            return [int(row) for row in np.argsort(-view.alone, kind="stable")[: self._policy.take]]
        everyone = range(len(view.alone))
        chosen = best_set(view, everyone, MOST)
        if self._policy.kind == "explore" and day.relative_size[row] < 1:
            chosen = explore(view, chosen, everyone, EXPLORING, f"{self._number}:{row}").rows
        self._forecast(view, row, chosen)
        return chosen

    def _forecast(self, view: Utility, row: int, chosen: list[int]) -> None:
        """Keep what was said of the chances that the chosen quote, to be held against what they did."""
        odds, crowd = view.odds, view.odds.crowd_logit * (len(chosen) - 1)
        axe = view.axe[chosen]
        plain, axed = logistic(odds.logit_plain[chosen] + crowd), logistic(odds.logit_axed[chosen] + crowd)
        self.said[row, chosen] = (1 - axe) * plain + axe * axed

    def _view(self, day: LabDay, row: int) -> Utility:
        group = int(day.world[row] * CLASSES + day.klass[row])
        beliefs = self._beliefs[group]
        key, sector = (group, int(day.sector[row])), f"S{day.sector[row]}"
        if key not in self._odds:
            premium = beliefs.terms.premium_hs if self._policy.kind == "whisper" else 0.0
            self._odds[key] = odds_of(beliefs, sector, premium)
        return utility(beliefs, sector, SIDES[day.side[row]], self._odds[key])

    def _whispers(self, day: LabDay) -> Asking:
        mask = np.zeros(day.axe.shape, dtype=bool)
        faded, order = np.zeros_like(mask), np.zeros_like(mask, dtype=np.int64)
        back = answered(day, np.ones(len(mask)), self._policy.premium)
        chance = self._policy.fade
        life = np.floor(np.log(day.draws.fade) / np.log(1 - chance)) if chance else np.full(mask.shape, np.inf)
        for row in range(len(mask)):
            view = self._view(day, row)
            steps = course(view, range(len(view.alone)), MOST)
            asked, dead = whisper(day, back, row, steps, life[row])
            mask[row, asked], order[row, asked] = True, np.arange(len(asked))
            faded[row, dead] = True
        return Asking(mask, order, whispered=True, faded=faded)


def true_beliefs(day: LabDay, axe: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Give the truth, orders x dealers: response alone, mean quote with the part not quoted, its spread, leak in half-spreads."""
    asked = day.asked
    response = true_response(day, axe, np.ones(len(axe)))
    partial = 1 - asked.full_size
    mean = asked.cost_hs + UNFILLED_HS * 0.525 * partial - asked.axe_gain_hs * axe
    spread = np.sqrt(asked.cost_sd**2 + (UNFILLED_HS * 0.525) ** 2 * partial * (1 - partial))
    return response, mean, spread, day.leak * IMPACT_HS[day.klass][:, None]


def with_truth(figures: Figures, lab: Lab, number: int, known: frozenset[str] = EVERYTHING) -> Figures:
    """Put the true parameters in place of the fitted ones, of the parts ``known``; axes are still inferred."""
    skill = {n: lab.skill_of(n, number) for n in ("response_logit", "cost_hs", "cost_sd", "axe_gain_hs", "latency_s", "leak")}
    groups = np.arange(len(skill["leak"]))
    own = {name: np.repeat(lab.own[name], CLASSES, axis=0) for name in ("full_size", "sigma")}
    klass = groups % CLASSES
    alone = logistic(skill["response_logit"] + CROWD_LOGIT * (1 - USUAL_PANEL))
    response = alone * timely_share(skill["latency_s"], own["sigma"], TIMEOUT_S[klass])
    partial = 1 - own["full_size"]
    mean = skill["cost_hs"] + UNFILLED_HS * 0.525 * partial
    spread = np.sqrt(skill["cost_sd"] ** 2 + (UNFILLED_HS * 0.525) ** 2 * partial * (1 - partial) + REFERENCE_NOISE_HS**2)
    leak = skill["leak"] * IMPACT_HS[klass][:, None]
    answers = replace(figures.answers, logit=logit(response), rate=response)
    prices = replace(
        figures.prices, mean=mean, sector_mean=mean[:, None].repeat(SECTORS, 1), sd=spread, gain=skill["axe_gain_hs"].mean(1)
    )
    return replace(
        figures,
        answers=answers if "answers" in known else figures.answers,
        prices=prices if "prices" in known else figures.prices,
        leaks=replace(figures.leaks, mean=leak) if "leaks" in known else figures.leaks,
    )


def oracle(day: LabDay) -> Asking:
    """Ask the best set by the truth, axes included."""
    response, mean, spread, leak = true_beliefs(day, day.axe)
    mask = np.zeros(day.axe.shape, dtype=bool)
    ids = tuple(f"D{dealer:02d}" for dealer in range(day.axe.shape[1]))
    terms = ClassTerms(scorecard_class="", half_spread_bps=None, axe_base=0.0, outside_hs=OUTSIDE_HS)
    none: Floats = np.zeros(len(ids))
    blank = Figure(none, none, none, none)
    for row in range(len(mask)):
        known = Beliefs(
            terms=terms,
            dealer_ids=ids,
            response=replace(blank, mean=response[row]),
            price=replace(blank, mean=mean[row]),
            price_sd=spread[row],
            leak=replace(blank, mean=leak[row]),
            axe_gain=blank,
            card_response=blank,
            card_price=blank,
            card_leak=blank,
        )
        view = utility(known, None, None)
        mask[row, best_set(view, range(len(ids)), MOST)] = True
    return Asking(mask, np.zeros_like(mask, dtype=np.int64))
