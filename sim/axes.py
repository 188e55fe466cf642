"""Axes: true ones that live for days, most of them advertised, and the advertisements of those who fake."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sim.dealers import Skill
from sim.estranged import season
from sim.randomness import stream
from sim.traits import ADVERTISED_SHARE, AXE_BASE_RATE, CLASS_NAMES
from sim.universe import Security

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

DAY_MS = 86_400_000
_ACTIVE_PER_DEALER_SHARE = 0.06
_SAME_ISSUER = 0.5
_WARM_UP_DAYS = 15


class Wanted(Protocol):
    """What an axe may suit, one entry per RFQ; ``direction`` is the client's, +1 buys; ``start`` in ms."""

    @property
    def security(self) -> Ints:
        """The bond's place."""
        ...

    @property
    def direction(self) -> Ints:
        """The client's side."""
        ...

    @property
    def start(self) -> Ints:
        """When it asked."""
        ...


@dataclass(frozen=True, slots=True)
class Axes:
    """Every axe and every notice of one; ``direction`` is the dealer's: +1 buys, -1 sells. Times in ms, -1 = never.

    ``real`` tells true interest from a fake; ``begins`` and ``ends`` bound the interest, the other two instants its notice.
    """

    dealer: Ints
    security: Ints
    direction: Ints
    quantity: Floats
    real: Flags
    begins: Ints
    ends: Ints
    advertised: Ints
    withdrawn: Ints


def draw_axes(seed: int, bonds: list[Security], skill: Skill, span_ms: tuple[int, int], *, seasonal: bool = False) -> Axes:
    """Draw the axes of the whole period; some stand already when it starts. ``seasonal``: they come and go in waves of weeks."""
    start_ms, end_ms = span_ms
    rng = stream(seed, "axes", start_ms // DAY_MS, end_ms // DAY_MS)
    span_days = (end_ms - start_ms) / DAY_MS
    active = _ACTIVE_PER_DEALER_SHARE * len(bonds)
    half_life = skill.axe_half_life_days
    real_counts = rng.poisson(active * (span_days + _WARM_UP_DAYS) * np.log(2) / half_life)
    odds = skill.fake * (1 - AXE_BASE_RATE) / AXE_BASE_RATE
    fake_counts = rng.poisson(real_counts * odds * 0.5)
    dealer = np.repeat(np.arange(len(half_life)), real_counts + fake_counts)
    real = np.concatenate([np.arange(n + f) < n for n, f in zip(real_counts, fake_counts, strict=True)])
    security = _pick_securities(rng, bonds, skill, dealer)
    begins = start_ms + (_begin_days(rng, len(dealer), span_days, seasonal=seasonal) * DAY_MS).astype(np.int64)
    life = rng.exponential(1, len(dealer)) * half_life[dealer] / np.log(2)
    ends = begins + np.maximum(3_600_000, life * DAY_MS).astype(np.int64)
    told = ~real | (rng.random(len(dealer)) < ADVERTISED_SHARE)
    advertised = begins + (rng.exponential(0.05, len(dealer)) * DAY_MS).astype(np.int64)
    # Notices are often taken down late, and sometimes left to stand.
    stale = ends + (rng.exponential(0.4, len(dealer)) * DAY_MS).astype(np.int64)
    return Axes(
        dealer=dealer,
        security=security,
        direction=rng.choice([1, -1], len(dealer)),
        quantity=np.round(np.exp(rng.normal(14.5, 0.8, len(dealer))) / 100_000) * 100_000 + 100_000,
        real=real,
        begins=begins,
        ends=ends,
        advertised=np.where(told & (advertised < stale), advertised, -1),
        withdrawn=np.where(rng.random(len(dealer)) < 0.95, stale, -1),
    )


def _begin_days(rng: np.random.Generator, count: int, span_days: float, *, seasonal: bool) -> Floats:
    """Draw when axes begin, in days from the start: evenly, or by the season."""
    even = rng.random(count) * (span_days + _WARM_UP_DAYS) - _WARM_UP_DAYS
    if not seasonal:
        return np.asarray(even, dtype=np.float64)
    fine = np.linspace(-_WARM_UP_DAYS, span_days, 20_000)
    risen = np.cumsum(season(fine))
    return np.asarray(np.interp((even + _WARM_UP_DAYS) / (span_days + _WARM_UP_DAYS), risen / risen[-1], fine), dtype=np.float64)


def _pick_securities(rng: np.random.Generator, bonds: list[Security], skill: Skill, dealer: Ints) -> Ints:
    classes = np.array([CLASS_NAMES.index(bond.scorecard_class) for bond in bonds])
    popularity = np.array([bond.popularity for bond in bonds]) ** 0.5
    picked = np.empty(len(dealer), dtype=np.int64)
    for index in range(len(skill.sigma)):
        weights = popularity * np.where(skill.specialist[index, classes], 1.0, 0.15)
        mine = dealer == index
        picked[mine] = rng.choice(len(bonds), int(mine.sum()), p=weights / weights.sum())
    return picked


def axe_strength(axes: Axes, bonds: list[Security], demand: Wanted, dealer: Ints) -> Floats:
    """Give for each RFQ x panel place how far an axe helps: 1 in the bond itself, half in another of its issuer.

    A client that sells (-1) meets dealers that buy (+1).
    """
    security, direction, at = demand.security, demand.direction, demand.start
    issuers = {issuer: number for number, issuer in enumerate(dict.fromkeys(bond.issuer_id for bond in bonds))}
    issuer_of = np.array([issuers[bond.issuer_id] for bond in bonds])
    strength = np.zeros(dealer.shape)
    live = axes.real
    order = np.flatnonzero(live)
    by_dealer = {index: order[axes.dealer[order] == index] for index in range(int(axes.dealer.max(initial=0)) + 1)}
    for index, rows in by_dealer.items():
        asked_rfq, place = np.nonzero(dealer == index)
        moments = at[asked_rfq][:, None]
        fits = (axes.begins[rows] <= moments) & (moments < axes.ends[rows])
        fits &= axes.direction[rows] == -direction[asked_rfq][:, None]
        same = fits & (axes.security[rows] == security[asked_rfq][:, None])
        kin = fits & (issuer_of[axes.security[rows]] == issuer_of[security[asked_rfq]][:, None])
        strength[asked_rfq, place] = np.where(same.any(axis=1), 1.0, np.where(kin.any(axis=1), _SAME_ISSUER, 0.0))
    return strength
