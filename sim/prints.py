"""Market prints: who trades what and when, without the desk; the desk's own executions print too."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.calendar import CLOSE_MS, DAY_MS, OPEN_MS, Period
from sim.randomness import stream
from sim.rfqs import Enquiries
from sim.traits import CLASS_NAMES, CLASSES, PRINTS_PER_BOND_AND_DAY
from sim.universe import Security

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SIDES = ("B", "S", "D")
_SIDE_SHARES = (0.33, 0.33, 0.34)


@dataclass(frozen=True, slots=True)
class Prints:
    """Parallel arrays, oldest first; ``side`` is a place in SIDES; ``cost_hs`` the print's distance from mid, signed (+ above)."""

    security: Ints
    at: Ints
    quantity: Floats
    side: Ints
    cost_hs: Floats


def draw_prints(seed: int, bonds: list[Security], period: Period) -> Prints:
    """Draw the market's prints: Poisson by popularity, clustered by day, none in a bond's quiet last days."""
    midnights = period.midnights
    rng = stream(seed, "prints", len(midnights))
    popularity = np.array([bond.popularity for bond in bonds])
    daily = PRINTS_PER_BOND_AND_DAY * len(bonds)
    shape = (len(midnights), len(bonds))
    busy = rng.gamma(2.0, 0.5, shape) * np.where(period.stress, 1.3, 1.0)[:, None]
    counts = rng.poisson(daily * popularity * busy)
    days, places = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), len(bonds))
    at = midnights[days] + OPEN_MS + ((CLOSE_MS - OPEN_MS) * rng.random(len(days))).astype(np.int64)
    side = rng.choice(len(SIDES), len(days), p=_SIDE_SHARES)
    quantity = _sizes(rng, bonds, places)
    # A dealer that buys pays less than mid; dealers meet near it; small lots pay more.
    away = np.abs(rng.normal(0.6, 0.35, len(days))) * np.where(quantity < 100_000, 1.8, 1.0)
    cost = np.where(side == 0, -away, np.where(side == 1, away, rng.normal(0, 0.25, len(days))))
    quiet = np.array([bond.quiet_days for bond in bonds])[places] * DAY_MS
    kept = np.flatnonzero(at <= period.end_ms - quiet)
    kept = kept[np.argsort(at[kept], kind="stable")]
    return Prints(places[kept], at[kept], quantity[kept], side[kept], cost[kept])


def _sizes(rng: np.random.Generator, bonds: list[Security], places: Ints) -> Floats:
    usual = np.array([CLASSES[CLASS_NAMES.index(bond.scorecard_class)].size for bond in bonds])[places]
    retail = rng.random(len(places)) < 0.45
    drawn = np.where(retail, 25_000 * np.exp(rng.normal(0, 0.8, len(places))), usual * np.exp(rng.normal(-0.6, 1.0, len(places))))
    return np.asarray(np.maximum(5_000, np.round(drawn / 5_000) * 5_000), dtype=np.float64)


def executed_quantity(enquiries: Enquiries) -> Floats:
    """Give what each RFQ traded: the asked size or the winner's part of it; 0 without a trade."""
    place = np.maximum(enquiries.winner, 0)[:, None]
    ratio = np.take_along_axis(enquiries.answers.size_ratio, place, axis=1)[:, 0]
    return np.where(enquiries.winner >= 0, quoted_quantity(enquiries.demand.quantity, ratio), 0.0)


def quoted_quantity(asked: Floats, ratio: Floats) -> Floats:
    """Give the size quoted, rounded to 5,000 par and never nothing."""
    return np.where(ratio >= 1, asked, np.maximum(5_000, np.floor(asked * ratio / 5_000) * 5_000))
