"""What comes of asking: trades, logs and the score that is kept, for one policy's orders of one day in all worlds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serve.domain.whisper import Step, asks_on
from sim.estranged import WINNERS_LEAK
from sim.lab import IMPACT_HS, OUTSIDE_HS, TIMEOUT_S, LabDay
from sim.lab_answers import Answered, answered, half_spread_bps

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TRADED, COVER, LOST, EXPIRED, NOT_TRADED = range(5)
# Of a leak's whole effect, what the mid shows after half an hour.
_SEEN_SHARE = 0.92
_SIZE = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom a policy asked: orders x dealers; ``order`` is a dealer's place in a whisper (0 = first), else 0."""

    mask: Flags
    order: Ints
    whispered: bool = False
    faded: Flags | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """``utility`` per order in half-spreads (more is better), the rows of the RFQ log, and of the RFQs."""

    utility: Floats
    log: dict[str, npt.NDArray[np.generic]]
    rfqs: dict[str, npt.NDArray[np.generic]]


def settle(day: LabDay, asking: Asking, policy: int, *, alien: bool, premium: float = 0.0) -> Result:
    """Let the asked answer, trade with the best, and keep score: the price, or that of not trading, and everyone's leaks."""
    mask, rows = asking.mask, np.arange(len(day.world))
    panel = mask.sum(1)
    back = answered(day, np.ones(len(panel)) if asking.whispered else panel.astype(float), premium)
    quoted = mask & back.quoted
    live = quoted if asking.faded is None else quoted & ~asking.faded
    worth = np.where(live, back.worth_hs, np.inf)
    best = np.argmin(worth, axis=1)
    price = worth[rows, best]
    trades = price <= OUTSIDE_HS
    won = np.zeros_like(mask)
    won[rows[trades], best[trades]] = True
    losers = mask & ~won
    told = (day.leak * losers).sum(1) + (WINNERS_LEAK * (day.leak * won).sum(1) if alien else 0.0)
    utility = -np.where(trades, price, OUTSIDE_HS) - IMPACT_HS[day.klass] * told
    leaked = (losers | won if alien else losers) & (day.leak_draw < np.where(won, WINNERS_LEAK, 1.0) * day.leak)
    drift = _SEEN_SHARE * IMPACT_HS[day.klass] * (leaked * day.leak_strength).sum(1) + day.drift_noise
    outcome = _outcomes(worth, won, trades, asking.faded)
    return Result(utility, _log(day, asking, back, outcome, policy), _rfqs(day, drift, policy))


def _outcomes(worth: Floats, won: Flags, trades: Flags, faded: Flags | None) -> Ints:
    outcome = np.where(trades[:, None], LOST, NOT_TRADED) * np.ones_like(won, dtype=np.int64)
    second = np.argsort(worth, axis=1)[:, 1]
    rows = np.flatnonzero(trades & np.isfinite(np.take_along_axis(worth, second[:, None], 1)[:, 0]))
    outcome[rows, second[rows]] = COVER
    outcome[won] = TRADED
    if faded is not None:
        outcome[faded] = EXPIRED
    return outcome


def _log(day: LabDay, asking: Asking, back: Answered, outcome: Ints, policy: int) -> dict[str, npt.NDArray[np.generic]]:
    rfq, dealer = np.nonzero(asking.mask)
    cell = (rfq, dealer)
    timeout = TIMEOUT_S[day.klass]
    spent = np.where(back.silent, timeout[:, None], np.minimum(back.latency_s, timeout[:, None]))
    start = np.zeros_like(spent)
    if asking.whispered:
        in_turn = np.argsort(np.where(asking.mask, asking.order, 10_000), axis=1)
        taken = np.take_along_axis(np.where(asking.mask, spent, 0.0), in_turn, 1)
        np.put_along_axis(start, in_turn, np.cumsum(taken, axis=1) - taken, 1)
    end = np.where(asking.mask, start + spent, 0.0).max(1) + 5
    response = np.where(back.quoted[cell], 0, np.where(back.silent[cell], 3, 1))
    return {
        "policy": np.full(len(rfq), policy),
        "world": day.world[rfq],
        "rfq": rfq,
        "dealer": dealer,
        "side": day.side[rfq],
        "quantity": _SIZE * day.relative_size[rfq],
        "protocol": np.full(len(rfq), int(asking.whispered)),
        "sequence": asking.order[cell] + 1,
        "dealers_asked": asking.mask.sum(1)[rfq],
        "timeout_s": timeout[rfq],
        "asked_after_s": start[cell],
        "latency_s": spent[cell],
        "end_s": end[rfq],
        "response": response,
        "cost_bps": (back.cost_hs[cell] + day.noise[rfq]) * half_spread_bps(day)[rfq],
        "size_ratio": back.size_ratio[cell],
        "outcome": np.where((response > 0) & (outcome[cell] != NOT_TRADED), LOST, outcome[cell]),
    }


def _rfqs(day: LabDay, drift: Floats, policy: int) -> dict[str, npt.NDArray[np.generic]]:
    spread = half_spread_bps(day)
    return {
        "policy": np.full(len(drift), policy),
        "world": day.world,
        "rfq": np.arange(len(drift)),
        "klass": day.klass,
        "sector": day.sector,
        "side": day.side,
        "drift_bps": drift * spread,
        "half_spread_bps": spread,
    }


def whisper(day: LabDay, back: Answered, row: int, steps: list[Step], life: Floats) -> tuple[list[int], list[int]]:
    """Ask one dealer after the other by the stopping rule; give who was asked, in turn, and whose quote had died at the end.

    ``life`` is how many steps each dealer's quote stays alive.
    """
    asked: list[int] = []
    given: list[tuple[float, Step, int]] = []
    for place, step in enumerate(steps):
        alive = [(worth, item) for worth, item, at in given if life[item.row] >= place - 1 - at]
        if place and alive:
            worth, item = min(alive, key=lambda pair: pair[0])
            if not asks_on(worth, item.leak, step):
                break
        asked.append(step.row)
        if back.quoted[row, step.row]:
            given.append((float(back.worth_hs[row, step.row] + day.noise[row]), step, place))
    last = len(asked) - 1
    return asked, [item.row for _, item, at in given if life[item.row] < last - at]
