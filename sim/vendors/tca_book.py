"""What the simulated REST TCA vendor knows: executions posted to it, and results that come late and are revised."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from expectations.contracts.vocabulary import Side
from sim.randomness import stream
from sim.tca_vendors import ALPHA, Executed, tca_rows
from sim.timeline import HORIZONS_S

_LATE_SHARE, _LATE_BY = 0.2, timedelta(hours=30)
_REVISED_SHARE, _REVISED_AFTER = 0.15, timedelta(hours=50)
_STEP_BPS = 6.0


class PostedExecution(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An execution as a client posts it; prices per 100 par, quantity in par, time with its zone."""

    execution_ref: str
    cusip: str
    side: Side
    price: float
    quantity: float
    executed_at: datetime
    arrival_mid: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One figure as it stands: in bps, positive = cost. ``updated_at`` is when the vendor made this version known."""

    execution_ref: str
    measure: str
    horizon_s: int | None
    cost_bps: float
    benchmark: str
    computed_at: datetime
    updated_at: datetime


_MEASURES = {"implementation_shortfall": "IS", "price_reversion": "REVERSION", "market_impact": "IMPACT"}


class TcaBook:
    """Executions by reference, and every version of every result. Safe for several threads."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._executions: dict[str, PostedExecution] = {}
        self._versions: dict[str, list[Result]] = {}
        self._lock = threading.Lock()

    def take(self, execution: PostedExecution) -> bool:
        """Take an execution once; ``False`` where its reference is known already. Raises ValueError where the content differs."""
        with self._lock:
            known = self._executions.get(execution.execution_ref)
            if known is not None:
                if known != execution:
                    message = f"execution {execution.execution_ref} was posted before with other content"
                    raise ValueError(message)
                return False
            self._executions[execution.execution_ref] = execution
            self._versions[execution.execution_ref] = self._measured(execution)
            return True

    @property
    def executions(self) -> tuple[PostedExecution, ...]:
        """Everything posted, in order of arrival."""
        with self._lock:
            return tuple(self._executions.values())

    def standing(self, now: datetime) -> list[Result]:
        """Give each result's version of ``now``, in order of its last change: what a client that missed nothing has."""
        with self._lock:
            versions = [version for listed in self._versions.values() for version in listed if version.updated_at <= now]
        newest: dict[tuple[str, str, int | None], Result] = {}
        for version in sorted(versions, key=lambda one: one.updated_at):
            newest[version.execution_ref, version.measure, version.horizon_s] = version
        return sorted(newest.values(), key=lambda one: (one.updated_at, one.execution_ref, one.measure, one.horizon_s or 0))

    def _measured(self, execution: PostedExecution) -> list[Result]:
        """Measure an execution on a path of mids that its reference and the seed determine."""
        rng = stream(self._seed, "vendor", execution.execution_ref)
        arrival = execution.arrival_mid or execution.price
        steps = np.cumsum(rng.normal(0, _STEP_BPS, len(HORIZONS_S) + 1))
        at = int(execution.executed_at.timestamp() * 1000)
        executed = Executed(
            reference=[execution.execution_ref],
            direction=np.array([execution.side.direction]),
            at=np.array([at]),
            price=np.array([execution.price]),
            quantity=np.array([execution.quantity]),
            unfilled=np.array([0.0]),
            arrival_mid=np.array([arrival]),
            mids=np.round(arrival * (1 + 1e-4 * steps), 4)[np.newaxis, :],
        )
        rows = tca_rows(self._seed, executed, at + 10 * 86_400_000)
        columns = [dict(zip(rows.names, cells, strict=True)) for cells in rows.cells]
        return list(_with_second_thoughts(rng, (_result(row) for row in columns if row["vendor"] == ALPHA)))


def _result(row: dict[str, str]) -> Result:
    computed = datetime.fromisoformat(row["computed_at"]).astimezone(UTC)
    horizon = int(row["horizon_s"]) if row["horizon_s"] else None
    return Result(
        row["execution_ref"], _MEASURES[row["metric"]], horizon, float(row["value"]), row["reference"].lower(), computed, computed
    )


def _with_second_thoughts(rng: np.random.Generator, results: Iterable[Result]) -> Iterable[Result]:
    """Let some results come late, and some be revised two days on."""
    for result in results:
        late = _LATE_BY if rng.random() < _LATE_SHARE else timedelta(0)
        first = replace(result, updated_at=result.computed_at + late)
        yield first
        if rng.random() < _REVISED_SHARE:
            again = first.updated_at + _REVISED_AFTER
            yield replace(first, cost_bps=round(first.cost_bps + float(rng.normal(0, 1)), 4), computed_at=again, updated_at=again)
