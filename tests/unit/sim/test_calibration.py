"""The market shows the figures that it is calibrated to; tolerances are a few standard errors of what 180 days can show."""

import gzip
from collections import Counter, defaultdict
from csv import DictReader
from datetime import UTC, date, datetime, timedelta
from statistics import fmean, median

import numpy as np
import pytest

from sim.behaviour import skewed_error
from sim.dealers import draw_skill
from sim.randomness import stream
from sim.traits import CLASSES, LEAK_BETA
from sim.world import load_world
from tests.unit.sim.conftest import END

TRAITS = {str(traits.scorecard_class): traits for traits in CLASSES}


def _truth(market_files, name):
    return list(DictReader(gzip.decompress((market_files.truth / name).read_bytes()).decode().splitlines()))


@pytest.fixture(scope="module")
def answers(market_files):
    return _truth(market_files, "answers.csv.gz")


@pytest.fixture(scope="module")
def world(market_files):
    return load_world(market_files.truth)


@pytest.fixture(scope="module")
def bond_of(tables):
    return {name: bond for bond in tables["securities"] for name in (bond["security_id"], bond["cusip"], bond["isin"]) if name}


@pytest.fixture(scope="module")
def rfqs(tables):
    found = defaultdict(list)
    for row in {tuple(row.items()): row for row in tables["rfq_log"]}.values():
        if not row["rfq_id"].startswith("X"):
            found[row["rfq_id"]].append(row)
    return found


def test_top_two_percent_of_bonds_have_a_quarter_of_trades_and_many_bonds_none_for_weeks(tables, bond_of):
    traded = Counter(bond_of[row["security_id"]]["security_id"] for row in tables["trades"] if row["security_id"] in bond_of)
    top = sum(count for _, count in traded.most_common(8)) / sum(traded.values())
    assert 0.22 <= top <= 0.29
    last = defaultdict(str)
    for row in tables["trades"]:
        if row["security_id"] in bond_of:
            last[bond_of[row["security_id"]]["security_id"]] = max(
                last[bond_of[row["security_id"]]["security_id"]], row["executed_at"]
            )
    weeks_ago = (END - timedelta(days=14)).isoformat()
    silent = sum(last[bond["security_id"]] < weeks_ago for bond in tables["securities"]) / len(tables["securities"])
    assert 0.12 <= silent <= 0.5


@pytest.mark.parametrize("name", ["CORP_IG", "CORP_HY", "MUNI", "STRUCTURED", "GOVT", "EM"])
def test_dealers_respond_within_the_range_of_the_class(answers, world, name):
    calm = [row for row in answers if row["scorecard_class"] == name and _day(row["rfq_id"]) not in world.stress_days]
    share = fmean(row["quoted"] == "true" for row in calm)
    low, high = TRAITS[name].response
    assert low - 0.04 <= share <= high + 0.02


def _day(rfq_id):
    return datetime.strptime(rfq_id[1:9], "%Y%m%d").replace(tzinfo=UTC).date()


def test_larger_panels_get_fewer_answers_per_dealer(rfqs):
    shares = defaultdict(list)
    for rows in rfqs.values():
        if rows[0]["protocol"] == "PARALLEL":
            shares[len(rows)] += [row["response"] == "QUOTED" for row in rows]
    assert fmean(shares[6]) < fmean(shares[3]) - 0.03
    assert set(shares) == {3, 4, 5, 6}


def test_trades_fail_now_and_then_in_calm_and_mostly_in_stress(rfqs, world):
    failed = {strained: [] for strained in (True, False)}
    for rows in rfqs.values():
        strained = date.fromisoformat(rows[0]["asked_at"][:10]) in world.stress_days
        failed[strained].append(rows[0]["outcome"] == "NOT_TRADED")
    assert 0.05 <= fmean(failed[False]) <= 0.20
    assert fmean(failed[True]) > 0.40


def test_response_times_have_the_classes_medians_and_a_long_tail(rfqs, bond_of):
    waits = defaultdict(list)
    for rows in rfqs.values():
        for row in rows:
            if row["responded_at"]:
                waited = datetime.fromisoformat(row["responded_at"]) - datetime.fromisoformat(row["asked_at"])
                waits[bond_of[row["security_id"]]["asset_class"]].append(waited.total_seconds())
    assert 15 <= median(waits["CORP"]) <= 25
    assert median(waits["MUNI"]) > 90
    assert np.quantile(waits["CORP"], 0.95) > 2.5 * median(waits["CORP"])


def test_a_fifth_of_quotes_is_worse_than_the_arrival_bid_or_ask(answers, world):
    calm = [float(row["cost_hs"]) for row in answers if row["quoted"] == "true" and _day(row["rfq_id"]) not in world.stress_days]
    assert 0.13 <= fmean(cost > 1 for cost in calm) <= 0.25


def test_quote_errors_are_standard_and_skewed_to_the_bad_side():
    errors = skewed_error(stream(1, "test"), (200_000,))
    assert abs(errors.mean()) < 0.01
    assert abs(errors.std() - 1) < 0.02
    assert np.quantile(errors, 0.95) > -np.quantile(errors, 0.05) * 1.2


@pytest.mark.parametrize(("name", "points"), [("CORP_IG", 0.55), ("CORP_HY", 0.82)])
def test_evaluated_prices_lie_within_the_published_noise(tables, market_files, world, name, points):
    mids = {(row["day"], row["security_id"]): float(row["evaluation_mid"]) for row in _truth(market_files, "mids.csv.gz")}
    own = {bond.security_id for bond in world.bonds if bond.scorecard_class == name}
    errors = [
        float(row["mid"]) - mids[row["as_of"][:10], row["security_id"]]
        for row in tables["reference_prices"]
        if row["source"] == "EVALUATED"
        and row["security_id"] in own
        and row["mid"]
        and row["as_of"][:1] == "2"
        and float(row["mid"]) > 0
    ]
    assert 0.93 <= fmean(abs(error) <= points for error in errors) <= 0.97


def test_leak_propensity_is_beta():
    drawn = np.concatenate([draw_skill(seed, 100).leak[0].ravel() for seed in range(20)])
    a, b = LEAK_BETA
    assert abs(drawn.mean() - a / (a + b)) < 0.01
    assert abs(drawn.var() - a * b / ((a + b) ** 2 * (a + b + 1))) < 0.002


def test_lost_rfqs_that_leaked_drift_against_the_desk_and_the_others_do_not(answers, tables, rfqs, world):
    mids = {(row["security_id"], row["as_of"]): row["mid"] for row in tables["reference_prices"] if row["source"] == "COMPOSITE"}
    names = {name: bond.security_id for bond in world.bonds for name in (bond.security_id, bond.isin)}
    leaks = Counter(row["rfq_id"] for row in answers if row["leaked"] == "true" and row["scorecard_class"] in {"CORP_HY", "EM"})
    wide = {row["rfq_id"] for row in answers if row["scorecard_class"] in {"CORP_HY", "EM"}}
    drifts = {True: [], False: []}
    for rfq_id in sorted(wide):
        row = rfqs[rfq_id][0]
        asked = datetime.fromisoformat(row["asked_at"])
        later = (asked + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        mid = mids.get((names[row["security_id"]], later))
        if mid and row["arrival_mid"]:
            direction = 1 if row["client_side"] == "BUY" else -1
            drift = direction * (float(mid) / float(row["arrival_mid"]) - 1) * 1e4
            drifts[leaks[rfq_id] > 0].append(drift)
    leaked, quiet = (np.array(drifts[key]) for key in (True, False))
    error = np.hypot(leaked.std() / len(leaked) ** 0.5, quiet.std() / len(quiet) ** 0.5)
    assert leaked.mean() - quiet.mean() > 5 * error
    assert abs(quiet.mean()) < 4 * quiet.std() / len(quiet) ** 0.5


def test_four_fifths_of_axes_are_advertised_and_some_dealers_fake(market_files):
    axes = _truth(market_files, "axes.csv.gz")
    real = [row for row in axes if row["real"] == "true"]
    assert 0.74 <= fmean(bool(row["advertised_at"]) for row in real) <= 0.82
    fakes = Counter(row["dealer_id"] for row in axes if row["real"] == "false")
    assert max(fakes.values()) > 4 * (min(fakes.values()) + 1)


def test_axes_make_dealers_answer_more_and_better(answers):
    axed = [row for row in answers if float(row["axe"]) == 1]
    plain = [row for row in answers if float(row["axe"]) == 0]
    assert fmean(row["quoted"] == "true" for row in axed) > fmean(row["quoted"] == "true" for row in plain) + 0.05
    assert fmean(float(row["cost_hs"]) for row in axed) < fmean(float(row["cost_hs"]) for row in plain) - 0.2


def test_the_market_shifts_for_some_dealers_only(market_files):
    rows = _truth(market_files, "skill.csv.gz")
    cost = {(row["regime"], row["dealer_id"], row["scorecard_class"]): row["cost_hs"] for row in rows}
    moved = [cost["0", dealer, name] != cost["1", dealer, name] for regime, dealer, name in cost if regime == "0"]
    assert 0.1 <= fmean(moved) <= 0.3


def test_a_seven_year_corporate_sleeps_while_many_dealers_quote_its_peers(tables, bond_of, rfqs):
    """The order of M-30 can be placed on data alone."""
    last = defaultdict(str)
    for row in tables["trades"]:
        last[row["security_id"]] = max(last[row["security_id"]], row["executed_at"])
    week_ago = (END - timedelta(days=7)).isoformat()
    sleepers = [
        bond
        for bond in tables["securities"]
        if bond["asset_class"] == "CORP"
        and 6.5 <= (date.fromisoformat(bond["maturity_date"]) - END).days / 365.25 <= 7.5
        and bond["rating_sp"][:2] in {"BB", "A", "A-", "A+", "AA"}
        and float(bond["amount_outstanding"]) >= 5e8
        and last[bond["cusip"]] < week_ago
    ]
    assert sleepers
    quoted = defaultdict(set)
    for rows in rfqs.values():
        for row in rows:
            if row["response"] == "QUOTED":
                quoted[bond_of[row["security_id"]]["issuer_id"]].add(row["dealer_id"])
    assert max(len(quoted[bond["issuer_id"]]) for bond in sleepers) >= 15
