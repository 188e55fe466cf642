"""The gate: runs suites on the warehouse with Great Expectations and says what may not pass."""

import importlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duckdb_engine import Dialect
from sqlalchemy.dialects import registry

from expectations.contracts.snapshot import GateResult, Severity
from expectations.contracts.sources import LANDING_TABLES
from expectations.suites.checks import Check, NoRows, RowCount, Suite

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext

LANDING_SUITES = tuple(LANDING_TABLES)
SCORECARD_SUITES = ("scorecards", "history", "drift", "reconciliation")
_RELATION = re.compile(r"\b(landing|staging|intermediate|marts|audit)\.(\w+)")
SHOWN_ROWS = 3


class GateError(Exception):
    """A suite is missing or empty, or a check could not run: the gate stays shut."""


class ReadOnlyDuckDB(Dialect):
    """DuckDB for reading: Great Expectations reads results after it has rolled back, which must then do nothing."""

    supports_statement_cache = False

    def do_begin(self, dbapi_connection: object) -> None:
        """Open no transaction."""

    def do_rollback(self, dbapi_connection: object) -> None:
        """Roll nothing back: nothing was written."""

    def do_commit(self, dbapi_connection: object) -> None:
        """Commit nothing."""


def load_suites(names: Iterable[str]) -> list[Suite]:
    """Load suites by name. Raises GateError when one is missing or has no checks."""
    suites = []
    for name in names:
        try:
            suite: Suite = importlib.import_module(f"expectations.suites.{name}").SUITE
        except (ModuleNotFoundError, AttributeError) as error:
            raise GateError(f"suite {name!r} is missing: expectations/suites/{name}.py must define SUITE") from error
        if not suite.checks:
            raise GateError(f"suite {name!r} has no checks")
        suites.append(suite)
    return suites


def run_gate(warehouse: Path, names: Iterable[str]) -> list[GateResult]:
    """Run the suites on the warehouse, read-only, and give a result per check, failed ones included.

    Raises GateError when a suite is missing or empty, or when a check cannot be evaluated.
    """
    suites = load_suites(names)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # Importing takes seconds and some 230 MB: only a gate run pays for it.
    import great_expectations as gx

    registry.register("duckdb", __name__, ReadOnlyDuckDB.__name__)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_sql(
        name="warehouse",
        connection_string=f"duckdb:///{warehouse}",
        create_temp_table=False,
        kwargs={"connect_args": {"read_only": True}},
    )
    try:
        return [result for suite in suites for result in _run_suite(context, source, suite)]
    finally:
        # Pools would keep the file open, and dbt could not write to it.
        source.get_engine().dispose()
        source.get_execution_engine().engine.dispose()


def _run_suite(context: "EphemeralDataContext", source: Any, suite: Suite) -> list[GateResult]:  # noqa: ANN401 - untyped by the library
    import great_expectations as gx

    results: dict[str, Any] = {}
    for number, data in enumerate(dict.fromkeys(_data(suite, check) for check in suite.checks)):
        name = f"{suite.name}-{number}"
        batch = source.add_query_asset(name=name, query=data).add_batch_definition_whole_table(name)
        checks = [_expectation(check) for check in suite.checks if _data(suite, check) == data]
        listed = context.suites.add(gx.ExpectationSuite(name=name, expectations=checks))
        run = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=listed))
        outcome = run.run(result_format={"result_format": "COMPLETE"})
        results |= {result.expectation_config.meta["check"]: result for result in outcome.results}
    return [_result(suite, check, results[check.name]) for check in suite.checks]


def _data(suite: Suite, check: Check) -> str:
    return (check.data if isinstance(check, NoRows) else None) or suite.data


def _expectation(check: Check) -> Any:  # noqa: ANN401 - untyped by the library
    import great_expectations as gx

    severity = "critical" if check.severity is Severity.ERROR else "warning"
    said = {"description": check.harm, "meta": {"check": check.name}, "severity": severity}
    if isinstance(check, RowCount):
        return gx.expectations.ExpectTableRowCountToBeBetween(min_value=check.at_least, **said)
    return gx.expectations.UnexpectedRowsExpectation(unexpected_rows_query=check.query, **said)


def _result(suite: Suite, check: Check, result: Any) -> GateResult:  # noqa: ANN401 - untyped by the library
    faults = [info for info in _exceptions(result.exception_info) if info.get("raised_exception")]
    if faults:
        raise GateError(f"suite {suite.name!r}, check {check.name!r} cannot be evaluated: {faults[0]['exception_message']}")
    observed = str(result.result.get("observed_value", ""))
    rows = result.result.get("details", {}).get("unexpected_rows") or []
    if rows and not result.success:
        observed = rows_told(len(rows), [dict(row) for row in rows[:SHOWN_ROWS]])
    return GateResult(
        suite=suite.name,
        check=check.name,
        passed=bool(result.success),
        harm=check.harm,
        observed=observed,
        severity=check.severity,
        node=_node(_data(suite, check)),
    )


def rows_told(count: int, shown: Iterable[dict[str, Any]]) -> str:
    """Say how many rows are at fault, and what the first of them hold."""
    return f"{count} row(s), such as {'; '.join(map(str, shown))}"


def _node(data: str) -> str:
    """Name what made a check's data: the dbt model of the first relation in it, or the table that a flow has laid."""
    found = _RELATION.search(data)
    if found is None:
        return ""
    return found.group(0) if found.group(1) in {"landing", "audit"} else f"model.sotto.{found.group(2)}"


def _exceptions(info: dict[str, Any]) -> list[dict[str, Any]]:
    """List exception records: the library gives one record, or one per metric."""
    return [info] if "raised_exception" in info else [record for record in info.values() if isinstance(record, dict)]
