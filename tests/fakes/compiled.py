"""The project's SQL as dbt compiles it, run without dbt: whole, or for the days of a plan. Milliseconds instead of seconds.

dbt compiles it once for everything and once for days that stand for others; these are put in before each run.
"""

import json
from collections.abc import Iterable
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from flows.rebuild import Plan
from flows.settings import PROJECT, FlowSettings
from flows.transform import dbt_environment

DBT = PROJECT / "dbt"
_SPLIT = "\n-- next\n"
_AS_OF = "1950-05-05 05:05:05.000000"
_STAND_INS = {
    "rebuilt_days": ["1901-01-01", "1901-12-31"],
    "touched_days": ["1902-01-01", "1902-12-31"],
    "repriced_days": ["1903-01-01", "1903-12-31"],
}
# What dbt sets on its own connections, memory and threads apart.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    name: str(value)
    for name, value in yaml.safe_load((DBT / "profiles.yml").read_text(encoding="utf-8"))["sotto"]["outputs"]["local"][
        "settings"
    ].items()
    if name not in {"memory_limit", "threads"}
}
Node = dict[str, Any]


def run(connection: duckdb.DuckDBPyConnection, plan: Plan, *, as_of: datetime, targets: Iterable[str] = ()) -> None:
    """Build the models that ``targets`` stand on (default: all) in a warehouse whose landing and ``rebuild`` are laid."""
    nodes, conditions = statements_of_the_project()
    for name in _closure(nodes[plan.whole], targets):
        node = nodes[plan.whole][name]
        if node["resource_type"] == "seed":
            _seed(connection, node)
            continue
        for statement in statements(node, conditions, plan, as_of):
            connection.execute(statement)


def statements(node: Node, conditions: dict[str, str], plan: Plan, as_of: datetime) -> list[str]:
    """Give what dbt would run for one model."""
    code, relation = _put_in(node["compiled_code"], plan, as_of), node["relation_name"]
    schema = f"create schema if not exists {node['schema']}"
    if node["config"]["materialized"] == "view":
        return [schema, f"create or replace view {relation} as {code}"]
    if node["config"]["materialized"] == "table" or plan.whole:
        cells = ", ".join(f"cast({name} as {column['data_type']}) as {name}" for name, column in node["columns"].items())
        return [schema, f"create or replace table {relation} as select {cells} from ({code})"]
    (hook,) = node["config"]["pre-hook"]
    gone = _put_in(conditions[hook["sql"]], plan, as_of)
    return [f"delete from {relation} where {gone}", f"insert into {relation} by name {code}"]


def _put_in(code: str, plan: Plan, as_of: datetime) -> str:
    code = code.replace(_AS_OF, as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))
    for name, days in (("rebuilt_days", plan.rfq_days), ("touched_days", plan.touched_days), ("repriced_days", plan.price_days)):
        if days is not None:
            code = _days_put_in(code, _STAND_INS[name], days or [date(1, 1, 1)])
    return code


def _days_put_in(code: str, stand_ins: list[str], days: list[date]) -> str:
    first, last = stand_ins
    written = [f"date '{day:%Y-%m-%d}'".replace("date '1-", "date '0001-") for day in days]
    code = code.replace(f"date '{first}', date '{last}'", ", ".join(written))
    return code.replace(f"date '{first}'", written[0]).replace(f"date '{last}'", written[-1])


@cache
def statements_of_the_project() -> tuple[dict[bool, dict[str, Node]], dict[str, str]]:
    whole, part = _compiled({}), _compiled(_STAND_INS)
    return {True: whole, False: part}, _conditions(
        sorted({hook["sql"] for node in part.values() for hook in node["config"].get("pre-hook", [])})
    )


def _compiled(days: dict[str, list[str]]) -> dict[str, Node]:
    with TemporaryDirectory() as folder:
        _dbt(Path(folder), ["compile"], days)
        manifest = json.loads((Path(folder) / "target" / "manifest.json").read_text(encoding="utf-8"))
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "seed"}}


def _conditions(hooks: list[str]) -> dict[str, str]:
    """Compile what stands between ``forget(`` and its end in each hook, all at once: parsing the project is what takes time."""
    inner = [hook.strip().removeprefix("{{ forget(").removesuffix(") }}") for hook in hooks]
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        written = _SPLIT.join(f"{{{{ {condition} }}}}" for condition in inner)
        results = _dbt(Path(folder), ["compile", "--inline", written], _STAND_INS)
    return dict(zip(hooks, str(results[0].node.compiled_code).split(_SPLIT), strict=True))


def _dbt(folder: Path, command: list[str], days: dict[str, list[str]]) -> Any:
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
    with dbt_environment(FlowSettings(home=folder)):
        try:
            done = dbtRunner().invoke(["-q", *command, *places, "--vars", json.dumps({"as_of": _AS_OF, **days})])
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # the library has no types here
    assert done.success, done.exception
    result: Any = done.result
    return result.results


def _closure(nodes: dict[str, Node], targets: Iterable[str]) -> list[str]:
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


def _seed(connection: duckdb.DuckDBPyConnection, node: Node) -> None:
    connection.execute(f"create schema if not exists {node['schema']}")
    path = DBT / node["original_file_path"]
    connection.execute(f"create or replace table {node['relation_name']} as from read_csv('{path}', header = true)")
