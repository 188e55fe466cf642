"""How the process shares itself out, so that one who waits for an answer does not wait for housekeeping."""

import gc
import sys

# How long a thread may hold the interpreter while the loop waits for it; Python's own 5 ms is an answer's whole time.
_SWITCH_S = 0.0005
# A collection looks at everything made since the last; answers are made of many short-lived objects without cycles.
_THRESHOLDS = (50_000, 50, 100)


def prefer_answers() -> None:
    """Let the loop have the interpreter soon, and collect garbage seldom."""
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*_THRESHOLDS)


def settle_down() -> None:
    """Keep what was just loaded out of every later collection: it lives as long as it is used, without cycles."""
    gc.freeze()
