"""The project's SQL as dbt compiles it, run without dbt, step by step where dbt would. Milliseconds instead of seconds.

dbt compiles it once, for an instant that stands for others; this is put in before each run.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from flows.rebuild import Plan
from flows.settings import PROJECT, FlowSettings
from flows.sources.pulled import instant_text
from flows.transform import dbt_environment

DBT = PROJECT / "dbt"
_AS_OF = "1950-05-05 05:05:05.000000"
_TARGET = yaml.safe_load((DBT / "profiles.yml").read_text(encoding="utf-8"))["sotto"]["outputs"]["local"]
# What dbt sets on its own connections, memory and threads apart.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    name: str(value)
    for name, value in (_TARGET["config_options"] | _TARGET["settings"]).items()
    if name not in {"memory_limit", "threads"}
}
Node = dict[str, Any]


def run(connection: duckdb.DuckDBPyConnection, plan: Plan, *, as_of: datetime, targets: Iterable[str] = ()) -> None:
    """Build the models that ``targets`` stand on (default: all) in a warehouse whose landing and ``rebuild`` are laid."""
    nodes = statements_of_the_project()
    for name in closure(nodes, targets):
        run_one(connection, nodes[name], plan, as_of=as_of)


def run_one(connection: duckdb.DuckDBPyConnection, node: Node, plan: Plan, *, as_of: datetime) -> None:
    """Do what dbt would for one model or seed."""
    connection.execute(f"create schema if not exists {node['schema']}")
    relation, kind = node["relation_name"], node["config"]["materialized"]
    code = node.get("compiled_code", "").replace(_AS_OF, instant_text(as_of))
    cells = ", ".join(f"cast({name} as {column['data_type']}) as {name}" for name, column in node["columns"].items())
    if kind == "seed":
        connection.execute(
            f"create or replace table {relation} as from read_csv('{DBT / node['original_file_path']}', header = true)"
        )
    elif kind == "view":
        connection.execute(f"create or replace view {relation} as {code}")
    elif kind == "table":
        connection.execute(f"create or replace table {relation} as select {cells} from ({code})")
    else:
        _by_days(connection, relation, f"select {cells} from ({code})", node["config"]["meta"]["owns"], anew=plan.whole)


def _by_days(connection: duckdb.DuckDBPyConnection, relation: str, code: str, owns: str, *, anew: bool) -> None:
    """Do what the materialization does."""
    connection.execute("begin")
    for (step,) in connection.execute("select step from rebuild.steps order by step").fetchall():
        connection.execute(f"set variable step = (select steps from rebuild.steps where step = {step})")
        if anew and step == 0:
            connection.execute(f"create or replace table {relation} as {code} where false")
        elif not anew:
            connection.execute(f"delete from {relation} where {owns}")
        connection.execute(f"insert into {relation} by name {code}")
    connection.execute("reset variable step")
    connection.execute("commit")


@cache
def statements_of_the_project() -> dict[str, Node]:
    with TemporaryDirectory() as folder:
        _dbt(Path(folder), ["compile"])
        manifest = json.loads((Path(folder) / "target" / "manifest.json").read_text(encoding="utf-8"))
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "seed"}}


def _dbt(folder: Path, command: list[str]) -> None:
    places = [
        "--project-dir",
        str(DBT),
        "--profiles-dir",
        str(DBT),
        "--target-path",
        str(folder / "target"),
        "--log-path",
        str(folder),
    ]
    with dbt_environment(FlowSettings(home=folder), as_of=_AS_OF):
        try:
            done = dbtRunner().invoke(["-q", *command, *places])
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    assert done.success, done.exception


def closure(nodes: dict[str, Node], targets: Iterable[str]) -> list[str]:
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for parent in nodes[name].get("depends_on", {}).get("nodes", []):
            if parent.split(".")[0] in {"model", "seed"}:
                visit(parent.split(".")[-1])
        order.append(name)

    for target in targets or sorted(nodes):
        visit(target)
    return order
