"""The backfill: scorecards as they would have been at the end of past days, several days at a time, resumable."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from filelock import FileLock, Timeout
from prefect import State, flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows import deliveries
from flows.backfill_day import Day, is_done
from flows.landing import Landing
from flows.notify import tell_of_failure
from flows.refused import Refused
from flows.settings import PROJECT, FlowSettings
from flows.sources.pulled import SourceError

log = logging.getLogger("flows.backfill")

Every = Literal["day", "week"]
_WEEKEND = 5


@task(cache_policy=NO_CACHE, task_run_name="{day.day}", tags=["backfill"])
def build_in_process(day: Day) -> str | None:
    """Build one day in a process of its own; give what went wrong, or ``None``."""
    env = {**os.environ, "GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "flows.backfill_day", str(os.getpid())]
    # This interpreter and a module of ours.
    done = subprocess.run(command, input=msgspec.json.encode(day), cwd=PROJECT, env=env, capture_output=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return None
    told = done.stderr.decode(errors="replace").strip().splitlines()
    return told[-1] if told else f"the process ended with {done.returncode}"


@flow(name="backfill", timeout_seconds=24 * 3600, on_failure=[tell_of_failure], on_crashed=[tell_of_failure])
def backfill(
    first: date,
    last: date,
    *,
    every: Every = "day",
    parallel: Annotated[int, Field(ge=1, le=64)] = 2,
    sources: str | None = None,
    known_at: datetime | None = None,
) -> State[list[str]]:
    """Build the scorecards of past days from what is landed, and keep them beside the published ones.

    What is done already, from the same data, is not done again.

    Args:
        first: The first day.
        last: The last day, included.
        every: Monday to Friday (day), or every seventh day from the first (week).
        parallel: Days built at a time, each in a process of its own.
        sources: A sources.yml or a folder of canonical files, as in a refresh; nothing is pulled.
        known_at: Nothing landed later is used; default: now.

    """
    settings = FlowSettings()
    settings.state.backfill.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.state.backfill / "backfill.lock", blocking=False):
            done, failed = _backfill(settings, sources, days_of(first, last, every), parallel, known_at or datetime.now(UTC))
    except Timeout:
        return Failed(message="another backfill is running", data=Refused(["another backfill is running; wait for it to end"]))
    except Refused as refused:
        return Failed(message="; ".join(refused.reasons), data=refused)
    if failed:
        message = f"{len(failed)} of {len(done) + len(failed)} days failed"
        return Failed(message=message, data=Refused([f"{day}: {reason}" for day, reason in sorted(failed.items())]))
    return Completed(message=f"{len(done)} days", data=done)


def days_of(first: date, last: date, every: Every) -> list[date]:
    """List the days to build. Raises nothing: an empty span has none."""
    step = 7 if every == "week" else 1
    listed = [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]
    return [day for day in listed if every == "week" or day.weekday() < _WEEKEND]


def plan(settings: FlowSettings, sources: str | None, days: list[date], parallel: int, known_at: datetime) -> list[Day]:
    """Describe each day's work. Raises Refused when there is none, or nothing is landed to build it from."""
    try:
        listed = deliveries.sources_of(settings, Path(sources) if sources else settings.config / "sources.yml")
    except SourceError as error:
        raise Refused([str(error)]) from error
    names = sorted(source.name for source in listed)
    if not days:
        raise Refused(["there is no day to build between --from and --to"])
    if not any(receipt.source in names and receipt.landed_at <= known_at for receipt in Landing(settings.state).receipts()):
        raise Refused([f"nothing is landed from these sources by {known_at:%Y-%m-%d %H:%M %Z}; run `sotto refresh` first"])
    last = time_of_day(23, 59, 59, 999_999, tzinfo=UTC)
    return [
        Day(
            home=str(settings.state.root),
            day=day,
            as_of=datetime.combine(day, last),
            known_at=known_at,
            sources=names,
            memory=settings.share_of_memory(parallel),
            threads=max(settings.duckdb_threads // parallel, 1),
        )
        for day in days
    ]


def _backfill(
    settings: FlowSettings, sources: str | None, days: list[date], parallel: int, known_at: datetime
) -> tuple[list[str], dict[str, str]]:
    planned = plan(settings, sources, days, parallel, known_at)
    left = [day for day in planned if not is_done(day)]
    done = [day.day.isoformat() for day in planned if day not in left]
    failed: dict[str, str] = {}
    artifact = create_progress_artifact(progress=0.0, key="backfill", description=f"{len(planned)} days, {len(done)} done before")
    log.info("%d days, %d of them done before", len(planned), len(done), extra={"done": len(done), "of": len(planned)})
    for day, fault in _built(left, parallel):
        if fault is None:
            done.append(day)
        else:
            failed[day] = fault
        update_progress_artifact(artifact, progress=100 * (len(done) + len(failed)) / len(planned))  # type: ignore[arg-type]
        counted = {"done": len(done) + len(failed), "of": len(planned)}
        log.info("%s %s (%d of %d)", day, "done" if fault is None else f"failed: {fault}", *counted.values(), extra=counted)
    return sorted(done), failed


def _built(days: list[Day], parallel: int) -> Iterator[tuple[str, str | None]]:
    """Build days, so many at a time, and yield each with its fault as it ends."""
    runners: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=parallel)
    with runners as runner:
        futures: dict[PrefectFuture[str | None], Day] = {runner.submit(build_in_process, {"day": day}): day for day in days}
        for future in as_completed(list(futures)):
            yield futures[future].day.isoformat(), future.result()
