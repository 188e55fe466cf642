"""The refresh: pull, land, build, fit, gate, publish. What the gate has not passed, nobody sees."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout
from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.tasks import Task

from expectations.contracts.snapshot import GateResult, Manifest
from expectations.gate import LANDING_SUITES, SCORECARD_SUITES, GateError, run_gate
from flows import artifacts, deliveries, fit, fit_tables, publish, transform
from flows.aftermath import leave_behind
from flows.build import BuildFailed, BuildReport, build
from flows.data_docs import write_gate_page
from flows.executions import post_executions
from flows.landing import Landing, Receipt
from flows.notify import tell_of_failure
from flows.previous import lay_previous
from flows.priors import read_priors
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled, SourceError
from flows.sources.registry import pull
from flows.sources.secrets import shown
from flows.warehouse import drop, opened

log = logging.getLogger("flows.refresh")


def _is_passing_fault(_task: Task[..., object], _run: TaskRun, state: State[object]) -> bool:
    """Retry only what may pass by itself: an I/O fault other than a file that is not there."""
    try:
        state.result()
    except SourceError as error:
        return isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError)
    except Exception:  # noqa: BLE001 - whatever else went wrong will not pass by itself
        return False
    return False


@task(
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=2,
    retry_condition_fn=_is_passing_fault,
    timeout_seconds=1800,
    tags=["source"],
)
def pull_source(source: SourceConfig) -> list[Pulled]:
    """Find what a source has to give."""
    return pull(source)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2, retry_condition_fn=_is_passing_fault, tags=["source"])
def send_executions(source: SourceConfig, journal: Path) -> int:
    """Post our executions to a TCA vendor, each once."""
    return post_executions(source, journal)


@task(cache_policy=NO_CACHE)
def land(landing: Landing, pulled: list[Pulled], *, now: datetime, not_after: datetime) -> deliveries.Landed:
    """Land what is new, with what could not be landed and why."""
    return deliveries.land_new(landing, pulled, now=now, not_after=not_after)


@task(cache_policy=NO_CACHE, timeout_seconds=1800, tags=["gate"])
def check(settings: FlowSettings, suites: tuple[str, ...]) -> list[GateResult]:
    """Run suites of the gate on the warehouse."""
    return run_gate(settings.state.warehouse, suites)


@task(cache_policy=NO_CACHE)
def fit_figures(settings: FlowSettings, as_of: datetime) -> int:
    """Fit the market's costs and what is believed of dealers from the daily statistics, and write them beside the marts."""
    with opened(settings.state.warehouse) as connection:
        costs = fit.fit_market_costs(connection, as_of.date())
        return costs + fit_tables.fit_beliefs(connection, as_of.date(), read_priors(settings.config))


@task(cache_policy=NO_CACHE)
def publish_snapshot(settings: FlowSettings, made: publish.Made) -> Manifest:
    """Copy the marts into a snapshot and switch to it."""
    return publish.publish(settings.state, made)


@flow(name="refresh", timeout_seconds=4 * 3600, on_failure=[tell_of_failure], on_crashed=[tell_of_failure])
def refresh(
    sources: str | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    *,
    full: bool = False,
    tables: list[str] | None = None,
) -> State[Manifest]:
    """Pull every source, land what is new, build the marts, fit, pass the gate, publish a snapshot.

    Args:
        sources: A sources.yml or a folder of canonical files; default: sources.yml of the configuration folder.
        as_of: Nothing that happened later is used; default: now. A time without a zone is UTC.
        known_at: Nothing landed later is used; default: now. A time without a zone is UTC.
        full: Build from nothing instead of on what stands.
        tables: Pull only these of the canonical tables, and use the others as they were landed before; default: all.

    """
    settings = FlowSettings()
    try:
        # Faults of the configuration are told before anything is pulled.
        read_priors(settings.config)
        deliveries.check_tables(tables)
        settings.state.root.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.state.root / "refresh.lock", blocking=False):
            manifest = _refresh(settings, _listed(settings, sources), as_of, known_at, full=full, tables=tables)
    except Timeout:
        return Failed(message="another refresh is running; wait for it to end", data=Refused(["another refresh is running"]))
    except Refused as refused:
        artifacts.leave_refused(refused.reasons, refused.gate, refused.page)
        return Failed(message=f"nothing published: {'; '.join(refused.reasons)}", data=refused)
    return Completed(message=f"published {manifest.snapshot_id}", data=manifest)


def _refresh(
    settings: FlowSettings,
    listed: list[SourceConfig],
    as_of: datetime | None,
    known_at: datetime | None,
    *,
    full: bool,
    tables: Sequence[str] | None,
) -> Manifest:
    now, landing = datetime.now(UTC), Landing(settings.state)
    landed_at = landing.instant(now)
    # A time without a zone is UTC, as the server's form gives it.
    instant, known = (at if at.tzinfo else at.replace(tzinfo=UTC) for at in (as_of or now, known_at or landed_at))
    landed = _take_in(landing, listed, settings.state.journal, now=landed_at, not_after=max(now, instant), tables=tables)
    landing.release(landed)
    used = transform.batches_to_use(landing, (source.name for source in listed), known_at=known)
    log.info("%d deliveries to judge, %d rows; building as of %s", len(landed), sum(r.rows for r in landed), instant.isoformat())
    if full:
        drop(settings.state.warehouse)
    transform.lay_views(settings.state, landing, used, new=landed)
    # What was landed after the known-at time is not judged: it waits for a refresh that uses it.
    judged = [receipt for receipt in landed if receipt in used]
    passed = _pass_landing(settings, landing, judged, now)
    built = _build(settings, instant, full=full)
    fit_figures(settings, instant)
    names = sorted(source.name for source in listed)
    lay_previous(settings.state, as_of=instant, sources=names)
    passed += _pass(settings, SCORECARD_SUITES)
    made = publish.Made(
        as_of=instant,
        known_at=known,
        created_at=now,
        quarantined=deliveries.quarantined(settings.state, used),
        gate=passed,
        dbt_invocation_id=built.invocation_id,
        code_version=version("sotto"),
        sources=names,
    )
    manifest = publish_snapshot(settings, made)
    leave_behind(settings, manifest, passed, landing, judged, at=now)
    return manifest


def _listed(settings: FlowSettings, sources: str | None) -> list[SourceConfig]:
    try:
        return deliveries.sources_of(settings, Path(sources) if sources else settings.config / "sources.yml")
    except SourceError as error:
        raise Refused([str(error)]) from error


def _take_in(
    landing: Landing, listed: list[SourceConfig], journal: Path, *, now: datetime, not_after: datetime, tables: Sequence[str] | None
) -> list[Receipt]:
    """Pull and land every source. What is good lands even where another source is bad; then the refresh is refused."""
    problems: list[str] = []
    pulled: list[Pulled] = []
    for source in filter(None, (deliveries.only(source, tables) for source in listed)):
        log.info("pulling %s from %s", source.name, shown(source.path))
        try:
            if source.post_executions and journal.exists():
                send_executions(source, journal)
            found = pull_source(source)
        except SourceError as error:
            problems.append(str(error))
            continue
        problems += deliveries.missing_tables(landing, source, found)
        pulled += found
    outcome = land(landing, pulled, now=now, not_after=not_after)
    names = {source.name for source in listed}
    before = [] if tables is None else [receipt for receipt in landing.receipts() if receipt.source in names]
    problems += outcome.problems + deliveries.missing_needed(pulled, before, problems)
    if problems:
        raise Refused(problems)
    return outcome.receipts


def _pass_landing(settings: FlowSettings, landing: Landing, judged: list[Receipt], now: datetime) -> list[GateResult]:
    """Check the deliveries; hold back those of a data set that fails, so that a corrected file can take their place."""
    try:
        return _pass(settings, LANDING_SUITES)
    except _Failing as failing:
        tables = {result.suite for result in failing.results}
        landing.hold([r for r in judged if r.table in tables], reason="; ".join(failing.reasons), at=now)
        raise


class _Failing(Refused):
    """Refused by the gate: ``results`` are the failed checks, each told with its harm, its rows, what made them, and the run."""

    def __init__(self, results: list[GateResult], gate: list[GateResult], page: Path) -> None:
        run = flow_run.get_name()
        told = [f"{r.suite}.{r.check} failed: {r.harm} ({r.observed}; made by {r.node}; run {run})" for r in results]
        super().__init__(told, gate=gate, page=page)
        self.results = results


def _pass(settings: FlowSettings, suites: tuple[str, ...]) -> list[GateResult]:
    log.info("checking %s", ", ".join(suites))
    try:
        results = check(settings, suites)
    except GateError as error:
        raise Refused([str(error)]) from error
    failed = [result for result in results if result.refuses]
    if failed:
        raise _Failing(failed, results, write_gate_page(settings.state, "refused", results))
    for result in results:
        if not result.passed:
            log.warning("%s.%s: %s (%s; made by %s)", result.suite, result.check, result.harm, result.observed, result.node)
    return results


def _build(settings: FlowSettings, as_of: datetime, *, full: bool) -> BuildReport:
    try:
        return build(settings, as_of=as_of, full=full)
    except BuildFailed as error:
        raise Refused(error.nodes) from error
