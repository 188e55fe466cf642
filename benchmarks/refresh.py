"""A refresh of 180 days: time and peak memory of the first one and of a second one without news."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sim.simulate import simulate

DAYS = 180
_CHILD = """
import resource, sys, time
from pathlib import Path
from flows.orchestration import run_refresh
began = time.monotonic()
manifest = run_refresh(Path(sys.argv[1]), as_of=None)
took = time.monotonic() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{took:.1f} {peak:.0f} {manifest.tables['fct_dealer_scorecards'].rows}")
"""


def main(_arguments: list[str]) -> None:
    """Simulate, refresh twice in processes of their own, and print seconds, peak memory and rows."""
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


def _refresh(market: Path, home: Path) -> tuple[str, str, str]:
    run = subprocess.run(
        [sys.executable, "-c", _CHILD, str(market)],
        env={**os.environ, "SOTTO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    took, peak, rows = run.stdout.split()
    return took, peak, rows
