"""Trying again what may pass by itself, and telling of it without anything secret."""

import logging
from collections.abc import Callable, Iterable

import httpx
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

log = logging.getLogger("flows.retries")


def again(
    on: Callable[[Exception], bool | float], *, attempts: int | None, timeout: float = 45.0, wait_max: float = 5.0
) -> Iterable[stamina.Attempt]:
    """Give so many attempts (``None`` = any number) within ``timeout`` seconds, each a context.

    ``on`` says whether, or when, to go on.
    """
    # The library's own hooks write the call's arguments and the error's words into the log, and an address may be a secret.
    set_on_retry_hooks((tell,))
    return stamina.retry_context(on=on, attempts=attempts, timeout=timeout, wait_initial=0.2, wait_max=wait_max, wait_jitter=0.2)


def tell(details: RetryDetails) -> None:
    """Log that something is tried again: when, and after what kind of fault."""
    error = details.caused_by
    status = f" {error.response.status_code}" if isinstance(error, httpx.HTTPStatusError) else ""
    log.warning(
        "trying again in %.1f s (try %d), after %s%s", details.wait_for, details.retry_num + 1, type(error).__name__, status
    )
