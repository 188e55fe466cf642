"""One snapshot folder into memory: contract checked first, DuckDB opened read-only and closed again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import msgspec
import numpy as np

from expectations.contracts.snapshot import CONTRACT_VERSION, SNAPSHOT_TABLES, Manifest
from expectations.contracts.vocabulary import AxeSide
from serve.adapters.beliefs_reader import read_beliefs
from serve.domain.market import (
    METRICS,
    Axe,
    Counts,
    Dealer,
    Floats,
    Liquidity,
    Market,
    MarketCosts,
    OverrideOutcome,
    Quoted,
    Scorecards,
    Security,
)
from serve.domain.scoring import covering

Row = dict[str, Any]
T = TypeVar("T")


class SnapshotBroken(LookupError):
    """A snapshot that cannot be served; the message says what is wrong and where."""


def read_market(folder: Path) -> Market:
    """Read a snapshot folder. Raises ``SnapshotBroken``."""
    manifest = _manifest(folder)
    database = folder / "scorecards.duckdb"
    if not database.is_file():
        raise SnapshotBroken(f"{database} is missing; publish again with 'sotto refresh'")
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            _check_tables(connection, folder)
            return _market(connection, manifest)
    except duckdb.Error as exc:
        raise SnapshotBroken(f"{database} cannot be read: {str(exc).splitlines()[0]}") from exc
    except (msgspec.ValidationError, ValueError) as exc:
        raise SnapshotBroken(f"{database} holds a value that the contract does not allow: {exc}") from exc


def _manifest(folder: Path) -> Manifest:
    path = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as exc:
        raise SnapshotBroken(f"{path} is missing; is this a published snapshot?") from exc
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise SnapshotBroken(f"{path} cannot be read: {exc}") from exc
    if manifest.contract_version != CONTRACT_VERSION:
        raise SnapshotBroken(
            f"{path} follows contract version {manifest.contract_version}; this service reads version {CONTRACT_VERSION}"
        )
    if manifest.snapshot_id != folder.name:
        raise SnapshotBroken(f"{path} says it is {manifest.snapshot_id!r}, but its folder is {folder.name!r}")
    return manifest


def _check_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'main'"
    ).fetchall():
        found[table][column] = kind
    for table, columns in SNAPSHOT_TABLES.items():
        if table not in found:
            raise SnapshotBroken(f"{folder.name}: table {table} is missing")
        for column, kind in columns.items():
            if found[table].get(column) != kind:
                is_ = found[table].get(column, "missing")
                raise SnapshotBroken(f"{folder.name}: {table}.{column} should be {kind} and is {is_}")


def _market(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> Market:
    dealers = {row["dealer_id"]: _dealer(row) for row in _rows(connection, "dim_dealers")}
    if not dealers:
        raise SnapshotBroken(f"{manifest.snapshot_id}: dim_dealers is empty, so there is nobody to recommend")
    securities = {row["security_id"]: msgspec.convert(row, Security) for row in _rows(connection, "dim_securities")}
    liquidity = {row["security_id"]: msgspec.convert(row, Liquidity) for row in _rows(connection, "fct_security_liquidity")}
    scorecards = _scorecards(connection, tuple(sorted(dealers)))
    return Market(
        snapshot_id=manifest.snapshot_id,
        as_of=_utc(manifest.as_of),
        created_at=_utc(manifest.created_at),
        dealers=dealers,
        securities=securities,
        by_cusip={item.cusip: key for key, item in securities.items() if item.cusip},
        by_isin={item.isin: key for key, item in securities.items() if item.isin},
        by_figi={item.figi: key for key, item in securities.items() if item.figi},
        liquidity=liquidity,
        scorecards=scorecards,
        quoted=_grouped(_rows(connection, "fct_dealer_affinity"), Quoted),
        ever_asked=_ever_asked(scorecards.values()),
        axes=_axes(connection),
        costs={row["scorecard_class"]: msgspec.convert(row, MarketCosts) for row in _rows(connection, "fit_market_costs")},
        overrides=tuple(msgspec.convert(row, OverrideOutcome) for row in _rows(connection, "fct_override_outcomes")),
        beliefs=read_beliefs(connection, tuple(sorted(dealers))),
        has_prints=any(item.last_trade_at is not None for item in liquidity.values()),
    )


def _dealer(row: Row) -> Dealer:
    # An empty flag or list in a source means "nothing of the kind is on record".
    row["restricted"] = bool(row["restricted"])
    row["specialties"] = row["specialties"] or []
    return msgspec.convert(row, Dealer)


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    columns = list(SNAPSHOT_TABLES[table])
    names = ", ".join(columns)
    records = connection.execute(f"select {names} from {table}").fetchall()  # noqa: S608 - both come from the contract
    return [
        {name: _utc(value) if isinstance(value, datetime) else value for name, value in zip(columns, row, strict=True)}
        for row in records
    ]


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _grouped(rows: Iterable[Row], type_: type[T]) -> Mapping[str, tuple[T, ...]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        groups[row["dealer_id"]].append(msgspec.convert(row, type_))
    return {key: tuple(items) for key, items in groups.items()}


def _axes(connection: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, AxeSide], Mapping[str, Axe]]:
    axes: dict[tuple[str, AxeSide], dict[str, Axe]] = defaultdict(dict)
    for row in _rows(connection, "fct_dealer_axes"):
        axes[row["security_id"], AxeSide(row["side"])][row["dealer_id"]] = msgspec.convert(row, Axe)
    return dict(axes)


def _ever_asked(scorecards: Iterable[Scorecards]) -> frozenset[str]:
    return frozenset(
        dealer_id for cards in scorecards for dealer_id, asked in zip(cards.dealer_ids, cards.asked, strict=True) if asked > 0
    )


def _scorecards(connection: duckdb.DuckDBPyConnection, dealer_ids: tuple[str, ...]) -> Mapping[tuple[str, int, int], Scorecards]:
    """Give one set per class, window and half-life, each with a row for every dealer on record.

    Read as columns: row by row a large desk's scorecards would hold the interpreter for a second while orders wait.
    """
    columns = list(SNAPSHOT_TABLES["fct_dealer_scorecards"])
    order = "scorecard_class, window_days, half_life_days, dealer_id"
    query = f"select {', '.join(columns)} from fct_dealer_scorecards order by {order}"  # noqa: S608 - the contract's
    table = connection.execute(query).fetchnumpy()
    keys = list(zip(*(table[name].tolist() for name in ("scorecard_class", "window_days", "half_life_days")), strict=True))
    starts = [row for row in range(len(keys)) if row == 0 or keys[row] != keys[row - 1]]
    return {
        keys[start]: covering(_cards({name: cells[start:end] for name, cells in table.items()}), keys[start], dealer_ids)
        for start, end in zip(starts, [*starts[1:], len(keys)], strict=True)
    }


def _cards(table: Mapping[str, Any]) -> Scorecards:
    def figures(suffix: str) -> Floats:
        return np.column_stack([_floats(table[f"{metric}{suffix}"]) for metric in METRICS])

    def counts(name: str) -> Counts:
        return np.nan_to_num(_floats(table[name])).astype(np.int64)

    score = figures("_score")
    if np.isnan(score).any():
        line, column = (int(index[0]) for index in np.nonzero(np.isnan(score)))
        raise ValueError(f"fct_dealer_scorecards: {METRICS[column]}_score is empty for dealer {table['dealer_id'][line]}")
    return Scorecards(
        scorecard_class=str(table["scorecard_class"][0]),
        asset_class=str(table["asset_class"][0]),
        window_days=int(table["window_days"][0]),
        half_life_days=int(table["half_life_days"][0]),
        dealer_ids=tuple(table["dealer_id"].tolist()),
        raw=figures(""),
        n=np.nan_to_num(figures("_n")).astype(np.int64),
        low=figures("_low"),
        high=figures("_high"),
        score=score,
        composite=_floats(table["composite"]),
        rank_share=_floats(table["composite_rank_share"]),
        asked=counts("rfqs_asked"),
        quoted=counts("rfqs_quoted"),
        declined=counts("rfqs_declined"),
        timed_out=counts("rfqs_timed_out"),
        rejected=counts("rfqs_rejected"),
        won=counts("rfqs_won"),
    )


def _floats(cells: Any) -> Floats:  # noqa: ANN401 - a plain or a masked array, as the column has empty cells or not
    return np.ma.filled(np.ma.asarray(cells).astype(np.float64), np.nan)
