"""The file of the warehouse: one process at a time may write it, or several read it, and the others wait."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import duckdb

from flows.refused import Refused
from flows.retries import again

PATIENCE_S = 300.0
Config: TypeAlias = dict[str, str | bool | int | float | list[str]]


def opened(path: Path, *, read_only: bool = False, config: Config | None = None) -> duckdb.DuckDBPyConnection:
    """Open the warehouse as soon as no other process has it. Raises Refused where one still has it after five minutes."""
    try:
        for attempt in again(on=_is_locked, attempts=None, timeout=PATIENCE_S):
            with attempt:
                return duckdb.connect(str(path), read_only=read_only, config=config or {})
    except duckdb.IOException as error:
        if not _is_locked(error):
            raise
        raise Refused([f"{path} is open in another process ({_holder(error)}); close it there, or wait for it to end"]) from error
    raise AssertionError


def drop(path: Path) -> None:
    """Delete the warehouse, and what a process that was killed has left beside it: a log, a folder of what it spilled.

    Waits for another process that has it open. Raises Refused as ``opened`` does; a file that is broken is deleted all the same.
    """
    if path.exists():
        with suppress(duckdb.Error):
            opened(path).close()
    for leftover in path.parent.glob(f"{path.name}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _is_locked(error: Exception) -> bool:
    return isinstance(error, duckdb.IOException) and "Could not set lock" in str(error)


def _holder(error: duckdb.IOException) -> str:
    """Say who has the file, as DuckDB tells it."""
    return str(error).partition("Conflicting lock is held in ")[2].partition(". ")[0] or "it is not told which"
