"""What the commands share: two streams, one line for a mistake, times and settings as they are given."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from pydantic import ValidationError

    from expectations.contracts.home import Home
    from serve.adapters.journal import JournalReader
    from serve.settings import Settings

NOTHING_PUBLISHED = 3
# Text stands as it is: a line stays whole however narrow the terminal, so that what reads from a pipe can go line by line.
say = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def refusing(*mistakes: type[Exception]) -> Iterator[None]:
    """Turn a user's mistake into one clear line and exit 1."""
    try:
        yield
    except mistakes as mistake:
        leave(str(mistake))


def tell(message: str) -> None:
    """Say in one line what went wrong; nothing to say, no line."""
    if message:
        say.print(f"sotto: {message}")


def leave(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong in one line and exit."""
    tell(message)
    raise typer.Exit(code)


def settings_with(**given: object) -> "Settings":
    """Read the settings; options that were given go before the environment."""
    from pydantic import ValidationError

    from serve.settings import Settings

    try:
        return Settings.model_validate(
            {**Settings().model_dump(), **{name: value for name, value in given.items() if value is not None}}
        )
    except ValidationError as error:
        leave(wrong_setting(error))


def wrong_setting(error: "ValidationError") -> str:
    """Say which setting cannot be used, and why, in one line."""
    first = error.errors()[0]
    return f"setting {'.'.join(str(part) for part in first['loc'])}: {first['msg']} (got {first['input']!r})"


def wrong_file(error: OSError) -> str:
    """Say which file or address cannot be used, and why, in one line."""
    reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def wrong_usage(mistake: typer.TyperException) -> str:
    """Say in one line what is wrong with the command line; nothing where the help was shown in answer."""
    text = " ".join(mistake.format_message().split()).rstrip(".")
    context = getattr(mistake, "ctx", None)
    where = f"; see '{context.command_path} --help'" if context else ""
    return f"{text[0].lower()}{text[1:]}{where}" if text else ""


def must_be_there(home: "Home") -> "Home":
    """Give a home, or say that there is no such folder."""
    if not home.root.is_dir():
        leave(f"there is no folder {home.root}; is SOTTO_HOME right?")
    return home


def journal() -> "JournalReader":
    """Open the home's journal for reading, or say that there is none."""
    from serve.adapters.journal import JournalReader

    home = settings_with().state
    if not home.journal.exists():
        leave(f"there is no journal at {home.journal}; is SOTTO_HOME right?")
    return JournalReader(home.journal)


def instant_of(text: str | None, option: str) -> datetime | None:
    """Read an ISO 8601 time; without a zone it is UTC, a date alone is its first instant."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        leave(f"{option} {text!r} is not a time in ISO 8601, such as 2026-06-30T21:00:00Z", 2)


def day_of(text: str | None, option: str) -> date | None:
    """Read an ISO 8601 date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        leave(f"{option} {text!r} is not a date in ISO 8601, such as 2026-06-30", 2)


def progress(message: str) -> None:
    """Show how far long work is, on standard error."""
    say.print(message, style="dim")


def follow_flows() -> None:
    """Show what the flows log on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("flows")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def print_json(answer: object) -> None:
    """Print one JSON object for programs."""
    import msgspec

    sys.stdout.write(json.dumps(msgspec.to_builtins(answer), indent=2, ensure_ascii=False) + "\n")
