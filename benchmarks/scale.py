"""The scorecard path on 1, 10 and (with ``--huge``) 100 million quotes: against the floor, pandas, and the next day alone.

Prints of as many days are built beside it.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import _scale_floor
from benchmarks import _scale_market as scale
from benchmarks._scale_report import BESIDE, BUILT, medians, report
from expectations.contracts.home import Home
from expectations.contracts.sources import LANDING_TABLES
from flows import landing_index, rebuild
from flows.layout import landed_view, layout_of
from flows.settings import FlowSettings
from flows.transform import WAREHOUSE_FORMAT
from tests.fakes import compiled

RESULTS = Path(__file__).parent / "results" / "scale.md"
FIGURES = RESULTS.with_suffix(".json")
SIZES = {"1M": 72, "90 days": 90, "10M, 720 days": 720}
HUGE = {"100M": 7_200}
# A case that takes longer is given up and has no figure.
PATIENCE_S = 1_500
PANDAS = ("1M", "10M, 720 days")
# What is built in a case and the next day after it: the model asked for, and the tables of landing that there are.
_BUILDS = {
    "build": ("fct_dealer_scorecards", ("rfq_log", "reference_prices", "tca_results")),
    "prints": ("int_print_days", ("trades",)),
}
_NEXT_DAY = {"day": "build", "prints_day": "prints"}


def main(arguments: list[str]) -> None:
    """Run every case in a process of its own and print a table. ``--huge`` takes 100 million quotes instead of the other sizes.

    ``--without`` leaves out what is measured beside them. ``--write`` keeps the figures, beside those of sizes measured before;
    ``--files`` names a folder in which the history is kept for the next time. ``--rounds``: how often each case is run, every
    round from nothing; the one with the median time counts.
    """
    if arguments[:1] == ["--case"]:
        _case(*arguments[1:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale")
    for flag in ("--huge", "--write"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--without", action="append", choices=("floor", "pandas"), default=[])
    parser.add_argument("--files", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args(arguments)
    sizes = HUGE if given.huge else SIZES
    with tempfile.TemporaryDirectory(dir=Path.cwd() / ".sotto" if (Path.cwd() / ".sotto").is_dir() else None) as folder:
        files = given.files or Path(folder) / "files"
        _generate(files, max(sizes.values()) + 1)
        measured: dict[str, dict[str, Any]] = (
            json.loads(FIGURES.read_text(encoding="utf-8")) if given.write and FIGURES.exists() else {}
        )
        for name, days in sizes.items():
            beside = [case for case in BESIDE if case.split("_")[0] not in given.without and (case != "pandas" or name in PANDAS)]
            rounds = [_measure(Path(folder) / f"{number}", files, name, days, [*BUILT, *beside]) for number in range(given.rounds)]
            measured[name] = medians(rounds)
            if given.write:
                FIGURES.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
                RESULTS.write_text(report(measured), encoding="utf-8")
    print(report(measured))


def _generate(files: Path, days: int) -> None:
    last = scale.FIRST_DAY + timedelta(days=days - 1)
    missing = [table for table in scale.TABLES if not (files / table / f"day={last}").is_dir()]
    if not missing:
        return
    began = time.monotonic()
    scale.write(files, days, missing)
    print(f"generated {days:,} days in {time.monotonic() - began:.0f} s")


def _measure(folder: Path, files: Path, name: str, days: int, cases: list[str]) -> dict[str, Any]:
    """Run the cases of a size once, each in a process of its own, in a folder that is gone afterwards."""
    found: dict[str, Any] = {"quotes": days * scale.QUOTES_PER_DAY, "days": days, "on": f"{datetime.now(UTC):%Y-%m-%d}"}
    folder.mkdir()
    for case in cases:
        command = [sys.executable, "-m", "benchmarks", "scale", "--case", case, str(folder / "home"), str(files), str(days)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            print(f"{name} {case} had not ended after {PATIENCE_S // 60} minutes", flush=True)
            continue
        if run.returncode:
            print(f"{name} {case} failed: {' '.join(run.stderr.strip().splitlines()[-1:])}", flush=True)
            continue
        found[case] = json.loads(run.stdout.splitlines()[-1])
        print(f"{name} {case}: {found[case]}", flush=True)
    shutil.rmtree(folder)
    found["load"] = round(os.getloadavg()[2], 1)
    return found


def _case(case: str, root: str, folder: str, days: str) -> None:
    last = scale.FIRST_DAY + timedelta(days=int(days) - 1 + (case in _NEXT_DAY))
    build = _NEXT_DAY.get(case, case)
    model, tables = _BUILDS.get(build, _BUILDS["build"])
    home = Home(Path(f"{root}-{model}"))
    home.root.mkdir(exist_ok=True)
    files = {
        table: [
            Path(folder) / table / f"day={scale.FIRST_DAY + timedelta(days=n)}" / "data_0.parquet"
            for n in range((last - scale.FIRST_DAY).days + 1)
        ]
        for table in tables
    }
    found = _built(home, files, last, model=model, full=case == build) if build in _BUILDS else _by_hand(home, case, files, last)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | {"peak_mb": round(peak)}))


def _by_hand(home: Home, case: str, files: dict[str, list[Path]], last: date) -> dict[str, float]:
    spent: dict[str, float] = {}
    compute = _scale_floor.with_pandas if case == "pandas" else _scale_floor.one_statement
    with _timed(spent, "sql"), _opened(home.root / f"{case}.duckdb", bounded=case == "floor_bounded") as connection:
        for table, query in scale.masters().items():
            connection.execute(f"create or replace table {table} as {query}")
        rows = compute(connection, files, last)
    return spent | {"rows": rows}


def _built(home: Home, files: dict[str, list[Path]], last: date, *, model: str, full: bool) -> dict[str, float]:
    as_of = datetime.combine(last, datetime.min.time(), UTC) + timedelta(hours=23)
    compiled.statements_of_the_project()
    spent: dict[str, float] = {}
    with _timed(spent, "lay"), _opened(home.warehouse) as connection:
        _lay(connection, files)
    with _timed(spent, "plan"):
        plan = rebuild.prepare(FlowSettings(home=home.root), as_of=as_of, full=full)
    if plan.whole != full:
        message = f"the plan is {'whole' if plan.whole else 'a part'}, and should be the other"
        raise SystemExit(message)
    # With the closing of the file, which writes what the log still holds.
    with _timed(spent, "sql"), _opened(home.warehouse) as connection:
        compiled.run(connection, plan, as_of=as_of, targets=[model])
        relation = compiled.statements_of_the_project()[model]["relation_name"]
        rows = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
    with _timed(spent, "finish"):
        rebuild.finished(home)
    return spent | {"rows": rows, "days": 0 if plan.days is None else len(plan.days.rebuilt | plan.days.printed)}


@contextmanager
def _timed(spent: dict[str, float], part: str) -> Iterator[None]:
    """Note the seconds of the block, by the clock and of the processor: other work on the machine moves only the first."""
    began, used = time.monotonic(), _processor_s()
    yield
    spent[part], spent[f"{part}_cpu"] = round(time.monotonic() - began, 3), round(_processor_s() - used, 3)


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _opened(path: Path, *, bounded: bool = True) -> duckdb.DuckDBPyConnection:
    """Open a database with the limits that a refresh has; not ``bounded``: with all the memory that DuckDB takes by itself."""
    settings = FlowSettings()
    limits = settings.duckdb_limits if bounded else {"threads": settings.duckdb_threads}
    return duckdb.connect(str(path), config={**limits, **WAREHOUSE_FORMAT, **compiled.SETTINGS})


def _lay(connection: duckdb.DuckDBPyConnection, files: dict[str, list[Path]]) -> None:
    """Lay what a refresh lays: a view per table and the receipts of the batches."""
    connection.execute("create schema if not exists landing")
    given = scale.masters()
    for name, table in LANDING_TABLES.items():
        query = landed_view(table, files.get(name, []), alike=True)
        if name in given:
            connection.execute(f"create or replace table landing.{name} as {query}")
            connection.execute(f"insert into landing.{name} by name {given[name]}")
        else:
            connection.execute(f"create or replace view landing.{name} as {query}")
    connection.execute(
        "create or replace table landing.receipts "
        "(source varchar, table_name varchar, batch varchar, happened_to timestamp, path varchar, rows bigint, layout varchar)"
    )
    for name in landing_index.KEPT_BY_DAY:
        batches = {str(path): f"{name}-{path.parent.name.removeprefix('day=')}" for path in files.get(name, [])}
        connection.execute(
            "insert into landing.receipts select 'scale', $name, unnest($batches), null, unnest($paths), $rows, $layout",
            {
                "name": name,
                "batches": list(batches.values()),
                "paths": list(batches),
                "rows": scale.ROWS_PER_DAY.get(name, 0),
                "layout": layout_of(LANDING_TABLES[name]),
            },
        )
