"""The scorecard path on 1, 10 and (with ``--huge``) 100 million quotes: against the floor, pandas, and the next day alone."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import _scale_floor
from benchmarks import _scale_market as scale
from expectations.contracts.home import Home
from expectations.contracts.sources import LANDING_TABLES
from flows import landing_index, rebuild
from flows.settings import FlowSettings
from flows.transform import landed_view
from tests.fakes import compiled

RESULTS = Path(__file__).parent / "results" / "scale.md"
SIZES = {"1M": 72, "90 days": 90, "10M": 720}
HUGE = {"100M": 7_200}
_THREADS = "2"
PANDAS = ("1M",)


def main(arguments: list[str]) -> None:
    """Run every case in a process of its own, print a table and write it down. ``--huge`` adds 100 million quotes."""
    if arguments[:1] == ["--case"]:
        _case(*arguments[1:])
        return
    sizes = SIZES | (HUGE if "--huge" in arguments else {})
    with tempfile.TemporaryDirectory(dir=Path.cwd() / ".sotto" if (Path.cwd() / ".sotto").is_dir() else None) as folder:
        began = time.monotonic()
        scale.write(Path(folder) / "files", 0, max(sizes.values()) + 1)
        print(f"generated {max(sizes.values()) + 1:,} days in {time.monotonic() - began:.0f} s")
        measured = {name: _measure(folder, name, days) for name, days in sizes.items()}
    text = _report(measured)
    print(text)
    RESULTS.write_text(text, encoding="utf-8")


def _measure(folder: str, name: str, days: int) -> dict[str, Any]:
    found = {"quotes": days * scale.QUOTES_PER_DAY, "days": days}
    for case in ("floor", "build", "day", *(["pandas"] if name in PANDAS else [])):
        command = [sys.executable, "-m", "benchmarks", "scale", "--case", case, folder, name, str(days)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            print(f"{name} {case} failed: {run.stderr.strip().splitlines()[-1]}")
            continue
        found[case] = json.loads(run.stdout.splitlines()[-1])
        print(f"{name} {case}: {found[case]}", flush=True)
    return found


def _case(case: str, folder: str, name: str, days: str) -> None:
    home, last = Home(Path(folder) / name), scale.FIRST_DAY + timedelta(days=int(days) - 1)
    home.root.mkdir(exist_ok=True)
    files = {
        table: [
            Path(folder) / "files" / table / f"day={scale.FIRST_DAY + timedelta(days=n)}" / "data_0.parquet"
            for n in range(int(days))
        ]
        for table in scale.TABLES
    }
    if case == "build":
        found = _built(home, files, last, full=True)
    elif case == "day":
        after = last + timedelta(days=1)
        more = {
            table: [*paths, Path(folder) / "files" / table / f"day={after}" / "data_0.parquet"] for table, paths in files.items()
        }
        found = _built(home, more, after, full=False)
    else:
        found = _by_hand(home, case, files, last)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | {"peak_mb": round(peak)}))


def _by_hand(home: Home, case: str, files: dict[str, list[Path]], last: date) -> dict[str, float]:
    with _opened(home.root / f"{case}.duckdb") as connection:
        for table, query in scale.masters().items():
            connection.execute(f"create or replace table {table} as {query}")
        began = time.monotonic()
        compute = _scale_floor.one_statement if case == "floor" else _scale_floor.with_pandas
        rows = compute(connection, files, last)
        return {"sql": round(time.monotonic() - began, 3), "rows": rows}


def _built(home: Home, files: dict[str, list[Path]], last: date, *, full: bool) -> dict[str, float]:
    as_of = datetime.combine(last, datetime.min.time(), UTC) + timedelta(hours=23)
    compiled.statements_of_the_project()
    laid = time.monotonic()
    with _opened(home.warehouse) as connection:
        _lay(connection, files)
    planned = time.monotonic()
    plan = rebuild.prepare(FlowSettings(home=home.root), as_of=as_of, full=full)
    if plan.whole != full:
        message = f"the plan is {'whole' if plan.whole else 'a part'}, and should be the other"
        raise SystemExit(message)
    with _opened(home.warehouse) as connection:
        began = time.monotonic()
        compiled.run(connection, plan, as_of=as_of, targets=["fct_dealer_scorecards"])
        ended = time.monotonic()
        rows = connection.execute("select count(*) from marts.fct_dealer_scorecards").fetchall()[0][0]
    rebuild.finished(home)
    days = 0 if plan.rfq_days is None else len(plan.rfq_days)
    return {
        "lay": round(planned - laid, 3),
        "plan": round(began - planned, 3),
        "sql": round(ended - began, 3),
        "rows": rows,
        "days": days,
        "finish": round(time.monotonic() - ended, 3),
    }


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), config={"memory_limit": "4GB", "threads": _THREADS, **compiled.SETTINGS})


def _lay(connection: duckdb.DuckDBPyConnection, files: dict[str, list[Path]]) -> None:
    """Lay what a refresh lays: a view per table and the receipts of the batches."""
    connection.execute("create schema if not exists landing")
    given = scale.masters()
    for name, table in LANDING_TABLES.items():
        query = landed_view(table, files.get(name, []))
        if name in given:
            connection.execute(f"create or replace table landing.{name} as {query}")
            connection.execute(f"insert into landing.{name} by name {given[name]}")
        else:
            connection.execute(f"create or replace view landing.{name} as {query}")
    connection.execute(
        "create or replace table landing.receipts "
        "(source varchar, table_name varchar, batch varchar, happened_to timestamp, path varchar)"
    )
    for name in landing_index.KEPT_BY_DAY:
        rows = [(name, f"{name}-{path.parent.name.removeprefix('day=')}", str(path)) for path in files[name]]
        connection.execute(
            "insert into landing.receipts select 'scale', unnest($names), unnest($batches), null, unnest($paths)",
            {"names": [row[0] for row in rows], "batches": [row[1] for row in rows], "paths": [row[2] for row in rows]},
        )


_PAGE = """# The scorecard path at scale

`python -m benchmarks scale` on {today}: {threads} threads, 4 GB for DuckDB, {quotes:,} quotes a day. Seconds. dbt's own
start-up is apart: the SQL that it compiles is run. {load}

| history | quotes | floor | full build | over floor | pandas | next day | full / next day | next day, laid and planned | peak MB |
|---|---|---|---|---|---|---|---|---|---|
{lines}

The floor is one hand-written statement over the same Parquet: the daily statistics of the whole history, summed over every
window and half-life. For the next day its files are added to the history, and what they reach is built: that day, the day
before, whose one-day horizon has passed, and the one that its prices reach.
"""


def _report(measured: dict[str, dict[str, Any]]) -> str:
    load = f"Load of the machine over the last quarter of an hour: {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores."
    return _PAGE.format(
        today=f"{datetime.now(UTC):%Y-%m-%d}",
        threads=_THREADS,
        quotes=scale.QUOTES_PER_DAY,
        load=load,
        lines="\n".join(_line(name, found) for name, found in measured.items()),
    )


def _line(name: str, found: dict[str, Any]) -> str:
    def figure(case: str, *parts: str) -> float | None:
        return sum(found[case][part] for part in parts) if case in found else None

    floor, full, day, pandas = figure("floor", "sql"), figure("build", "sql"), figure("day", "sql"), figure("pandas", "sql")
    whole_day = figure("day", "lay", "plan", "sql", "finish")
    peak = max((found[case]["peak_mb"] for case in ("build", "day") if case in found), default=None)
    cells = [
        _shown(floor), _shown(full), _shown(full / floor if full and floor else None), _shown(pandas), _shown(day),
        _shown(full / day if full and day else None), _shown(whole_day), _shown(peak, 0),
    ]  # fmt: skip
    return f"| {name} | {found['quotes']:,} | {' | '.join(cells)} |"


def _shown(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
