"""Reference prices as two vendors give them: a live composite, close to the truth, and an evaluated price that strays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.behaviour import spread_in_stress
from sim.calendar import CLOSE_MS, EVALUATION_MS, OPEN_MS, Period
from sim.leaks import Impacts
from sim.randomness import stream
from sim.rfqs import Demand
from sim.timeline import Timeline, arrival_instants, is_market_day, trade_instants
from sim.traits import CLASS_NAMES, CLASSES
from sim.universe import Security

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_Part = tuple[Ints, Ints, Floats, Floats, bool]

COMPOSITE, EVALUATED = "COMPOSITE", "EVALUATED"
_COMPOSITE_NOISE_HS = 0.06
# How long an evaluated price's error lasts: it comes from a model that is slow to learn.
_ERROR_HALF_LIFE_DAYS = 8.0
_SD_OF_95 = 1 / 1.96


@dataclass(frozen=True, slots=True)
class References:
    """Parallel arrays; ``composite`` tells the source; prices per 100 par."""

    security: Ints
    at: Ints
    bid: Floats
    mid: Floats
    ask: Floats
    composite: Flags


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """All reference prices, and the composite mids around each RFQ (RFQ x 4, see ``timeline``)."""

    rows: References
    from_arrival: Floats
    from_trade: Floats


def build_references(
    seed: int, bonds: list[Security], period: Period, enquired: tuple[Demand, Impacts], timeline: Timeline
) -> ReferenceSet:
    """Put both vendors' prices together; nothing later than the period's end."""
    midnights, stress, (demand, impacts) = period.midnights, period.stress, enquired
    rng = stream(seed, "references", len(midnights))
    spread = np.array([bond.half_spread_bps for bond in bonds])
    wide: Floats = spread_in_stress(stress.astype(np.float64))[:, None] * spread

    def composite(mid: Floats, half_spread_bps: Floats) -> Floats:
        noise = rng.normal(0, 1, mid.shape) * _COMPOSITE_NOISE_HS * half_spread_bps
        return np.round(mid * (1 + 1e-4 * noise), 4)

    of_rfq: Floats = np.repeat(spread[demand.security][:, None], timeline.from_arrival.shape[1], axis=1)
    arrival, trade = composite(timeline.from_arrival, of_rfq), composite(timeline.from_trade, of_rfq)
    opens, closes = composite(timeline.opens, wide), composite(timeline.closes, wide)
    evaluated = np.round(np.maximum(1.0, timeline.evaluations + _evaluation_errors(rng, bonds, len(midnights))), 4)
    everyone = np.tile(np.arange(len(bonds), dtype=np.int64), len(midnights))
    four = np.repeat(demand.security, arrival.shape[1])
    parts: list[_Part] = [
        (everyone, np.repeat(midnights + OPEN_MS, len(bonds)), opens.ravel(), wide.ravel(), True),
        (everyone, np.repeat(midnights + CLOSE_MS, len(bonds)), closes.ravel(), wide.ravel(), True),
        (
            everyone,
            np.repeat(midnights + EVALUATION_MS, len(bonds)),
            evaluated.ravel().astype(np.float64),
            1.3 * wide.ravel(),
            False,
        ),
        (four, arrival_instants(demand).ravel(), arrival.ravel(), of_rfq.ravel(), True),
        (four, trade_instants(impacts).ravel(), trade.ravel(), of_rfq.ravel(), True),
    ]
    return ReferenceSet(_assemble(parts, midnights, period.end_ms), arrival, trade)


def _assemble(parts: list[_Part], midnights: Ints, end_ms: int) -> References:
    security, at, mid, spread = (np.concatenate([part[index] for part in parts]) for index in range(4))
    composite = np.repeat([part[4] for part in parts], [len(part[0]) for part in parts])
    kept = np.flatnonzero(np.isfinite(mid) & (at <= end_ms) & is_market_day(at, midnights))
    kept = kept[np.lexsort((composite[kept], security[kept], at[kept]))]
    same = (np.diff(at[kept]) == 0) & (np.diff(security[kept]) == 0) & (np.diff(composite[kept]) == 0)
    kept = kept[np.concatenate([[True], ~same])]
    half = 1e-4 * spread[kept] * mid[kept]
    bid, ask = np.round(mid[kept] - half, 4), np.round(mid[kept] + half, 4)
    return References(security[kept], at[kept], bid, mid[kept], ask, composite[kept])


def _evaluation_errors(rng: np.random.Generator, bonds: list[Security], days: int) -> Floats:
    limits = {name: traits.evaluation_95_pt for name, traits in zip(CLASS_NAMES, CLASSES, strict=True)}
    sd = np.array([limits[bond.scorecard_class] for bond in bonds]) * _SD_OF_95
    keep = 0.5 ** (1 / _ERROR_HALF_LIFE_DAYS)
    errors = np.empty((days, len(bonds)))
    errors[0] = sd * rng.normal(0, 1, len(bonds))
    shocks = sd * np.sqrt(1 - keep**2) * rng.normal(0, 1, (days, len(bonds)))
    for day in range(1, days):
        errors[day] = keep * errors[day - 1] + shocks[day]
    return errors
