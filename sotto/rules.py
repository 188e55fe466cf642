"""``sotto rules``: the rule book."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from sotto.terminal import instant_of, out, print_json, refusing, say, settings_with

app = typer.Typer(no_args_is_help=True, help="Check the desk's rule book, and try it on past orders.")


@app.command("check")
def rules_check(file: Annotated[Path, typer.Argument(help="A rule book.")]) -> None:
    """Validate a rule book; every fault is told with its place."""
    from serve.offline import check_rules

    faults = check_rules(file)
    for fault in faults:
        say.print(fault)
    if faults:
        raise typer.Exit(1)
    out.print(f"{file}: no faults")


@app.command("try")
def rules_try(
    file: Annotated[Path, typer.Argument(help="A rule book, tried against the one in force.")],
    since: Annotated[str | None, typer.Option("--from", help="First day or time, ISO 8601; default: 30 days before --to.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Day or time up to which, ISO 8601; default: now.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many orders, the latest.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Run past orders of the journal by a rule book and show what it would have changed; nothing is written."""
    from serve.offline_rules import RulesOfflineError, try_rules
    from serve.rules_report import lines

    last = instant_of(until, "--to") or datetime.now(UTC)
    first = instant_of(since, "--from") or last - timedelta(days=30)
    with refusing(RulesOfflineError):
        trial = try_rules(file, settings_with(), since=first, until=last, limit=limit)
    if as_json:
        print_json(trial)
        return
    for line in lines(trial):
        out.print(line)
