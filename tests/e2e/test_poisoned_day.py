"""A poisoned day: nothing bad is ever published, and a corrected delivery mends it."""

from pathlib import Path

import duckdb
import pytest

from expectations.contracts.home import Home
from flows import publish
from flows.orchestration import run_refresh
from flows.refused import Refused
from sim.poison import Poison, poison
from tests.conftest import AS_OF, GoodDay


def quarantined(home: Home, delivered: Path, rule: str) -> int:
    """Count the rows of a delivery that stand in quarantine for a rule."""
    files = [str(path) for path in home.quarantine.glob("*/*/*.parquet")]
    query = "select count(*) from read_parquet($files) where rule = $rule and starts_with(file, $folder)"
    return int(duckdb.sql(query, params={"files": files, "rule": rule, "folder": str(delivered)}).fetchall()[0][0])


@pytest.mark.parametrize("kind", list(Poison))
def test_a_poisoned_delivery_is_refused_with_its_table_and_the_good_snapshot_stays(
    good_day: GoodDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Poison
) -> None:
    home = Home(good_day.copied(tmp_path / "home"))
    monkeypatch.setenv("SOTTO_HOME", str(home.root))
    poison(good_day.market, tmp_path / "bad", kind)
    with pytest.raises(Refused) as refused:
        run_refresh(tmp_path / "bad", as_of=AS_OF)
    assert all("rfq_log" in reason for reason in refused.value.reasons)
    assert publish.current_id(home) == good_day.manifest.snapshot_id
    assert {path.parent.name for path in home.snapshots.glob("*/manifest.json")} == {good_day.manifest.snapshot_id}


def test_the_same_bad_delivery_is_refused_again_and_a_corrected_one_publishes(
    good_day: GoodDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(good_day.copied(tmp_path / "home"))
    monkeypatch.setenv("SOTTO_HOME", str(home.root))
    bad = tmp_path / "bad"
    poison(good_day.market, bad, Poison.DUPLICATE_KEYS)
    with pytest.raises(Refused, match="repeated_share"):
        run_refresh(bad, as_of=AS_OF)
    with pytest.raises(Refused, match="held back"):
        run_refresh(bad, as_of=AS_OF)
    for file in bad.glob("rfq_log*"):
        file.write_bytes((good_day.market / file.name).read_bytes())
    assert run_refresh(bad, as_of=AS_OF).tables == good_day.manifest.tables


def test_a_few_bad_rows_are_set_aside_with_reasons_and_the_rest_is_published(
    good_day: GoodDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(good_day.copied(tmp_path / "home"))
    monkeypatch.setenv("SOTTO_HOME", str(home.root))
    damage = poison(good_day.market, tmp_path / "bad", Poison.PRICE_9999, table="trades", share=0.001)
    manifest = run_refresh(tmp_path / "bad", as_of=AS_OF)
    own = quarantined(home, good_day.market, "at_most")
    assert quarantined(home, tmp_path / "bad", "at_most") == own + damage.rows
    assert manifest.quarantined["trades"] >= damage.rows
    assert publish.current_id(home) == manifest.snapshot_id
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        assert connection.execute("select max(price) < 400 from staging.stg_trades").fetchall() == [(True,)]
