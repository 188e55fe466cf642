"""The watch over what the desk decides by: is it still current."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prefect import State, flow
from prefect.states import Completed, Failed

from flows.notify import notify, tell_of_failure
from flows.publish import current_id, read_manifest
from flows.refused import Refused
from flows.settings import Basics, FlowSettings

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun


def tell_of_trouble(flow: "Flow[..., object]", flow_run: "FlowRun", state: "State[object]") -> None:
    """Notify of what the watch has found, or that it failed itself: a hook."""
    found = state.result(raise_on_failure=False)
    if not isinstance(found, Refused):
        tell_of_failure(flow, flow_run, state)
        return
    settings = Basics()
    notify(settings, "snapshot_stale", f"sotto: {'; '.join(found.reasons)}", snapshot_in_use=current_id(settings.state))


@flow(name="watch", timeout_seconds=300, on_failure=[tell_of_trouble], on_crashed=[tell_of_failure])
def watch() -> State[str]:
    """Fail, and tell the webhook, where the current snapshot is missing or older than ``SOTTO_SNAPSHOT_MAX_AGE_HOURS``."""
    trouble = staleness(FlowSettings(), datetime.now(UTC))
    if trouble is None:
        return Completed(message="the snapshot in use is current")
    return Failed(message=trouble, data=Refused([trouble]))


def staleness(settings: FlowSettings, now: datetime) -> str | None:
    """Say what is wrong with the snapshot in use at ``now``; ``None`` = nothing."""
    name = current_id(settings.state)
    if name is None:
        return "no snapshot has been published yet; run 'sotto refresh'"
    try:
        age = now - read_manifest(settings.state, name).as_of
    except Refused as refused:
        return f"the snapshot in use cannot be used: {refused}"
    if age > timedelta(hours=settings.snapshot_max_age_hours):
        hours = age.total_seconds() / 3600
        return f"the snapshot in use, {name}, is {hours:.0f} hours old, more than {settings.snapshot_max_age_hours:g}"
    return None
