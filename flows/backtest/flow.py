"""The back-test as a flow: plan, walk, sum up, leave the page and the figures."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout
from prefect import State, flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows.artifacts import leave_page
from flows.backtest import plan
from flows.backtest.calibrate_priors import draft_of_priors
from flows.backtest.page import page_of
from flows.backtest.report import Report, report_of
from flows.backtest.scoring import Period
from flows.backtest.terminal import summary
from flows.backtest.walk import forget_old, walk
from flows.notify import tell_of_failure
from flows.priors import FILE as PRIORS
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.standalone import shown

log = logging.getLogger("flows.backtest")

PAGE, FIGURES = "backtest.html", "backtest.json"
_KEPT_BACKTESTS = 20


class Done(msgspec.Struct, frozen=True):
    """A finished back-test: its figures, and the folder with the page and the JSON."""

    report: Report
    folder: str


@task(cache_policy=NO_CACHE, tags=["backtest"])
def walk_through(settings: FlowSettings, asked: plan.Asked) -> list[Period]:
    """Re-fit and score, period after period."""
    return walk(settings, asked)


@task(cache_policy=NO_CACHE, tags=["backtest"])
def sum_up(asked: plan.Asked, periods: Sequence[Period], out: Path, config: Path | None) -> Report:
    """Work out the figures and write the JSON and the page; with a configuration folder, drafts of its rule book and its priors."""
    if config is None:
        report = report_of(asked.span, asked.challengers, periods)
    else:
        book = (config / "rules.yml").read_text(encoding="utf-8")
        report = report_of(asked.span, asked.challengers, periods, book, asked.priors)
    out.mkdir(parents=True, exist_ok=True)
    _draft_priors(report, out, config)
    for proposal in report.proposals:
        (out / f"draft-{proposal.name}.yml").write_text(proposal.draft, encoding="utf-8")
    (out / FIGURES).write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    (out / PAGE).write_text(page_of(report), encoding="utf-8")
    return report


def _draft_priors(report: Report, out: Path, config: Path | None) -> None:
    declared = config / PRIORS if config else None
    text = declared.read_text(encoding="utf-8") if declared and declared.exists() else ""
    draft = draft_of_priors(text, report.prior_proposals)
    if draft is not None:
        (out / f"draft-{PRIORS}").write_text(draft, encoding="utf-8")


@flow(name="backtest", timeout_seconds=12 * 3600, on_failure=[tell_of_failure], on_crashed=[tell_of_failure])
def backtest(
    first: date | None = None,
    last: date | None = None,
    *,
    days: int = 90,
    every_days: int = 7,
    models: list[str] | None = None,
    rules: list[str] | None = None,
    sources: str | None = None,
    out: str | None = None,
    propose: bool = False,
) -> State[Done]:
    """Walk through history with the code of the desk, and compare models and rule books. Changes nothing.

    Args:
        first: The first day; default: so many days before the last that they are the number of days asked for.
        last: The last day, included; default: yesterday.
        days: How many days, where no first day is given.
        every_days: Days between two re-fits.
        models: Models to compare; default: all, unless rule books are given.
        rules: Files of rule books to compare.
        sources: A sources.yml or a folder of canonical files; nothing is pulled; default: those behind the current snapshot.
        out: Folder for the page and the figures; default: one under backtests of the state folder.
        propose: Search weights, too, and write drafts of the desk's rule book.

    """
    settings = FlowSettings()
    try:
        asked = plan.ask(
            settings,
            first=first,
            last=last,
            days=days,
            every_days=every_days,
            models=models,
            rules=rules,
            sources=sources,
            propose=propose,
        )
        asked.folder.root.mkdir(parents=True, exist_ok=True)
        target = Path(out).resolve() if out else asked.folder.root
        with FileLock(asked.folder.root / "backtest.lock", blocking=False):
            report = sum_up(asked, walk_through(settings, asked), target, settings.config if propose else None)
    except Timeout:
        return Failed(message="the same back-test is running", data=Refused(["the same back-test is running; wait for it to end"]))
    except Refused as refused:
        return Failed(message="; ".join(refused.reasons), data=refused)
    _leave(report, target)
    forget_old(asked.folder.root.parent, keep=_KEPT_BACKTESTS)
    return Completed(message=summary(report), data=Done(report, str(target)))


def _leave(report: Report, folder: Path) -> None:
    """Leave the table and the page on the Prefect server."""
    ranks = {item.name: item for item in report.ranks}
    create_table_artifact(
        [
            {
                "challenger": item.name,
                "gain, bps": shown(item.gain_bps, sign="+"),
                "best, %": shown(item.best_share, 1, 100),
                "by lot, %": shown(item.best_share_random, 1, 100),
                "foretold ranks": shown(ranks[item.name].forecast),
            }
            for item in report.uplift
        ],
        key="backtest",
        description=summary(report),
    )
    leave_page(folder / PAGE, key="backtest-page", description=summary(report))
