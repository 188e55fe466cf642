"""Which days a difference from the last build can reach: new batches, other masters, an as-of time that moved on."""

import math
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import yaml

from flows import landing_index as index
from flows import landing_masters
from flows.landing_index import Change
from flows.landing_masters import Changed
from flows.steps import DAY, Days

_SHARE_OF_ALL = 0.5


class Reach(msgspec.Struct, frozen=True):
    """How many days a price reaches: to RFQs before it (their horizons), to prices after it, to RFQs after those."""

    back: timedelta
    stale: timedelta
    ahead: timedelta

    @classmethod
    def of(cls, project: Path) -> "Reach":
        """Read it from the variables of the dbt project."""
        variables: dict[str, Any] = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
        return cls(
            back=timedelta(days=math.ceil(max(variables["horizons_s"].values()) / DAY.total_seconds())),
            stale=DAY * (variables["reference_stale_days"] + 1),
            ahead=DAY * (variables["mid_max_age_days"] + 1),
        )


class Found(msgspec.Struct, frozen=True):
    """What differs from the last build: batches, masters, and the instant from which it looked back."""

    batches: Change
    masters: list[Changed]
    before: datetime
    now: datetime


def days_reached(connection: duckdb.DuckDBPyConnection, found: Found, reach: Reach) -> Days | None:
    """Give the days that these differences can reach; ``None`` where so many are reached that all may as well be built."""

    def changed(table: str) -> set[date]:
        batches = [item.batch for item in (*found.batches.added, *found.batches.removed) if item.table == table]
        return index.days_of(connection, table, batches)

    rfqs = changed("rfq_log") | changed("tca_results") | _due(connection, priced=False)
    rfqs |= landing_masters.rfq_days(connection, found.masters)
    prices = changed("reference_prices") | _due(connection, priced=True)
    prices |= landing_masters.price_days(connection, found.masters)
    if found.now > found.before:
        passed = set(_span(found.before.date(), found.now.date()))
        prices |= passed
        rfqs |= passed | _waiting(connection) | _told_since(connection, found.before)
    reached = {day for price in prices for day in _span(price, price + reach.stale)}
    rfqs |= {day for price in reached for day in _span(price - reach.back, price + reach.ahead)}
    known = index.known_days(connection, "rfq_log")
    rfqs &= known
    reached &= {
        day + shift * DAY for day in index.known_days(connection, "reference_prices") for shift in range(reach.stale.days + 1)
    }
    _owe(connection, rfqs, reached)
    if len(rfqs) > _SHARE_OF_ALL * len(known) and len(known) > 10:
        return None
    return Days(rebuilt=rfqs, touched=rfqs | index.split_days(connection, rfqs), repriced=reached)


def _due(connection: duckdb.DuckDBPyConnection, *, priced: bool) -> set[date]:
    found = connection.execute("select day from landing_index.pending_days where priced = ?", [priced]).fetchall()
    return {day for (day,) in found}


def _owe(connection: duckdb.DuckDBPyConnection, rfqs: set[date], prices: set[date]) -> None:
    connection.execute("delete from landing_index.pending_days")
    rows = [(day, False) for day in rfqs] + [(day, True) for day in prices]
    if rows:
        connection.executemany("insert into landing_index.pending_days values (?, ?)", rows)


def _waiting(connection: duckdb.DuckDBPyConnection) -> set[date]:
    """Take the days on which an RFQ was open at the as-of time of the last build; those still open are noted again."""
    found = connection.execute("delete from landing_index.waiting_days returning day").fetchall()
    return {day for (day,) in found}


def _told_since(connection: duckdb.DuckDBPyConnection, before: datetime) -> set[date]:
    """Give the RFQs' days of TCA deliveries that reach beyond the as-of time of the last build."""
    found = connection.execute(
        "select batch from landing.receipts where table_name = 'tca_results' and happened_to > ?", [before]
    ).fetchall()
    return index.days_of(connection, "tca_results", [batch for (batch,) in found])


def _span(first: date, last: date) -> list[date]:
    return [first + shift * DAY for shift in range((last - first).days + 1)]
