"""Landing to marts: views over the batches to be used, then the dbt build."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from expectations.contracts.home import Home
from expectations.contracts.sources import LANDING_TABLES
from flows.landing import Landing, Receipt
from flows.layout import landed_view, layout_of
from flows.quarantine import lay_table
from flows.settings import FlowSettings
from flows.sources.pulled import instant_text
from flows.warehouse import opened

# How a new warehouse is stored; one that is there keeps its format. The newest writes text faster and smaller.
WAREHOUSE_FORMAT: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "latest"}
# Tables whose new deliveries the gate reads row by row, each with the days before and after them that it needs beside them.
_READ_WHEN_NEW = {"rfq_log": timedelta(0), "reference_prices": timedelta(days=7), "trades": timedelta(days=1)}


def batches_to_use(landing: Landing, sources: Iterable[str], *, known_at: datetime) -> list[Receipt]:
    """Choose the newest version of each file of these sources that was landed by ``known_at`` and is not held back."""
    wanted = set(sources)
    newest: dict[tuple[str, str, str], Receipt] = {}
    for receipt in landing.receipts():
        if receipt.source in wanted and receipt.landed_at <= known_at and landing.state(receipt) != "held":
            newest[receipt.source, receipt.table, receipt.file] = receipt
    return list(newest.values())


def lay_views(home: Home, landing: Landing, receipts: list[Receipt], *, new: Iterable[Receipt]) -> None:
    """Point the schema ``landing`` of the warehouse at these batches, and list their receipts in ``landing.receipts``.

    What of them is set aside stands in ``landing.quarantine``, a row per fault. ``landing.new_rfq_log`` reads the new ones among
    them only, ``landing.new_reference_prices`` also those of the week around them, ``landing.new_trades`` those of the day.
    """
    fresh = {receipt.batch for receipt in new}
    home.root.mkdir(parents=True, exist_ok=True)
    with opened(home.warehouse, config=WAREHOUSE_FORMAT) as connection:
        connection.execute("create schema if not exists landing")
        for name in LANDING_TABLES:
            own = [receipt for receipt in receipts if receipt.table == name]
            connection.execute(f"create or replace view landing.{name} as {_view(landing, name, own)}")
            if name in _READ_WHEN_NEW:
                near = _near(own, [receipt for receipt in own if receipt.batch in fresh], _READ_WHEN_NEW[name])
                connection.execute(f"create or replace view landing.new_{name} as {_view(landing, name, near)}")
        connection.execute(
            "create or replace table landing.receipts (source varchar, table_name varchar, file varchar, batch varchar, "
            "landed_at timestamp, rows bigint, rejected bigint, repeated bigint, happened_to timestamp, is_new boolean, "
            "path varchar, layout varchar)"
        )
        rows = [
            (*_receipt_row(receipt), receipt.batch in fresh, str(landing.data(receipt)), receipt.layout) for receipt in receipts
        ]
        if rows:
            # A column at a time: a row at a time takes longer than reading what is new.
            columns = [list(cells) for cells in zip(*rows, strict=True)]
            connection.execute(f"insert into landing.receipts select {', '.join(['unnest(?)'] * len(columns))}", columns)
        lay_table(connection, home, [receipt.batch for receipt in receipts])


def _view(landing: Landing, name: str, receipts: Sequence[Receipt]) -> str:
    table = LANDING_TABLES[name]
    alike = all(receipt.layout == layout_of(table) for receipt in receipts)
    return landed_view(table, [landing.data(receipt) for receipt in receipts], alike=alike)


def _near(receipts: Iterable[Receipt], new: Sequence[Receipt], around: timedelta) -> list[Receipt]:
    """Choose the new batches, and with time ``around`` them those that hold rows of the span that they take in all."""
    starts = [receipt.happened_from - around for receipt in new if receipt.happened_from]
    ends = [receipt.happened_to + around for receipt in new if receipt.happened_to]
    if not around or not starts:
        return list(new)
    first, last = min(starts), max(ends)
    spans = ((receipt, receipt.happened_from or first, receipt.happened_to or last) for receipt in receipts)
    return [receipt for receipt, start, end in spans if start <= last and end >= first]


def _receipt_row(receipt: Receipt) -> tuple[object, ...]:
    landed = receipt.landed_at.astimezone(UTC).replace(tzinfo=None)
    return (
        receipt.source,
        receipt.table,
        receipt.file,
        receipt.batch,
        landed,
        receipt.rows,
        receipt.rejected,
        receipt.repeated,
        receipt.happened_to,
    )


@contextmanager
def dbt_environment(settings: FlowSettings, *, as_of: datetime | str) -> Iterator[None]:
    """Give dbt its warehouse, its limits and the as-of time (a text stands as it is) by environment variables for the block."""
    wanted = {
        "SOTTO_AS_OF": as_of if isinstance(as_of, str) else instant_text(as_of),
        "SOTTO_WAREHOUSE": str(settings.state.warehouse),
        "SOTTO_DUCKDB_MEMORY": settings.duckdb_memory,
        "SOTTO_DUCKDB_THREADS": str(settings.duckdb_threads),
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
