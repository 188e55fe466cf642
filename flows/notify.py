"""Telling people outside: a POST to the desk's webhook when a refresh fails or a snapshot grows old."""

import logging
from typing import TYPE_CHECKING

import httpx

from flows.publish import current_id
from flows.retries import again
from flows.settings import Basics

if TYPE_CHECKING:
    from prefect import Flow, State
    from prefect.client.schemas.objects import FlowRun

log = logging.getLogger("flows.notify")

_PATIENCE_S = 10.0
_ATTEMPTS = 3


def notify(settings: Basics, event: str, text: str, **facts: str | None) -> bool:
    """Post ``{"event", "text", ...facts}`` to ``SOTTO_WEBHOOK_URL``; say whether it was taken. Without a URL nothing is sent.

    What cannot be delivered is logged, never raised: a notice must not change how a run ends. The URL is a secret, and not logged.
    """
    if settings.webhook_url is None:
        return False
    fault = ""
    try:
        _post(settings.webhook_url.get_secret_value(), {"event": event, "text": text, **facts})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fault = type(error).__name__
    if fault:
        # Not where the error is at hand: a log handler that fails prints it, address and all.
        log.warning("the webhook did not take the notice of %s: %s", event, fault)
    return not fault


def _passing(error: Exception) -> bool:
    """Retry what may pass by itself: no connection, a time-out, 429 and 5xx."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == httpx.codes.TOO_MANY_REQUESTS or error.response.is_server_error
    return isinstance(error, httpx.TransportError)


def _post(url: str, content: dict[str, str | None]) -> None:
    # The library writes whole URLs into the log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for attempt in again(_passing, attempts=_ATTEMPTS, timeout=3 * _PATIENCE_S):
        with attempt:
            httpx.post(url, json=content, timeout=_PATIENCE_S).raise_for_status()


def tell_of_failure(flow: "Flow[..., object]", flow_run: "FlowRun", state: "State[object]") -> None:
    """Notify of a flow run that failed or crashed: a hook."""
    settings = Basics()
    notify(
        settings,
        f"{flow.name}_failed",
        f"sotto: {flow.name} run {flow_run.name} ended {state.name}: {state.message or 'no reason given'}",
        flow_run_id=str(flow_run.id),
        flow_run_name=flow_run.name,
        snapshot_in_use=current_id(settings.state),
    )
