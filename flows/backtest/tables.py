"""The market as the desk would have had it, read from a warehouse of the past."""

from collections.abc import Mapping
from datetime import UTC, datetime

import duckdb

from expectations.contracts.snapshot import SNAPSHOT_TABLES
from serve.domain.belief_tables import beliefs_of
from serve.domain.beliefs import Beliefs
from serve.domain.market import Market
from serve.domain.market_tables import market_of
from serve.domain.tables import Columns, Row


def read_market(connection: duckdb.DuckDBPyConnection, instant: datetime) -> Market:
    """Read the marts as a market whose snapshot is named after its instant."""
    return market_of(_Marts(connection), f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}-past", instant, instant)


def read_beliefs(connection: duckdb.DuckDBPyConnection, dealer_ids: tuple[str, ...]) -> Mapping[str, Beliefs]:
    """Read what is believed of these dealers, by class, as it was fitted last."""
    return beliefs_of(_Marts(connection), dealer_ids)


class _Marts:
    """The marts of an open warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, table: str) -> list[Row]:
        columns = list(SNAPSHOT_TABLES[table])
        return [
            {
                name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
                for name, value in zip(columns, row, strict=True)
            }
            for row in self._connection.execute(f"select {', '.join(columns)} from marts.{table}").fetchall()
        ]

    def columns(self, table: str, order: tuple[str, ...]) -> Columns:
        names = ", ".join(SNAPSHOT_TABLES[table])
        cells: Columns = self._connection.execute(f"select {names} from marts.{table} order by {', '.join(order)}").fetchnumpy()
        return cells
