"""Fitted numbers are data: what an order of each class costs and how far it moves the market, from executions."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeAlias

import duckdb
import msgspec
import numpy as np

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from flows.bootstrap import floats
from flows.fit_days import LOOK_BACK_DAYS

_COLUMNS = SNAPSHOT_TABLES["fit_market_costs"]
_EXPONENT_CEILING = 0.6
_SIZE_BANDS = 5
_FEWEST = 20

_EXECUTIONS = """
select
    executions.scorecard_class,
    executions.executed_quantity,
    -executions.price_improvement_gain_bps as cost_bps,
    coalesce(executions.vendor_impact_cost_bps, executions.drift_cost_bps) as impact_bps,
    liquidity.volatility_bps * sqrt(executions.executed_quantity / liquidity.adv_30d) as scaled_size
from marts.fct_executions as executions
inner join marts.fct_security_liquidity as liquidity using (security_id)
where executions.asked_on > ?
-- Equal sizes are told apart by their place, and so stand in the same size band every time.
order by executions.rfq_id, executions.dealer_id
"""

_CLASSES = """
select
    securities.scorecard_class,
    median(liquidity.half_spread_bps) as half_spread_bps,
    median(liquidity.volatility_bps) as volatility_bps
from marts.dim_securities as securities
inner join marts.fct_security_liquidity as liquidity using (security_id)
group by all
order by all
"""

Floats: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]


class CostCurve(msgspec.Struct, frozen=True):
    """Expected cost = ``half_spread_bps`` x (quantity / ``reference_quantity``) ^ ``size_exponent``; bps, positive = cost."""

    half_spread_bps: float
    reference_quantity: float
    size_exponent: float
    n: int


class Impact(msgspec.Struct, frozen=True):
    """Expected impact = ``coefficient`` x volatility x sqrt(quantity / ADV); ``low`` and ``high`` bound 95 %."""

    coefficient: float
    low: float
    high: float
    n: int


def fit_cost(quantity: Floats, cost_bps: Floats) -> CostCurve | None:
    """Fit the size curve through the mean cost of size bands (equal counts), in logarithms.

    Costs are signed, so single ones have no logarithm; where a band's mean is not positive the exponent is 0 and the
    level is the mean. ``None`` below twenty executions or where the mean cost is not positive.
    """
    if len(quantity) < _FEWEST or cost_bps.mean() <= 0:
        return None
    reference = float(np.median(quantity))
    bands = np.array_split(np.argsort(quantity, kind="stable"), _SIZE_BANDS)
    sizes = np.array([np.log(quantity[band] / reference).mean() for band in bands])
    means = np.array([cost_bps[band].mean() for band in bands])
    if (means <= 0).any() or np.ptp(sizes) == 0:
        return CostCurve(float(cost_bps.mean()), reference, 0.0, len(quantity))
    slope = float(np.polynomial.polynomial.polyfit(sizes, np.log(means), 1)[1])
    exponent = min(max(slope, 0.0), _EXPONENT_CEILING)
    shape = (quantity / reference) ** exponent
    return CostCurve(float((shape * cost_bps).sum() / (shape * shape).sum()), reference, exponent, len(quantity))


def fit_impact(scaled_size: Floats, impact_bps: Floats) -> Impact | None:
    """Fit the square-root law through the origin by least squares, with a heteroscedasticity-robust interval (White 1980).

    ``scaled_size`` is volatility x sqrt(quantity / ADV), bps. ``None`` below twenty executions. Not below zero.
    """
    if len(scaled_size) < _FEWEST or not (scaled_size > 0).any():
        return None
    square = float((scaled_size * scaled_size).sum())
    slope = float((scaled_size * impact_bps).sum()) / square
    residuals = impact_bps - slope * scaled_size
    half = 1.96 * math.sqrt(float((scaled_size * scaled_size * residuals * residuals).sum())) / square
    return Impact(max(slope, 0.0), max(slope - half, 0.0), max(slope + half, 0.0), len(scaled_size))


def fit_market_costs(connection: duckdb.DuckDBPyConnection, until: date) -> int:
    """Fit every class on the executions of 400 days up to ``until`` and write ``marts.fit_market_costs``; give the number of rows.

    A class with too few executions takes the half-spread of its reference prices (``cost_n`` = 0) and the impact
    coefficient of all classes together; where there are too few of those as well, the figures are NULL.
    """
    executions = connection.execute(_EXECUTIONS, [until - timedelta(days=LOOK_BACK_DAYS)]).fetchnumpy()
    label = np.asarray(executions["scorecard_class"])
    columns = {name: floats(executions[name]) for name in ("executed_quantity", "cost_bps", "impact_bps", "scaled_size")}
    pooled = _impact_of(columns, np.ones(len(label), dtype=bool))
    rows = []
    for name, half_spread, volatility in connection.execute(_CLASSES).fetchall():
        inside = label == name
        priced = inside & np.isfinite(columns["cost_bps"])
        cost = fit_cost(columns["executed_quantity"][priced], columns["cost_bps"][priced])
        rows.append(_row(name, half_spread, volatility, cost, _impact_of(columns, inside) or pooled))
    cells = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute(f"create or replace table marts.fit_market_costs ({cells})")
    if rows:
        connection.executemany(f"insert into marts.fit_market_costs values ({', '.join('?' * len(_COLUMNS))})", rows)
    return len(rows)


def _impact_of(columns: dict[str, Floats], inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Impact | None:
    known = inside & np.isfinite(columns["impact_bps"]) & np.isfinite(columns["scaled_size"])
    return fit_impact(columns["scaled_size"][known], columns["impact_bps"][known])


def _row(
    name: str, half_spread: float | None, volatility: float | None, cost: CostCurve | None, impact: Impact | None
) -> Sequence[object]:
    curve = cost or (CostCurve(half_spread, 1e6, 0.0, 0) if half_spread else None)
    level = (curve.half_spread_bps, curve.reference_quantity, curve.size_exponent) if curve else (None, None, None)
    move = (impact.coefficient, impact.low, impact.high, impact.n) if impact else (None, None, None, 0)
    return (name, *level, half_spread, curve.n if curve else 0, volatility, *move)
