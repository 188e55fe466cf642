"""The engine's callbacks: note, enqueue, return. Nothing may escape from here but what the engine expects."""

from collections.abc import Callable
from logging import getLogger

from sim.fix.engine import fix

_LOG = getLogger(__name__)


# The engine's classes carry no types.
class DealersApplication(fix.Application):  # type: ignore[misc]
    """All seven callbacks. ``take`` gets (sender of the session, raw message) for every application message."""

    def __init__(self, take: Callable[[str, str], None]) -> None:
        super().__init__()
        self._take = take
        self.logged_on: set[str] = set()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException:  # noqa: BLE001 - an exception that leaves a callback ends Python on the engine's thread
            _LOG.exception("a callback of the simulated dealers failed")

    def onCreate(self, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Do nothing."""

    def onLogon(self, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Note the session."""
        self._guarded(lambda: self.logged_on.add(session.getSenderCompID().getValue()))

    def onLogout(self, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Forget the session; also called for a failed logon."""
        self._guarded(lambda: self.logged_on.discard(session.getSenderCompID().getValue()))

    def toAdmin(self, message: fix.Message, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Do nothing."""

    def fromAdmin(self, message: fix.Message, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Do nothing."""

    def toApp(self, message: fix.Message, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Do nothing."""

    def fromApp(self, message: fix.Message, session: fix.SessionID) -> None:  # noqa: N802 - the engine's name
        """Hand the message's text on; the message itself is not kept."""
        self._guarded(lambda: self._take(session.getSenderCompID().getValue(), message.toString()))
