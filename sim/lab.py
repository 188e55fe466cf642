"""Worlds for closed loops: many at once, day by day, where every policy meets the same orders, axes and chances.

Dealers behave by ``behaviour`` as those of the vendors' files and of FIX do. What a policy does not know (skill, axes, leaks) is
here in the open, for oracles and for keeping score. Costs in half-spreads (HS) of the class for the size asked.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.behaviour import Asked, Draws, draw
from sim.dealers import Skill, draw_skill
from sim.estranged import draw_heavy, estranged, season
from sim.randomness import stream
from sim.traits import ADVERTISED_SHARE, AXE_BASE_RATE, CLASS_NAMES, CLASSES, MANUAL_SHARE

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

LAB_CLASSES = ("CORP_IG", "CORP_HY", "MUNI", "STRUCTURED")
SECTORS, SIDES = 3, 2
OUTSIDE_HS = 1.5
UNFILLED_HS = 0.6
_CLASS = np.array([CLASS_NAMES.index(name) for name in LAB_CLASSES])
_TRAITS = [CLASSES[index] for index in _CLASS]
_WARM_UP_DAYS = 20
# A class's orders: how often it is asked for.
_MIX = np.array([traits.share * traits.rfq_tilt for traits in _TRAITS])
HALF_SPREAD_BPS = np.array([sum(traits.half_spread_bps) / 2 for traits in _TRAITS])
IMPACT_HS = np.array([traits.impact_bps for traits in _TRAITS]) / HALF_SPREAD_BPS
TIMEOUT_S = np.array([traits.timeout_s for traits in _TRAITS])
# Half an hour of a day's volatility, and how far the reference lies from what dealers see, in half-spreads.
DRIFT_NOISE_HS = 0.25 * np.array([traits.daily_volatility_bps for traits in _TRAITS]) / HALF_SPREAD_BPS
REFERENCE_NOISE_HS = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One kind of world. ``shifts`` are days on which a fifth of all dealer and class pairs are drawn afresh.

    ``alien`` turns on what the models do not assume: heavy tails, quotes that err together, answers that fail when prices move,
    winners who leak too, and axes with seasons.
    """

    name: str
    rfqs_per_day: float
    shifts: tuple[int, ...] = ()
    leak_scale: float = 1.0
    skill_spread: float = 2.5
    alien: bool = False


@dataclass(frozen=True, slots=True)
class LabDay:
    """One day of all worlds; orders are rows. ``axe`` (0 or 1) and everything of ``asked`` is orders x dealers.

    ``told`` is what is advertised: worlds x classes x sectors x sides x dealers. ``skill_at`` picks a dealer's skill.
    """

    world: Ints
    klass: Ints
    sector: Ints
    side: Ints
    relative_size: Floats
    asked: Asked
    draws: Draws
    axe: Floats
    leak: Floats
    leak_draw: Floats
    leak_strength: Floats
    shock: Floats
    noise: Floats
    drift_noise: Floats
    told: Floats
    in_time: Floats


class Lab:
    """Worlds of one kind, one per seed; ``day`` must be called for each day in turn, starting at 0."""

    def __init__(self, conditions: Conditions, seeds: list[int], dealers: int = 24) -> None:
        self.conditions, self.seeds, self.dealers = conditions, seeds, dealers
        skills = [draw_skill(seed, dealers, 1 + len(conditions.shifts)) for seed in seeds]
        self.skill = {
            name: np.stack([getattr(skill, name) for skill in skills])[..., _CLASS]
            for name in ("response_logit", "cost_hs", "cost_sd", "axe_gain_hs", "latency_s", "leak", "reach")
        }
        usual = self.skill["cost_hs"].mean(axis=2, keepdims=True)
        self.skill["cost_hs"] = usual + conditions.skill_spread * (self.skill["cost_hs"] - usual)
        self.skill["leak"] = np.minimum(self.skill["leak"] * conditions.leak_scale, 0.95)
        self.own = {name: _stacked(skills, name) for name in ("sigma", "firm", "full_size", "fake", "axe_half_life_days")}
        self._axe = np.zeros((len(seeds), len(LAB_CLASSES), SECTORS, SIDES, dealers), dtype=bool)
        for day in range(-_WARM_UP_DAYS, 0):
            self._move_axes(day)

    def day(self, number: int) -> LabDay:
        """Live through a day."""
        self._move_axes(number)
        orders = [self._orders(place, number) for place in range(len(self.seeds))]
        world = np.repeat(np.arange(len(orders)), [len(order["relative_size"]) for order in orders])
        joined = {name: np.concatenate([order[name] for order in orders]) for name in orders[0] if name != "draws"}
        draws = Draws(*(np.concatenate([getattr(o["draws"], n) for o in orders]) for n in Draws.__dataclass_fields__))
        klass, sector, side = joined["klass"], joined["sector"], joined["side"]
        axe = self._axe[world, klass, sector, side].astype(np.float64)
        asked = self._asked(number, world, klass, joined["relative_size"], axe)
        if self.conditions.alien:
            draws, asked = estranged(draws, asked, joined["heavy"], joined["shock"][:, None])
        return LabDay(
            world=world,
            klass=klass,
            sector=sector,
            side=side,
            relative_size=joined["relative_size"],
            asked=asked,
            draws=draws,
            axe=axe,
            leak=self._at("leak", number, world, klass),
            leak_draw=joined["leak_draw"],
            leak_strength=joined["leak_strength"],
            shock=joined["shock"],
            noise=joined["noise"] * REFERENCE_NOISE_HS,
            drift_noise=joined["drift_noise"] * DRIFT_NOISE_HS[klass],
            told=self._told(number),
            in_time=timely_share(asked.latency_s, asked.sigma, TIMEOUT_S[klass]),
        )

    def regime(self, number: int) -> int:
        """Give how many shifts have been."""
        return sum(number >= day for day in self.conditions.shifts)

    def skill_of(self, name: str, number: int) -> Floats:
        """Give a figure of skill on a day, (worlds x classes) x dealers."""
        figures = self.skill[name][:, self.regime(number)]
        return np.asarray(np.moveaxis(figures, 1, 2).reshape(-1, self.dealers), dtype=np.float64)

    def _at(self, name: str, number: int, world: Ints, klass: Ints) -> Floats:
        return np.asarray(self.skill[name][world, self.regime(number), :, klass], dtype=np.float64)

    def _orders(self, place: int, number: int) -> dict[str, Any]:
        rng = stream(self.seeds[place], "lab", number)
        count = int(rng.poisson(self.conditions.rfqs_per_day))
        shape = (count, self.dealers)
        return {
            "klass": rng.choice(len(LAB_CLASSES), count, p=_MIX / _MIX.sum()),
            "sector": rng.integers(0, SECTORS, count),
            "side": rng.integers(0, SIDES, count),
            "relative_size": np.exp(rng.normal(0, 0.8, count)),
            "leak_draw": rng.random(shape),
            "leak_strength": rng.gamma(4, 0.25, shape),
            "shock": rng.normal(0, 1, count),
            "noise": rng.normal(0, 1, count),
            "drift_noise": rng.standard_t(4, count) / np.sqrt(2),
            "heavy": draw_heavy(rng, shape),
            "draws": draw(rng, shape),
        }

    def _asked(self, number: int, world: Ints, klass: Ints, relative: Floats, axe: Floats) -> Asked:
        shape = axe.shape
        return Asked(
            **{n: self._at(n, number, world, klass) for n in ("response_logit", "cost_hs", "cost_sd", "axe_gain_hs", "latency_s")},
            **{name: self.own[name][world] for name in ("sigma", "firm", "full_size")},
            relative_size=np.broadcast_to(relative[:, None], shape),
            panel=np.ones(shape),
            axe=axe,
            stress=np.zeros(shape),
        )

    def _move_axes(self, number: int) -> None:
        base = AXE_BASE_RATE
        if self.conditions.alien:
            base *= float(season(number))
        ends = 1 - 0.5 ** (1 / self.own["axe_half_life_days"])[:, None, None, None, :]
        begins = ends * base / (1 - base)
        chance = np.stack([stream(seed, "lab axes", number + 1000).random(self._axe.shape[1:]) for seed in self.seeds])
        self._axe = np.where(self._axe, chance > ends, chance < begins)

    def _told(self, number: int) -> Floats:
        chance = np.stack([stream(seed, "lab notices", number + 1000).random(self._axe.shape[1:]) for seed in self.seeds])
        told = np.where(self._axe, chance < ADVERTISED_SHARE, chance < self.own["fake"][:, None, None, None, :])
        return told.astype(np.float64)


def timely_share(latency_s: Floats, sigma: Floats, timeout_s: Floats) -> Floats:
    """Give the chance that an answer comes before the time-out, the manual ones among them; rows share a time-out."""
    scale = np.log(timeout_s[:, None] / latency_s)
    stretches = np.log(np.linspace(3.25, 7.75, 10))
    quick = _normal_cdf(scale / sigma)
    slow = np.mean([_normal_cdf((scale - stretch) / sigma) for stretch in stretches], axis=0)
    return np.asarray((1 - MANUAL_SHARE) * quick + MANUAL_SHARE * slow, dtype=np.float64)


def _stacked(skills: list[Skill], name: str) -> Floats:
    return np.asarray(np.stack([getattr(skill, name) for skill in skills]), dtype=np.float64)


def _normal_cdf(x: Floats) -> Floats:
    # Abramowitz and Stegun 26.2.17; off by 1e-7 at the most.
    t = 1 / (1 + 0.2316419 * np.abs(x))
    tail = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    above = tail * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    return np.asarray(np.where(x > 0, 1 - above, above), dtype=np.float64)
