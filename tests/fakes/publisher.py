"""A publisher killed at random: rounds of a child process that publishes in a loop, each ended by SIGKILL.

Run as ``python -m tests.fakes.publisher HOME ROUNDS SEED LONGEST_S``; HOME holds the warehouses to publish from, named
``variant-*.duckdb``. Writes one line per round: how many snapshots the child had published when it was killed.
"""

import itertools
import os
import random
import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from expectations.contracts.home import Home
from flows.publish import Made, drop_old, publish

START = datetime(2025, 6, 30, 22, tzinfo=UTC)
KEPT = 3


def made(number: int) -> Made:
    """Say how the snapshot of this number came about: one for each minute."""
    return Made(
        as_of=START + timedelta(minutes=number),
        known_at=START,
        created_at=START,
        quarantined={},
        gate=[],
        dbt_invocation_id="",
        code_version="0",
        sources=["market"],
    )


def publish_without_end(home: Home, first: int, told: int) -> None:
    """Publish snapshot after snapshot, each of another content than the one before, keep a few, and tell each by a byte."""
    variants = itertools.cycle(sorted(home.root.glob("variant-*.duckdb")))
    for number in itertools.count(first):
        shutil.copyfile(next(variants), home.warehouse)
        publish(home, made(number))
        drop_old(home, keep=KEPT)
        os.write(told, b".")


def main(root: str, rounds: str, seed: str, longest_s: str) -> None:
    """Start a child per round, kill it after a random time, one in eight after its first snapshot; say what it had done."""
    home = Home(Path(root))
    chance = random.Random(int(seed))
    for number in range(int(rounds)):
        heard, told = os.pipe()
        child = os.fork()
        if child == 0:
            publish_without_end(home, number * 1000, told)
        os.close(told)
        done = len(os.read(heard, 1)) if chance.random() < 0.125 else 0
        time.sleep(chance.uniform(0, float(longest_s)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.stdout.write(f"{done + len(os.read(heard, 65536))}\n")
        sys.stdout.flush()
        os.close(heard)


if __name__ == "__main__":
    main(*sys.argv[1:])
