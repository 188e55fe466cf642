"""The refresh without a Prefect server: the same functions, one after the other, dbt run in process without its tests."""

from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from expectations.contracts.home import Home
from expectations.contracts.snapshot import TableFacts
from flows import rebuild
from flows.deliveries import land_new
from flows.fit import fit_market_costs
from flows.fit_tables import fit_beliefs
from flows.landing import Landing, Receipt
from flows.publish import _copy_tables
from flows.settings import PROJECT, FlowSettings
from flows.sources.config import SourceConfig
from flows.sources.registry import pull
from flows.transform import batches_to_use, dbt_environment, lay_views

DBT = PROJECT / "dbt"


def land(home: Home, source: SourceConfig, *, now: datetime) -> list[Receipt]:
    """Land what is new of the source and give that; every problem is an error."""
    landed = land_new(Landing(home), pull(source), now=now, not_after=datetime.now(UTC))
    assert landed.problems == []
    return [receipt for receipt in landed.receipts if receipt.landed_at == now]


def build(home: Home, source: SourceConfig, *, as_of: datetime, known_at: datetime, full: bool = False) -> dict[str, TableFacts]:
    """Build the marts from what was known then, fit, and give the facts of every table that would be published."""
    landing = Landing(home)
    lay_views(home, landing, batches_to_use(landing, [source.name], known_at=known_at), new=[])
    plan = rebuild.prepare(FlowSettings(home=home.root), as_of=as_of, full=full)
    command = ["build", "--resource-type", "model", "--resource-type", "seed"]
    dbt(home, *command, *(["--full-refresh"] if plan.whole else []), as_of=as_of)
    rebuild.finished(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        fit_market_costs(connection, as_of.date())
        fit_beliefs(connection, as_of.date())
    target = home.root / f"facts-{datetime.now(UTC):%H%M%S%f}.duckdb"
    return _copy_tables(home.warehouse, target)


def dbt(home: Home, *arguments: str, as_of: datetime) -> int:
    """Run dbt on the warehouse as of an instant and give how many nodes ran; a node that fails is an error."""
    with TemporaryDirectory() as folder, dbt_environment(FlowSettings(home=home.root), as_of=as_of):
        places = ["--project-dir", str(DBT), "--profiles-dir", str(DBT), "--target-path", folder, "--log-path", folder]
        try:
            done = dbtRunner(manifest=_parsed(*places)).invoke(["-q", *arguments, *places])
        finally:
            DuckDBConnectionManager.close_all_connections()
    bad = [f"{node.node.name}: {node.message}" for node in done.result or [] if node.status not in {"success", "pass"}]
    assert done.success, bad or done.exception
    return len(done.result)


_manifests: list[Manifest] = []


def _parsed(*places: str) -> Manifest:
    """Parse the project once for all runs: it is the same for every warehouse."""
    if not _manifests:
        done = dbtRunner().invoke(["-q", "parse", *places])
        assert done.success, done.exception
        _manifests.append(done.result)
    return _manifests[0]
