"""What asking does to the price: losers who leak move it for good, winners who trade move it for a while."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from sim.behaviour import size_growth
from sim.dealers import Skill
from sim.randomness import stream
from sim.rfqs import Enquiries, spread_for_size
from sim.traits import CLASSES
from sim.universe import Security

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Number = TypeVar("Number", float, Floats)

# Leaks work into the price within minutes and fade over days; a winner's footprint is gone within the hour.
LEAK_MINUTES = 12.0
LEAK_FADES_DAYS = 4.0
FOOTPRINT_MINUTES = 12.0
_FOOTPRINT_HS = 0.10
_FOOTPRINT_OF_IMPACT = 0.6


@dataclass(frozen=True, slots=True)
class Impacts:
    """The moves by RFQ, in bps against the client (+ = up when we buy): ``drift`` by leaks, ``footprint`` by the winner.

    ``leaked`` tells which dealer leaked which RFQ; ``starts`` and ``trades`` are instants in ms, ``trades`` -1 = not traded.
    """

    leaked: Flags
    drift_bps: Floats
    footprint_bps: Floats
    starts: Ints
    trades: Ints


def impact_bps(class_index: Ints, relative_size: Floats) -> Floats:
    """Give what one leak costs in bps of price: the class's impact, grown with size."""
    return np.asarray(
        np.array([traits.impact_bps for traits in CLASSES])[class_index] * size_growth(relative_size), dtype=np.float64
    )


def footprint_bps(half_spread: Number, one_leak: Number, propensity: Number) -> Number:
    """Give how far a trade moves the mid for a while, in bps: a little of the spread, and more with a winner who leaks."""
    return _FOOTPRINT_HS * half_spread + _FOOTPRINT_OF_IMPACT * one_leak * propensity


def draw_impacts(seed: int, bonds: list[Security], skill: Skill, enquiries: Enquiries, *, winners_leak: float = 0.0) -> Impacts:
    """Draw who leaks, and how far each RFQ moves the price of its bond.

    ``winners_leak``: a winner's propensity, as a share of what it has where it loses; 0 = winners keep it to themselves.
    """
    rng = stream(seed, "leaks", len(enquiries.winner))
    demand = enquiries.demand
    places = np.arange(enquiries.dealer.shape[1])
    propensity = skill.leak[demand.regime[:, None], enquiries.dealer, demand.class_index[:, None]]
    won = places == enquiries.winner[:, None]
    leaked = enquiries.asked & (rng.random(won.shape) < np.where(won, winners_leak, 1.0) * propensity)
    one_leak = impact_bps(demand.class_index, demand.relative_size)
    strength = rng.gamma(4, 0.25, won.shape)
    traded = enquiries.winner >= 0
    winner_leak = np.where(traded, np.take_along_axis(propensity, np.maximum(enquiries.winner, 0)[:, None], axis=1)[:, 0], 0.0)
    footprint = np.where(traded, footprint_bps(spread_for_size(bonds, demand), one_leak, winner_leak), 0.0)
    ends = demand.start + (enquiries.end_s * 1000).astype(np.int64)
    return Impacts(
        leaked=leaked,
        drift_bps=(leaked * strength).sum(axis=1) * one_leak,
        footprint_bps=footprint * rng.gamma(4, 0.25, len(footprint)),
        starts=demand.start + (np.minimum(enquiries.end_s, 60) * 1000).astype(np.int64),
        trades=np.where(traded, ends, -1),
    )
