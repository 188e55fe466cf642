import gzip
import shutil
from pathlib import Path

import pytest

from expectations.contracts.sources import TABLES
from sim.errors import SimulationError
from sim.poison import Poison, poison, table_files
from sim.poison_files import read, write
from tests.unit.sim.conftest import read_table


def test_missing_file_leaves_no_file_of_the_table(small_files, tmp_path):
    damage = poison(small_files.out, tmp_path / "bad", Poison.MISSING_FILE)
    assert table_files(tmp_path / "bad", "rfq_log") == []
    assert damage.files == tuple(path.name for path in table_files(small_files.out, "rfq_log"))


def test_empty_file_has_no_byte_and_the_others_stay(small_files, tmp_path):
    damage = poison(small_files.out, tmp_path / "bad", Poison.EMPTY_FILE)
    newest = table_files(tmp_path / "bad", "rfq_log")[-1]
    assert damage.files == (newest.name,)
    assert gzip.decompress(newest.read_bytes()) == b""


def test_missing_column_is_a_required_one(small_files, tmp_path):
    damage = poison(small_files.out, tmp_path / "bad", Poison.MISSING_COLUMN, seed=3)
    assert damage.column in {column.name for column in TABLES["rfq_log"].columns if column.required}
    header = gzip.decompress((tmp_path / "bad" / damage.files[0]).read_bytes()).decode().splitlines()[0]
    assert damage.column not in header.split(",")


@pytest.mark.parametrize(
    ("kind", "table", "bad"),
    [
        (Poison.NEGATIVE_SIZES, "rfq_log", lambda row: row["quantity"].startswith("-")),
        (Poison.NEGATIVE_SIZES, "trades", lambda row: row["quantity"].startswith("-")),
        (Poison.PRICE_9999, "rfq_log", lambda row: row["quote_price"] == "9999"),
        (Poison.PRICE_9999, "reference_prices", lambda row: row["mid"] == "9999"),
        (Poison.FUTURE_DATES, "rfq_log", lambda row: row["asked_at"].startswith("2099")),
        (Poison.FUTURE_DATES, "tca_results", lambda row: row["computed_at"].startswith("2099")),
    ],
)
def test_bad_cells_are_as_many_as_reported(small_files, tmp_path, kind, table, bad):
    damage = poison(small_files.out, tmp_path / "bad", kind, table=table)
    before = sum(bad(row) for row in read_table(small_files.out, table))
    after = sum(bad(row) for row in read_table(tmp_path / "bad", table))
    # A cell that was already bad may be hit again.
    assert damage.rows - 3 <= after - before <= damage.rows
    assert damage.rows > 10


def test_duplicate_flood_repeats_keys_with_other_content(small_files, tmp_path):
    damage = poison(small_files.out, tmp_path / "bad", Poison.DUPLICATE_KEYS)
    before, after = (read_table(folder, "rfq_log") for folder in (small_files.out, tmp_path / "bad"))
    assert len(after) - len(before) == damage.rows
    assert {(row["rfq_id"], row["dealer_id"]) for row in after} == {(row["rfq_id"], row["dealer_id"]) for row in before}
    assert len({tuple(row.values()) for row in after}) > len({tuple(row.values()) for row in before})


@pytest.mark.parametrize("kind", Poison)
def test_same_seed_damages_alike_and_the_good_files_stay(small_files, tmp_path, kind):
    good = {path.name: path.read_bytes() for path in small_files.out.iterdir()}
    table = "tca_results" if kind is Poison.FLIPPED_SIGN else "rfq_log"
    first, second = (poison(small_files.out, tmp_path / name, kind, seed=9, table=table) for name in ("a", "b"))
    assert first == second
    copies = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert copies[0] == copies[1] != good
    assert {path.name: path.read_bytes() for path in small_files.out.iterdir()} == good


@pytest.mark.parametrize("moment", ["not a time", ""])
def test_thin_day_keeps_a_row_in_fifty_of_one_weekday_and_every_row_of_the_others(small_files, tmp_path, moment):
    good = Path(shutil.copytree(small_files.out, tmp_path / "good"))
    newest = read(table_files(good, "trades")[-1])
    newest.cells[0][newest.names.index("executed_at")] = moment
    write(newest)
    damage = poison(good, tmp_path / "bad", Poison.THIN_DAY, table="trades")
    before, after = (read_table(folder, "trades") for folder in (good, tmp_path / "bad"))
    assert len(before) - len(after) == damage.rows > 0
    assert len({row["executed_at"][:10] for row in before if row not in after}) == 1


@pytest.mark.parametrize(("table", "columns"), [("trades", ["quantity"]), ("rfq_log", ["quantity", "quote_quantity"])])
def test_sizes_of_one_weekday_are_in_thousands_and_those_of_the_others_as_they_were(small_files, tmp_path, table, columns):
    damage = poison(small_files.out, tmp_path / "bad", Poison.SIZES_IN_THOUSANDS, table=table)
    happened = TABLES[table].happened_at
    pairs = list(zip(read_table(small_files.out, table), read_table(tmp_path / "bad", table), strict=True))
    hit = [(before, after) for before, after in pairs if before != after]
    assert len({before[happened][:10] for before, _ in hit}) == 1
    assert damage.rows == len(hit) > 5
    for column in columns:
        sized = [(before[column], after[column]) for before, after in hit if before[column]]
        assert sized
        assert all(float(after) == pytest.approx(float(before) / 1000) for before, after in sized)


def test_other_unit_and_flipped_sign_change_every_figure_alike(small_files, tmp_path):
    poison(small_files.out, tmp_path / "unit", Poison.OTHER_UNIT, table="reference_prices")
    poison(small_files.out, tmp_path / "sign", Poison.FLIPPED_SIGN, table="tca_results")
    mids = zip(read_table(small_files.out, "reference_prices"), read_table(tmp_path / "unit", "reference_prices"), strict=True)
    assert all(float(bad["mid"]) == pytest.approx(float(good["mid"]) / 10, abs=1e-6) for good, bad in mids if good["mid"])
    figures = zip(read_table(small_files.out, "tca_results"), read_table(tmp_path / "sign", "tca_results"), strict=True)
    assert all(float(bad["value"]) == -float(good["value"]) for good, bad in figures if good["value"])


def test_folder_without_the_table_or_a_table_without_the_column_is_refused(small_files, tmp_path):
    with pytest.raises(SimulationError, match="no file of rfq_log"):
        poison(tmp_path, tmp_path / "bad", Poison.EMPTY_FILE)
    with pytest.raises(SimulationError, match="has none of"):
        poison(small_files.out, tmp_path / "bad", Poison.PRICE_9999, table="axes")
