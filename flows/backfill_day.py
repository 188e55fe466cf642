"""One past day's scorecards, in a process and a warehouse of their own.

``python -m flows.backfill_day PARENT`` takes a day as JSON, and ends when the process PARENT is not its parent any more.
"""

import os
import shutil
import sys
import threading
import time
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import duckdb
import msgspec
from filelock import FileLock

from expectations.contracts.home import Home
from flows import rebuild
from flows.landing import Landing
from flows.settings import FlowSettings
from flows.sources.pulled import quoted
from flows.transform import batches_to_use, dbt_environment, lay_views

_LOOK_S, _PATIENCE_S = 0.5, 60


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What to build: everything that had happened by ``as_of``, as it was known at ``known_at``, from these sources.

    ``memory`` and ``threads`` are DuckDB's in this process.
    """

    home: str
    day: date
    as_of: datetime
    known_at: datetime
    sources: list[str]
    memory: str
    threads: int

    @property
    def place(self) -> Path:
        """Where the day's snapshot goes."""
        return Home(Path(self.home)).backfill / "days" / self.day.isoformat()

    @property
    def lock(self) -> Path:
        """The file that is locked while the day is built: one process at a time, whoever started it."""
        return Home(Path(self.home)).backfill / "locks" / self.day.isoformat()

    @property
    def history(self) -> Path:
        """Where the day's scorecards go as Parquet."""
        return Home(Path(self.home)).backfill / "scorecards" / f"{self.day.isoformat()}.parquet"


def key_of(day: Day) -> str:
    """Hash what a day is built from: its instant, the batches that it uses, and the version of this code."""
    used = batches_to_use(Landing(Home(Path(day.home))), day.sources, known_at=day.known_at)
    parts = [day.as_of.isoformat(), version("sotto"), *sorted(f"{receipt.table} {receipt.batch}" for receipt in used)]
    return sha256("\n".join(parts).encode()).hexdigest()


def is_done(day: Day) -> bool:
    """Whether the day is there, built from the same data by the same code."""
    mark = day.place / "key"
    return day.history.is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == key_of(day)


def build_day(day: Day) -> Path:
    """Build, fit, pass the gate, and put the day's snapshot and scorecards into place; give the snapshot's folder.

    Nothing of the main warehouse or of CURRENT is touched; a day that breaks off leaves nothing that counts. Raises GateError,
    BuildFailed, or RuntimeError with the checks that failed.
    """
    from expectations.gate import SCORECARD_SUITES, run_gate
    from flows import publish
    from flows.previous import lay_previous
    from flows.refresh import fit_figures

    home, room = Home(Path(day.home)), Home(Path(day.home)).backfill / f".work-{day.day.isoformat()}"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    settings = FlowSettings(home=room, duckdb_memory=day.memory, duckdb_threads=day.threads)
    own, landing = settings.state, Landing(home)
    lay_views(own, landing, batches_to_use(landing, day.sources, known_at=day.known_at), new=[])
    invocation = _build(settings, day.as_of)
    fit_figures.fn(settings, day.as_of)
    lay_previous(own, as_of=day.as_of, sources=day.sources)
    gate = run_gate(own.warehouse, SCORECARD_SUITES)
    failed = [f"{result.suite}.{result.check} failed: {result.harm} ({result.observed})" for result in gate if result.refuses]
    if failed:
        raise RuntimeError("; ".join(failed))
    made = publish.Made(
        as_of=day.as_of,
        known_at=day.known_at,
        created_at=datetime.now(UTC),
        quarantined={},
        gate=gate,
        dbt_invocation_id=invocation,
        code_version=version("sotto"),
        sources=day.sources,
    )
    manifest = publish.publish(own, made)
    _put_into_place(day, own.snapshots / manifest.snapshot_id)
    shutil.rmtree(room, ignore_errors=True)
    return day.place


def _build(settings: FlowSettings, as_of: datetime) -> str:
    """Run dbt in this process, without a task run per node; give its invocation."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    from flows.build import BuildFailed, arguments, report

    target = settings.state.root / "dbt"
    places = ["--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project)]
    with dbt_environment(settings, as_of=as_of):
        try:
            command = arguments(target, rebuild.prepare(settings, as_of=as_of))
            done = dbtRunner().invoke(["-q", *command, *places, "--target-path", str(target / "target")])
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    results = target / "target" / "run_results.json"
    if not results.is_file():
        raise BuildFailed([" ".join(str(done.exception).split())])
    return report(results, settings.state.warehouse).invocation_id


def _put_into_place(day: Day, snapshot: Path) -> None:
    """Move the snapshot and write the history; the key comes last, and only with it the day is done."""
    day.history.parent.mkdir(parents=True, exist_ok=True)
    partial = day.history.with_name(f".{day.history.name}")
    with duckdb.connect(str(snapshot / "scorecards.duckdb"), read_only=True) as connection:
        connection.execute(
            f"copy (select * from fct_dealer_scorecards order by all) to {quoted(partial)} (format parquet, compression zstd)"
        )
    partial.replace(day.history)
    shutil.rmtree(day.place, ignore_errors=True)
    day.place.parent.mkdir(parents=True, exist_ok=True)
    snapshot.rename(day.place)
    (day.place / "key").write_text(key_of(day), encoding="utf-8")


def _end_with(parent: int) -> None:
    """End this process once its parent is gone: nobody would wait for the day, and the next backfill would find it at work."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


def main() -> int:
    """Build the day that standard input describes; a fault is one line on standard error."""
    threading.Thread(target=_end_with, args=[int(sys.argv[1])], daemon=True).start()
    day = msgspec.json.decode(sys.stdin.buffer.read(), type=Day)
    day.lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        # One that lost its parent a moment ago ends soon.
        with FileLock(day.lock, timeout=_PATIENCE_S):
            build_day(day)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it for this day and goes on with the others
        sys.stderr.write(f"\n{' '.join(f'{type(error).__name__}: {error}'.split())}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
