"""The watch over what the desk decides by: is it still current."""

from datetime import UTC, datetime, timedelta

from prefect import State, flow
from prefect.states import Completed, Failed

from flows.notify import notify
from flows.publish import current_id, read_manifest
from flows.settings import FlowSettings


@flow(name="watch", timeout_seconds=300)
def watch() -> State[str]:
    """Fail, and tell the webhook, where the current snapshot is missing or older than ``SOTTO_SNAPSHOT_MAX_AGE_HOURS``."""
    settings = FlowSettings()
    trouble = staleness(settings, datetime.now(UTC))
    if trouble is None:
        return Completed(message="the snapshot in use is current")
    notify(settings, "snapshot_stale", f"sotto: {trouble}", snapshot_in_use=current_id(settings.state))
    return Failed(message=trouble)


def staleness(settings: FlowSettings, now: datetime) -> str | None:
    """Say what is wrong with the snapshot in use at ``now``; ``None`` = nothing."""
    name = current_id(settings.state)
    if name is None:
        return "no snapshot has been published yet; run 'sotto refresh'"
    age = now - read_manifest(settings.state, name).as_of
    if age > timedelta(hours=settings.snapshot_max_age_hours):
        hours = age.total_seconds() / 3600
        return f"the snapshot in use, {name}, is {hours:.0f} hours old, more than {settings.snapshot_max_age_hours:g}"
    return None
