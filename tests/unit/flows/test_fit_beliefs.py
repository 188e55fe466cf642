"""Beliefs as a fold over days: what is planted is found, what is not seen is the class's."""

from datetime import date

import duckdb
import numpy as np
import pytest

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from flows.fit_beliefs import evening, figures_of, morning
from flows.fit_dealers import prices_of
from flows.fit_leaks import leaks_of
from flows.fit_state import Day, Floats, Knobs, State
from flows.fit_tables import TABLES, fit_beliefs

KNOBS = Knobs()
DEAF = Knobs(alarm_bound=float("inf"))
DEALERS = 4
CELLS = (1, 1, 2, DEALERS)


_KEYS = {"dealer_id": "varchar", "scorecard_class": "varchar", "sector": "varchar", "client_side": "varchar"}
DAILY = {
    "int_quote_day_stats": _KEYS | {"asked_on": "date", "whispered": "boolean"},
    "int_leak_day_stats": {"dealer_id": "varchar", "other_id": "varchar", "asked_on": "date", "scorecard_class": "varchar"},
    "int_axe_days": _KEYS | {"told_on": "date", "placed": "boolean"},
}


def quiet(sectors: int = 1) -> Day:
    """Give a day on which nothing happened."""
    cells, own, whole = np.zeros((1, sectors, 2, DEALERS)), np.zeros((1, DEALERS)), np.zeros(1)
    names = ("asked", "answered", "further", "quote_n", "quote_sum", "quote_squares", "told")
    classes = ("steps_open", "faded", "half_spread_sum", "rfqs", "rfq_drift", "rfq_squares")
    return Day(
        **{name: cells.copy() for name in names},
        **{name: whole.copy() for name in classes},
        whisper_n=own.copy(),
        whisper_sum=own.copy(),
        drift=own.copy(),
        lost=np.zeros((1, DEALERS, DEALERS)),
    )


def told(*dealers: int) -> Floats:
    cells = np.zeros(CELLS)
    cells[0, 0, 0, list(dealers)] = 1.0
    return cells


def asked(day: Day, dealer: int, costs: list[float], refused: int = 0, *, side: int = 0, sector: int = 0) -> Day:
    """Let one dealer quote these costs and refuse so often."""
    at = (0, sector, side, dealer)
    day.asked[at] += len(costs) + refused
    day.answered[at] += len(costs)
    day.quote_n[at] += len(costs)
    day.quote_sum[at] += sum(costs)
    day.quote_squares[at] += sum(cost * cost for cost in costs)
    return day


def lived(days: list[tuple[Floats, Day]], knobs: Knobs = KNOBS) -> State:
    sectors = days[0][1].asked.shape[1]
    state = State.empty((1, sectors, DEALERS), knobs)
    for advertised, day in days:
        morning(state, advertised, knobs)
        evening(state, day, knobs)
    return state


def test_planted_prices_and_answers_are_found_and_the_unseen_dealer_is_the_class() -> None:
    rng = np.random.default_rng(1)
    days = []
    for _ in range(60):
        day = quiet()
        for dealer, (price, answers) in enumerate([(0.4, 0.9), (0.7, 0.6), (1.0, 0.7)]):
            quotes = [float(cost) for cost in rng.normal(price, 0.3, int(rng.binomial(4, answers)))]
            asked(day, dealer, quotes, 4 - len(quotes), side=int(rng.integers(0, 2)))
        days.append((told(), day))
    figures = figures_of(lived(days), KNOBS)
    assert figures.prices.mean[0, :3] == pytest.approx([0.4, 0.7, 1.0], abs=0.08)
    assert figures.prices.mean[0, 3] == pytest.approx(figures.prices.class_mean[0])
    assert figures.prices.n[0, 3] == 0
    assert figures.answers.rate[0].argmax() == 0
    assert (figures.prices.low <= figures.prices.mean).all()
    assert (figures.prices.mean <= figures.prices.high).all()


def test_a_dealer_good_in_one_sector_has_a_price_of_its_own_there_and_its_mean_elsewhere() -> None:
    rng = np.random.default_rng(4)
    days = []
    for _ in range(40):
        day = quiet(sectors=3)
        for sector, price in enumerate([0.3, 0.8]):
            asked(day, 0, [float(cost) for cost in rng.normal(price, 0.2, 2)], sector=sector)
            asked(day, 1, [float(cost) for cost in rng.normal(0.6, 0.2, 2)], sector=sector)
        days.append((np.zeros((1, 3, 2, DEALERS)), day))
    prices = figures_of(lived(days), KNOBS).prices
    assert prices.sector_mean[0, :2, 0] == pytest.approx([0.3, 0.8], abs=0.12)
    assert prices.sector_mean[0, :2, 1] == pytest.approx([0.6, 0.6], abs=0.06)
    assert prices.sector_mean[0, 2] == pytest.approx(prices.mean[0])
    assert (prices.sector_low[0, 2] < prices.low[0])[:2].all()
    alone = figures_of(lived([(told(), asked(quiet(), 0, [0.2] * 5))]), KNOBS).prices
    assert alone.sector_mean[0, 0].tolist() == alone.mean[0].tolist()


def test_quotes_of_one_day_tell_less_than_as_many_of_different_days() -> None:
    at_once = lived([(told(), asked(quiet(), 0, [0.2] * 10))]).sector_n[0, 0, 0]
    apart = lived([(told(), asked(quiet(), 0, [0.2])) for _ in range(10)]).sector_n[0, 0, 0]
    assert at_once == pytest.approx(10 / (1 + 9 * KNOBS.day_correlation))
    assert apart > 9


def test_an_advertisement_raises_the_axe_and_silence_lets_it_fade() -> None:
    state = lived([(told(0), quiet())])
    advertised = float(state.axe[0, 0, 0, 0])
    assert advertised > 0.5
    assert state.axe[0, 0, 1, 0] < KNOBS.axe_base
    morning(state, told(), KNOBS)
    assert state.axe[0, 0, 0, 0] < advertised


def test_a_notice_left_to_stand_tells_less_than_one_placed_anew() -> None:
    left, anew, seen_once = lived([(told(0), quiet())]), lived([(told(0), quiet())]), lived([(told(0), quiet())])
    morning(left, told(0), KNOBS, told())
    morning(anew, told(0), KNOBS, told(0))
    first = float(seen_once.axe[0, 0, 0, 0])
    assert first * 0.9 < left.axe[0, 0, 0, 0] < anew.axe[0, 0, 0, 0]
    # Two weeks on one notice, and not a single answer: it is believed about as much as on its first day.
    for _ in range(14):
        morning(left, told(0), KNOBS, told())
    assert left.axe[0, 0, 0, 0] < 0.85


def test_a_quote_far_below_the_usual_speaks_for_an_axe_within_the_cap() -> None:
    usual = [(told(), asked(quiet(), 0, [0.7, 0.8, 0.6])) for _ in range(20)]
    state = lived(usual)
    before = float(state.axe[0, 0, 0, 0])
    evening(state, asked(quiet(), 0, [-2.0, -2.0]), KNOBS)
    after = float(state.axe[0, 0, 0, 0])
    odds = np.log(after / (1 - after)) - np.log(before / (1 - before))
    assert before < after
    assert odds == pytest.approx(KNOBS.axe_cap, abs=0.01)


def test_who_often_advertises_without_an_axe_is_believed_less() -> None:
    rng = np.random.default_rng(2)
    days = []
    for _ in range(120):
        day = asked(quiet(), 0, [float(cost) for cost in rng.normal(0.7, 0.3, 3)])
        crying = told(0) if rng.random() < 0.3 else told()
        days.append((crying, asked(day, 1, [float(cost) for cost in rng.normal(0.7, 0.3, 3)])))
    state = lived(days)
    state.axe[:] = KNOBS.axe_base
    morning(state, told(0, 2), KNOBS)
    assert state.axe[0, 0, 0, 0] < state.axe[0, 0, 0, 2]


@pytest.mark.parametrize("moves", [0.5, -0.5])
def test_a_dealer_whose_quotes_move_is_believed_anew_within_weeks_and_the_others_keep_their_past(moves: float) -> None:
    rng = np.random.default_rng(5)
    days = [asked(asked(quiet(), 0, [rng.normal(0.7 + moves * (day >= 90), 0.3)]), 1, [rng.normal(0.7, 0.3)]) for day in range(110)]
    watched, deaf = (prices_of(lived([(told(), day) for day in days], knobs), knobs) for knobs in (KNOBS, DEAF))
    moved = np.array([prices.mean[0, 0] for prices in (watched, deaf)]) - 0.7
    assert moved[0] / moves > 0.45
    assert moved[1] / moves < 0.3
    assert watched.n[0, 0] < deaf.n[0, 0]
    assert watched.n[0, 1] == pytest.approx(deaf.n[0, 1])


def test_the_planted_leaker_is_found_and_no_leak_is_below_zero() -> None:
    rng = np.random.default_rng(3)
    days = []
    for _ in range(120):
        day = quiet()
        losers = rng.permutation(DEALERS)[:3]
        drift = 0.4 * (0 in losers) + rng.normal(0, 0.3)
        day.lost[0][np.ix_(losers, losers)] += 1
        day.drift[0, losers] += drift
        day.rfqs += 1
        day.rfq_drift += drift
        day.rfq_squares += drift**2
        days.append((told(), day))
    leaks = leaks_of(lived(days), KNOBS)
    assert leaks.mean[0].argmax() == 0
    assert leaks.mean[0, 0] > 0.15 > leaks.mean[0, 1:].max()
    assert (leaks.mean >= 0).all()
    assert leaks.low[0, 0] <= leaks.mean[0, 0] <= leaks.high[0, 0]


def test_fade_and_premium_come_from_our_own_whispers() -> None:
    days = []
    for _ in range(60):
        day = asked(asked(quiet(), 0, [0.7, 0.7, 0.9]), 1, [0.6, 0.8])
        day.whisper_n[0, 0], day.whisper_sum[0, 0] = 1, 0.9
        day.steps_open += 4
        day.faded += 1
        days.append((told(), day))
    figures = figures_of(lived(days), KNOBS)
    assert figures.fade[0] == pytest.approx(0.25)
    assert 0.05 < figures.premium[0] < 0.2


def test_an_empty_warehouse_gives_empty_tables_of_the_contract() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema intermediate; create table marts.dim_dealers (dealer_id varchar)")
        for table, columns in DAILY.items():
            connection.execute(
                f"create table intermediate.{table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
            )
        assert fit_beliefs(connection, date(2026, 1, 1)) == 0
        for table in TABLES:
            described = {name: kind for name, kind, *_ in connection.execute(f"describe marts.{table}").fetchall()}
            assert described == SNAPSHOT_TABLES[table]
