"""What only a text file can have wrong: quotes that swallow rows, a column twice, lines that cannot be read."""

import csv
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import duckdb

from flows.sources.formats import opened
from flows.sources.pulled import named, quoted

_TOO_LONG = re.compile(r"Maximum line size of (\d+) bytes exceeded")


def why_unreadable(error: duckdb.Error) -> str:
    """Say in one line why DuckDB could not read a file."""
    told = str(error)
    too_long = _TOO_LONG.search(told)
    if too_long:
        return f"a line of it is longer than {int(too_long[1]):,} bytes"
    if "Error when sniffing file" in told:
        return "its lines make no table: a quote that is never closed, or another delimiter than the one expected"
    return told.splitlines()[0]


def repeated_columns(path: Path, delimiter: str, used: Collection[str]) -> list[str]:
    """Name those of the ``used`` columns that stand in a file's header more than once, upper and lower case being the same."""
    with opened(path) as stream:
        header = stream.readline().decode("utf-8-sig", errors="replace")
    names = Counter(name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), []))
    return [name for name in used if names[name.lower()] > 1]


def swallowed_rows(connection: duckdb.DuckDBPyConnection, delimiter: str) -> str | None:
    """Tell of a cell of ``raw`` that runs over lines and holds as many delimiters as a row; ``None`` = there is none.

    Two stray quotes make one cell of all that stands between them.
    """
    columns = [name for name, *_ in connection.execute("describe raw").fetchall() if name != "_row"]
    if len(columns) == 1:
        return None
    breaks = ", ".join(f"bool_or(contains({named(column)}, chr(10)))" for column in columns)
    broken = connection.execute(f"select {breaks} from raw").fetchall()[0]
    for column in (column for column, has_breaks in zip(columns, broken, strict=True) if has_breaks):
        cell = named(column)
        found = connection.execute(
            f"select _row, len({cell}) - len(replace({cell}, chr(10), '')) from raw where contains({cell}, chr(10)) "
            f"and len({cell}) - len(replace({cell}, {quoted(delimiter)}, '')) >= {len(columns) - 1} order by _row limit 1"
        ).fetchall()
        for row, lines in found:
            return f"the quoted cell {column} of row {row} runs on for {lines} lines and swallows their rows: a stray quote"
    return None


def number_by_line(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the rows of ``raw`` the numbers that they have in the file, where those that cannot be read count, too."""
    connection.execute(
        "create or replace temp table raw as with unreadable as ("
        "select line - 1 - row_number() over (order by line) as good_before from (select distinct line from reject_errors)"
        ") select _row + (select count(*) from unreadable where good_before < _row) as _row, * exclude (_row) from raw"
    )
