"""How many damaged deliveries get past the gate: every kind of damage, tables and seeds, each on a copy of a good home."""

import argparse
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from expectations.contracts.home import Home
from flows.orchestration import prepare, run_refresh
from flows.publish import current_id
from flows.refused import Refused
from sim.poison import Poison, poison
from sim.simulate import simulate

LAST_DAY = date(2025, 6, 30)
AS_OF = datetime(2025, 6, 30, 22, tzinfo=UTC)
DAYS, SECURITIES, DEALERS, RFQS_PER_DAY = 60, 60, 12, 20
# What dbt wrote of its own: a thousand small files that the next build writes again.
_BUILT_AGAIN = shutil.ignore_patterns("dbt")
RESULTS = Path(__file__).parent / "results" / "poisoned.md"

_EVERY = ("rfq_log", "dealers", "securities", "trades", "reference_prices", "axes", "tca_results")
_TABLES: dict[Poison, tuple[str, ...]] = {
    Poison.MISSING_FILE: _EVERY,
    Poison.MISSING_COLUMN: _EVERY,
    Poison.NEGATIVE_SIZES: ("rfq_log", "trades", "axes", "securities"),
    Poison.PRICE_9999: ("rfq_log", "trades", "reference_prices"),
    Poison.DUPLICATE_KEYS: ("rfq_log", "trades", "reference_prices", "tca_results"),
    Poison.FUTURE_DATES: ("rfq_log", "trades", "reference_prices", "tca_results"),
    Poison.EMPTY_FILE: _EVERY,
    Poison.CUT_OFF: ("rfq_log", "trades", "reference_prices", "axes", "tca_results"),
    Poison.RENAMED_COLUMN: _EVERY,
    Poison.WRONG_TYPE: ("rfq_log", "trades", "reference_prices", "axes", "tca_results"),
    Poison.OTHER_UNIT: ("rfq_log", "reference_prices"),
    Poison.SIZES_IN_THOUSANDS: ("rfq_log", "trades"),
    Poison.FLIPPED_SIGN: ("tca_results",),
    Poison.THIN_DAY: ("rfq_log", "trades", "reference_prices"),
    Poison.ROWS_LOST: ("dealers", "securities"),
}


class Case(NamedTuple):
    """One damaged delivery."""

    kind: Poison
    table: str
    seed: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Damage, refresh, count what was published; with ``--write`` keep the table in ``results/``.

    A delivery without damage must be published first. Every case is noted in ``--done`` when it ends; those that stand there are
    not tried again.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks poisoned")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--done", type=Path, help="a file of cases that have been tried: a run that was ended goes on where it was")
    chosen = parser.parse_args([] if arguments is None else arguments)
    with TemporaryDirectory() as folder:
        ledger = Ledger(chosen.done or Path(folder) / "done.tsv")
        wanted = list(islice(cases(), chosen.cases))
        _try([case for case in wanted if case not in ledger.tried()], Path(folder), ledger, len(wanted))
        tried = ledger.tried()
    done = [(case, tried[case]) for case in wanted]
    text = _told(done)
    sys.stdout.write(text)
    if chosen.write:
        RESULTS.write_text(f"# Damaged deliveries\n\n`python -m benchmarks poisoned --cases {chosen.cases} --write`\n\n{text}")


class Ledger:
    """What has been tried, a line per case."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tried(self) -> dict[Case, str | None]:
        """Give what each case came to: ``None`` = refused."""
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        cells = [line.split("\t") for line in lines]
        return {Case(Poison(kind), table, int(seed)): found or None for kind, table, seed, found in cells}

    def note(self, case: Case, found: str | None) -> None:
        """Add a case that has ended."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(f"{case.kind.value}\t{case.table}\t{case.seed}\t{found or ''}\n")


def _try(left: Sequence[Case], root: Path, ledger: Ledger, of: int) -> None:
    if not left:
        return
    prepare(Home(root / "prefect-home"))
    market, good = root / "market", root / "good"
    simulate(market, DAYS, 7, end=LAST_DAY, securities=SECURITIES, dealers=DEALERS, rfqs_per_day=RFQS_PER_DAY)
    _refreshed(good, market)
    # A gate that refuses everything would publish no damage either.
    whole = shutil.copytree(good, root / "whole", ignore=_BUILT_AGAIN)
    sys.stderr.write(f"the delivery as it is: published as {_refreshed(whole, market)}\n")
    for number, case in enumerate(left, start=of - len(left) + 1):
        began = time.monotonic()
        found = _published(case, root, market, good)
        ledger.note(case, found)
        took = time.monotonic() - began
        sys.stderr.write(f"{number}/{of}: {case.kind} of {case.table}, seed {case.seed}: {found or 'refused'} ({took:.0f} s)\n")


def cases() -> Iterator[Case]:
    """Give every kind on every table that it can spoil, seed after seed, without end."""
    for seed in count(1):
        for kind, tables in _TABLES.items():
            for table in tables:
                yield Case(kind, table, seed)


def _refreshed(home: Path, market: Path) -> str | None:
    os.environ["SOTTO_HOME"] = str(home)
    run_refresh(market, as_of=AS_OF)
    return current_id(Home(home))


def _published(case: Case, root: Path, market: Path, good: Path) -> str | None:
    """Give what a damaged delivery came to: ``None`` = refused, and the good snapshot stays; else what was published."""
    home, kept = root / "home", root / "kept"
    for leftover in (home, kept):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(good, home, ignore=_BUILT_AGAIN)
    market.rename(kept)
    before = current_id(Home(home))
    try:
        poison(kept, market, case.kind, seed=case.seed, table=case.table)
        after = _refreshed(home, market)
    except Refused:
        after = None
    finally:
        shutil.rmtree(market, ignore_errors=True)
        kept.rename(market)
    if after is None and current_id(Home(home)) != before:
        return "refused, and yet another snapshot is in use"
    return after


def _told(done: Sequence[tuple[Case, str | None]]) -> str:
    tried, passed = Counter(case.kind for case, _ in done), Counter(case.kind for case, found in done if found)
    rows = "".join(f"| {kind.value} | {tried[kind]} | {passed[kind]} |\n" for kind in _TABLES if tried[kind])
    slipped = "".join(f"- {case.kind} of {case.table}, seed {case.seed}: {found}\n" for case, found in done if found)
    head = f"{len(done)} damaged deliveries, {sum(passed.values())} published.\n\n| kind | tried | published |\n|---|---|---|\n"
    return f"{head}{rows}\n{slipped}"
