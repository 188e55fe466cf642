"""The warehouse's file, and what stands beside it."""

from pathlib import Path

import duckdb

from flows import warehouse


def test_a_full_build_begins_from_nothing_also_after_a_build_that_was_killed_while_it_spilled(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table left_over as select 1")
    (tmp_path / "warehouse.duckdb.wal").touch()
    # What a process leaves that is killed with rows on the disk that do not fit into memory.
    (tmp_path / "warehouse.duckdb.tmp").mkdir()
    (tmp_path / "warehouse.duckdb.tmp" / "duckdb_temp_storage_DEFAULT-0.tmp").touch()
    (tmp_path / "refresh.lock").touch()
    warehouse.drop(file)
    assert [path.name for path in tmp_path.iterdir()] == ["refresh.lock"]
