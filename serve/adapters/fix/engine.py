"""The FIX engine, imported without losing Ctrl-C: importing it takes the interrupt signal for itself."""

import signal

_before = signal.getsignal(signal.SIGINT)

import quickfix as fix  # noqa: E402 - the handler must be read before the import and put back after it


def restore_interrupt() -> None:
    """Put the interrupt handler back as it was; only the main thread may, and only there can it have been taken."""
    try:
        signal.signal(signal.SIGINT, _before)
    except ValueError:
        # Imported from another thread: the engine could not have replaced the handler either.
        return


restore_interrupt()

__all__ = ["fix", "restore_interrupt"]
