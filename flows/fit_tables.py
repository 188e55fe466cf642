"""Beliefs as tables of the snapshot: the fold run over the warehouse's days, its figures written beside the marts."""

from datetime import date
from itertools import product

import duckdb
import numpy as np
import pyarrow as pa

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from flows.fit_beliefs import Figures, evening, figures_of, morning
from flows.fit_days import Axis, Days
from flows.fit_dealers import logistic
from flows.fit_state import SIDES, Floats, Knobs, State
from flows.priors import SHIPPED, Priors

TABLES = ("fit_class_terms", "fit_dealer_beliefs", "fit_sector_prices", "fit_axe_beliefs")
_LEAST_IMPACT_HS = 0.05
# A cell of which no more is believed than of any other need not be written.
_WORTH_WRITING = 0.005
_LEAST_QUOTES = 0.05


def fit_beliefs(connection: duckdb.DuckDBPyConnection, until: date, priors: Priors = SHIPPED) -> int:
    """Fit every class and write the tables of beliefs (``TABLES``); give the rows of ``fit_dealer_beliefs``.

    ``until`` is the last day that counts. The scorecard's own figures forget faster than those of ``expected_utility``.
    """
    own, faster = priors.knobs, priors.of_card
    days = Days(connection, until)
    axis = days.axis
    shape = (len(axis.classes), len(axis.sectors), len(axis.dealers))
    states = [State.empty(shape, item) for item in (own, faster)]
    told = np.zeros(axis.cells)
    for told, placed, day in days:
        for state, item in zip(states, (own, faster), strict=True):
            morning(state, told, item, placed)
            evening(state, day, item)
    if not axis.classes:
        for table in TABLES:
            _write(connection, table, {name: [] for name in SNAPSHOT_TABLES[table]})
        return 0
    figures, of_card = figures_of(states[0], own), figures_of(states[1], faster)
    _write(connection, "fit_class_terms", _terms(axis, figures, states[0], own))
    _write(connection, "fit_dealer_beliefs", _dealers(axis, figures, of_card))
    _write(connection, "fit_sector_prices", _sectors(axis, figures, of_card))
    _write(connection, "fit_axe_beliefs", _axes(axis, states[0], told, own))
    return len(axis.classes) * len(axis.dealers)


def _terms(axis: Axis, figures: Figures, state: State, knobs: Knobs) -> dict[str, object]:
    count = len(axis.classes)
    constant = {"outside_hs": knobs.outside_hs, "crowd_logit": knobs.crowd_logit, "axe_logit": knobs.axe_logit}
    return {
        "scorecard_class": list(axis.classes),
        "half_spread_bps": _unknown_where(figures.half_spread_bps, figures.half_spread_bps <= 0),
        "response": figures.answers.class_rate,
        "price_hs": figures.prices.class_mean,
        "price_sd_hs": figures.prices.sd.mean(-1),
        "leak_hs": figures.leaks.class_mean,
        "axe_gain_hs": figures.prices.gain,
        "axe_base": np.full(count, knobs.axe_base),
        "impact_hs": figures.impact,
        "fade": figures.fade,
        "fade_n": np.round(state.steps_open).astype(np.int64),
        "premium_hs": figures.premium,
        "premium_n": np.round(state.whisper_n.sum(-1)).astype(np.int64),
        **{name: np.full(count, value) for name, value in constant.items()},
    }


def _dealers(axis: Axis, figures: Figures, of_card: Figures) -> dict[str, object]:
    shape = (len(axis.classes), len(axis.dealers))
    impact = np.maximum(of_card.impact, _LEAST_IMPACT_HS)[:, None]
    none = np.full(shape, np.nan)
    parts: dict[str, tuple[Floats, Floats, Floats, Floats]] = {
        "response": (logistic(figures.answers.logit), figures.answers.n, figures.answers.low, figures.answers.high),
        "price_hs": (figures.prices.mean, figures.prices.n, figures.prices.low, figures.prices.high),
        "leak_hs": (figures.leaks.mean, figures.leaks.n, figures.leaks.low, figures.leaks.high),
        "axe_gain_hs": (of_card.axe_gain, of_card.axe_gain_n, none, none),
        "card_response": (of_card.card_response, of_card.answers.n, none, none),
        "card_price_hs": (of_card.card_price, of_card.prices.n, none, none),
        "card_leak": (of_card.leaks.mean / impact, of_card.leaks.n, of_card.leaks.low / impact, of_card.leaks.high / impact),
    }
    names = list(product(axis.classes, axis.dealers))
    columns: dict[str, object] = {
        "scorecard_class": [name for name, _ in names],
        "dealer_id": [dealer for _, dealer in names],
        "price_sd_hs": figures.prices.sd.ravel(),
    }
    for name, cells in parts.items():
        columns |= {f"{name}{suffix}": column.ravel() for suffix, column in zip(("", "_n", "_low", "_high"), cells, strict=True)}
    return columns


def _sectors(axis: Axis, figures: Figures, of_card: Figures) -> dict[str, object]:
    prices, n = figures.prices, figures.prices.sector_n
    several = (n > _LEAST_QUOTES).any(-1).sum(-1) > 1
    at = np.nonzero((n > _LEAST_QUOTES) & several[:, None, None])
    unknown = np.full(len(at[0]), np.nan)
    return {
        "scorecard_class": np.array(axis.classes, dtype=object)[at[0]],
        "sector": np.array(axis.sectors, dtype=object)[at[1]],
        "dealer_id": np.array(axis.dealers, dtype=object)[at[2]],
        "price_hs": prices.sector_mean[at],
        "price_hs_n": n[at],
        "price_hs_low": prices.sector_low[at],
        "price_hs_high": prices.sector_high[at],
        "card_price_hs": of_card.card_sector_price[at],
        "card_price_hs_n": of_card.prices.sector_n[at],
        "card_price_hs_low": unknown,
        "card_price_hs_high": unknown,
    }


def _axes(axis: Axis, state: State, told: Floats, knobs: Knobs) -> dict[str, object]:
    group, sector, side, dealer = np.nonzero((np.abs(state.axe - knobs.axe_base) > _WORTH_WRITING) | (told > 0))
    return {
        "scorecard_class": np.array(axis.classes, dtype=object)[group],
        "sector": np.array(axis.sectors, dtype=object)[sector],
        "client_side": np.array(SIDES, dtype=object)[side],
        "dealer_id": np.array(axis.dealers, dtype=object)[dealer],
        "probability": state.axe[group, sector, side, dealer],
        "advertised": told[group, sector, side, dealer] > 0,
    }


def _unknown_where(figures: Floats, unknown: object) -> Floats:
    return np.where(np.asarray(unknown), np.nan, figures)


def _write(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, object]) -> None:
    kinds = SNAPSHOT_TABLES[table]
    cells = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    rows = pa.table({name: pa.array(column, from_pandas=True) for name, column in columns.items()})
    connection.register("fitted_rows", rows)
    listed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in kinds.items())
    connection.execute(f"create or replace table marts.{table} ({cells})")
    connection.execute(f"insert into marts.{table} select {listed} from fitted_rows")
    connection.unregister("fitted_rows")
