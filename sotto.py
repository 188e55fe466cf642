"""The ``sotto`` command: composition only. Each subcommand imports what it needs when it runs."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from serve.adapters.journal import JournalReader
    from serve.settings import Settings

app = typer.Typer(
    name="sotto",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Whom to ask for a price, quietly.",
)
rules_app = typer.Typer(no_args_is_help=True, help="Check the desk's rule book, and try it on past orders.")
audit_app = typer.Typer(no_args_is_help=True, help="Check the journal.")
quarantine_app = typer.Typer(invoke_without_command=True, help="List rows that were set aside, and try them again.")
token_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens.")
app.add_typer(rules_app, name="rules")
app.add_typer(audit_app, name="audit")
app.add_typer(token_app, name="token")
app.add_typer(quarantine_app, name="quarantine")

NOTHING_PUBLISHED = 3
say = Console(stderr=True, highlight=False)
out = Console(highlight=False)


def main() -> None:
    """Run the command."""
    app()


@app.command()
def simulate(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the files; the truth goes to a folder beside it.")],
    days: Annotated[int, typer.Option(min=1, help="Calendar days of history.")] = 180,
    seed: Annotated[int, typer.Option(help="The same seed, days and end give the same files.")] = 7,
    end: Annotated[str | None, typer.Option(help="Last day, ISO 8601; default: yesterday (UTC).")] = None,
) -> None:
    """Write vendor-shaped source files of a synthetic market, and the truth behind them apart."""
    from sim.errors import SimulationError
    from sim.simulate import simulate as run

    with refusing(SimulationError):
        made = run(out_dir, days, seed, _day(end, "--end"), progress=_progress)
    out.print(f"{sum(made.rows.values()):,} rows in {made.out}, up to {made.end}; the truth in {made.truth}")


@app.command()
def refresh(
    sources: Annotated[Path | None, typer.Option(help="A sources.yml, or a folder of canonical files.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Nothing that happened later is used; ISO 8601, default: now.")] = None,
    known_at: Annotated[str | None, typer.Option(help="Nothing landed later is used; ISO 8601, default: now.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Build from nothing instead of on what stands.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Take in, build, check and publish; prints the snapshot, or why nothing was published (exit 3)."""
    from flows.orchestration import run_refresh
    from flows.refused import Refused

    _follow_flows()
    instant, known = _instant(as_of, "--as-of"), _instant(known_at, "--known-at")
    try:
        manifest = run_refresh(sources, as_of=instant, known_at=known, full=full)
    except Refused as refused:
        for reason in refused.reasons:
            say.print(f"sotto: {reason}", markup=False, soft_wrap=True)
        _leave("nothing was published; the last good snapshot stays", NOTHING_PUBLISHED)
    quarantined = ", ".join(f"{count} {table}" for table, count in sorted(manifest.quarantined.items())) or "none"
    say.print(f"scorecards: {manifest.tables['fct_dealer_scorecards'].rows:,} rows; rows set aside: {quarantined}")
    out.print(manifest.snapshot_id)


@app.command()
def backfill(
    since: Annotated[str, typer.Option("--from", help="First day, ISO 8601.")],
    until: Annotated[str, typer.Option("--to", help="Last day, ISO 8601.")],
    every: Annotated[str, typer.Option(help="day (Monday to Friday) or week.")] = "day",
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Days built at a time, each in a process of its own.")] = 2,
    sources: Annotated[Path | None, typer.Option(help="As for a refresh; nothing is pulled.")] = None,
) -> None:
    """Build the scorecards of past days from what is landed; what is done already is not done again."""
    from flows.orchestration import run_backfill
    from flows.progress import following
    from flows.refused import Refused

    first, last = _day(since, "--from"), _day(until, "--to")
    if first is None or last is None or every not in {"day", "week"}:
        _leave("give --from and --to, and --every day or week", 2)
    try:
        with following(say):
            days = run_backfill(sources, first, last, every=every, parallel=parallel)
    except Refused as refused:
        for reason in refused.reasons:
            say.print(f"sotto: {reason}", markup=False, soft_wrap=True)
        _leave("not every day was built; the same command goes on where this one ended", NOTHING_PUBLISHED)
    out.print(f"{len(days)} days, the last {days[-1]}")


@app.command()
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
    from flows.backtest.terminal import summary, tables
    from flows.orchestration import run_backtest
    from flows.progress import following
    from flows.refused import Refused

    where = {"sources": sources, "out": out_dir}
    given = {name: str(path.resolve()) for name, path in where.items() if path}
    books = [str(path) for path in rules or []]
    days = {"first": _day(since, "--from"), "last": _day(until, "--to")}
    try:
        with following(say, "backtest"):
            done = run_backtest(**days, every_days=every, models=model, rules=books, propose=propose, **given)
    except Refused as refused:
        for reason in refused.reasons:
            say.print(f"sotto: {reason}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    if as_json:
        _print_json(done.report)
        return
    out.print(summary(done.report), soft_wrap=True)
    for table in tables(done.report):
        out.print(table)
    out.print(f"page and figures: {done.folder}", soft_wrap=True)


@quarantine_app.callback()
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
    from flows.settings import FlowSettings

    if context.invoked_subcommand:
        return
    wanted = rows.Wanted(source=source, table=table, rule=rule, every_version=every_version)
    listed = rows.faults(FlowSettings().state, wanted, limit=None if out_file else limit)
    if out_file:
        rows.write_csv(listed, out_file)
        out.print(f"{listed.total:,} faults in {out_file}", soft_wrap=True)
    elif as_json:
        _print_json(listed)
    else:
        for line in rows.lines(listed):
            out.print(line, markup=False, soft_wrap=True)


@quarantine_app.command("retry")
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
    with refusing(Refused, SourceError):
        mappings = {one.name: one.mapping for one in deliveries.sources_of(settings, sources or settings.config / "sources.yml")}
        tried = retry(settings.state, mappings, now=datetime.now(UTC), wanted=Wanted(source=source, table=table))
    for one in tried:
        told = one.problem or f"{one.landed:,} rows landed, {one.still_bad:,} still bad"
        out.print(f"{one.source} {one.table} {one.file}: {told}", markup=False, soft_wrap=True)
    out.print(f"{sum(one.landed for one in tried):,} rows landed; `sotto refresh` uses them")


@app.command()
def snapshots() -> None:
    """List the published snapshots; the current one is marked."""
    from flows.publish import current_id, list_manifests
    from flows.settings import FlowSettings

    home = FlowSettings().state
    current = current_id(home)
    for manifest in list_manifests(home):
        mark = "*" if manifest.snapshot_id == current else " "
        out.print(
            f"{mark} {manifest.snapshot_id}  as of {manifest.as_of:%Y-%m-%d %H:%M}Z, made {manifest.created_at:%Y-%m-%d %H:%M}Z"
        )


@app.command()
def rollback(snapshot_id: Annotated[str, typer.Argument(help="As `sotto snapshots` lists it.")]) -> None:
    """Make an earlier snapshot the current one; the service follows within a second."""
    from flows.publish import switch_to
    from flows.settings import FlowSettings

    with refusing(FileNotFoundError):
        switch_to(FlowSettings().state, snapshot_id)
    out.print(snapshot_id)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; default 8420.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="recommend, desk; default: both.")] = None,
) -> None:
    """Run the service: recommendations, RFQs over FIX, the trader's page."""
    from serve.app import ServiceError, run

    with refusing(ServiceError):
        run(_settings(host=host, port=port, roles=role))


@app.command()
def recommend(
    order: Annotated[Path, typer.Argument(help="A JSON file with one order, or a list of orders.")],
    snapshot: Annotated[str | None, typer.Option(help="A snapshot other than the current one.")] = None,
    rules: Annotated[Path | None, typer.Option(help="A rule book other than the one in force.")] = None,
) -> None:
    """Recommend dealers for an order, as the API would, without a server."""
    from serve.offline import OfflineError, recommend_file

    with refusing(OfflineError):
        answer = recommend_file(order, _settings(), snapshot_id=snapshot, rules=rules)
    _print_json(answer)


@rules_app.command("check")
def rules_check(file: Annotated[Path, typer.Argument(help="A rule book.")]) -> None:
    """Validate a rule book; every fault is told with its place."""
    from serve.offline import check_rules

    faults = check_rules(file)
    for fault in faults:
        say.print(fault, markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    out.print(f"{file}: no faults")


@rules_app.command("try")
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

    last = _instant(until, "--to") or datetime.now(UTC)
    first = _instant(since, "--from") or last - timedelta(days=30)
    with refusing(RulesOfflineError):
        trial = try_rules(file, _settings(), since=first, until=last, limit=limit)
    if as_json:
        _print_json(trial)
        return
    for line in lines(trial):
        out.print(line, markup=False, soft_wrap=True)


@audit_app.command("verify")
def audit_verify(
    head: Annotated[str | None, typer.Option(help="A head noted earlier: finds a cut-off end, too.")] = None,
    anchors: Annotated[Path | None, typer.Option(help="The file that `sotto audit anchor` adds to.")] = None,
) -> None:
    """Check the journal's hash chain; exit 1 names the first broken event."""
    from serve.adapters.anchors import AnchorsError, read_anchors
    from serve.adapters.journal import JournalError

    with refusing(JournalError, AnchorsError):
        noted = read_anchors(anchors) if anchors else None
        result = _journal().verify(head, noted)
    if not result.ok:
        _leave(f"the chain is broken at event {result.broken_seq}: {result.reason}")
    held = f", {len(noted):,} anchors hold" if noted else ""
    out.print(f"{result.events:,} events, chain whole{held}, head {result.head}")


@audit_app.command("anchor")
def audit_anchor(
    out_file: Annotated[Path, typer.Option("--out", help="A file where whoever writes the journal cannot rewrite it.")],
) -> None:
    """Note the chain's head with the time in a file; `sotto audit verify --anchors FILE` then finds a rewritten or cut chain."""
    from serve.adapters.anchors import AnchorsError, append_anchor
    from serve.adapters.journal import JournalError

    with refusing(JournalError, AnchorsError):
        anchor = append_anchor(out_file, *_journal().head(), datetime.now(UTC))
    out.print(f"event {anchor.seq:,}, head {anchor.hash}, noted in {out_file}", soft_wrap=True)


@app.command()
def evidence(
    rfq_id: Annotated[str, typer.Argument(help="An RFQ's id.")],
    out_file: Annotated[Path, typer.Option("--out", help="FILE.html for people, with the JSON inside; FILE.json for programs.")],
) -> None:
    """Write everything about one RFQ: order, reasons, rules, data, events with their hashes, FIX messages."""
    from serve.evidence import EvidenceError, write_evidence

    with refusing(EvidenceError):
        pack = write_evidence(rfq_id, out_file, _settings())
    out.print(f"{len(pack.events):,} events and {len(pack.fix_messages):,} FIX messages in {out_file}", soft_wrap=True)


@app.command()
def replay(recommendation_id: Annotated[str, typer.Argument(help="A recommendation's id.")]) -> None:
    """Compute a past recommendation again and compare it field by field; exit 1 where it differs."""
    from serve.offline import OfflineError, replay_recorded

    with refusing(OfflineError):
        result = replay_recorded(recommendation_id, _settings())
    _print_json(result)
    if result.differences:
        raise typer.Exit(1)


@app.command()
def dealers(
    world: Annotated[Path, typer.Option(help="The folder of the truth that `sotto simulate` wrote.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9880,
    speed: Annotated[float, typer.Option(help="Desk seconds per second; the service must run at the same.")] = 1.0,
    store: Annotated[Path | None, typer.Option(help="Folder that keeps sequence numbers and fills over restarts.")] = None,
) -> None:
    """Run the simulated dealers as a FIX acceptor."""
    from sim.errors import SimulationError
    from sim.fix.acceptor import serve_dealers

    with refusing(SimulationError):
        serve_dealers(world, host=host, port=port, speed=speed, store=store, progress=_progress)


@app.command()
def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Exit at the end instead of leaving the service running.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs; implies --no-serve.")] = False,  # noqa: FBT002 - a flag
    days: Annotated[int, typer.Option(min=30, help="Days of synthetic history.")] = 180,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 7,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the service.")] = 8420,
) -> None:
    """Tell the whole loop on a synthetic market: a whisper RFQ over FIX whose outcome moves a score."""
    from demo.story import DemoError, Telling, tell

    with refusing(DemoError):
        told = tell(Telling(days=days, seed=seed, port=port, serve=not (no_serve or as_json)), Console(stderr=as_json))
    if as_json:
        _print_json(told)


@token_app.command("new")
def token_new(
    name: Annotated[str, typer.Option(help="Who or what bears it.")],
    role: Annotated[str, typer.Option(help="oms, trader, quant, compliance or admin.")],
    desk: Annotated[str, typer.Option(help="The desk whose orders it may see.")] = "main",
    days: Annotated[int, typer.Option(min=1, help="Days until it expires.")] = 90,
) -> None:
    """Make a token and print it, this once."""
    from serve.adapters.tokens import TokenFile, TokensBroken
    from serve.domain.users import Role

    if role not in list(Role):
        _leave(f"--role {role!r} is not one of {', '.join(Role)}")
    with refusing(TokensBroken):
        secret = TokenFile(_settings().state.tokens).create(name, Role(role), desk, timedelta(days=days))
    out.print(secret, soft_wrap=True)


@token_app.command("rotate")
def token_rotate(
    token_id: Annotated[str, typer.Argument(help="As `sotto token list` shows it.")],
    days: Annotated[int, typer.Option(min=1, help="Days until the new one expires.")] = 90,
    overlap_hours: Annotated[int, typer.Option(min=0, help="Hours for which the old one still works.")] = 24,
) -> None:
    """Make a new token for the same bearer and print it, this once; the old one ends after the overlap."""
    from serve.adapters.tokens import TokenFile, TokensBroken

    with refusing(TokensBroken):
        secret = TokenFile(_settings().state.tokens).rotate(token_id, timedelta(days=days), timedelta(hours=overlap_hours))
    if secret is None:
        _leave(f"there is no token {token_id!r}; `sotto token list` shows them")
    out.print(secret, soft_wrap=True)


@token_app.command("list")
def token_list() -> None:
    """List tokens without their secrets."""
    from serve.adapters.tokens import TokenFile, TokensBroken

    table = Table("id", "name", "role", "desk", "expires")
    with refusing(TokensBroken):
        for user in TokenFile(_settings().state.tokens).listed():
            table.add_row(user.token_id, user.name, user.role, user.desk, f"{user.expires_at:%Y-%m-%d}")
    out.print(table)


@token_app.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(help="As `sotto token list` shows it.")]) -> None:
    """Take a token away; a running service refuses it from the next request on."""
    from serve.adapters.tokens import TokenFile, TokensBroken

    with refusing(TokensBroken):
        if not TokenFile(_settings().state.tokens).revoke(token_id):
            _leave(f"there is no token {token_id!r}; `sotto token list` shows them")
    out.print(f"{token_id} revoked")


@contextmanager
def refusing(*mistakes: type[Exception]) -> Iterator[None]:
    """Turn a user's mistake into one clear line and exit 1."""
    try:
        yield
    except mistakes as mistake:
        _leave(str(mistake))


def _leave(message: str, code: int = 1) -> NoReturn:
    say.print(f"sotto: {message}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _settings(**given: object) -> "Settings":
    """Read the settings; options that were given go before the environment."""
    from pydantic import ValidationError

    from serve.settings import Settings

    try:
        return Settings.model_validate(
            {**Settings().model_dump(), **{name: value for name, value in given.items() if value is not None}}
        )
    except ValidationError as error:
        first = error.errors()[0]
        _leave(f"setting {'.'.join(str(part) for part in first['loc'])}: {first['msg']} (got {first['input']!r})")


def _journal() -> "JournalReader":
    """Open the home's journal for reading, or say that there is none."""
    from serve.adapters.journal import JournalReader

    home = _settings().state
    if not home.journal.exists():
        _leave(f"there is no journal at {home.journal}; is SOTTO_HOME right?")
    return JournalReader(home.journal)


def _instant(text: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 time; without a zone it is UTC, a date alone is its first instant."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        _leave(f"{option} {text!r} is not a time in ISO 8601, such as 2026-06-30T21:00:00Z", 2)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        _leave(f"{option} {text!r} is not a date in ISO 8601, such as 2026-06-30", 2)


def _progress(message: str) -> None:
    say.print(message, style="dim", markup=False)


def _follow_flows() -> None:
    """Show what the flows log on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("flows")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _print_json(answer: object) -> None:
    import msgspec

    sys.stdout.write(json.dumps(msgspec.to_builtins(answer), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
