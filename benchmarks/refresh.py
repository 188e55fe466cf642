"""Whole refreshes, with Prefect, dbt, the gate and the publishing: their time and peak memory, each in a process of its own.

Of a simulated market of 180 days, the first one and a second one without news. With ``--next-day``, the next day's of a desk
that has had so many days of 14,000 quotes, a file per table and day.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import _scale_market as scale
from sim.simulate import simulate

RESULTS = Path(__file__).parent / "results" / "refresh.md"
DAYS = 180
_CHILD = """
import resource, sys, time
from datetime import datetime
from pathlib import Path
from flows.orchestration import run_refresh
began = time.monotonic()
manifest = run_refresh(Path(sys.argv[1]), as_of=datetime.fromisoformat(sys.argv[2]) if sys.argv[2] else None)
took = time.monotonic() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{took:.1f} {peak:.0f} {manifest.tables['fct_dealer_scorecards'].rows}")
"""
_HEAD = """# Whole refreshes

`python -m benchmarks refresh {options}--write`, on {on}: seconds by the clock, with the Prefect server that each starts and stops;
14,000 quotes a day, a file per table and day.

| days before | files landed | first refresh | next day's refresh | its peak MB |
|---|---|---|---|---|
"""


def main(arguments: list[str]) -> None:
    """Refresh and print seconds, peak memory and rows; ``--write`` keeps what ``--next-day`` (given once or more) measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks refresh")
    parser.add_argument("--next-day", type=int, action="append", default=[], metavar="DAYS")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    if given.next_day:
        options = "".join(f"--next-day {days} " for days in given.next_day)
        text = _HEAD.format(options=options, on=f"{datetime.now(UTC):%Y-%m-%d}") + "".join(map(_next_day, given.next_day))
        print(text)
        if given.write:
            RESULTS.write_text(text, encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        market = Path(folder) / "market"
        began = time.monotonic()
        made = simulate(market, DAYS, seed=7)
        print(f"simulate {DAYS} days: {time.monotonic() - began:.1f} s, {sum(made.rows.values()):,} rows")
        for name in ("first refresh", "second refresh, no news"):
            took, peak, rows = _refresh(market, Path(folder) / "home")
            print(f"{name}: {took} s, peak {peak} MB, {rows} scorecard rows")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest child process, the Prefect server included: {children:.0f} MB")


def _next_day(days: int) -> str:
    """Refresh after so many days and after one more; give the table's line."""
    with tempfile.TemporaryDirectory() as folder:
        market, home = Path(folder) / "market", Path(folder) / "home"
        market.mkdir()
        figures = []
        for span in (range(days), range(days, days + 1)):
            scale.deliver(market, span)
            as_of = datetime.combine(scale.FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=span.stop - 1, hours=23)
            figures.append(_refresh(market, home, as_of.isoformat()))
    (first, _, _), (took, peak, _) = figures
    return f"| {days:,} | {days * len(scale.TABLES):,} | {first} | {took} | {peak} |\n"


def _refresh(market: Path, home: Path, as_of: str = "") -> tuple[str, str, str]:
    run = subprocess.run(
        [sys.executable, "-c", _CHILD, str(market), as_of],
        env={**os.environ, "SOTTO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    took, peak, rows = run.stdout.splitlines()[-1].split()
    return took, peak, rows
