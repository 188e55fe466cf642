"""Two TCA vendors: one in basis points where positive is a cost, one in price or money where positive is a gain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import PositiveIs, TcaMetric, TcaUnit
from sim.calendar import DAY_MS
from sim.randomness import stream
from sim.timeline import HORIZONS_S
from sim.writers import Rows, instants, rows_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ALPHA, BRIDGE = "ALPHATCA", "BRIDGEMETRICS"
_BRIDGE_SHARE = 0.35
_IMPACT_HORIZON_S = 1800
_VENDOR_DELAY_MS = 120_000
_NEXT_MORNING_MS = 6 * 3_600_000


@dataclass(frozen=True, slots=True)
class Executed:
    """Executions for a vendor to measure. ``mids`` is execution x (0, 5 min, 30 min, 1 day) from the trade, per 100 par.

    ``unfilled`` is the share of the order left over; NaN marks what is not known yet.
    """

    reference: list[str]
    direction: Ints
    at: Ints
    price: Floats
    quantity: Floats
    unfilled: Floats
    arrival_mid: Floats
    mids: Floats


@dataclass(frozen=True, slots=True)
class _Figure:
    metric: TcaMetric
    horizon_s: int | None
    reference: str
    cost_bps: Floats
    base: Floats
    ready: Ints


def _figures(executed: Executed) -> list[_Figure]:
    """Give every figure as a cost in bps of ``base``; signs as in contracts: cost positive = bad for us."""
    side, arrival, now = executed.direction, executed.arrival_mid, executed.mids[:, 0]
    filled = side * (executed.price - arrival) / arrival * 1e4
    left = side * (executed.mids[:, 2] - arrival) / arrival * 1e4
    left = np.where(executed.unfilled > 0, executed.unfilled * left, 0.0)
    shortfall = (1 - executed.unfilled) * filled + left
    half_hour = executed.at + _IMPACT_HORIZON_S * 1000
    figures = [
        _Figure(TcaMetric.IMPLEMENTATION_SHORTFALL, None, "ARRIVAL", shortfall, arrival, half_hour),
        _Figure(
            TcaMetric.MARKET_IMPACT,
            _IMPACT_HORIZON_S,
            "ARRIVAL",
            side * (executed.mids[:, 2] - arrival) / arrival * 1e4,
            arrival,
            half_hour,
        ),
    ]
    for place, horizon in enumerate(HORIZONS_S, start=1):
        # A price that falls back after we bought has cost us: the sign of reversion turns round to become a cost.
        fell_back = -side * (executed.mids[:, place] - now) / now * 1e4
        figures.append(_Figure(TcaMetric.PRICE_REVERSION, horizon, "MID", fell_back, now, executed.at + horizon * 1000))
    return figures


def tca_rows(seed: int, executed: Executed, end_ms: int) -> Rows:
    """Write what both vendors deliver by ``end_ms``."""
    rng = stream(seed, "tca", len(executed.reference))
    second = rng.random(len(executed.reference)) < _BRIDGE_SHARE
    columns: dict[str, list[str]] = {
        name: []
        for name in ("execution_ref", "vendor", "metric", "horizon_s", "value", "unit", "positive_is", "reference", "computed_at")
    }
    for figure in _figures(executed):
        noise = rng.normal(0, 0.05, len(executed.reference))
        ready = figure.ready + _VENDOR_DELAY_MS
        _deliver(columns, executed, figure, _Delivery(ALPHA, figure.cost_bps + noise, TcaUnit.BPS, ready, ready <= end_ms))
        unit = TcaUnit.CURRENCY if figure.metric == TcaMetric.IMPLEMENTATION_SHORTFALL else TcaUnit.PRICE
        points = -figure.cost_bps * figure.base / 1e4
        value = points * executed.quantity / 100 if unit == TcaUnit.CURRENCY else points
        morning = (figure.ready // DAY_MS + 1) * DAY_MS + _NEXT_MORNING_MS
        _deliver(columns, executed, figure, _Delivery(BRIDGE, value, unit, morning, second & (morning <= end_ms)))
    return rows_of("tca_results", columns, by_time=columns["computed_at"])


@dataclass(frozen=True, slots=True)
class _Delivery:
    vendor: str
    value: Floats
    unit: TcaUnit
    ready: Ints
    wanted: npt.NDArray[np.bool_]


def _deliver(columns: dict[str, list[str]], executed: Executed, figure: _Figure, delivery: _Delivery) -> None:
    vendor, value, unit, ready, wanted = delivery.vendor, delivery.value, delivery.unit, delivery.ready, delivery.wanted
    rows = np.flatnonzero(wanted & np.isfinite(value))
    places = {TcaUnit.BPS: 4, TcaUnit.PRICE: 6, TcaUnit.CURRENCY: 2}[unit]
    count = len(rows)
    columns["execution_ref"] += [executed.reference[row] for row in rows]
    columns["vendor"] += [vendor] * count
    columns["metric"] += [str(figure.metric)] * count
    columns["horizon_s"] += ["" if figure.horizon_s is None else str(figure.horizon_s)] * count
    columns["value"] += [f"{number:.{places}f}" for number in value[rows].tolist()]
    columns["unit"] += [str(unit)] * count
    columns["positive_is"] += [str(PositiveIs.COST if vendor == ALPHA else PositiveIs.GAIN)] * count
    columns["reference"] += [figure.reference] * count
    columns["computed_at"] += instants(ready[rows])
