"""The kill switch: it stops at once, whatever the journal does, and only an OFF that nobody contradicts lets anything out again."""

import asyncio

import structlog

from serve.ports import Brake

log = structlog.get_logger(__name__)


class Switch:
    """Whether sending is stopped: one for every desk of a process, and kept by the ``brake`` for the next process."""

    def __init__(self, brake: Brake | None = None) -> None:
        self._brake = brake
        self.on = brake is not None and brake.is_set()
        self.stops = 0
        # Held while the switch is written or read from the journal, so that the journal's order is that of its effects.
        self.writing = asyncio.Lock()

    def stop(self) -> None:
        """Stop all sending, now."""
        self.on = True
        self.stops += 1

    async def keep(self) -> bool:
        """Leave the stop to the next process as well; say whether that could be done."""
        if self._brake is None:
            return False
        try:
            await asyncio.to_thread(self._brake.set)
        except OSError as error:
            log.error("the kill switch is on, but a restart may not know", reason=str(error))
            return False
        return True

    def release(self, seen: int) -> bool:
        """Allow sending again, unless it was stopped once more since ``seen`` stops; say whether it is allowed."""
        if self.stops != seen:
            return False
        self.on = False
        try:
            if self._brake is not None:
                self._brake.clear()
        except OSError as error:
            log.error("the kill switch is off, but will be on after a restart", reason=str(error))
        return True
