"""Warehouses of the past: the marts as of an instant, built by the project's own SQL in a scratch file, landing only read."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import duckdb
import msgspec
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from expectations.contracts.home import Home
from flows.fit import fit_market_costs
from flows.fit_tables import fit_beliefs
from flows.landing import Landing, Receipt
from flows.priors import read_priors
from flows.project import project_hash
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.sources.pulled import instant_text
from flows.steps import LAID
from flows.transform import dbt_environment, lay_views

# An instant that no source writes: it marks where in the compiled SQL the as-of time stands.
_MARK = "2001-02-03 04:05:06"


class Model(msgspec.Struct, frozen=True):
    """One dbt model, compiled: what it is called in the warehouse, how it is kept, and its SQL with the as-of time marked."""

    name: str
    relation: str
    materialized: str
    sql: str


def compiled(settings: FlowSettings, scratch: Home) -> list[Model]:
    """Lay the project's seeds into a fresh scratch warehouse, and give its models in the order in which they are built.

    What was compiled before is used again while the project is the same. Raises Refused when dbt cannot compile it.
    """
    kept = Home(settings.state.root / "backtests" / f"compiled-{project_hash(settings.dbt_project)[:12]}")
    models = kept.root / "models.json"
    if not models.exists():
        shutil.rmtree(kept.root, ignore_errors=True)
        kept.root.mkdir(parents=True)
        found = _compile(settings, kept)
        shutil.rmtree(kept.root / "dbt")
        fresh = models.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(found))
        fresh.replace(models)
    scratch.root.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept.warehouse, scratch.warehouse)
    return msgspec.json.decode(models.read_bytes(), type=list[Model])


def _compile(settings: FlowSettings, home: Home) -> list[Model]:
    target = home.root / "dbt"
    places = [
        *("--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project)),
        *("--target-path", str(target), "--log-path", str(target)),
    ]
    own = FlowSettings.model_validate({**settings.model_dump(), "home": home.root})
    try:
        with dbt_environment(own, as_of=_MARK):
            parsed = dbtRunner().invoke(["-q", "parse", "--no-partial-parse", *places])
            manifest = parsed.result if isinstance(parsed.result, Manifest) else None
            done = [parsed, *(dbtRunner(manifest=manifest).invoke(["-q", step, *places]) for step in ("seed", "compile"))]
    finally:
        # dbt holds the file's lock until its connections are closed for good.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    for step in done:
        if not step.success:
            raise Refused([f"dbt could not compile the project: {' '.join(str(step.exception or step.result).split())[:300]}"])
    return _in_order(json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"])


def _in_order(nodes: dict[str, dict[str, object]]) -> list[Model]:
    models = {key: msgspec.convert(node, _Node, strict=False) for key, node in nodes.items() if key.startswith("model.")}
    listed: dict[str, Model] = {}

    def visit(key: str) -> None:
        node = models[key]
        for parent in node.depends_on.nodes:
            if parent in models and parent not in listed:
                visit(parent)
        if node.relation_name and key not in listed:
            listed[key] = Model(node.name, node.relation_name, node.config.materialized, node.compiled_code)

    for key in sorted(models):
        visit(key)
    return list(listed.values())


class _Config(msgspec.Struct):
    materialized: str


class _DependsOn(msgspec.Struct):
    nodes: list[str] = []


class _Node(msgspec.Struct):
    name: str
    config: _Config
    depends_on: _DependsOn
    relation_name: str | None = None
    compiled_code: str = ""


class Past:
    """One scratch warehouse that can be put at any instant. ``receipts`` are the deliveries in ``home`` to build from."""

    def __init__(self, settings: FlowSettings, scratch: Home, receipts: Sequence[Receipt]) -> None:
        """Compile the project. Raises Refused."""
        self._settings, self._scratch = settings, scratch
        self.priors = read_priors(settings.config)
        self.models = compiled(settings, scratch)
        lay_views(scratch, Landing(settings.state), list(receipts), new=[])
        with self.connected() as connection:
            connection.execute("create schema if not exists rebuild")
            for table in LAID:
                # Everything is built again for each instant.
                connection.execute(f"create or replace view rebuild.{table} as select * from landing.{table}")
            connection.execute("create or replace table rebuild.split_rfqs (rfq ubigint)")
            # Of all time: it only says whose responses to look through, it changes none.
            connection.execute(
                "create or replace table rebuild.rfq_dealers as "
                "select distinct hash(dealer_id) as ref, cast(asked_at as date) as day from landing.rfq_log"
            )
            # What is set aside is no part of a market.
            connection.execute("create or replace view rebuild.unknown_results as select * from landing.tca_results where false")

    @contextmanager
    def at(self, instant: datetime) -> Iterator[duckdb.DuckDBPyConnection]:
        """Build the marts as of an instant, fit, and give a connection to them."""
        with self.connected() as connection:
            build_models(connection, self.models, instant)
            fit_market_costs(connection, instant.date())
            fit_beliefs(connection, instant.date(), self.priors)
            yield connection

    @contextmanager
    def connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the warehouse as it stands."""
        # One thread: sums over several differ in the last digit from run to run, and a back-test must come out the same again.
        with duckdb.connect(str(self._scratch.warehouse), config=self._settings.duckdb_limits | {"threads": 1}) as connection:
            yield connection


def build_models(connection: duckdb.DuckDBPyConnection, models: Sequence[Model], instant: datetime) -> None:
    """Run every model as of an instant, each from nothing."""
    at = instant_text(instant)
    for schema in sorted({model.relation.rpartition(".")[0] for model in models}):
        connection.execute(f"create schema if not exists {schema}")
    for model in models:
        kind = "view" if model.materialized == "view" else "table"
        connection.execute(f"create or replace {kind} {model.relation} as {model.sql.replace(_MARK, at)}")
