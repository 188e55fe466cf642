"""What a review is made of, read from the marts: every request of some days, and what it adds to each figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date

import duckdb
import msgspec

from expectations.contracts.snapshot import Manifest
from flows.publish import current_id, read_manifest
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.warehouse import opened


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A mean over requests of ``value``, an SQL expression whose NULL does not count.

    ``better``: +1 = more is better, -1 = less is; ``unit``: "%" (of values from 0 to 1), "s" or "bps".
    """

    name: str
    title: str
    unit: str
    better: int
    meaning: str
    value: str


# A distance from the best quote counts from so many quotes on: of two it would tell the other's price.
LEAST_QUOTES = 3
_TOLD = f"dealers_quoted >= {LEAST_QUOTES}"
FIGURES = (
    Figure(
        name="answered",
        title="quoted / asked",
        unit="%",
        better=1,
        meaning="How often a request was answered with a quote.",
        value="response = 'QUOTED'",
    ),
    Figure(
        name="timed_out",
        title="timed out / asked",
        unit="%",
        better=-1,
        meaning="How often no answer came in time.",
        value="response = 'TIMED_OUT'",
    ),
    Figure(
        name="won_asked",
        title="won / asked",
        unit="%",
        better=1,
        meaning="How often a request ended in a trade.",
        value="outcome = 'TRADED'",
    ),
    Figure(
        name="won_quoted",
        title="won / quoted",
        unit="%",
        better=1,
        meaning="How often a quote ended in a trade.",
        value="case when response = 'QUOTED' then outcome = 'TRADED' end",
    ),
    Figure(
        name="seconds",
        title="time to a firm quote",
        unit="s",
        better=-1,
        meaning="Mean time from the request to a firm quote.",
        value="firm_quote_seconds",
    ),
    Figure(
        name="size",
        title="size quoted / asked",
        unit="%",
        better=1,
        meaning="Mean share of the size that was quoted, at most all of it.",
        value="size_ratio",
    ),
    Figure(
        name="best",
        title="best quote",
        unit="%",
        better=1,
        meaning="How often a quote was the best of its RFQ, or as good as the best.",
        value=f"case when {_TOLD} then behind_best_cost_bps <= 0 end",
    ),
    Figure(
        name="behind",
        title="behind the best quote",
        unit="bps",
        better=-1,
        meaning="Mean distance of a quote from the best one of its RFQ, in bps of the best; 0 = it was the best.",
        value=f"case when {_TOLD} then behind_best_cost_bps end",
    ),
    Figure(
        name="improvement",
        title="price against the mid",
        unit="bps",
        better=1,
        meaning="Trades: the price against the mid at arrival; positive = better for us.",
        value="price_improvement_gain_bps",
    ),
    Figure(
        name="reversion",
        title="mid half an hour after a trade",
        unit="bps",
        better=1,
        meaning="Where the mid went in the direction of the trade; negative = it fell back, and the trade was dear.",
        value="reversion_bps",
    ),
    Figure(
        name="drift",
        title="mid half an hour after a lost RFQ",
        unit="bps",
        better=-1,
        meaning="Requests it did not win: positive = the market ran away from us. Others were asked too, so it is nobody's alone.",
        value="case when outcome <> 'TRADED' then drift_30m_cost_bps end",
    ),
)
FIGURE_OF = {figure.name: figure for figure in FIGURES}
_VALUES = ", ".join(f"cast({figure.value} as double) as {figure.name}" for figure in FIGURES)


@contextmanager
def published_marts(settings: FlowSettings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Manifest]]:
    """Open the warehouse for reading, as long as it is what the current snapshot was made of; with that snapshot's manifest.

    A refresh that builds in it is waited for. Raises Refused.
    """
    home = settings.state
    current = current_id(home)
    if current is None or not home.warehouse.exists():
        raise Refused([f"nothing is published in {home.root}; run `sotto refresh` first"])
    with opened(home.warehouse, read_only=True, config=settings.duckdb_limits) as connection:
        manifest = read_manifest(home, current)
        as_of = manifest.as_of.astimezone(UTC).replace(tzinfo=None)
        built = connection.execute("select as_of, whole from landing_index.built").fetchall()
        if built != [(as_of, False)]:
            told = f"the warehouse is not what the current snapshot {current} was made of: the last refresh published nothing"
            raise Refused([f"{told} (refused, or broken off), or an earlier snapshot was gone back to; run `sotto refresh`"])
        yield connection, manifest


def observe(connection: duckdb.DuckDBPyConnection, first: date, last: date, *, dealer_id: str | None = None) -> None:
    """Lay requests of the days, both included, into the temporary table ``observed``, a column per figure.

    ``dealer_id``: those of one dealer; ``None`` = of all.
    """
    connection.execute(
        f"create or replace temp table observed as select *, {_VALUES} from marts.fct_reviewed_requests "
        "where asked_on >= $first and asked_on <= $last and ($dealer_id is null or dealer_id = $dealer_id)",
        {"first": first, "last": last, "dealer_id": dealer_id},
    )
