"""Fitted costs and impacts: what was planted is found, with an interval that says how sure it is."""

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from flows.fit import Floats, fit_cost, fit_impact, fit_market_costs

UNTIL = date(2025, 6, 30)


def sizes(chance: np.random.Generator, count: int) -> Floats:
    return np.exp(chance.normal(np.log(2e6), 1.2, count))


@pytest.mark.parametrize("exponent", [0.0, 0.15, 0.35, 0.55])
def test_a_planted_size_curve_is_recovered(exponent: float) -> None:
    found = []
    for seed in range(12):
        chance = np.random.default_rng(seed)
        quantity = sizes(chance, 1500)
        cost = 12 * (quantity / 2e6) ** exponent + chance.normal(0, 4, 1500)
        curve = fit_cost(quantity, cost)
        assert curve is not None
        assert curve.n == 1500
        assert curve.half_spread_bps * (2e6 / curve.reference_quantity) ** curve.size_exponent == pytest.approx(12, rel=0.08)
        found.append(curve.size_exponent)
    assert np.mean(found) == pytest.approx(exponent, abs=0.02)
    assert np.max(np.abs(np.array(found) - exponent)) < 0.06


def test_the_interval_of_the_impact_holds_the_planted_coefficient_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        scaled = chance.uniform(1, 40, 300)
        # Noise that grows with size, as impacts have it: a plain interval would be too narrow.
        fitted = fit_impact(scaled, 0.8 * scaled + chance.normal(0, 1, 300) * scaled * 0.7)
        assert fitted is not None
        assert fitted.low <= fitted.coefficient <= fitted.high
        inside += fitted.low <= 0.8 <= fitted.high
    assert 180 <= inside <= 198


@pytest.mark.parametrize("count", [0, 1, 19])
def test_fewer_than_twenty_executions_fit_nothing(count: int) -> None:
    ones = np.ones(count)
    assert fit_cost(ones * 1e6, ones) is None
    assert fit_impact(ones, ones) is None
    assert fit_cost(np.ones(20) * 1e6, np.ones(20)) is not None
    assert fit_impact(np.ones(20), np.ones(20)) is not None


def test_executions_that_gained_on_average_give_no_cost_curve() -> None:
    assert fit_cost(np.linspace(1e6, 9e6, 50), np.full(50, -3.0)) is None


def test_without_a_positive_mean_in_every_size_band_the_curve_is_flat_at_the_mean() -> None:
    cost = np.concatenate([np.full(10, -1.0), np.full(40, 5.0)])
    curve = fit_cost(np.linspace(1e6, 9e6, 50), cost)
    assert curve is not None
    assert (curve.size_exponent, curve.half_spread_bps) == (0.0, pytest.approx(cost.mean()))


def test_orders_of_one_size_give_a_flat_curve() -> None:
    curve = fit_cost(np.full(30, 1e6), np.full(30, 7.0))
    assert curve is not None
    assert (curve.size_exponent, curve.half_spread_bps, curve.reference_quantity) == (0.0, 7.0, 1e6)


def test_an_impact_against_the_order_is_not_below_zero() -> None:
    fitted = fit_impact(np.linspace(1, 40, 50), -np.linspace(1, 40, 50))
    assert fitted is not None
    assert (fitted.coefficient, fitted.low, fitted.high) == (0, 0, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1e3, 1e9), st.floats(-500, 500)),
        min_size=20,
        max_size=60,
    )
)
def test_whatever_the_executions_the_curve_is_finite_positive_and_never_falls_with_size(cells: list[tuple[float, float]]) -> None:
    quantity, cost = (np.array(column) for column in zip(*cells, strict=True))
    curve = fit_cost(quantity, cost)
    if curve is not None:
        assert np.isfinite([curve.half_spread_bps, curve.reference_quantity, curve.size_exponent]).all()
        assert 0 <= curve.size_exponent <= 0.6
        assert curve.half_spread_bps > 0


def marts(path: Path, executions: list[tuple[str, str, float, float | None, float | None]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path / "warehouse.duckdb"))
    connection.execute("create schema marts")
    for table in ("dim_securities", "fct_security_liquidity"):
        cells = ", ".join(f"{name} {kind}" for name, kind in SNAPSHOT_TABLES[table].items())
        connection.execute(f"create table marts.{table} ({cells})")
    connection.execute(
        "create table marts.fct_executions (security_id varchar, scorecard_class varchar, executed_quantity double, "
        "price_improvement_gain_bps double, vendor_impact_cost_bps double, drift_cost_bps double, rfq_id varchar, "
        "dealer_id varchar, asked_on date)"
    )
    for security, scorecard_class in (("S1", "CORP_IG"), ("S2", "MUNI"), ("S3", "GOVT")):
        connection.execute(
            "insert into marts.dim_securities by name select ? as security_id, ? as scorecard_class", [security, scorecard_class]
        )
        connection.execute(
            "insert into marts.fct_security_liquidity by name "
            "select ? as security_id, case ? when 'S3' then null else 6.0 end as half_spread_bps, 20.0 as volatility_bps, "
            "4e6 as adv_30d",
            [security, security],
        )
    if executions:
        connection.executemany(
            "insert into marts.fct_executions values (?, ?, ?, ?, null, ?, uuid(), 'D', ?)", [(*e, UNTIL) for e in executions]
        )
    return connection


def test_every_class_gets_a_row_and_says_what_stands_behind_it(tmp_path: Path) -> None:
    quantities = np.linspace(1e6, 9e6, 40)
    executions = [("S1", "CORP_IG", float(q), -8.0, float(0.5 * 20 * np.sqrt(q / 4e6))) for q in quantities]
    executions += [("S2", "MUNI", 1e6, None, None)] * 5
    with marts(tmp_path, executions) as connection:
        assert fit_market_costs(connection, UNTIL) == 3
        rows = {row[0]: row[1:] for row in connection.execute("from marts.fit_market_costs").fetchall()}
        described = {name: kind for name, kind, *_ in connection.execute("describe marts.fit_market_costs").fetchall()}
    assert described == SNAPSHOT_TABLES["fit_market_costs"]
    half_spread, _, exponent, quoted, cost_n, volatility, coefficient, low, high, impact_n = rows["CORP_IG"]
    assert (half_spread, exponent, cost_n, volatility) == (pytest.approx(8), pytest.approx(0, abs=1e-9), 40, 20)
    assert quoted == 6.0
    assert (coefficient, impact_n) == (pytest.approx(0.5), 40)
    assert low <= coefficient <= high
    # Too few of its own: the reference prices' half-spread, and all classes' impact together.
    assert rows["MUNI"][0] == 6.0
    assert rows["MUNI"][4] == 0
    assert rows["MUNI"][6] == pytest.approx(0.5)
    # No reference price either: nothing is made up.
    assert rows["GOVT"][:5] == (None, None, None, None, 0)


def test_executions_of_long_ago_bear_on_nothing(tmp_path: Path) -> None:
    with marts(tmp_path, [("S1", "CORP_IG", 1e6, -8.0, None)] * 40) as connection:
        connection.execute("update marts.fct_executions set asked_on = ?::date - 400 where rowid < 15", [UNTIL])
        fit_market_costs(connection, UNTIL)
        found = connection.execute("select cost_n from marts.fit_market_costs where scorecard_class = 'CORP_IG'").fetchall()
    assert found == [(25,)]


def test_without_any_execution_nothing_is_known_of_impact(tmp_path: Path) -> None:
    with marts(tmp_path, []) as connection:
        fit_market_costs(connection, UNTIL)
        found = connection.execute(
            "select distinct impact_coefficient, impact_low, impact_high, impact_n from marts.fit_market_costs"
        )
        assert found.fetchall() == [(None, None, None, 0)]
