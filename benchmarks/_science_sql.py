"""The project's own SQL over many worlds at once: compiled by dbt, run day by day in one DuckDB in memory.

Dealers, classes and bonds bear the mark of their policy and world (``p03w012D07``), so one run of each model serves them
all. A model runs over the day's rows; the daily statistics pile up, as they do in the warehouse.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from flows.settings import FlowSettings
from flows.transform import dbt_environment
from sim.lab import LAB_CLASSES

_SENTINEL = "2001-02-03 04:05:06"
_FIRST_DAY = "2024-01-01"
GIVEN = (
    "stg_rfq_log", "stg_rfq_dealers", "stg_axes", "stg_dealers", "int_security_identifiers", "int_dealer_names", "int_securities",
    "int_reference_mids", "int_vendor_tca",
)  # fmt: skip
PILED_UP = "int_dealer_day_stats"
DAILY = ("int_quote_day_stats", "int_leak_day_stats")
_AXE_MODELS = ("int_axes", "int_axe_days")
MARK = "'p' || lpad(policy::varchar, 2, '0') || 'w' || lpad(world::varchar, 3, '0')"

_LOADS = {
    "stg_rfq_log": f"""
        select {MARK} || 'r' || rfq as rfq_id, 'LAB' as venue, {MARK} || 's' || rfq as security_ref,
            {MARK} || 'D' || lpad(dealer::varchar, 2, '0') as dealer_ref,
            if(side = 0, 'BUY', 'SELL') as client_side, quantity,
            ['PARALLEL', 'SEQUENTIAL'][protocol + 1] as protocol,
            noon + to_milliseconds((1000 * asked_after_s)::bigint) as asked_at, sequence, dealers_asked, timeout_s,
            ['QUOTED', 'DECLINED', 'REJECTED', 'TIMED_OUT'][response + 1] as response,
            if(response < 3, noon + to_milliseconds((1000 * (asked_after_s + latency_s))::bigint), null) as responded_at,
            if(response = 0, 100 * (1 + if(side = 0, 1, -1) * cost_bps / 1e4), null) as quote_price,
            if(response = 0, quantity * size_ratio, null) as quote_quantity, true as firm,
            ['TRADED', 'COVER', 'LOST', 'EXPIRED', 'NOT_TRADED'][outcome + 1] as outcome,
            if(outcome = 0, noon + to_milliseconds((1000 * end_s)::bigint), null) as executed_at,
            if(outcome = 0, quote_price, null) as executed_price,
            if(outcome = 0, quote_quantity, null) as executed_quantity,
            noon + to_milliseconds((1000 * end_s)::bigint) as completed_at,
            100.0 as arrival_mid, 'lab' as landed_source, 'lab' as landed_file, 0 as landed_row, 'lab' as landed_batch
        from (select *, $at::timestamp as noon from raw_log)""",
    "int_securities": f"""
        select {MARK} || 's' || rfq as security_id, {MARK} || klass as asset_class,
            {MARK} || klass as scorecard_class, 'issuer' as issuer_id, 'S' || sector as sector, 'USD' as currency from raw_rfqs""",
    "int_reference_mids": f"""
        select {MARK} || 's' || rfq as security_id, unnest([$at::timestamp, $at::timestamp + interval 30 minute]) as priced_at,
            unnest([100.0, 100 * (1 + if(side = 0, 1, -1) * drift_bps / 1e4)]) as mid, half_spread_bps from raw_rfqs""",
    "int_security_identifiers": f"select {MARK} || 's' || rfq as security_ref, security_ref as security_id from raw_rfqs",
}
_DEALERS = f"""
    select {MARK} || 'D' || lpad(dealer::varchar, 2, '0') as dealer_ref, dealer_ref as dealer_id,
        date '2000-01-01' as valid_from, date '2100-01-01' as valid_to from raw_dealers"""
_AXES = f"""
    select {MARK} || 'D' || lpad(dealer::varchar, 2, '0') as dealer_ref, {MARK} || klass || sector as security_ref,
        if(side = 0, 'SELLS', 'BUYS') as side, $at::date::timestamp as advertised_at,
        $at::date::timestamp + interval 1 day as withdrawn_at from raw_axes"""
_AXE_BONDS = f"""
    select distinct {MARK} || klass || sector as security_id, {MARK} || klass as asset_class, {MARK} || klass as scorecard_class,
        'issuer' as issuer_id, 'S' || sector as sector, 'USD' as currency from raw_axes"""


class ScienceSql:
    """One connection with the compiled models. ``policies`` and ``worlds`` are counts."""

    def __init__(self, folder: Path, windows: Sequence[int] = (90,)) -> None:
        self._nodes, self._database = _compiled(folder, windows)
        self._connection = duckdb.connect()
        self._connection.execute("set threads = 1")
        self._connection.execute(f"attach ':memory:' as {self._database}")
        self._connection.execute(f"use {self._database}")
        for schema in {node["schema"] for node in self._nodes.values()}:
            self._connection.execute(f"create schema if not exists {schema}")
        for name in GIVEN:
            self._connection.execute(f"create table {self._of(name)} ({self._cells(name)})")
        self._order = self._closure(["fct_dealer_scorecards", *DAILY])

    def add_dealers(self, policy: int, worlds: int, dealers: int) -> None:
        """Put a policy's dealers on record."""
        cells = np.array([(policy, world, dealer) for world in range(worlds) for dealer in range(dealers)])
        self._register("raw_dealers", {name: cells[:, i] for i, name in enumerate(("policy", "world", "dealer"))})
        self._connection.execute(f"insert into {self._of('int_dealer_names')} by name {_DEALERS}")

    def on_record(self, policy: int) -> None:
        """Keep scorecards for the dealers of one policy."""
        self._connection.execute(
            f"insert into {self._of('stg_dealers')} by name select dealer_id from {self._of('int_dealer_names')} "
            f"where dealer_id like 'p{policy:02d}%'"
        )

    def notices(self, day: int, told: np.ndarray) -> np.ndarray:
        """Run the day's advertisements (worlds x classes x sectors x sides x dealers, 1.0 = told) through the models."""
        world, klass, sector, side, dealer = np.nonzero(told)
        names = np.array(LAB_CLASSES)[klass]
        columns = {"policy": np.zeros_like(world), "world": world, "klass": names, "sector": sector, "side": side, "dealer": dealer}
        self._register("raw_axes", columns)
        at = self._at(day)
        self._fill("stg_axes", _AXES, at)
        self._fill("int_securities", _AXE_BONDS, at)
        self._connection.execute(f"delete from {self._of('int_security_identifiers')}")
        self._connection.execute(
            f"insert into {self._of('int_security_identifiers')} by name "
            f"select security_id as security_ref, security_id from {self._of('int_securities')}"
        )
        for name in _AXE_MODELS:
            self._run(name, day)
        found = self._connection.execute(
            f"select substr(dealer_id, 5, 3)::int, list_position({list(LAB_CLASSES)}, substr(scorecard_class, 8)) - 1, "
            "substr(sector, 2)::int, if(client_side = 'BUY', 0, 1), substr(dealer_id, 9)::int "
            f"from {self._of('int_axe_days')} where told_on = $at::date",
            {"at": at},
        ).fetchnumpy()
        out = np.zeros_like(told)
        out[tuple(np.asarray(column) for column in found.values())] = 1.0
        return out

    def day(self, day: int, log: dict[str, np.ndarray], rfqs: dict[str, np.ndarray], carded: Iterable[int]) -> None:
        """Run a day's RFQs through the models; the day statistics of the policies ``carded`` pile up."""
        at = self._at(day)
        names = {"klass": np.array(LAB_CLASSES)[rfqs["klass"]]}
        self._register("raw_log", log)
        self._register("raw_rfqs", rfqs | names)
        for table, query in _LOADS.items():
            self._fill(table, query, at)
        keep = ", ".join(f"'p{policy:02d}'" for policy in carded) or "''"
        for name in self._order:
            if name in ("int_dealer_window_stats", "fct_dealer_scorecards"):
                continue
            only = f" where substr(dealer_id, 1, 3) in ({keep})" if name == PILED_UP else ""
            self._run(name, day, piled=name == PILED_UP, where=only)

    def scorecards(self, day: int) -> dict[str, np.ndarray]:
        """Build the scorecards as of the end of a day; only rows of dealer and class of one world."""
        for name in ("int_dealer_window_stats", "fct_dealer_scorecards"):
            self._run(name, day)
        return self._connection.execute(
            f"select * from {self._of('fct_dealer_scorecards')} where substr(dealer_id, 1, 7) = substr(scorecard_class, 1, 7) "
            "order by substr(scorecard_class, 1, 7), scorecard_class, dealer_id"
        ).fetchnumpy()

    def daily(self, name: str, keys: str) -> dict[str, np.ndarray]:
        """Give a daily model's rows of the day just run, its marks as numbers: ``keys`` is SQL for them."""
        return self._connection.execute(f"select {keys}, * from {self._of(name)}").fetchnumpy()

    def copy_cards(self, origin: int, target: int) -> None:
        """Give a policy the day statistics of another's, as if it had lived through the same days."""
        table = self._of(PILED_UP)
        swap = ", ".join(
            f"'p{target:02d}' || substr({name}, 4) as {name}" for name in ("dealer_id", "asset_class", "scorecard_class")
        )
        self._connection.execute(
            f"insert into {table} by name select * replace ({swap}) from {table} where dealer_id like 'p{origin:02d}%'"
        )
        self._connection.execute(f"delete from {table} where dealer_id like 'p{origin:02d}%'")

    def _fill(self, table: str, query: str, at: str) -> None:
        self._connection.execute(f"delete from {self._of(table)}")
        given = {"at": at} if "$at" in query else {}
        self._connection.execute(f"insert into {self._of(table)} by name {query}", given)

    def _run(self, name: str, day: int, *, piled: bool = False, where: str = "") -> None:
        sql = self._nodes[name]["compiled_code"].replace(_SENTINEL, self._at(day, "23:59:59"))
        if piled:
            self._connection.execute(f"create table if not exists {self._of(name)} as select * from ({sql}) limit 0")
            self._connection.execute(f"insert into {self._of(name)} by name select * from ({sql}){where}")
            return
        self._connection.execute(f"create or replace table {self._of(name)} as {sql}")

    def _at(self, day: int, clock: str = "14:00:00") -> str:
        return f"{np.datetime64(_FIRST_DAY) + day} {clock}"

    def _of(self, name: str) -> str:
        return str(self._nodes[name]["relation_name"])

    def _cells(self, name: str) -> str:
        return ", ".join(f"{column} {facts['data_type']}" for column, facts in self._nodes[name]["columns"].items())

    def _register(self, name: str, columns: dict[str, np.ndarray]) -> None:
        self._connection.register(name, pa.table({key: pa.array(values) for key, values in columns.items()}))

    def _closure(self, targets: Sequence[str]) -> list[str]:
        found: list[str] = []

        def visit(name: str) -> None:
            if name in found or name in GIVEN:
                return
            for parent in self._nodes[name]["depends_on"]["nodes"]:
                if parent.startswith("model."):
                    visit(parent.split(".")[-1])
            found.append(name)

        for target in targets:
            visit(target)
        return found


def _compiled(folder: Path, windows: Sequence[int]) -> tuple[dict[str, dict[str, Any]], str]:
    settings = FlowSettings(home=folder)
    variables = json.dumps({"windows_days": list(windows), "half_lives_days": [0]})
    project = str(settings.dbt_project)
    command = ["compile", "--no-partial-parse", "--quiet", "--project-dir", project, "--profiles-dir", project, "--vars", variables]
    with dbt_environment(settings, as_of=_SENTINEL):
        done = dbtRunner().invoke([*command, "--target-path", str(folder / "target"), "--log-path", str(folder / "target")])
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    if not done.success:
        message = f"dbt could not compile the project: {done.exception}"
        raise SystemExit(message)
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    return nodes, str(settings.state.warehouse.stem)
