"""The ``sotto`` command: composition only. Each subcommand imports what it needs when it runs."""

import typer

app = typer.Typer(name="sotto", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


def main() -> None:
    """Run the command."""
    app()
