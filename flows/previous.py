"""The snapshot before this one, laid beside the marts so that the gate can compare."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from expectations.contracts.home import Home
from expectations.contracts.snapshot import CONTRACT_VERSION, Manifest
from flows.publish import DATABASE, current_id, read_manifest
from flows.sources.pulled import quoted
from flows.warehouse import opened

# Further apart, dealers may well come, go and change places.
LONGEST = timedelta(days=7)

_EMPTY = """
create or replace table audit.previous_scorecards
(as_of timestamp, dealer_id varchar, scorecard_class varchar, window_days integer, rfqs_asked bigint, composite_rank integer)
"""


def lay_previous(home: Home, *, as_of: datetime, sources: Sequence[str]) -> Manifest | None:
    """Fill ``audit.previous_scorecards`` of the warehouse from the current snapshot; give its manifest.

    ``None``, and an empty table, where there is none to compare with: none published, one of another contract or of other sources,
    one of a later instant or of more than a week before.
    """
    manifest = _comparable(home, as_of, sources)
    with opened(home.warehouse) as connection:
        connection.execute("create schema if not exists audit")
        connection.execute(_EMPTY)
        if manifest is not None:
            connection.execute(f"attach {quoted(home.snapshots / manifest.snapshot_id / DATABASE)} as previous (read_only)")
            connection.execute(
                "insert into audit.previous_scorecards "
                "select as_of, dealer_id, scorecard_class, window_days, rfqs_asked, composite_rank "
                "from previous.fct_dealer_scorecards where half_life_days = 0"
            )
            connection.execute("detach previous")
    return manifest


def _comparable(home: Home, as_of: datetime, sources: Sequence[str]) -> Manifest | None:
    name = current_id(home)
    if name is None or not (home.snapshots / name / DATABASE).is_file():
        return None
    manifest = read_manifest(home, name)
    alike = manifest.contract_version == CONTRACT_VERSION and manifest.sources == sorted(sources)
    return manifest if alike and timedelta(0) <= as_of - manifest.as_of <= LONGEST else None
