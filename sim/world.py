"""The truth behind the files: written beside them, read only by the simulated dealers, by tests and by benchmarks."""

from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from sim.dealers import REGIMES
from sim.errors import SimulationError
from sim.market import Market
from sim.traits import CLASS_NAMES

WORLD_FILE = "world.json"
WORLD_VERSION = 1


class TrueDealer(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer's true behaviour after the shift, by scorecard class; meanings and units as in ``dealers.Skill``."""

    dealer_id: str
    name: str
    fix_session: str
    party_id: str
    credit_limit: float
    sigma: float
    firm: float
    full_size: float
    fake: float
    specialist: dict[str, bool]
    response_logit: dict[str, float]
    cost_hs: dict[str, float]
    cost_sd: dict[str, float]
    axe_gain_hs: dict[str, float]
    latency_s: dict[str, float]
    leak: dict[str, float]


class TrueBond(msgspec.Struct, frozen=True, kw_only=True):
    """A bond as it stands at the end; ``mid`` is true, per 100 par; ``half_spread_bps`` for a round lot."""

    security_id: str
    cusip: str
    isin: str
    figi: str
    scorecard_class: str
    issuer_id: str
    maturity_date: date
    half_spread_bps: float
    mid: float


class TrueAxe(msgspec.Struct, frozen=True, kw_only=True):
    """An axe that stands at the end; ``direction`` is the dealer's, +1 buys."""

    dealer_id: str
    security_id: str
    direction: int


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulated dealers know. ``folder`` of vendor files it belongs to is named, and which files were written there."""

    version: int
    seed: int
    days: int
    end: date
    rfqs_per_day: float
    stress_days: list[date]
    shift_day: date | None
    dealers: list[TrueDealer]
    bonds: list[TrueBond]
    axes: list[TrueAxe]
    files: list[str]
    misspecified: bool = False

    def bond(self, identifier: str) -> TrueBond | None:
        """Find a bond by internal id, CUSIP, ISIN or FIGI; ``None`` if there is none."""
        for bond in self.bonds:
            if identifier in {bond.security_id, bond.cusip, bond.isin, bond.figi} and identifier:
                return bond
        return None

    def dealer(self, dealer_id: str) -> TrueDealer | None:
        """Find a dealer by id or FIX session; ``None`` if there is none."""
        return next((dealer for dealer in self.dealers if dealer_id in {dealer.dealer_id, dealer.fix_session}), None)


def load_world(folder: Path) -> World:
    """Read the truth from ``folder``. Raises SimulationError when it is missing or not of this version."""
    path = folder / WORLD_FILE
    try:
        world = msgspec.json.decode(path.read_bytes(), type=World)
    except FileNotFoundError as error:
        message = (
            f"no {WORLD_FILE} in {folder}: give the folder that `sotto simulate` wrote beside its files (its name ends in .truth)"
        )
        raise SimulationError(message) from error
    except msgspec.DecodeError as error:
        message = f"{path} cannot be read: {error}; simulate again"
        raise SimulationError(message) from error
    if world.version != WORLD_VERSION:
        message = f"{path} is of version {world.version}, this is version {WORLD_VERSION}: simulate again"
        raise SimulationError(message)
    return world


def build_world(market: Market, files: list[str]) -> World:
    """Sum the market up as it stands at the end."""
    days = market.midnights.astype("datetime64[ms]").astype("datetime64[D]").tolist()
    shifted = np.flatnonzero(market.period.regime == REGIMES - 1)
    return World(
        version=WORLD_VERSION,
        seed=market.sizes.seed,
        days=market.sizes.days,
        end=market.sizes.end,
        rfqs_per_day=market.sizes.rfqs_per_day,
        stress_days=[day for day, strained in zip(days, market.period.stress.tolist(), strict=True) if strained],
        shift_day=days[int(shifted[0])] if len(shifted) else None,
        dealers=_dealers(market),
        bonds=_bonds(market),
        axes=_axes(market),
        files=files,
        misspecified=market.sizes.misspecified,
    )


def _dealers(market: Market) -> list[TrueDealer]:
    skill, last = market.skill, int(market.period.regime[-1])
    named = ("response_logit", "cost_hs", "cost_sd", "axe_gain_hs", "latency_s", "leak")
    dealers = []
    for index, own in enumerate(market.dealers):
        figures = {name: dict(zip(CLASS_NAMES, getattr(skill, name)[last, index].tolist(), strict=True)) for name in named}
        dealers.append(
            TrueDealer(
                dealer_id=own.dealer_id,
                name=own.name,
                fix_session=own.fix_session,
                party_id=own.party_id,
                credit_limit=own.credit_limit,
                sigma=float(skill.sigma[index]),
                firm=float(skill.firm[index]),
                full_size=float(skill.full_size[index]),
                fake=float(skill.fake[index]),
                specialist=dict(zip(CLASS_NAMES, skill.specialist[index].tolist(), strict=True)),
                **figures,
            )
        )
    return dealers


def _bonds(market: Market) -> list[TrueBond]:
    return [
        TrueBond(
            security_id=bond.security_id,
            cusip=bond.cusip,
            isin=bond.isin,
            figi=bond.figi,
            scorecard_class=bond.scorecard_class,
            issuer_id=bond.issuer_id,
            maturity_date=bond.maturity_date,
            half_spread_bps=bond.half_spread_bps,
            mid=mid,
        )
        for bond, mid in zip(market.bonds, market.timeline.closes[-1].tolist(), strict=True)
    ]


def _axes(market: Market) -> list[TrueAxe]:
    axes, last = market.axes, market.sizes.end_ms
    standing = np.flatnonzero(axes.real & (axes.begins <= last) & (axes.ends > last))
    return [
        TrueAxe(
            dealer_id=market.dealers[int(axes.dealer[row])].dealer_id,
            security_id=market.bonds[int(axes.security[row])].security_id,
            direction=int(axes.direction[row]),
        )
        for row in standing.tolist()
    ]
