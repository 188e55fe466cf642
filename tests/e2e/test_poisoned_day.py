"""A poisoned day: what a vendor's folder delivers next is damaged, nothing bad is ever published, a corrected delivery mends it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.contracts.home import Home
from flows import publish
from flows.landing import Landing
from flows.orchestration import run_refresh
from flows.refused import Refused
from sim.poison import Damage, Poison, poison
from tests.conftest import AS_OF, GoodDay

# A few of each way of being refused. The benchmark has all kinds, tables and many seeds.
CASES = [
    *((kind, "rfq_log") for kind in list(Poison)[:7]),
    (Poison.CUT_OFF, "trades"),
    (Poison.WRONG_TYPE, "axes"),
    (Poison.MISSING_COLUMN, "dealers"),
    (Poison.EMPTY_FILE, "securities"),
    (Poison.PRICE_9999, "reference_prices"),
    (Poison.NEGATIVE_SIZES, "trades"),
]


@pytest.fixture(scope="module")
def home(good_day: GoodDay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Give a home where the good day is published; all these deliveries come to it, one after the other."""
    root = good_day.copied(tmp_path_factory.mktemp("poisoned") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOTTO_HOME", str(root))
        yield Home(root)


@pytest.fixture
def folder(good_day: GoodDay, tmp_path: Path) -> Iterator[Path]:
    """Give the vendor's folder itself, which holds the good files again afterwards."""
    kept = tmp_path / "kept"
    shutil.copytree(good_day.market, kept)
    yield good_day.market
    replaced(good_day.market, kept)


def replaced(folder: Path, by: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(by, folder)


def poisoned(folder: Path, work: Path, kind: Poison, **settings: object) -> Damage:
    """Put damaged files in the place of the good ones."""
    damage = poison(folder, work / "damaged", kind, **settings)  # type: ignore[arg-type]
    replaced(folder, work / "damaged")
    return damage


@pytest.mark.parametrize("case", CASES, ids=" of ".join)
def test_a_poisoned_delivery_is_refused_by_file_and_table_and_the_good_snapshot_stays(
    home: Home, folder: Path, tmp_path: Path, case: tuple[Poison, str]
) -> None:
    kind, table = case
    current, kept = publish.current_id(home), publish.list_manifests(home)
    damage = poisoned(folder, tmp_path, kind, table=table)
    with pytest.raises(Refused) as refused:
        run_refresh(folder, as_of=AS_OF)
    places = [str(folder)] if kind is Poison.MISSING_FILE else damage.files
    assert all(table in reason and any(place in reason for place in places) for reason in refused.value.reasons)
    assert publish.current_id(home) == current
    assert publish.list_manifests(home) == kept


def test_the_same_bad_delivery_is_judged_and_refused_again(home: Home, folder: Path, tmp_path: Path) -> None:
    damage = poisoned(folder, tmp_path, Poison.DUPLICATE_KEYS, seed=5)

    def landed() -> int:
        return sum(Path(receipt.file).name in damage.files for receipt in Landing(home).receipts())

    before = landed()
    reasons = []
    for _attempt in range(2):
        with pytest.raises(Refused, match=r"rfq_log\.repeated_share failed") as refused:
            run_refresh(folder, as_of=AS_OF)
        reasons.append([reason.rpartition("; made by")[0] for reason in refused.value.reasons])
    assert reasons[0] == reasons[1]
    assert landed() == before + 1


def test_after_all_that_a_corrected_delivery_publishes_and_its_few_bad_rows_stay_out(
    good_day: GoodDay, home: Home, folder: Path, tmp_path: Path
) -> None:
    damage = poisoned(folder, tmp_path, Poison.PRICE_9999, table="trades", share=0.001)
    manifest = run_refresh(folder, as_of=AS_OF)
    assert publish.current_id(home) == manifest.snapshot_id != good_day.manifest.snapshot_id
    moved = {table for table, facts in manifest.tables.items() if facts != good_day.manifest.tables[table]}
    assert moved <= {"fct_security_liquidity", "fit_market_costs"}
    assert manifest.quarantined["trades"] == good_day.manifest.quarantined.get("trades", 0) + damage.rows
    assert {table: count for table, count in manifest.quarantined.items() if table != "trades"} == {
        table: count for table, count in good_day.manifest.quarantined.items() if table != "trades"
    }
    (latest,) = [receipt for receipt in Landing(home).newest().values() if Path(receipt.file).name in damage.files]
    with duckdb.connect() as connection:
        bad = connection.execute(
            "select column_name, rule, value, reason from read_parquet(?) where value = '9999'",
            [str(home.quarantine / latest.source / latest.table / f"{latest.batch}.parquet")],
        ).fetchall()
    assert bad == [("price", "at_most", "9999", "must be at most 400")] * damage.rows
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        assert connection.execute("select max(price) < 400 from staging.stg_trades").fetchall() == [(True,)]
