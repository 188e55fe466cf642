"""The models on real trades: the New York Fed's Treasury operations, walked through by half-years.

    python -m benchmarks treasuries [--every DAYS]

Needs SOTTO_NYFED_TSY, the folder of the release. Each half-year is told apart, so that no figure rests on one of them.
"""

import argparse
import json
import os
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from flows import deliveries
from flows.backtest import plan
from flows.backtest.report import Report, report_of
from flows.backtest.scoring import Period
from flows.backtest.walk import walk
from flows.landing import Landing
from flows.settings import FlowSettings
from flows.sources.config import SourceConfig
from flows.sources.registry import pull
from flows.standalone import shown

HALVES = ((date(2011, 1, 1), date(2011, 6, 30)), (date(2011, 7, 1), date(2011, 12, 31)), (date(2012, 1, 1), date(2012, 6, 30)))
RESULTS = Path(__file__).parent / "results" / "treasuries.json"


def main(arguments: list[str]) -> None:
    """Walk through the release, print a table per half-year and one of all, and write the figures to ``benchmarks/results``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks treasuries")
    parser.add_argument("--every", type=int, default=14, help="days between two re-fits (default 14)")
    every = parser.parse_args(arguments).every
    folder = os.environ.get("SOTTO_NYFED_TSY")
    if not folder:
        print("treasuries: skipped, SOTTO_NYFED_TSY does not name the folder of the New York Fed's trades")
        return
    began = time.monotonic()
    reports: dict[str, Report] = {}
    with tempfile.TemporaryDirectory() as home:
        settings = FlowSettings(home=Path(home) / "home")
        sources = landed(settings, folder, Path(home) / "sources.yml")
        walked: list[Period] = []
        for first, last in HALVES:
            asked = plan.ask(settings, first=first, last=last, every_days=every, sources=str(sources))
            periods = walk(settings, asked)
            walked += periods
            reports[f"{first:%Y-%m} to {last:%Y-%m}"] = report_of(asked.span, asked.challengers, periods)
        whole = plan.Span(first=HALVES[0][0], last=HALVES[-1][1], every_days=every)
        reports["all three"] = report_of(whole, asked.challengers, walked)
    for name, report in reports.items():
        _print(name, report)
    print(f"{time.monotonic() - began:.0f} s, re-fit every {every} days")
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {name: _kept(report) for name, report in reports.items()}
    RESULTS.write_text(json.dumps({"every_days": every, "spans": kept}, indent=1) + "\n", encoding="utf-8")


def landed(settings: FlowSettings, folder: str, listed: Path) -> Path:
    """Land the release in a state folder, and write the list of sources that names it; give that list's path."""
    source = SourceConfig(name="nyfed", kind="nyfed_tsy", path=folder)
    now = datetime.now(UTC) - timedelta(seconds=1)
    landed = deliveries.land_new(Landing(settings.state), pull(source), now=now, not_after=now)
    if landed.problems:
        raise SystemExit("\n".join(landed.problems))
    listed.write_text("sources: [{name: nyfed, kind: nyfed_tsy, path: $SOTTO_NYFED_TSY}]\n", encoding="utf-8")
    return listed


def _kept(report: Report) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(report)
    return {name: built[name] for name in ("counted", "uplift", "versus", "ranks")}


def _print(name: str, report: Report) -> None:
    table = Table(f"{name}: {report.counted.compared:,} lines", "gain, bps", "best, %", "by lot, %", "foretold", "most picked")
    ranks = {item.name: item.forecast for item in report.ranks}
    for item in report.uplift:
        table.add_row(
            item.name,
            shown(item.gain_bps, 3, sign="+"),
            shown(item.best_share, 1, 100),
            shown(item.best_share_random, 1, 100),
            shown(ranks[item.name]),
            f"{item.top_dealer} {item.top_share or 0:.0%}",
        )
    console = Console(width=160)
    console.print(table)
    for found in report.versus:
        gain = shown(found.gain_bps, 3, sign="+")
        console.print(f"  {found.first} / {found.second}: {gain} bps: {found.verdict}", highlight=False)
