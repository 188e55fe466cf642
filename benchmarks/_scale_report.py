"""The page of the benchmark of scale: of several rounds the median, and a line per size of history."""

import os
from typing import Any

from benchmarks import _scale_market as scale
from flows.settings import FlowSettings

# The cases that are built by dbt's SQL.
BUILT = ("build", "day", "prints", "prints_day")
# What is held against them: with all the memory that there is, but for the floor that is bounded as they are.
BESIDE = ("pandas", "floor", "floor_bounded")
_PAGE = """# The scorecard path at scale

`python -m benchmarks scale --rounds 3 --write`; the last line: `python -m benchmarks scale --huge --without floor --write`.
{threads} threads, {memory} for DuckDB, {quotes:,} quotes a day. Seconds by the clock / of the processor; other work
moves the first more than the second, and of several rounds the one with the median time is shown. dbt's own start-up is apart:
the SQL that it compiles is run, a model after the other. Load: of the last quarter of an hour, on {cores} cores.

| history | quotes | measured on | rounds | load | floor | floor, bounded | full build | over floor \
| over floor, bounded | plan | pandas | next day | full / day | day and plan | peak MB | prints | their next day |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
{lines}

The floor is one hand-written statement over the same Parquet: the daily statistics of the whole history, summed over every
window and half-life; with all the memory that there is, and bounded as the build is. For the next day its files are added to
the history, and what they reach is built: that day, the day before, whose one-day horizon has passed by then. Prints:
{prints:,} reports a day, some of which correct or cancel others, built into volumes per security and day; the next day's
cancels reach into the day before.
"""


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Take of each case the run with the median time (of an even number of runs the faster of the two) and the highest peak."""
    found: dict[str, Any] = rounds[-1] | {"rounds": len(rounds)}
    for case in (*BUILT, *BESIDE):
        runs = sorted((done[case] for done in rounds if case in done), key=lambda run: run["sql"])
        if runs:
            found[case] = runs[(len(runs) - 1) // 2] | {"peak_mb": max(run["peak_mb"] for run in runs)}
    return found


def report(measured: dict[str, dict[str, Any]]) -> str:
    return _PAGE.format(
        threads=FlowSettings().duckdb_threads,
        memory=FlowSettings().duckdb_memory,
        quotes=scale.QUOTES_PER_DAY,
        prints=scale.PRINTS_PER_DAY,
        cores=os.cpu_count(),
        lines="\n".join(_line(name, found) for name, found in measured.items()),
    )


def _line(name: str, found: dict[str, Any]) -> str:
    floor, bounded, full, day = (_spent(found, case, "sql") for case in ("floor", "floor_bounded", "build", "day"))
    peaks = [found[case]["peak_mb"] for case in BUILT if case in found]
    cells = [
        _pair(floor), _pair(bounded), _pair(full), _pair(_ratio(full, floor)), _pair(_ratio(full, bounded)),
        _pair(_spent(found, "build", "plan")),
        _pair(_spent(found, "pandas", "sql")), _pair(day), _pair(_ratio(full, day)),
        _pair(_spent(found, "day", "lay", "plan", "sql", "finish")), f"{max(peaks):,}" if peaks else "-",
        _pair(_spent(found, "prints", "sql")), _pair(_spent(found, "prints_day", "sql")),
    ]  # fmt: skip
    return f"| {name} | {found['quotes']:,} | {found['on']} | {found['rounds']} | {found['load']} | {' | '.join(cells)} |"


def _spent(found: dict[str, Any], case: str, *parts: str) -> tuple[float, float] | None:
    """Give what the parts of a case took: by the clock and of the processor; ``None`` = it did not run."""
    if case not in found:
        return None
    return sum(found[case][part] for part in parts), sum(found[case][f"{part}_cpu"] for part in parts)


def _ratio(one: tuple[float, float] | None, other: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if one is None or other is None else (one[0] / other[0], one[1] / other[1])


def _pair(values: tuple[float, float] | None) -> str:
    return "-" if values is None else f"{values[0]:,.2f} / {values[1]:,.2f}"
