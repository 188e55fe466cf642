"""What the market and the TCA vendors say after a live execution: the print, the mids that follow, the vendors' figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np

from expectations.contracts.vocabulary import ReportingSide, Side, TradeStatus
from sim.errors import SimulationError
from sim.leaks import footprint_bps, impact_bps
from sim.prices import moved_bps
from sim.randomness import stream
from sim.references import COMPOSITE
from sim.tca_vendors import Executed, tca_rows
from sim.timeline import HORIZONS_S
from sim.traits import CLASS_NAMES, CLASSES
from sim.world import TrueBond, World
from sim.writers import Floats, Ints, Rows, decimals, instants, rows_of, write_csv

DELIVERED_AFTER = timedelta(minutes=35)
_LEAK_STARTS_AFTER_MS = 1_000


@dataclass(frozen=True, slots=True)
class LiveExecution:
    """A trade that the desk did. ``losers`` are the dealers asked who did not win, whatever they answered.

    ``security_id`` is any of the bond's identifiers; ``price`` and ``arrival_mid`` per 100 par (``arrival_mid`` ``None`` = the true
    mid); ``quantity`` par; ``executed_at`` with a time zone; ``ordered`` the size wanted (``None`` = what was traded).
    """

    rfq_id: str
    security_id: str
    side: Side
    dealer_id: str
    price: float
    quantity: float
    arrival_mid: float | None
    executed_at: datetime
    losers: Sequence[str] = ()
    ordered: float | None = None


@dataclass(frozen=True, slots=True)
class _Aftermath:
    """An execution with what became of its bond: mids at the trade and after each horizon."""

    execution: LiveExecution
    bond: TrueBond
    arrival: float
    at: Ints
    mids: Floats


def tca_for_executions(
    world: World, executions: Sequence[LiveExecution], out: Path, *, until: datetime | None = None
) -> list[Path]:
    """Write under ``out`` what vendors deliver by ``until`` (default: 35 minutes after the last execution); give the files.

    One file each of trades, reference_prices and tca_results, named after the executions, so that a second call writes the same
    again. The mids show the winner's footprint and the leaks of the losers as they truly are. Raises SimulationError on a bond or a
    dealer that this world does not know.
    """
    if not executions:
        return []
    known = [_aftermath(world, execution) for execution in executions]
    last = until or max(execution.executed_at for execution in executions) + DELIVERED_AFTER
    last_ms = int(last.timestamp() * 1000)
    out.mkdir(parents=True, exist_ok=True)
    mark = sha256("\n".join(sorted(execution.rfq_id for execution in executions)).encode()).hexdigest()[:12]
    files = []
    for rows in (_prints(known, last_ms), _references(known, last_ms), tca_rows(world.seed, _executed(known), last_ms)):
        path = out / f"{rows.table}-live-{mark}.csv.gz"
        write_csv(path, rows.names, rows.cells)
        files.append(path)
    return files


def _aftermath(world: World, execution: LiveExecution) -> _Aftermath:
    bond = world.bond(execution.security_id)
    if bond is None:
        message = f"execution {execution.rfq_id}: this world has no bond {execution.security_id}"
        raise SimulationError(message)
    own, name = CLASS_NAMES.index(bond.scorecard_class), bond.scorecard_class
    direction = execution.side.direction
    rng = stream(world.seed, "live", bond.security_id, str(execution.side), execution.dealer_id, *sorted(execution.losers))
    relative = np.array([execution.quantity / CLASSES[own].size])
    one_leak = float(impact_bps(np.array([own]), relative)[0])
    leaks = [rng.random() < _leak(world, execution, dealer, name) for dealer in execution.losers]
    drift = one_leak * sum(float(rng.gamma(4, 0.25)) for leaked in leaks if leaked)
    footprint = footprint_bps(bond.half_spread_bps, one_leak, _leak(world, execution, execution.dealer_id, name))
    traded = np.array([int(execution.executed_at.timestamp() * 1000)])
    at = traded[0] + 1000 * np.array([0, *HORIZONS_S])
    moved = moved_bps(at, np.array([drift * direction]), traded + _LEAK_STARTS_AFTER_MS, np.array([footprint * direction]), traded)
    noise = np.cumsum(rng.normal(0, 0.04, len(at)) * np.sqrt([0, 5, 25, 500])) * CLASSES[own].daily_volatility_bps / 14
    arrival = execution.arrival_mid if execution.arrival_mid is not None else bond.mid
    return _Aftermath(execution, bond, arrival, at, np.round(arrival * (1 + 1e-4 * (moved + noise)), 4))


def _leak(world: World, execution: LiveExecution, dealer_id: str, scorecard_class: str) -> float:
    dealer = world.dealer(dealer_id)
    if dealer is None:
        message = f"execution {execution.rfq_id}: this world has no dealer {dealer_id}"
        raise SimulationError(message)
    return dealer.leak[scorecard_class]


def _executed(known: list[_Aftermath]) -> Executed:
    done = [one.execution for one in known]
    return Executed(
        reference=[one.rfq_id for one in done],
        direction=np.array([one.side.direction for one in done]),
        at=np.array([one.at[0] for one in known]),
        price=np.array([one.price for one in done]),
        quantity=np.array([one.quantity for one in done]),
        unfilled=np.array([max(0.0, 1 - one.quantity / (one.ordered or one.quantity)) for one in done]),
        arrival_mid=np.array([one.arrival for one in known]),
        mids=np.stack([one.mids for one in known]),
    )


def _prints(known: list[_Aftermath], last_ms: int) -> Rows:
    done = [one for one in known if one.at[0] <= last_ms]
    caps = [CLASSES[CLASS_NAMES.index(one.bond.scorecard_class)].cap or float("inf") for one in done]
    sizes = [min(one.execution.quantity, cap) for one, cap in zip(done, caps, strict=True)]
    sides = [ReportingSide.SOLD if one.execution.side is Side.BUY else ReportingSide.BOUGHT for one in done]
    return rows_of(
        "trades",
        {
            "trade_id": [f"L{sha256(one.execution.rfq_id.encode()).hexdigest()[:12].upper()}" for one in done],
            "security_id": [one.bond.cusip or one.bond.isin for one in done],
            "executed_at": instants(np.array([one.at[0] for one in done], dtype=np.int64)),
            "price": [f"{one.execution.price:.4f}" for one in done],
            "quantity": [f"{size:.0f}" for size in sizes],
            "quantity_capped": ["true" if one.execution.quantity > cap else "false" for one, cap in zip(done, caps, strict=True)],
            "reporting_side": [str(side) for side in sides],
            "status": [str(TradeStatus.NEW)] * len(done),
            "original_trade_id": [""] * len(done),
        },
    )


def _references(known: list[_Aftermath], last_ms: int) -> Rows:
    points = sorted(
        {
            (int(at), one.bond.security_id): (float(mid), one.bond.half_spread_bps)
            for one in known
            for at, mid in zip(one.at, one.mids, strict=True)
            if at <= last_ms
        }.items()
    )
    mid = np.array([mid for _, (mid, _) in points])
    half = 1e-4 * mid * np.array([spread for _, (_, spread) in points])
    return rows_of(
        "reference_prices",
        {
            "security_id": [security for (_, security), _ in points],
            "as_of": instants(np.array([at for (at, _), _ in points], dtype=np.int64)),
            "bid": decimals(mid - half, 4),
            "mid": decimals(mid, 4),
            "ask": decimals(mid + half, 4),
            "source": [COMPOSITE] * len(points),
        },
    )
