"""What a refresh leaves on the Prefect server beside its run: scorecards, the gate's report, the quarantine, the pages."""

import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from expectations.contracts.home import Home
from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS, GateResult, Manifest
from flows.publish import DATABASE

_SHOWN_RANKS = 5

_BEST = f"""
select
    scorecard_class, composite_rank as rank, dealer_id, tier, rfqs_asked, round(composite, 4) as composite,
    round(fill_rate, 3) as fill_rate, round(price_improvement, 2) as price_improvement_bps,
    round(information_leakage, 2) as reversion_bps, round(response_speed, 1) as response_s
from fct_dealer_scorecards
where window_days = {DEFAULT_WINDOW_DAYS} and half_life_days = 0 and composite_rank <= {_SHOWN_RANKS}
order by scorecard_class, rank
"""


def leave_published(home: Home, manifest: Manifest, page: Path) -> None:
    """Leave what was published: the snapshot's facts, the best dealers of each class, and the gate's report."""
    create_markdown_artifact(_snapshot_text(manifest), key="snapshot", description="What was published, and from what")
    create_table_artifact(
        scorecard_rows(home, manifest.snapshot_id),
        key="scorecards",
        description=f"The best {_SHOWN_RANKS} dealers of each class over {DEFAULT_WINDOW_DAYS} days",
    )
    create_table_artifact(
        [{"table": table, "rows set aside": rows} for table, rows in sorted(manifest.quarantined.items())],
        key="quarantine",
        description="Rows that were set aside, with their reasons in the quarantine folder",
    )
    _leave_gate(manifest.gate, page)


def leave_refused(reasons: Iterable[str], results: Sequence[GateResult], page: Path | None) -> None:
    """Leave why nothing was published, and the gate's report where the gate was reached."""
    listed = "\n".join(f"- {reason}" for reason in reasons)
    create_markdown_artifact(
        f"# Nothing published\n\nThe service goes on with the last good snapshot.\n\n{listed}\n",
        key="refused",
        description="Why nothing was published",
    )
    if page is not None:
        _leave_gate(results, page)


def scorecard_rows(home: Home, snapshot_id: str) -> list[dict[str, object]]:
    """Give the best dealers of each class of a snapshot, a row each."""
    with duckdb.connect(str(home.snapshots / snapshot_id / DATABASE), read_only=True) as connection:
        found = connection.execute(_BEST)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _leave_gate(results: Sequence[GateResult], page: Path) -> None:
    create_table_artifact([_gate_row(result) for result in results], key="gate", description="Every check, what failed first")
    leave_page(page, key="data-docs", description="The gate's report as a page")


def leave_page(page: Path, *, key: str, description: str) -> None:
    """Leave where a page lies, as text: no browser follows a link from a server's page to a file."""
    text = f"On {socket.gethostname()}, to open in a browser there, or to copy:\n\n```\n{page}\n```\n"
    create_markdown_artifact(text, key=key, description=description)


def _gate_row(result: GateResult) -> dict[str, str]:
    return {
        "data set": result.suite,
        "check": result.check,
        "result": result.outcome,
        "made by": result.node,
        "harm it prevents": result.harm,
        "observed": result.observed,
    }


def _snapshot_text(manifest: Manifest) -> str:
    rows = "\n".join(f"| {table} | {facts.rows:,} |" for table, facts in sorted(manifest.tables.items()))
    warnings = [result for result in manifest.gate if not result.passed]
    told = "\n".join(f"- {result.suite}.{result.check}: {result.harm} ({result.observed})" for result in warnings) or "None."
    return (
        f"# Snapshot {manifest.snapshot_id}\n\nAs of {manifest.as_of.isoformat()}, known at {manifest.known_at.isoformat()}, "
        f"from {', '.join(manifest.sources) or 'no source'}; dbt invocation {manifest.dbt_invocation_id}.\n\n"
        f"| table | rows |\n|---|---|\n{rows}\n\n## Warnings\n\n{told}\n"
    )
