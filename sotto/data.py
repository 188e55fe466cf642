"""The commands of the pipelines: a market, a refresh, past days, snapshots."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sotto.terminal import (
    NOTHING_PUBLISHED,
    day_of,
    follow_flows,
    instant_of,
    leave,
    must_be_there,
    out,
    progress,
    refusing,
    say,
    tell,
)


def simulate(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the files; the truth goes to a folder beside it.")],
    days: Annotated[int, typer.Option(min=1, help="Calendar days of history.")] = 180,
    seed: Annotated[int, typer.Option(help="The same seed, days and end give the same files.")] = 7,
    end: Annotated[str | None, typer.Option(help="Last day, ISO 8601; default: yesterday (UTC).")] = None,
    world: Annotated[str, typer.Option(help="usual, or misspecified: dealers behave as no model assumes.")] = "usual",
) -> None:
    """Write vendor-shaped source files of a synthetic market, and the truth behind them apart."""
    from sim.errors import SimulationError
    from sim.simulate import simulate as run

    with refusing(SimulationError):
        made = run(out_dir, days, seed, day_of(end, "--end"), world=world, progress=progress)
    out.print(f"{sum(made.rows.values()):,} rows in {made.out}, up to {made.end}; the truth in {made.truth}")


def refresh(
    sources: Annotated[Path | None, typer.Option(help="A sources.yml, or a folder of canonical files.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Nothing that happened later is used; ISO 8601, default: now.")] = None,
    known_at: Annotated[str | None, typer.Option(help="Nothing landed later is used; ISO 8601, default: now.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Build from nothing instead of on what stands.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Take in, build, check and publish; prints the snapshot, or why nothing was published (exit 3)."""
    from flows.orchestration import run_refresh
    from flows.refused import Refused

    follow_flows()
    instant, known = instant_of(as_of, "--as-of"), instant_of(known_at, "--known-at")
    try:
        manifest = run_refresh(sources, as_of=instant, known_at=known, full=full)
    except Refused as refused:
        for reason in refused.reasons:
            tell(reason)
        leave("nothing was published; the last good snapshot stays", NOTHING_PUBLISHED)
    quarantined = ", ".join(f"{count} {table}" for table, count in sorted(manifest.quarantined.items())) or "none"
    say.print(f"scorecards: {manifest.tables['fct_dealer_scorecards'].rows:,} rows; rows set aside: {quarantined}")
    out.print(manifest.snapshot_id)


def backfill(
    *,
    since: Annotated[str, typer.Option("--from", help="First day, ISO 8601.")],
    until: Annotated[str, typer.Option("--to", help="Last day, ISO 8601.")],
    every: Annotated[str, typer.Option(help="day (Monday to Friday) or week.")] = "day",
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Days built at a time, each in a process of its own.")] = 2,
    sources: Annotated[Path | None, typer.Option(help="As for a refresh; nothing is pulled.")] = None,
    known_at: Annotated[str | None, typer.Option(help="Nothing landed later is used; ISO 8601, default: now.")] = None,
) -> None:
    """Build the scorecards of past days from what is landed; what is done already is not done again."""
    from flows.orchestration import run_backfill
    from flows.progress import following
    from flows.refused import Refused

    first, last, known = day_of(since, "--from"), day_of(until, "--to"), instant_of(known_at, "--known-at")
    if first is None or last is None or every not in {"day", "week"}:
        leave("give --from and --to, and --every day or week", 2)
    if first > last or last > datetime.now(UTC).date():
        leave(f"--from {first} --to {last}: give two days that are past, the earlier one first", 2)
    try:
        with following(say):
            days = run_backfill(sources, first, last, every=every, parallel=parallel, known_at=known)
    except Refused as refused:
        for reason in refused.reasons:
            tell(reason)
        leave("not every day was built; once that is mended, the same command goes on where this one ended", NOTHING_PUBLISHED)
    out.print(f"{len(days)} days, the last {days[-1]}")


def snapshots() -> None:
    """List the published snapshots; the current one is marked."""
    from flows.publish import MANIFEST, current_id, list_manifests
    from flows.settings import FlowSettings

    home = must_be_there(FlowSettings().state)
    current = current_id(home)
    listed = list_manifests(home, tell)
    if current is not None and not (home.snapshots / current / MANIFEST).is_file():
        tell(f"{home.current} names {current!r}, which is not there; go back to another with `sotto rollback ID`")
    for manifest in listed:
        mark = "*" if manifest.snapshot_id == current else " "
        out.print(
            f"{mark} {manifest.snapshot_id}  as of {manifest.as_of:%Y-%m-%d %H:%M}Z, made {manifest.created_at:%Y-%m-%d %H:%M}Z"
        )


def rollback(snapshot_id: Annotated[str, typer.Argument(help="As `sotto snapshots` lists it.")]) -> None:
    """Make an earlier snapshot the current one; the service follows within a second."""
    from flows.publish import switch_to
    from flows.settings import FlowSettings

    with refusing(FileNotFoundError):
        switch_to(FlowSettings().state, snapshot_id)
    out.print(snapshot_id)
