"""``sotto quarantine``: the rows that were set aside."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sotto.terminal import leave, must_be_there, out, print_json, refusing

if TYPE_CHECKING:
    from expectations.contracts.home import Home

app = typer.Typer(invoke_without_command=True, help="List rows that were set aside, and try them again.")


@app.callback()
def quarantine(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    table: Annotated[str | None, typer.Option(help="Of this table only.")] = None,
    rule: Annotated[str | None, typer.Option(help="By this rule only, such as type or check_digit.")] = None,
    every_version: Annotated[bool, typer.Option("--all", help="Of superseded deliveries, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Faults shown, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write all of them to FILE.csv.")] = None,
) -> None:
    """List the rows that were set aside: counts by rule, then the newest faults."""
    from flows import quarantine as rows
    from flows.refused import Refused
    from flows.settings import FlowSettings

    if context.invoked_subcommand:
        return
    home = must_be_there(FlowSettings().state)
    wanted = rows.Wanted(source=source, table=table, rule=rule, every_version=every_version)
    with refusing(Refused):
        _check_names(home, source, table)
        listed = rows.faults(home, wanted, limit=None if out_file else limit)
    if out_file:
        rows.write_csv(listed, out_file)
        out.print(f"{listed.total:,} faults in {out_file}")
    elif as_json:
        print_json(listed)
    else:
        for line in rows.lines(listed):
            out.print(line)


@app.command("retry")
def quarantine_retry(
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    table: Annotated[str | None, typer.Option(help="Of this table only.")] = None,
    sources: Annotated[Path | None, typer.Option(help="The sources.yml that names the mappings.")] = None,
) -> None:
    """Read the rows again under today's contract and mappings; what is good by now lands, once, and waits for the next refresh."""
    from flows import deliveries
    from flows.quarantine import Wanted
    from flows.quarantine_retry import retry
    from flows.refused import Refused
    from flows.settings import FlowSettings
    from flows.sources.pulled import SourceError

    settings = FlowSettings()
    must_be_there(settings.state)
    with refusing(Refused, SourceError):
        _check_names(settings.state, source, table)
        mappings = {one.name: one.mapping for one in deliveries.sources_of(settings, sources or settings.config / "sources.yml")}
        tried = retry(settings.state, mappings, now=datetime.now(UTC), wanted=Wanted(source=source, table=table))
    for one in tried:
        told = one.problem or f"{one.landed:,} rows landed, {one.still_bad:,} still bad"
        out.print(f"{one.source} {one.table} {one.file}: {told}")
    out.print(f"{sum(one.landed for one in tried):,} rows landed; `sotto refresh` uses them")


def _check_names(home: "Home", source: str | None, table: str | None) -> None:
    """Leave where nothing was ever landed of such a source or table."""
    from flows.landing import Landing

    if source is None and table is None:
        return
    receipts = list(Landing(home).receipts())
    for option, name, known in (
        ("--source", source, sorted({receipt.source for receipt in receipts})),
        ("--table", table, sorted({receipt.table for receipt in receipts})),
    ):
        if name is not None and name not in known:
            leave(f"{option} {name}: nothing of that name was landed; there is {', '.join(known) or 'nothing'}")
