"""How many damaged deliveries get past the gate: every kind of damage, tables and seeds, each on a copy of a good home."""

import argparse
import os
import shutil
import sys
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
    """Damage, refresh, count what was published; with ``--write`` keep the table in ``results/``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks poisoned")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args([] if arguments is None else arguments)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(Home(root / "prefect-home"))
        market, good = root / "market", root / "good"
        simulate(market, DAYS, 7, end=LAST_DAY, securities=SECURITIES, dealers=DEALERS, rfqs_per_day=RFQS_PER_DAY)
        _refreshed(good, market)
        done = [(case, _published(case, root, market, good)) for case in islice(cases(), chosen.cases)]
    text = _told(done)
    sys.stdout.write(text)
    if chosen.write:
        RESULTS.write_text(f"# Damaged deliveries\n\n`python -m benchmarks poisoned --cases {chosen.cases} --write`\n\n{text}")


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
    shutil.copytree(good, home)
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
    sys.stderr.write(f"{case.kind} of {case.table}, seed {case.seed}: {after or 'refused'}\n")
    return after


def _told(done: Sequence[tuple[Case, str | None]]) -> str:
    tried, passed = Counter(case.kind for case, _ in done), Counter(case.kind for case, found in done if found)
    rows = "".join(f"| {kind.value} | {tried[kind]} | {passed[kind]} |\n" for kind in _TABLES if tried[kind])
    slipped = "".join(f"- {case.kind} of {case.table}, seed {case.seed}: {found}\n" for case, found in done if found)
    head = f"{len(done)} damaged deliveries, {sum(passed.values())} published.\n\n| kind | tried | published |\n|---|---|---|\n"
    return f"{head}{rows}\n{slipped}"
