"""The desk's enquiries: which bond, what size, whom it asked, who answered what, and who won."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import Protocol
from sim.axes import Axes, axe_strength
from sim.behaviour import QUOTES, SILENT, Answers, Asked, answers_to, draw, size_growth
from sim.calendar import DAY_MS, FIRST_RFQ_MS, LAST_RFQ_MS, Period
from sim.dealers import Skill
from sim.estranged import draw_heavy, estranged
from sim.randomness import stream
from sim.traits import CLASS_NAMES, CLASSES
from sim.universe import Security

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PANEL = 6
_PANEL_SHARES = {3: 0.22, 4: 0.38, 5: 0.26, 6: 0.14}
PROTOCOLS = (Protocol.PARALLEL, Protocol.SEQUENTIAL, Protocol.STAGGERED)
_PROTOCOL_SHARES = (0.78, 0.13, 0.09)
_STAGGER_S = 5.0
# A sequential enquiry stops at a quote this good, in half-spreads; no trade is done beyond the reservation.
_COMPETITIVE_HS = 0.9
_RESERVATION_HS = (1.35, 0.40)
# Share of orders that are not done at any price, in stress and in calm.
_WALKS_AWAY = (0.33, 0.05)
_PARTIAL_PENALTY_HS = 0.6


@dataclass(frozen=True, slots=True)
class Demand:
    """What the desk wants, one entry per RFQ; ``direction`` +1 buy, -1 sell; ``start`` in ms; ``day`` counts trading days."""

    security: Ints
    class_index: Ints
    direction: Ints
    quantity: Floats
    start: Ints
    day: Ints
    stress: Floats
    regime: Ints
    relative_size: Floats
    protocol: Ints
    timeout_s: Floats


@dataclass(frozen=True, slots=True)
class Enquiries:
    """The RFQs as they went, RFQ x panel place. ``dealer`` -1 and ``asked`` false = the place is empty.

    ``cost_hs`` is each quote's cost; ``winner`` and ``cover`` are places, -1 = none; ``end_s`` seconds from start to the end.
    """

    demand: Demand
    dealer: Ints
    asked: Flags
    asked_after_s: Floats
    answers: Answers
    quoted: Flags
    axe: Floats
    winner: Ints
    cover: Ints
    expired: Flags
    end_s: Floats


def draw_demand(seed: int, bonds: list[Security], period: Period, rfqs_per_day: float) -> Demand:
    """Draw the desk's orders, oldest first."""
    midnights = period.midnights
    rng = stream(seed, "demand", len(midnights))
    day = np.repeat(np.arange(len(midnights)), rng.poisson(rfqs_per_day, len(midnights)))
    count = len(day)
    start = midnights[day] + FIRST_RFQ_MS + ((LAST_RFQ_MS - FIRST_RFQ_MS) * rng.beta(0.9, 0.8, count)).astype(np.int64)
    start = np.sort(start)
    class_of = np.array([CLASS_NAMES.index(bond.scorecard_class) for bond in bonds])
    security = _pick_securities(rng, bonds, class_of, start, period.end_ms)
    class_index = class_of[security]
    usual = np.array([traits.size for traits in CLASSES])[class_index]
    lot = np.array([traits.lot for traits in CLASSES])[class_index]
    quantity = np.maximum(lot, np.round(usual * np.exp(rng.normal(0, 0.8, count)) / lot) * lot)
    protocol = rng.choice(len(PROTOCOLS), count, p=_PROTOCOL_SHARES)
    timeout = np.array([traits.timeout_s for traits in CLASSES])[class_index]
    return Demand(
        security=security,
        class_index=class_index,
        direction=rng.choice([1, -1], count),
        quantity=quantity,
        start=start,
        day=day,
        stress=period.stress[day].astype(np.float64),
        regime=period.regime[day],
        relative_size=quantity / usual,
        protocol=protocol,
        timeout_s=np.where(protocol == PROTOCOLS.index(Protocol.SEQUENTIAL), timeout / 2, timeout),
    )


def _pick_securities(rng: np.random.Generator, bonds: list[Security], class_of: Ints, start: Ints, end_ms: int) -> Ints:
    tilt = np.array([traits.rfq_tilt for traits in CLASSES])[class_of]
    weights = np.array([bond.popularity for bond in bonds]) ** 0.4 * tilt
    picked = rng.choice(len(bonds), len(start), p=weights / weights.sum())
    touched = np.array([bond.quiet_days for bond in bonds]) * DAY_MS
    lively = np.flatnonzero(touched == 0)
    spare = rng.choice(lively, len(start))
    return np.where(start > end_ms - touched[picked], spare, picked)


def _draw_panel(rng: np.random.Generator, skill: Skill, demand: Demand) -> tuple[Ints, Ints]:
    """Give for each RFQ six distinct dealers in the order of asking, and how many of them are in the panel."""
    count = len(demand.start)
    pull = np.log(skill.reach[:, demand.class_index]).T + rng.gumbel(size=(count, skill.reach.shape[0]))
    dealers = np.argsort(-pull, axis=1, kind="stable")[:, :PANEL]
    sizes = rng.choice(list(_PANEL_SHARES), count, p=list(_PANEL_SHARES.values()))
    return dealers.astype(np.int64), np.minimum(sizes, skill.reach.shape[0]).astype(np.int64)


def _stress_of(demand: Demand) -> Floats:
    return np.broadcast_to(demand.stress[:, None], (len(demand.stress), PANEL))


def _gather(skill: Skill, demand: Demand, dealer: Ints, panel: Ints, axe: Floats) -> Asked:
    at = (demand.regime[:, None], dealer, demand.class_index[:, None])
    alone = demand.protocol == PROTOCOLS.index(Protocol.SEQUENTIAL)
    crowd = np.where(alone, 1, panel).astype(np.float64)
    return Asked(
        response_logit=skill.response_logit[at],
        cost_hs=skill.cost_hs[at],
        cost_sd=skill.cost_sd[at],
        axe_gain_hs=skill.axe_gain_hs[at],
        latency_s=skill.latency_s[at],
        sigma=skill.sigma[dealer],
        firm=skill.firm[dealer],
        full_size=skill.full_size[dealer],
        relative_size=np.broadcast_to(demand.relative_size[:, None], dealer.shape),
        panel=np.broadcast_to(crowd[:, None], dealer.shape),
        axe=axe,
        stress=_stress_of(demand),
    )


def run_enquiries(
    seed: int, bonds: list[Security], skill: Skill, axes: Axes, demand: Demand, *, strange: bool = False
) -> Enquiries:
    """Ask the panel, take the answers and choose the winner of every RFQ; ``strange``: dealers behave as no model assumes."""
    rng = stream(seed, "enquiries", len(demand.start))
    dealer, panel = _draw_panel(rng, skill, demand)
    axe = axe_strength(axes, bonds, demand, dealer)
    asked_as, draws = _gather(skill, demand, dealer, panel, axe), draw(rng, dealer.shape)
    if strange:
        other = stream(seed, "estranged", len(demand.start))
        draws, asked_as = estranged(draws, asked_as, draw_heavy(other, dealer.shape), other.normal(0, 1, (len(demand.start), 1)))
    answers = answers_to(asked_as, draws)
    timely = answers.latency_s <= demand.timeout_s[:, None]
    asked = np.arange(PANEL) < panel[:, None]
    good = (answers.refusal == QUOTES) & timely & (answers.cost_hs <= _COMPETITIVE_HS) & (answers.size_ratio == 1.0)
    sequential = (demand.protocol == PROTOCOLS.index(Protocol.SEQUENTIAL))[:, None]
    settled = np.cumsum(good, axis=1) - good > 0
    asked = asked & ~(sequential & settled)
    asked_after, waits = _clock(demand, answers, asked, timely, sequential)
    quoted = asked & timely & (answers.refusal == QUOTES)
    end_s = np.where(asked, waits, 0).max(axis=1) + rng.uniform(3, 25, len(panel))
    expired = quoted & answers.fades
    winner, cover = _choose(rng, answers, quoted & ~expired, demand.stress)
    expired &= (winner >= 0)[:, None]
    return Enquiries(demand, dealer, asked, asked_after, answers, quoted, axe, winner, cover, expired, end_s)


def _clock(demand: Demand, answers: Answers, asked: Flags, timely: Flags, sequential: Flags) -> tuple[Floats, Floats]:
    """Give when each dealer was asked and when it was done with, in seconds from the RFQ's start."""
    silent = (answers.refusal == SILENT) | ~timely
    spent = np.where(silent, demand.timeout_s[:, None], answers.latency_s)
    before = np.cumsum(np.where(asked, spent, 0), axis=1) - np.where(asked, spent, 0)
    staggered = (demand.protocol == PROTOCOLS.index(Protocol.STAGGERED))[:, None]
    after = np.where(sequential, before + np.arange(PANEL) * 0.5, np.where(staggered, np.arange(PANEL) * _STAGGER_S, 0.0))
    return after, after + spent


def _choose(rng: np.random.Generator, answers: Answers, live: Flags, stress: Floats) -> tuple[Ints, Ints]:
    """Give the best live quote's place and the next best's; no winner where the best costs more than the desk will pay."""
    worth = answers.cost_hs + _PARTIAL_PENALTY_HS * (1 - answers.size_ratio)
    ranked = np.where(live, worth, np.inf)
    order = np.argsort(ranked, axis=1, kind="stable")
    rows = np.arange(len(order))
    best, second = order[:, 0], order[:, 1]
    limit = rng.normal(*_RESERVATION_HS, len(order))
    walks = rng.random(len(order)) < np.where(stress > 0, *_WALKS_AWAY)
    trades = (ranked[rows, best] <= limit) & ~walks
    covers = trades & np.isfinite(ranked[rows, second])
    return np.where(trades, best, -1), np.where(covers, second, -1)


def spread_for_size(bonds: list[Security], demand: Demand) -> Floats:
    """Give each RFQ's half-spread in bps of price, grown with size; stress is in the quotes."""
    base = np.array([bond.half_spread_bps for bond in bonds])[demand.security]
    return np.asarray(base * size_growth(demand.relative_size), dtype=np.float64)
