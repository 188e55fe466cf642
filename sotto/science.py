"""``sotto backtest``."""

from pathlib import Path
from typing import Annotated

import typer

from sotto.terminal import day_of, out, print_json, say, tell


def backtest(
    *,
    since: Annotated[str, typer.Option("--from", help="First day, ISO 8601.")],
    until: Annotated[str, typer.Option("--to", help="Last day, ISO 8601.")],
    model: Annotated[list[str] | None, typer.Option(help="A scoring model; may be repeated. Default: all of them.")] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="A rule book to compare; may be repeated.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Days between two re-fits.")] = 7,
    sources: Annotated[Path | None, typer.Option(help="As for a refresh; nothing is pulled.")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder for the page and the figures.")] = None,
    propose: Annotated[bool, typer.Option("--propose", help="Search weights and priors, and write drafts of both files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Walk through history with the code of the desk: do the models pick better dealers? Goes on where it ended."""
    from flows.backtest.plan import ask
    from flows.backtest.terminal import summary, tables
    from flows.orchestration import run_backtest
    from flows.progress import following
    from flows.refused import Refused
    from flows.settings import FlowSettings

    where = {"sources": sources, "out": out_dir}
    given = {name: str(path.resolve()) for name, path in where.items() if path}
    books = [str(path) for path in rules or []]
    first, last = day_of(since, "--from"), day_of(until, "--to")
    try:
        # A mistake is told before a bar is shown for what never begins.
        ask(FlowSettings(), first=first, last=last, every_days=every, models=model, rules=books, sources=given.get("sources"))
        with following(say, "backtest"):
            done = run_backtest(first=first, last=last, every_days=every, models=model, rules=books, propose=propose, **given)
    except Refused as refused:
        for reason in refused.reasons:
            tell(reason)
        raise typer.Exit(1) from None
    if as_json:
        print_json(done.report)
        return
    out.print(summary(done.report))
    for table in tables(done.report):
        out.print(table)
    out.print(f"page and figures: {done.folder}")
