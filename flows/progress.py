"""Progress on the terminal: what a flow logs, with a bar where it says how far it is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class _Bar(logging.Handler):
    """Prints what is logged above the bar, and moves it by ``done`` and ``of`` of a record."""

    def __init__(self, progress: Progress, name: str) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        self._progress.console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)
        if hasattr(record, "done"):
            self._progress.update(self._task, completed=record.done, total=getattr(record, "of", None))


@contextmanager
def following(console: Console, name: str = "backfill") -> Iterator[None]:
    """Show what a flow logs under its name, with a bar, for the length of the block."""
    logger = logging.getLogger(f"flows.{name}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = _Bar(progress, name)
        logger.addHandler(bar)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(bar)
