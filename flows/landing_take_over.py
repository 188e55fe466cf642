"""Brings the index of landing up to the batches in use: what came is read once, what went keeps its days."""

from collections.abc import Iterable, Iterator

import duckdb

from flows import landing_index as index
from flows.landing_index import Batch, Change
from flows.sources.pulled import quoted

# When a row of the RFQ log is over: asked, timed out, answered and executed. dbt's `completed_at` says so of fewer.
_OVER = (
    "greatest(asked_at + to_milliseconds(coalesce(timeout_s, 0) * 1000), "
    "coalesce(responded_at, asked_at), coalesce(executed_at, asked_at))"
)


def take_over(connection: duckdb.DuckDBPyConnection, used: Iterable[Batch], *, rows: int) -> Change:
    """Bring the index up to the batches in use. What went out of use keeps its days: they are to be built again.

    What came is read in portions of about so many ``rows``: that much memory is all it takes, however long the history.
    """
    # A state folder that was moved has its files elsewhere.
    connection.execute(
        "update landing_index.batches set path = used.path from landing.receipts as used "
        "where batches.batch = used.batch and batches.path <> used.path"
    )
    before = {
        batch: Batch(table, batch, path)
        for table, batch, path in connection.execute("select table_name, batch, path from landing_index.batches").fetchall()
    }
    now = {item.batch: item for item in used}
    change = Change([now[name] for name in sorted(now.keys() - before)], [before[name] for name in sorted(before.keys() - now)])
    adding = {"rfq_log": _add_rfqs, "reference_prices": _add_prices, "tca_results": _add_results, "trades": _add_prints}
    for table, add in adding.items():
        for portion in _portions([item for item in change.added if item.table == table], rows):
            add(connection, _read(portion, alike=index.are_alike(connection, table)))
    if change.added:
        came = [(item.table, item.batch, item.path) for item in change.added]
        connection.executemany("insert into landing_index.batches values (?, ?, ?)", came)
    for item in change.removed:
        connection.execute("delete from landing_index.batches where batch = ?", [item.batch])
    return change


def _portions(batches: list[Batch], rows: int) -> Iterator[list[Batch]]:
    """Cut batches into portions, each ended by the one that brings it to so many rows."""
    portion: list[Batch] = []
    gathered = 0
    for batch in batches:
        portion.append(batch)
        gathered += batch.rows
        if gathered >= rows:
            yield portion
            portion, gathered = [], 0
    if portion:
        yield portion


def _read(batches: list[Batch], *, alike: bool) -> str:
    listed = ", ".join(quoted(item.path) for item in batches)
    return f"read_parquet([{listed}])" if alike else f"read_parquet([{listed}], union_by_name = true)"


def _add_rfqs(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    def days_of_each(cells: str) -> str:
        """Few trade on another day than they are asked on."""
        asked = f"select {cells}, cast(asked_at as date) as day from {rows}"
        traded = f"select {cells}, cast(executed_at as date) as day from {rows}"
        return f"{asked} union all {traded} where cast(executed_at as date) <> cast(asked_at as date)"

    _add_days(connection, "rfq_log", days_of_each(f"_batch, {_OVER} as over_at"))
    for kind, column in (("rfq_dealer", "dealer_id"), ("rfq_security", "security_id")):
        _add_refs(connection, kind, column, "asked_at", rows)
    _note_standing(connection, "rfq", days_of_each("hash(rfq_id) as key"))
    # Results that came before their RFQ.
    connection.execute(
        "insert into landing_index.batch_days select 'tca_results', unknown.batch, fresh.day, max(unknown.over_at) "
        "from landing_index.unknown_rfqs as unknown inner join fresh on unknown.rfq = fresh.key "
        "anti join landing_index.batch_days as noted on noted.batch = unknown.batch and noted.day = fresh.day group by all"
    )
    connection.execute("delete from landing_index.unknown_rfqs where rfq in (select key from fresh)")


def _add_days(connection: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    """Note of rows with ``_batch``, ``day`` and ``over_at`` what days each batch speaks of, and when the last of them is over."""
    connection.execute(
        f"insert into landing_index.batch_days select '{table}', _batch, day, max(over_at) from ({rows}) group by all"
    )


def _note_standing(connection: duckdb.DuckDBPyConnection, kind: str, rows: str) -> None:
    """Note on which days these keys stand, and all the days of each that stands on several; leaves the keys in ``fresh``.

    It does not matter whether a key comes to stand on two days by two batches or by one.
    """
    stands, split = f"landing_index.{kind}_days", f"landing_index.split_{kind}s"
    connection.execute(f"create or replace temp table fresh as select distinct key, day from ({rows})")
    connection.execute(f"create or replace temp table known as select distinct key, day from {stands} semi join fresh using (key)")
    connection.execute(
        f"insert into {split} with standing as (select * from known union all select * from fresh) "
        "select key, day from standing where key in (select key from standing group by key having min(day) <> max(day)) "
        f"except select key, day from {split}"
    )
    connection.execute(f"insert into {stands} select * from fresh anti join known using (key, day)")


def _add_prices(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    _add_days(connection, "reference_prices", f"select _batch, cast(as_of as date) as day, as_of as over_at from {rows}")
    _add_refs(connection, "priced_security", "security_id", "as_of", rows)


def _add_prints(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Note reports under their own identifier and under that of the one they amend."""
    _add_days(connection, "trades", f"select _batch, cast(executed_at as date) as day, executed_at as over_at from {rows}")
    _add_refs(connection, "printed_security", "security_id", "executed_at", rows)
    own = f"select hash(trade_id) as key, cast(executed_at as date) as day from {rows}"
    amended = f"select hash(original_trade_id) as key, cast(executed_at as date) as day from {rows} where status <> 'NEW'"
    _note_standing(connection, "print", f"{own} union all {amended}")


def _add_refs(connection: duckdb.DuckDBPyConnection, kind: str, column: str, at: str, rows: str) -> None:
    """Note on which days a name stands. It may stand there twice, by two batches; what goes out of use stays."""
    connection.execute(
        f"insert into landing_index.ref_days select '{kind}', hash({column}), day "
        f"from (select distinct {column}, cast({at} as date) as day from {rows})"
    )


def _add_results(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    connection.execute(
        "create or replace temp table added as select _batch as batch, hash(execution_ref) as rfq, max(computed_at) as over_at "
        f"from {rows} group by all"
    )
    connection.execute(
        "create or replace temp table known as select added.*, days.day "
        "from landing_index.rfq_days as days inner join added on days.key = added.rfq"
    )
    _add_days(connection, "tca_results", "select batch as _batch, day, over_at from known")
    connection.execute(
        "insert into landing_index.unknown_rfqs select rfq, batch, over_at from added anti join known using (batch, rfq)"
    )
