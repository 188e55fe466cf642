"""What a refresh leaves behind once its snapshot is in use. Whatever goes wrong here, the desk decides by the new snapshot."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from expectations.contracts.snapshot import GateResult, Manifest
from flows import artifacts
from flows.cited import cited_snapshots
from flows.data_docs import page_of, write_gate_page
from flows.landing import Landing, Receipt
from flows.publish import drop_old
from flows.settings import FlowSettings

log = logging.getLogger("flows.aftermath")


def leave_behind(
    settings: FlowSettings,
    manifest: Manifest,
    gate: Sequence[GateResult],
    landing: Landing,
    judged: Sequence[Receipt],
    *,
    at: datetime,
) -> None:
    """Mark what was judged, drop old snapshots, write the gate's page and the artifacts; what cannot be done is a warning.

    ``gate`` is what this refresh found; the manifest may be that of an earlier one with the same content.
    """
    home = settings.state

    def tell() -> None:
        artifacts.leave_published(home, manifest, write_gate_page(home, manifest.snapshot_id, gate))

    _attempt("its deliveries are judged again by the next refresh", lambda: landing.accept(judged, at=at))
    _attempt("no old snapshot is dropped", lambda: drop_old_snapshots(settings))
    _attempt("it has no page, or no artifacts", tell)
    log.info("published snapshot %s", manifest.snapshot_id)


def drop_old_snapshots(settings: FlowSettings) -> None:
    """Delete the oldest snapshots beyond ``keep_snapshots`` by which nothing was decided, and their pages.

    Raises SourceError, and deletes none, where the journal does not tell by which.
    """
    home = settings.state
    for name in drop_old(home, keep=settings.keep_snapshots, cited=cited_snapshots(home)):
        page_of(home, name).unlink(missing_ok=True)


def _attempt(otherwise: str, step: Callable[[], None]) -> None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 - the snapshot is published: a run that failed would say that it is not
        log.warning("the snapshot is published, but %s: %s: %s", otherwise, type(error).__name__, error)
