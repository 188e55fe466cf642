"""What is asked for window by window, of an API or a warehouse: each window is a delivery with versions of its own."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from flows.sources.config import SourceConfig
from flows.sources.formats import reader
from flows.sources.mapped import fingerprint
from flows.sources.mapping import TableMap, Window
from flows.sources.pages import Due, due
from flows.sources.pulled import Mapped, Pulled, named
from flows.sources.shelf import Kept, Shelf

_CLOSED, _OPEN = "closed", "open"
# Of a window that is no longer asked for: without rows, and asked for again should it come back.
_WITHDRAWN = "withdrawn"

Row = dict[str, str | None]


class Answer(NamedTuple):
    """Rows as texts; ``columns`` as the source names them apart from its rows (empty = it does not)."""

    rows: list[Row]
    columns: list[str]


def keep_due(shelf: Shelf, prefix: str, window: Window | None, today: date, ask: Callable[[Due], Answer]) -> None:
    """Put the windows that are due on the shelf, one by one: a pull that breaks off goes on where it was."""
    index = shelf.index()
    closed = {name.removeprefix(prefix) for name, kept in index.items() if kept.mark == _CLOSED}
    for span in due(window, today, closed):
        answer = ask(span)
        name, old = prefix + span.name, index.get(prefix + span.name)
        digest, mark = content_hash(answer.rows), _CLOSED if span.closed else _OPEN
        if old and old.content_hash == digest and old.columns == answer.columns:
            shelf.note(name, msgspec.structs.replace(old, mark=mark))
            continue
        shelf.put_rows(
            name,
            answer.rows,
            mark=mark,
            content_hash=digest,
            most=max(len(answer.rows), old.most if old else 0),
            file_name=f"{re.sub('[&=]', '-', (span.name or 'all').replace(':', ''))}.jsonl",
            columns=answer.columns,
        )
    _withdraw(shelf, {prefix + span.name for span in due(window, today, ())})


def _withdraw(shelf: Shelf, planned: set[str]) -> None:
    """Take the rows out of the windows that are in no plan any more: their figures would stand beside those of the new windows."""
    for name, old in shelf.index().items():
        if name not in planned and old.mark != _WITHDRAWN:
            shelf.put_rows(
                name,
                [],
                mark=_WITHDRAWN,
                content_hash=content_hash([]),
                most=old.most,
                file_name=Path(old.path).name,
                columns=old.columns,
            )


def content_hash(rows: list[Row]) -> str:
    """Hash rows whatever their order: pages may come in another one the next time."""
    return hashlib.sha256(b"\n".join(sorted(msgspec.json.encode(row, order="sorted") for row in rows))).hexdigest()


def deliveries(
    source: SourceConfig, table: str, spec: TableMap, shelf: Shelf, how: Mapped, *, may_be_empty: bool = True
) -> Iterator[Pulled]:
    """Give every window on the shelf; one that has never had any row is no delivery, one that has none left is one without rows.

    Where nothing ``may_be_empty``, one without rows is given all the same, for landing to refuse. A window that is no longer asked
    for has no rows left.
    """
    for file, kept in sorted(shelf.index().items()):
        empty_is_good = may_be_empty or kept.mark == _WITHDRAWN
        if kept.most or not empty_is_good:
            yield Pulled(
                source.name,
                table,
                file,
                fingerprint(kept.content_hash, spec),
                _select(kept, how),
                mapped=how,
                path=kept.path,
                may_be_empty=empty_is_good,
                may_lack=source.lacks(table),
            )


def _select(kept: Kept, how: Mapped) -> str:
    # An answer without a key means the same as one with null in it, and an empty one has no keys at all.
    absent = ", ".join(f"null as {named(name)}" for name in (kept.columns or how.needs))
    if not kept.rows:
        return f"select {absent} where false"
    return f"select * from ({reader(Path(kept.path), used=how.needs)}) union all by name select {absent} where false"
