"""The ``sotto`` command: composition only. Each subcommand imports what it needs when it runs."""

import sys

import typer

from sotto import audit, data, desk, quarantine, review, rules, science, terminal, tokens

app = typer.Typer(
    name="sotto",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Whom to ask for a price, quietly.",
)
for command in (
    data.simulate,
    data.refresh,
    data.backfill,
    science.backtest,
    review.review,
    data.snapshots,
    data.rollback,
    desk.serve,
    desk.recommend,
    desk.evidence,
    desk.replay,
    desk.dealers,
    desk.demo,
):
    app.command()(command)
app.add_typer(rules.app, name="rules")
app.add_typer(audit.app, name="audit")
app.add_typer(tokens.app, name="token")
app.add_typer(quarantine.app, name="quarantine")


def main() -> None:
    """Run the command; a mistake on the command line is one line and exit 2, a setting or file that cannot be used exit 1."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as mistake:
        terminal.tell(terminal.wrong_usage(mistake))
        code = mistake.exit_code
    except typer.Abort:
        terminal.tell("aborted")
        code = 1
    except OSError as error:
        # Whoever reads from a pipe may have had enough.
        if not isinstance(error, BrokenPipeError):
            terminal.tell(terminal.wrong_file(error))
        code = 1
    except ValueError as error:
        from pydantic import ValidationError

        if not (isinstance(error, ValidationError) and error.title.endswith("Settings")):
            raise
        terminal.tell(terminal.wrong_setting(error))
        code = 1
    sys.exit(code)
