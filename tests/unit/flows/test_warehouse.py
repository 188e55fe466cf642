"""The warehouse's file, and what stands beside it."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flows import warehouse
from flows.refused import Refused


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


def test_a_full_build_takes_the_warehouse_from_nobody_and_a_broken_one_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "PATIENCE_S", 0.5)
    file = tmp_path / "warehouse.duckdb"
    script = f"import duckdb, sys; c = duckdb.connect({str(file)!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(Refused, match=f"is open in another process .*PID {writer.pid}"):
            warehouse.drop(file)
        writer.communicate()
    assert file.exists()
    file.write_bytes(b"no database at all")
    warehouse.drop(file)
    assert not file.exists()
