"""How often one token may ask: so many requests a second, with room for a burst."""

import math
from time import monotonic

from serve.api.problems import Problem

_MOST_BEARERS = 10_000


class Throttle:
    """Counts per token; a bucket that is empty says when it will not be. ``per_s`` fills it up to ``burst``."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        # Per token the time at which its bucket will be full again: one number says all.
        self._full_at: dict[str, float] = {}

    def take(self, bearer: str) -> None:
        """Take one request from the bearer's bucket. Raises ``Problem`` 429 where it is empty."""
        now = monotonic()
        full_at = max(self._full_at.get(bearer, now), now)
        wait = full_at + 1.0 / self._per_s - (now + self._burst / self._per_s)
        if wait > 1e-9:
            seconds = math.ceil(wait)
            detail = f"This token may send {self._per_s:g} requests a second, {self._burst:g} at once: try again in {seconds} s"
            raise Problem(429, "too-many-requests", "Too many requests", detail, headers={"Retry-After": str(seconds)})
        if len(self._full_at) >= _MOST_BEARERS:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        self._full_at[bearer] = full_at + 1.0 / self._per_s

    def charge(self, bearer: str, cost: float) -> None:
        """Count ``cost`` more requests: a list is let through whole, and leaves a debt where it was larger than the bucket."""
        now = monotonic()
        self._full_at[bearer] = max(self._full_at.get(bearer, now), now) + cost / self._per_s
