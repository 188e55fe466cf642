"""True mids at the moments that matter: a random walk per bond, common factors, and what the RFQs did to the price."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import AssetClass
from sim.calendar import Period, market_time
from sim.leaks import FOOTPRINT_MINUTES, LEAK_FADES_DAYS, LEAK_MINUTES, Impacts
from sim.randomness import stream
from sim.traits import CLASS_NAMES, CLASSES
from sim.universe import Security

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MINUTE_MS = 60_000.0
_DAY_MS = 86_400_000.0
_STRESS_VOLATILITY = 2.5
# Daily volatility of the common factors, bps of price for a bond of five years.
_RATES_BPS, _CREDIT_BPS = 6.0, 5.0
_FLOOR, _CEILING = 5.0, 180.0


@dataclass(frozen=True, slots=True)
class Moments:
    """Instants at which a bond's mid is wanted: parallel arrays of security places and ms."""

    security: Ints
    at: Ints


def true_mids(seed: int, bonds: list[Security], period: Period, impacts: tuple[Impacts, Ints, Ints], moments: Moments) -> Floats:
    """Give the mid per 100 par at each moment. ``impacts`` comes with the security and the direction of each RFQ."""
    order = np.lexsort((moments.at, moments.security))
    security, at = moments.security[order], moments.at[order]
    clock = market_time(at, period.midnights)
    log_price = _walk(seed, bonds, security, clock, period.stress)
    log_price += _common(seed, bonds, security, clock, period.stress)
    log_price += 1e-4 * _impact_bps(security, at, impacts)
    start = np.array([bond.start_price for bond in bonds])[security]
    mids = np.empty(len(at))
    mids[order] = np.clip(start * np.exp(log_price), _FLOOR, _CEILING)
    return mids


def _walk(seed: int, bonds: list[Security], security: Ints, clock: Floats, stress: Flags) -> Floats:
    rng = stream(seed, "walk", len(clock))
    classes = np.array([CLASS_NAMES.index(bond.scorecard_class) for bond in bonds])[security]
    daily = 1e-4 * np.array([traits.daily_volatility_bps for traits in CLASSES])[classes]
    daily = daily * np.where(stress[np.minimum(clock.astype(np.int64), len(stress) - 1)], _STRESS_VOLATILITY, 1.0)
    first = np.concatenate([[True], security[1:] != security[:-1]])
    passed = np.where(first, 0.0, np.diff(clock, prepend=clock[:1]))
    total = np.cumsum(daily * np.sqrt(np.maximum(passed, 0)) * rng.normal(0, 1, len(clock)))
    base = total[np.flatnonzero(first)][np.cumsum(first) - 1]
    return np.asarray(total - base, dtype=np.float64)


def _common(seed: int, bonds: list[Security], security: Ints, clock: Floats, stress: Flags) -> Floats:
    rng = stream(seed, "factors", len(stress))
    wide = np.where(stress, _STRESS_VOLATILITY, 1.0)
    rates = np.concatenate([[0.0], np.cumsum(1e-4 * _RATES_BPS * wide * rng.normal(0, 1, len(stress)))])
    credit = np.concatenate([[0.0], np.cumsum(1e-4 * _CREDIT_BPS * wide * rng.normal(-0.1, 1, len(stress)))])
    years = np.array([(bond.maturity_date - bond.issue_date).days / 365.25 for bond in bonds])
    spread = np.array([bond.asset_class not in {AssetClass.GOVT, AssetClass.MUNI} for bond in bonds])
    duration = np.minimum(years, 15) / 5
    days = np.arange(len(rates))
    moved = duration[security] * np.interp(clock, days, rates)
    return np.asarray(moved + (spread * duration)[security] * np.interp(clock, days, credit), dtype=np.float64)


def _impact_bps(security: Ints, at: Ints, impacts: tuple[Impacts, Ints, Ints]) -> Floats:
    moves, rfq_security, direction = impacts
    total = np.zeros(len(at))
    bounds = np.searchsorted(security, np.arange(int(security.max()) + 2))
    for place in np.unique(rfq_security):
        window = slice(bounds[place], bounds[place + 1])
        mine = np.flatnonzero(rfq_security == place)
        total[window] = moved_bps(
            at[window],
            direction[mine] * moves.drift_bps[mine],
            moves.starts[mine],
            direction[mine] * moves.footprint_bps[mine],
            moves.trades[mine],
        )
    return total


def moved_bps(at: Ints, drift_bps: Floats, starts: Ints, footprint_bps: Floats, trades: Ints) -> Floats:
    """Add up at each instant how far leaks and footprints have moved the mid, in signed bps (+ = up).

    A leak works in with a time constant of minutes from ``starts`` and fades over days; a footprint stands from ``trades``
    (-1 = none) and decays within the hour.
    """
    since = np.maximum((at[:, None] - starts) / _MINUTE_MS, 0.0)
    leak = drift_bps * (1 - np.exp(-since / LEAK_MINUTES)) * np.exp(-since * _MINUTE_MS / _DAY_MS / LEAK_FADES_DAYS)
    after = (at[:, None] - trades) / _MINUTE_MS
    shown = np.where((trades >= 0) & (after >= 0), footprint_bps * np.exp(-np.maximum(after, 0) / FOOTPRINT_MINUTES), 0.0)
    return np.asarray((leak + shown).sum(axis=1), dtype=np.float64)
