"""What each part may load. The layers themselves are import-linter's business; here is what it cannot see."""

import subprocess
import sys

import pytest

from tests.architecture.project import ROOT, imported, under

PLATFORM = ("prefect", "prefect_dbt", "great_expectations", "dbt", "pandas", "pyarrow", "sqlalchemy", "duckdb_engine")


def loaded_by(statement: str) -> set[str]:
    """Name the top-level packages in memory after a statement in a fresh interpreter."""
    code = f"{statement}; import sys; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import serve.app", (*PLATFORM, "flows", "sim", "demo")),
        # Composition only: `sotto --help` costs no one's imports.
        ("import sotto", (*PLATFORM, "flows", "serve", "sim", "demo", "litestar", "quickfix", "duckdb", "numpy")),
        ("import expectations.contracts.snapshot", (*PLATFORM, "duckdb", "litestar")),
    ],
)
def test_importing_loads_nothing_heavy(statement: str, unwanted: tuple[str, ...]) -> None:
    loaded = loaded_by(statement)
    assert statement.split()[1].partition(".")[0] in loaded
    assert loaded & set(unwanted) == set()


@pytest.mark.parametrize("room", ["expectations", "flows", "serve"])
def test_no_room_of_the_product_knows_the_synthetic_market(room: str) -> None:
    files = under(room)
    assert files
    assert [str(path) for path in files if imported(path) & {"sim", "demo", "tests"}] == []


def test_only_benchmarks_and_tests_know_the_tests() -> None:
    assert [str(path) for path in under("demo", "sim", "sotto") if "tests" in imported(path)] == []
