"""The engine's callbacks: each hands a copy to the service's loop and returns; none lets an exception escape."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

from serve.adapters.fix.engine import fix

log = structlog.get_logger(__name__)

# Messages that must never go out twice: a request, a hit, an order.
_NEVER_AGAIN = frozenset({"R", "AJ", "D"})
_POSSIBLE_DUPLICATE, _MESSAGE_TYPE, _TEXT = 43, 35, 58


class Heard(NamedTuple):
    """What a callback passes on: ``logon``, ``logout``, ``message`` or ``reject``, the session, and the message as text."""

    what: str
    session: str
    raw: str


class DealerApplication(fix.Application):  # type: ignore[misc]
    """Seven callbacks on the engine's threads. Only the exceptions that the engine understands are let through."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sink: Callable[[Heard], None]) -> None:
        super().__init__()
        self._loop = loop
        self._sink = sink

    def onCreate(self, session: Any) -> None:  # noqa: N802, ANN401 - the engine's name and type
        """Nothing to do: a session exists from the configuration on."""

    def onLogon(self, session: Any) -> None:  # noqa: N802, ANN401 - the engine's name and type
        """Pass on that a session is up."""
        self._pass_on("logon", session)

    def onLogout(self, session: Any) -> None:  # noqa: N802, ANN401 - the engine's name and type
        """Pass on that a session is down, or never came up."""
        self._pass_on("logout", session)

    def toAdmin(self, message: Any, session: Any) -> None:  # noqa: N802, ANN401 - the engine's name and type
        """Leave session messages as they are."""

    def fromAdmin(self, message: Any, session: Any) -> None:  # noqa: N802, ANN401 - the engine's name and type
        """Pass on a session-level reject: something of ours was not understood."""
        try:
            kind = _header(message, _MESSAGE_TYPE)
        except BaseException as error:  # noqa: BLE001 - an exception that escapes ends Python on the engine's thread
            log.error("FIX callback failed", error=repr(error))
            return
        if kind == "3":
            self._pass_on("reject", session, message)

    def toApp(self, message: Any, session: Any) -> None:  # noqa: N802, ANN401, ARG002 - the engine's name and type
        """Keep requests, hits and orders from being sent a second time after a reconnect."""
        try:
            repeated = _header(message, _POSSIBLE_DUPLICATE) == "Y" and _header(message, _MESSAGE_TYPE) in _NEVER_AGAIN
        except BaseException as error:  # noqa: BLE001 - an exception that escapes ends Python on the engine's thread
            log.error("FIX callback failed", error=repr(error))
            repeated = True
        if repeated:
            raise fix.DoNotSend

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802, ANN401 - the engine's name and type
        """Pass a dealer's message on."""
        self._pass_on("message", session, message)

    def _pass_on(self, what: str, session: Any, message: Any = None) -> None:  # noqa: ANN401 - the engine's types
        try:
            heard = Heard(what, session.toString(), "" if message is None else message.toString())
            self._loop.call_soon_threadsafe(self._sink, heard)
        except BaseException as error:  # noqa: BLE001 - an exception that escapes ends Python on the engine's thread
            log.error("FIX callback failed", what=what, error=repr(error))


def _header(message: Any, tag: int) -> str:  # noqa: ANN401 - the engine's type
    header = message.getHeader()
    return str(header.getField(tag)) if header.isSetField(tag) else ""
