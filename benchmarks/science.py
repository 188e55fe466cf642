"""How much better the choice is: closed loops in worlds whose truth is known, for every model, beside an oracle.

Each policy asks, trades, and learns from its own log through the compiled SQL and the fits; all meet the same orders, axes and
chances (paired). The share is (utility - random) / (oracle - random), with 95 % jackknife intervals over worlds.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks._science_loop import Loop
from benchmarks._science_off_policy import off_policy_table
from benchmarks._science_policies import Policy
from benchmarks._science_report import Compared, compared, page
from benchmarks._science_roster import ABLATIONS, CONDITIONS, POLICIES
from benchmarks._science_sql import ScienceSql
from sim.lab import Conditions

RESULTS = Path(__file__).parent / "results" / "science.md"
# Seeds from here on were not used while the models were tuned.
FINAL_SEEDS = 700_000
# RFQs that a desk has logged when it asks what another policy would have brought.
LOGS = (5_000, 20_000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the loops, print the figures as they come, and with ``--write`` keep them in ``results/``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks science")
    parser.add_argument("--short", action="store_true", help="six worlds, a shorter past: about two minutes of a processor")
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--past", type=int, default=90, help="days of a past that all share")
    parser.add_argument("--days", type=int, default=40, help="days of the loop")
    parser.add_argument("--kinds", nargs="*", choices=[item.name for item in CONDITIONS], help="kinds of worlds; default: all")
    parser.add_argument("--ablations", type=int, default=10, help="worlds in which each part is taken out, or known; 0 = none")
    parser.add_argument("--off-policy", type=int, default=20, help="worlds in which off-policy estimates meet the truth; 0 = none")
    parser.add_argument("--seed", type=int, default=FINAL_SEEDS)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="processes; a kind of world is one piece of work")
    chosen = parser.parse_args([] if arguments is None else arguments)
    started, written = perf_counter(), []
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("spawn")) as pool:
        for piece in [pool.submit(*work) for work in _work(chosen)]:
            written.append(piece.result())
            sys.stdout.write(written[-1].text + "\n")
            sys.stdout.flush()
    spent = (perf_counter() - started) / 60
    if chosen.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(page(written, _settings(chosen), sys.argv[1:], spent))
    sys.stdout.write(f"{spent:.0f} minutes\n")


def _size(chosen: argparse.Namespace) -> tuple[int, int, int]:
    """Give worlds, days of the past, days of the loop."""
    return (6, 35, 25) if chosen.short else (chosen.worlds, chosen.past, chosen.days)


def _settings(chosen: argparse.Namespace) -> str:
    worlds, past, days = _size(chosen)
    return f"{worlds} worlds of each kind, {past} days of shared past and {days} of the loop, seeds from {chosen.seed:,}"


def _work(chosen: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """Give the pieces of work in the order of the page, each a function that gives a table and its arguments."""
    worlds, past, days = _size(chosen)
    kinds = [item for item in CONDITIONS if not chosen.kinds or item.name in chosen.kinds]
    seeds = range(chosen.seed, chosen.seed + worlds)
    for kind in kinds:
        yield _compare, kind, seeds, POLICIES, (past, days)
    if chosen.ablations and not chosen.short:
        for kind in kinds:
            yield _compare, kind, seeds[: chosen.ablations], ABLATIONS, (past, days), "parts taken away or known"
    if chosen.off_policy:
        number, sizes = (6, LOGS[:1]) if chosen.short else (chosen.off_policy, LOGS)
        yield _off_policy, kinds[0], range(chosen.seed, chosen.seed + number), sizes


def _compare(
    kind: Conditions, seeds: Sequence[int], policies: Sequence[Policy], spans: tuple[int, int], title: str = ""
) -> Compared:
    past, days = spans
    with TemporaryDirectory() as folder:
        loop = Loop(kind, list(seeds), policies, ScienceSql(Path(folder)))
        loop.warm_up(past)
        utility = loop.run(past, days)
        return compared(f"{kind.name}{f', {title}' if title else ''}", utility, loop.checks(past + days - 1))


def _off_policy(kind: Conditions, seeds: Sequence[int], sizes: Sequence[int]) -> Compared:
    return Compared("off-policy", off_policy_table(kind, seeds, sizes))
