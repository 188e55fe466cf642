"""One snapshot in memory, put together from its tables: the same for the service's snapshot and for a warehouse of the past."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import numpy as np

from expectations.contracts.vocabulary import AxeSide
from serve.domain.belief_tables import beliefs_of
from serve.domain.market import (
    METRICS,
    Axe,
    AxeRecord,
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
from serve.domain.tables import Row, Tables, floats

T = TypeVar("T")


def market_of(tables: Tables, snapshot_id: str, as_of: datetime, created_at: datetime) -> Market:
    """Put a market together. Raises ``ValueError`` (``msgspec.ValidationError`` is one) where a cell breaks the contract, or
    where there is no dealer at all.
    """
    dealers = {row["dealer_id"]: _dealer(row) for row in tables.rows("dim_dealers")}
    if not dealers:
        raise ValueError(f"{snapshot_id}: dim_dealers is empty, so there is nobody to recommend")
    securities = {row["security_id"]: msgspec.convert(row, Security) for row in tables.rows("dim_securities")}
    liquidity = {row["security_id"]: msgspec.convert(row, Liquidity) for row in tables.rows("fct_security_liquidity")}
    scorecards = _scorecards(tables, tuple(sorted(dealers)))
    return Market(
        snapshot_id=snapshot_id,
        as_of=as_of,
        created_at=created_at,
        dealers=dealers,
        securities=securities,
        by_cusip={item.cusip: key for key, item in securities.items() if item.cusip},
        by_isin={item.isin: key for key, item in securities.items() if item.isin},
        by_figi={item.figi: key for key, item in securities.items() if item.figi},
        liquidity=liquidity,
        scorecards=scorecards,
        quoted=_grouped(tables.rows("fct_dealer_affinity"), Quoted),
        ever_asked=_ever_asked(scorecards.values()),
        axes=_axes(tables),
        axe_records={row["dealer_id"]: msgspec.convert(row, AxeRecord) for row in tables.rows("fct_dealer_axe_record")},
        costs={row["scorecard_class"]: msgspec.convert(row, MarketCosts) for row in tables.rows("fit_market_costs")},
        overrides=tuple(msgspec.convert(row, OverrideOutcome) for row in tables.rows("fct_override_outcomes")),
        beliefs=beliefs_of(tables, tuple(sorted(dealers))),
        has_prints=any(item.last_trade_at is not None for item in liquidity.values()),
    )


def _dealer(row: Row) -> Dealer:
    # An empty flag or list in a source means "nothing of the kind is on record".
    row["restricted"] = bool(row["restricted"])
    row["specialties"] = row["specialties"] or []
    return msgspec.convert(row, Dealer)


def _grouped(rows: Iterable[Row], type_: type[T]) -> Mapping[str, tuple[T, ...]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        groups[row["dealer_id"]].append(msgspec.convert(row, type_))
    return {key: tuple(items) for key, items in groups.items()}


def _axes(tables: Tables) -> Mapping[tuple[str, AxeSide], Mapping[str, Axe]]:
    axes: dict[tuple[str, AxeSide], dict[str, Axe]] = defaultdict(dict)
    for row in tables.rows("fct_dealer_axes"):
        axes[row["security_id"], AxeSide(row["side"])][row["dealer_id"]] = msgspec.convert(row, Axe)
    return dict(axes)


def _ever_asked(scorecards: Iterable[Scorecards]) -> frozenset[str]:
    return frozenset(
        dealer_id for cards in scorecards for dealer_id, asked in zip(cards.dealer_ids, cards.asked, strict=True) if asked > 0
    )


def _scorecards(tables: Tables, dealer_ids: tuple[str, ...]) -> Mapping[tuple[str, int, int], Scorecards]:
    """Give one set per class, window and half-life, each with a row for every dealer on record.

    Read as columns: row by row a large desk's scorecards would hold the interpreter for a second while orders wait.
    """
    table = tables.columns("fct_dealer_scorecards", ("scorecard_class", "window_days", "half_life_days", "dealer_id"))
    keys = list(zip(*(table[name].tolist() for name in ("scorecard_class", "window_days", "half_life_days")), strict=True))
    starts = [row for row in range(len(keys)) if row == 0 or keys[row] != keys[row - 1]]
    return {
        keys[start]: covering(_cards({name: cells[start:end] for name, cells in table.items()}), keys[start], dealer_ids)
        for start, end in zip(starts, [*starts[1:], len(keys)], strict=True)
    }


def _cards(table: Mapping[str, Any]) -> Scorecards:
    def figures(suffix: str) -> Floats:
        return np.column_stack([floats(table[f"{metric}{suffix}"]) for metric in METRICS])

    def counts(name: str) -> Counts:
        return np.nan_to_num(floats(table[name])).astype(np.int64)

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
        composite=floats(table["composite"]),
        rank_share=floats(table["composite_rank_share"]),
        asked=counts("rfqs_asked"),
        quoted=counts("rfqs_quoted"),
        declined=counts("rfqs_declined"),
        timed_out=counts("rfqs_timed_out"),
        rejected=counts("rfqs_rejected"),
        won=counts("rfqs_won"),
    )
