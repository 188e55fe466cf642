"""Write the truth: the world as JSON, and what happened under the surface as tables."""

from pathlib import Path

import msgspec
import numpy as np

from sim.axes import Axes
from sim.deals import rfq_ids
from sim.market import Market
from sim.traits import CLASS_NAMES
from sim.world import WORLD_FILE, World
from sim.writers import decimals, flags, instants, picked, write_csv


def write_truth(folder: Path, market: Market, world: World) -> None:
    """Write ``world.json``, ``answers.csv.gz``, ``mids.csv.gz``, ``axes.csv.gz`` and ``skill.csv.gz``, replacing earlier ones."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_answers(folder / "answers.csv.gz", market)
    _write_mids(folder / "mids.csv.gz", market)
    _write_axes(folder / "axes.csv.gz", market, market.axes)
    _write_skill(folder / "skill.csv.gz", market)
    (folder / WORLD_FILE).write_bytes(msgspec.json.encode(world, order="sorted"))


def _write_answers(path: Path, market: Market) -> None:
    """One row per dealer asked: its true cost in half-spreads whether or not it answered, its axe, and whether it leaked."""
    own = market.enquiries
    rfq, place = np.nonzero(own.asked)
    cell = (rfq, place)
    columns = [
        picked(rfq_ids(market), rfq),
        picked([dealer.dealer_id for dealer in market.dealers], own.dealer[cell]),
        picked([bond.scorecard_class for bond in market.bonds], market.demand.security[rfq]),
        decimals(market.timeline.from_arrival[rfq, 0], 6),
        decimals(own.answers.cost_hs[cell], 6),
        decimals(own.axe[cell], 2),
        flags(own.quoted[cell]),
        flags(market.impacts.leaked[cell]),
        decimals(market.impacts.drift_bps[rfq], 4),
    ]
    names = ("rfq_id", "dealer_id", "scorecard_class", "true_arrival_mid", "cost_hs", "axe", "quoted", "leaked", "rfq_drift_bps")
    write_csv(path, names, zip(*columns, strict=True))


def _write_mids(path: Path, market: Market) -> None:
    """One row per trading day and bond: the true mid at the evaluation and at the close."""
    days, count = market.timeline.closes.shape
    columns = [
        np.repeat(market.midnights.astype("datetime64[ms]").astype("datetime64[D]").astype(str), count).tolist(),
        [bond.security_id for bond in market.bonds] * days,
        decimals(market.timeline.evaluations.ravel(), 6),
        decimals(market.timeline.closes.ravel(), 6),
    ]
    write_csv(path, ("day", "security_id", "evaluation_mid", "close_mid"), zip(*columns, strict=True))


def _write_axes(path: Path, market: Market, axes: Axes) -> None:
    """One row per axe or faked advertisement, times in UTC; never advertised = empty."""
    columns = [
        picked([dealer.dealer_id for dealer in market.dealers], axes.dealer),
        picked([bond.security_id for bond in market.bonds], axes.security),
        [str(direction) for direction in axes.direction.tolist()],
        flags(axes.real),
        instants(axes.begins),
        instants(axes.ends),
        instants(axes.advertised),
    ]
    write_csv(
        path, ("dealer_id", "security_id", "direction", "real", "begins", "ends", "advertised_at"), zip(*columns, strict=True)
    )


def _write_skill(path: Path, market: Market) -> None:
    """One row per regime, dealer and scorecard class."""
    skill = market.skill
    figures = ("response_logit", "cost_hs", "cost_sd", "axe_gain_hs", "latency_s", "leak")
    regimes, dealers, classes = skill.leak.shape
    cells = []
    for regime in range(regimes):
        for dealer in range(dealers):
            for column in range(classes):
                numbers = [f"{getattr(skill, figure)[regime, dealer, column]:.6f}" for figure in figures]
                cells.append([str(regime), market.dealers[dealer].dealer_id, CLASS_NAMES[column], *numbers])
    write_csv(path, ("regime", "dealer_id", "scorecard_class", *figures), cells)
