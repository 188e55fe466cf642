"""Replay of ten thousand random orders: recommended and journalled, then computed again afresh and compared field by field."""

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec

from benchmarks._serving import CONFIG
from expectations.contracts.home import Home
from expectations.contracts.journal import RecommendationMade, Sealed
from serve.adapters.clock import RealClock
from serve.adapters.desk_config import DeskFiles
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import JournalReader, SqliteJournal
from serve.adapters.snapshot import SnapshotStore
from serve.domain.orders import Order
from serve.domain.users import Role, User
from serve.usecases.advice import recorded, replay
from serve.usecases.recommendations import Recommendations
from tests.fakes.orders import many_dealers, random_order
from tests.fakes.snapshot import write_snapshot

DEALERS, LIST = 100, 500
BENCH = User(token_id="bench", name="bench", role=Role.OMS, desk="bench", expires_at=datetime.max.replace(tzinfo=UTC))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how many replayed identically and how fast. Raises SystemExit 1 where one did not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks replay")
    parser.add_argument("--orders", type=int, default=10_000)
    orders = parser.parse_args([] if arguments is None else arguments).orders
    with TemporaryDirectory() as folder:
        home = Path(folder)
        write_snapshot(home, many_dealers(DEALERS))
        started = perf_counter()
        made = asyncio.run(_make(home, orders))
        between = perf_counter()
        differing = list(_differing(home))
        ended = perf_counter()
    rates = made / (between - started), made / (ended - between)
    sys.stdout.write(
        f"{made:,} of {orders:,} random orders answered, {DEALERS + 8} dealers, {rates[0]:,.0f} a second with the journal; "
        f"{made - len(differing):,} replayed identically, {rates[1]:,.0f} a second\n"
    )
    if differing:
        raise SystemExit(f"differing: {', '.join(differing[:5])}")


async def _make(home: Path, orders: int) -> int:
    snapshots = SnapshotStore(Home(home))
    snapshots.refresh()
    clock, ids, rng = RealClock(), TimeOrderedIds(), random.Random(1)
    journal = SqliteJournal(home / "journal.db", clock, ids)
    use_cases, made = Recommendations(snapshots, _desks(home), journal, clock, ids), 0
    for first in range(0, orders, LIST):
        asked = [msgspec.convert(random_order(rng, first + number), Order) for number in range(min(LIST, orders - first))]
        made += sum(isinstance(result, bytes) for result in await use_cases.make_all(asked, BENCH))
    await asyncio.to_thread(journal.close)
    return made


def _differing(home: Path) -> Iterator[str]:
    """Compute each again as another process would: from the files, with nothing kept from before."""
    read, snapshots, desks = _Read(home), SnapshotStore(Home(home)), _desks(home)
    for name in read.by_subject:
        made = recorded(read, name)
        if made is None or not replay(made, snapshots, desks).identical:
            yield name


def _desks(home: Path) -> DeskFiles:
    return DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", home / "rules")


class _Read:
    """The journal, read once."""

    def __init__(self, home: Path) -> None:
        self.by_subject = {
            sealed.event.recommendation_id: sealed
            for sealed in JournalReader(home / "journal.db").read(kind="recommendation.made")
            if isinstance(sealed.event, RecommendationMade)
        }

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:  # noqa: ARG002 - as the journal has it
        """Give what is known of a subject."""
        if subject in self.by_subject:
            yield self.by_subject[subject]
