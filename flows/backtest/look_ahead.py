"""The proof that nothing of the future is used: what is built as of an instant must not change when later rows are taken away.

A model that forgets to cut at the as-of time, or a figure that knows tomorrow, shows here whatever way it came by it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from flows.backtest.past import Model, build_models
from flows.fit import fit_market_costs
from flows.fit_tables import fit_beliefs
from flows.priors import SHIPPED, Priors
from flows.refused import Refused
from flows.sources.pulled import instant_text
from serve.domain.tables import floats

# When a row of a delivery was complete. The masters (dealers, securities, aliases) have no time of their own.
_COMPLETE: dict[str, str] = {
    "rfq_log": "greatest(asked_at, coalesce(responded_at, asked_at), coalesce(executed_at, asked_at))",
    "trades": "executed_at",
    "reference_prices": "as_of",
    "axes": "advertised_at",
    "tca_results": "computed_at",
}


Cells = Any
Columns = dict[str, Cells]


def _reading(table: str) -> str:
    columns = SNAPSHOT_TABLES[table]
    # Figures last in the order: rows that differ in noise only must not change places.
    order = sorted(columns, key=lambda name: columns[name] == "DOUBLE")
    listed = (f"{name}::varchar as {name}" if columns[name].endswith("[]") else name for name in columns)
    return f"select {', '.join(listed)} from marts.{table} order by {', '.join(order)}"


def refuse_look_ahead(
    connection: duckdb.DuckDBPyConnection, models: Sequence[Model], instant: datetime, priors: Priors = SHIPPED
) -> None:
    """Build the marts, the fits too, with and without the rows that came after ``instant``, and compare every cell.

    Raises Refused naming each table that differs. Leaves the marts as of ``instant`` behind.
    """
    with _without_later_rows(connection, instant):
        cut = _built(connection, models, instant, priors)
    whole = _built(connection, models, instant, priors)
    differing = [table for table in SNAPSHOT_TABLES if not _same(table, whole[table], cut[table])]
    if differing:
        raise Refused(
            [
                f"look-ahead: {table} as of {instant:%Y-%m-%d %H:%M}Z changes when what happened later is taken away; "
                "find the model or the fit that does not stop at the as-of time"
                for table in sorted(differing)
            ]
        )


def _built(connection: duckdb.DuckDBPyConnection, models: Sequence[Model], instant: datetime, priors: Priors) -> dict[str, Columns]:
    build_models(connection, models, instant)
    fit_market_costs(connection, instant.date())
    fit_beliefs(connection, instant.date(), priors)
    return {table: connection.execute(_reading(table)).fetchnumpy() for table in SNAPSHOT_TABLES}


def _same(table: str, one: Columns, other: Columns) -> bool:
    return all(_equal(one[name], other[name], exact=kind != "DOUBLE") for name, kind in SNAPSHOT_TABLES[table].items())


def _equal(one: Cells, other: Cells, *, exact: bool) -> bool:
    if len(one) != len(other):
        return False
    if exact:
        return bool(one.tolist() == other.tolist())
    first, second = (floats(cells) for cells in (one, other))
    # Sums over threads agree to about 1e-14 only, and fits over such sums to less.
    return bool(np.allclose(first, second, rtol=1e-9, atol=1e-9, equal_nan=True))


@contextmanager
def _without_later_rows(connection: duckdb.DuckDBPyConnection, instant: datetime) -> Iterator[None]:
    """Hide what landing holds of the time after ``instant`` for the length of the block."""
    at = f"timestamp '{instant_text(instant)}'"
    for table, complete in _COMPLETE.items():
        # What was withdrawn later stood open then.
        open_then = f" replace (case when withdrawn_at <= {at} then withdrawn_at end as withdrawn_at)" if table == "axes" else ""
        connection.execute(f"alter view landing.{table} rename to whole_{table}")
        connection.execute(
            f"create view landing.{table} as select *{open_then} from landing.whole_{table} where {complete} <= {at}"
        )
    try:
        yield
    finally:
        for table in _COMPLETE:
            connection.execute(f"drop view landing.{table}")
            connection.execute(f"alter view landing.whole_{table} rename to {table}")
