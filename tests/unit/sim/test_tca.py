from datetime import UTC, datetime, timedelta

import pytest

from expectations.contracts.vocabulary import Side
from sim.errors import SimulationError
from sim.tca import LiveExecution, tca_for_executions
from sim.world import load_world
from tests.unit.sim.conftest import read_table

AT = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(small_files):
    return load_world(small_files.truth)


def _execution(world, **changes):
    bond = next(bond for bond in world.bonds if bond.scorecard_class == "CORP_HY")
    ids = [dealer.dealer_id for dealer in world.dealers]
    given = {
        "rfq_id": "rfq-1", "security_id": bond.isin, "side": Side.SELL, "dealer_id": ids[0], "price": 98.9, "quantity": 2_000_000.0,
        "arrival_mid": 99.0, "executed_at": AT, "losers": ids[1:4],
    }  # fmt: skip
    return LiveExecution(**(given | changes))


def _value(rows, vendor, metric, horizon=""):
    (row,) = [row for row in rows if (row["vendor"], row["metric"], row["horizon_s"]) == (vendor, metric, horizon)]
    return float(row["value"]) * (1 if row["positive_is"] == "COST" else -1)


def test_shortfall_is_a_cost_when_we_sell_below_arrival(world, tmp_path):
    tca_for_executions(world, [_execution(world)], tmp_path)
    rows = read_table(tmp_path, "tca_results")
    assert _value(rows, "ALPHATCA", "implementation_shortfall") == pytest.approx(0.1 / 99 * 1e4, abs=0.3)
    assert {row["execution_ref"] for row in rows} == {"rfq-1"}


def test_both_vendors_agree_once_sign_and_unit_are_taken_in(world, tmp_path):
    done = [_execution(world, rfq_id=f"rfq-{number}") for number in range(12)]
    tca_for_executions(world, done, tmp_path, until=AT + timedelta(days=2))
    rows = read_table(tmp_path, "tca_results")
    second = {row["execution_ref"] for row in rows if row["vendor"] == "BRIDGEMETRICS"}
    assert second
    for reference in second:
        own = [row for row in rows if row["execution_ref"] == reference]
        shortfall = _value(own, "BRIDGEMETRICS", "implementation_shortfall") / 2_000_000 * 100 / 99.0 * 1e4
        assert shortfall == pytest.approx(_value(own, "ALPHATCA", "implementation_shortfall"), abs=0.3)
        reversion = _value(own, "BRIDGEMETRICS", "price_reversion", "1800") / 99.0 * 1e4
        assert reversion == pytest.approx(_value(own, "ALPHATCA", "price_reversion", "1800"), abs=0.5)


def test_reversion_is_what_the_delivered_mids_show(world, tmp_path):
    tca_for_executions(world, [_execution(world)], tmp_path)
    mids = {row["as_of"]: float(row["mid"]) for row in read_table(tmp_path, "reference_prices")}
    start, later = (mids[(AT + timedelta(minutes=wait)).strftime("%Y-%m-%dT%H:%M:%S.000Z")] for wait in (0, 30))
    cost = (later - start) / start * 1e4
    assert _value(read_table(tmp_path, "tca_results"), "ALPHATCA", "price_reversion", "1800") == pytest.approx(cost, abs=0.3)


def test_nothing_is_delivered_before_its_time(world, tmp_path):
    tca_for_executions(world, [_execution(world)], tmp_path, until=AT + timedelta(minutes=10))
    assert {row["horizon_s"] for row in read_table(tmp_path, "tca_results")} == {"300"}
    assert len(read_table(tmp_path, "reference_prices")) == 2


def test_second_call_writes_the_same_files_again(world, tmp_path):
    files = tca_for_executions(world, [_execution(world)], tmp_path)
    before = [file.read_bytes() for file in files]
    assert tca_for_executions(world, [_execution(world)], tmp_path) == files
    assert [file.read_bytes() for file in files] == before
    assert len(list(tmp_path.iterdir())) == 3


def test_leaky_losers_move_the_price_further_against_us(world, tmp_path):
    """Over many executions the mean drift follows the losers' true propensities."""
    ranked = sorted(world.dealers, key=lambda dealer: dealer.leak["CORP_HY"])
    tight, leaky = ([dealer.dealer_id for dealer in group] for group in (ranked[:4], ranked[-4:]))

    def drift(losers, folder):
        done = [
            _execution(
                world,
                rfq_id=f"r{number}",
                losers=losers,
                dealer_id=world.dealers[number % 12].dealer_id,
                security_id=bond.security_id,
            )
            for number, bond in enumerate(bond for bond in world.bonds if bond.scorecard_class == "CORP_HY")
        ]
        tca_for_executions(world, done, folder)
        values = [
            float(row["value"])
            for row in read_table(folder, "tca_results")
            if (row["vendor"], row["metric"]) == ("ALPHATCA", "market_impact")
        ]
        return sum(values) / len(values)

    assert drift(leaky, tmp_path / "leaky") > drift(tight, tmp_path / "tight")


@pytest.mark.parametrize(
    ("changes", "word"), [({"security_id": "NONE"}, "no bond NONE"), ({"dealer_id": "NOBODY"}, "no dealer NOBODY")]
)
def test_execution_that_this_world_does_not_know_is_refused(world, tmp_path, changes, word):
    with pytest.raises(SimulationError, match=word):
        tca_for_executions(world, [_execution(world, **changes)], tmp_path)
