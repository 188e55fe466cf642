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
from flows.steps import DAY, Days, stretched

_SHARE_OF_ALL = 0.5
_NONE = timedelta()


class Reach(msgspec.Struct, frozen=True):
    """How many days a price reaches: to RFQs before it (their horizons), to prices after it, to RFQs after those; and an axe."""

    back: timedelta
    stale: timedelta
    ahead: timedelta
    axes: timedelta

    @classmethod
    def of(cls, project: Path) -> "Reach":
        """Read it from the variables of the dbt project."""
        variables: dict[str, Any] = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
        return cls(
            back=timedelta(days=math.ceil(max(variables["horizons_s"].values()) / DAY.total_seconds())),
            stale=DAY * (variables["reference_stale_days"] + 1),
            ahead=DAY * (variables["mid_max_age_days"] + 1),
            axes=DAY * variables["axes_days"],
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

    due = index.days_due(connection)
    rfqs = changed("rfq_log") | changed("tca_results") | due["rfqs"] | landing_masters.rfq_days(connection, found.masters)
    prices = changed("reference_prices") | landing_masters.renamed_days(connection, "priced_security", found.masters)
    prints = changed("trades") | due["prints"] | landing_masters.renamed_days(connection, "printed_security", found.masters)
    reached = due["prices"] | stretched(prices, _NONE, reach.stale)
    rfqs |= stretched(reached, reach.back, reach.ahead)
    if found.now > found.before:
        # What was not over is known better now; whatever a price of since then tells of was not over either.
        rfqs |= index.days_not_over(connection, "rfq_log", found.before - reach.back)
        rfqs |= index.days_not_over(connection, "tca_results", found.before)
        prints |= index.days_not_over(connection, "trades", found.before)
        reached |= stretched(index.days_not_over(connection, "reference_prices", found.before), _NONE, reach.stale)
    known = index.known_days(connection, "rfq_log")
    rfqs &= known
    reached &= stretched(index.known_days(connection, "reference_prices"), _NONE, reach.stale)
    prints = index.days_amended(connection, prints) & index.known_days(connection, "trades")
    index.owe(connection, {"rfqs": rfqs, "prices": reached, "prints": prints})
    if len(rfqs) > _SHARE_OF_ALL * len(known) and len(known) > 10:
        return None
    return Days(rebuilt=rfqs, touched=rfqs | index.split_days(connection, rfqs), repriced=reached, printed=prints)
