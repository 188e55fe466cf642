"""How fast a recommendation is over HTTP, beside a typed echo on the same server: one run, everything interleaved, medians.

Authentication and the durable journal are on, in processes of their own; every connection is kept. What the machine does
besides falls on all alike, because the measured calls take turns.
"""

import argparse
import os
import random
import statistics
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from benchmarks._calls import ECHO, EMPTY, RECOMMEND, Line, per_second, request_of
from benchmarks._market import features
from benchmarks._redis import holding, is_here
from benchmarks._serving import Service, serving
from tests.fakes.snapshot import make_current

DEALERS, RULES, CONNECTIONS = 1000, 200, 32
_EVENT = b"x" * 7_000
RESULTS = Path(__file__).parent / "results" / "recommend.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with ``--write`` keep it in ``results/``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks recommend")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn under load and while snapshots swap")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args([] if arguments is None else arguments)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        services = _services(Path(folder), stack)
        lines = [
            *_one_by_one(services, chosen.rounds),
            *_under_load(services["main"], chosen.seconds),
            *_while_swapping(services["main"], chosen.seconds),
            *_beside_redis(services["main"], Path(folder), chosen.rounds),
        ]
    text = "\n".join(lines)
    sys.stdout.write(text + "\n")
    if chosen.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(_report(text, chosen.rounds, chosen.seconds))


def _services(folder: Path, stack: ExitStack) -> dict[str, Service]:
    sizes = {"main": (DEALERS, RULES, 2), "10 dealers": (10, RULES, 1), "1 rule": (DEALERS, 1, 1), "1000 rules": (DEALERS, 1000, 1)}
    return {
        name: stack.enter_context(serving(folder / name, dealers=dealers, rules=rules, snapshots=snapshots))
        for name, (dealers, rules, snapshots) in sizes.items()
    }


def _one_by_one(services: Mapping[str, Service], rounds: int) -> Iterator[str]:
    times = _turns(services, {"empty": ("main", EMPTY), "echo": ("main", ECHO), "recommendation": ("main", RECOMMEND)}, rounds)
    # Apart, and in another order each time: one service's commit delays the next one's on the same disk.
    sizes = {f"{name}, in turns": (name, RECOMMEND) for name in services}
    times |= {name: taken for name, taken in _turns(services, sizes, rounds).items() if name in sizes}
    p50 = {name: statistics.median(taken) * 1e3 for name, taken in times.items()}
    yield f"| call ({DEALERS} dealers, {RULES} rules unless said) | p50 ms | p95 ms |"
    yield "|---|---|---|"
    for name, taken in times.items():
        yield f"| {name} | {p50[name]:.2f} | {statistics.quantiles(taken, n=20)[-1] * 1e3:.2f} |"
    yield ""
    yield "| figure | value | target |"
    yield "|---|---|---|"
    yield f"| recommendation over typed echo, p50 | {p50['recommendation'] / p50['echo']:.2f} x | 2.5 (1.5) |"
    floor = p50["echo"] + p50["durable write"]
    yield f"| recommendation over typed echo and a durable write of its event, p50 | {p50['recommendation'] / floor:.2f} x | |"
    yield f"| 10 to {DEALERS} dealers, p50 | {p50['main, in turns'] / p50['10 dealers, in turns']:.2f} x | 1.5 |"
    yield f"| 1 to 1000 rules, p50 | {p50['1000 rules, in turns'] / p50['1 rule, in turns']:.2f} x | 3 |"


def _turns(
    services: Mapping[str, Service], calls: Mapping[str, tuple[str, tuple[str, str]]], rounds: int
) -> dict[str, list[float]]:
    lines = {name: Line(services[where]) for name, (where, _) in calls.items()}
    requests = {name: request_of(services[where], call) for name, (where, call) in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in (*calls, "durable write")}
    disk = os.open(services["main"].home / "durable", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for turn in range(rounds + rounds // 10):
        for name in sorted(lines, key=lambda _: random.random()):
            taken = lines[name].time(requests[name])
            if turn >= rounds // 10:
                times[name].append(taken)
        times["durable write"].append(_write(disk))
    os.close(disk)
    for line in lines.values():
        line.close()
    return times


def _write(disk: int) -> float:
    """Append what one event takes and wait until it is on disk: what no journal can do without."""
    started = perf_counter()
    os.write(disk, _EVENT)
    os.fdatasync(disk)
    return perf_counter() - started


def _under_load(service: Service, seconds: float) -> Iterator[str]:
    rates: dict[str, list[float]] = {"echo": [], "recommendation": []}
    for _ in range(3):
        for name, call in (("echo", ECHO), ("recommendation", RECOMMEND)):
            rates[name].append(per_second(service, request_of(service, call), CONNECTIONS, seconds))
    echo, ours = (statistics.median(rates[name]) for name in ("echo", "recommendation"))
    rate = f"({ours:,.0f} / {echo:,.0f})"
    yield f"| requests a second at {CONNECTIONS} connections over echo's {rate} | {ours / echo:.2f} x | 0.4 (0.7) |"


def _while_swapping(service: Service, seconds: float) -> Iterator[str]:
    request, line = request_of(service, RECOMMEND), Line(service)
    steady, swapping = [], []
    for _ in range(3):
        steady.append(_p99(line, request, seconds))
        with _swaps(service.home):
            swapping.append(_p99(line, request, seconds))
        sleep(1.5)
    line.close()
    calm, busy = statistics.median(steady) * 1e3, statistics.median(swapping) * 1e3
    yield f"| p99 while snapshots swap over steady ({busy:.2f} / {calm:.2f} ms), no error | {busy / calm:.2f} x | 1.5 |"


def _p99(line: Line, request: bytes, seconds: float) -> float:
    until, taken = perf_counter() + seconds, []
    while perf_counter() < until:
        taken.append(line.time(request))
    return statistics.quantiles(taken, n=100)[-1]


@contextmanager
def _swaps(home: Path) -> Iterator[None]:
    """Publish the other of two snapshots every second, as fast as the service looks."""
    stop = threading.Event()

    def swap() -> None:
        number = 0
        while not stop.wait(1.0):
            number = 1 - number
            make_current(home, f"snapshot-{number}")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        yield
    finally:
        stop.set()
        swapper.join()


def _beside_redis(service: Service, folder: Path, rounds: int) -> Iterator[str]:
    what = "over reading the same dealers' features from a local Redis in one pipeline"
    if not is_here():
        yield f"| {what} | skipped: there is no redis-server on this machine | 0.2 |"
        return
    request, line = request_of(service, RECOMMEND), Line(service)
    ours, theirs = [], []
    with holding(folder, features(DEALERS)) as redis:
        for turn in range(rounds // 4 + 5):
            taken, read = line.time(request), redis.time()
            if turn >= 5:
                ours.append(taken)
                theirs.append(read)
    line.close()
    mine, redis_p50 = statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3
    yield f"| {what} ({mine:.2f} / {redis_p50:.2f} ms) | {mine / redis_p50:.2f} x | 0.2 |"


def _report(text: str, rounds: int, seconds: float) -> str:
    command = f"python -m benchmarks recommend --rounds {rounds} --seconds {seconds:g} --write"
    return (
        f"# Recommendations over HTTP\n\n`{command}`: one machine, two shared cores, the client beside the services. The floor is\n"
        "a typed echo route (decode an order, encode it) on the same server, called in turns with the rest. Moonshots in brackets."
        f"\n\n{text}\n"
    )
