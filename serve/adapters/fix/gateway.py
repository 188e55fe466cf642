"""The way to dealers over FIX: sessions, a send gate, and messages in and out as the desk understands them."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Gauge

from serve.adapters.fix.application import DealerApplication, Heard
from serve.adapters.fix.decode import decode
from serve.adapters.fix.dictionary import write_dictionary
from serve.adapters.fix.encode import encode
from serve.adapters.fix.engine import fix, restore_interrupt
from serve.adapters.fix.log import venue_folder
from serve.adapters.fix.settings import settings_text
from serve.adapters.fix.venue import Venue, VenueError
from serve.adapters.fix.wire import SOH, MalformedError, Wire
from serve.domain.dealing import AnyCommand, AnyFromDealer, SessionChanged, Unreadable
from serve.ports import NotSentError

log = structlog.get_logger(__name__)
SESSIONS = Gauge("sotto_fix_sessions", "FIX sessions to dealers: those configured, and those logged on and settled", ["state"])


class FixGateway:
    """One initiator, one session per dealer. ``sessions`` maps dealer_id to the dealer's CompID (``fix_session``)."""

    def __init__(self, venue: Venue, sessions: Mapping[str, str], folder: Path) -> None:
        taken: dict[str, str] = {}
        for dealer, comp_id in sessions.items():
            if taken.setdefault(comp_id, dealer) != dealer:
                msg = f"dealers {taken[comp_id]} and {dealer} have the same fix_session {comp_id}: each needs its own"
                raise VenueError(msg)
        self.venue = venue
        self._folder = venue_folder(folder, venue.venue)
        self._session_of = {dealer: f"FIX.4.4:{venue.sender_comp_id}->{comp_id}" for dealer, comp_id in sessions.items()}
        self._dealer_of = {session: dealer for dealer, session in self._session_of.items()}
        self._ids: dict[str, Any] = {}
        self._ready: set[str] = set()
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._sink: Callable[[AnyFromDealer], None] = lambda _: None
        self._engine: tuple[Any, ...] = ()

    async def start(self, sink: Callable[[AnyFromDealer], None]) -> None:
        """Connect every session; what dealers send goes to ``sink``, on this loop. Raises VenueError for bad settings."""
        self._sink = sink
        SESSIONS.labels("configured").set(len(self._session_of))
        if not self._session_of:
            return
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._launch, DealerApplication(loop, self._hear))
        restore_interrupt()

    async def stop(self) -> None:
        """Log out and disconnect; takes a second or three."""
        for timer in self._settling.values():
            timer.cancel()
        if self._engine:
            await asyncio.get_running_loop().run_in_executor(None, self._engine[0].stop)
            # The engine's parts are let go only once its threads have ended.
            self._engine = ()
        self._ready.clear()
        SESSIONS.labels("ready").set(0)

    def is_ready(self, dealer_id: str) -> bool:
        """Say whether the dealer's session is logged on and settled."""
        return dealer_id in self._ready and self._logged_on(dealer_id)

    def send(self, command: AnyCommand) -> None:
        """Hand a command to the engine. Raises NotSentError where it is certain that nothing left the house."""
        if not self.is_ready(command.dealer_id):
            msg = f"the FIX session of {command.dealer_id} is not logged on"
            raise NotSentError(msg)
        try:
            message = to_message(encode(command, self.venue))
        except MalformedError as error:
            raise NotSentError(str(error)) from error
        try:
            sent = fix.Session.sendToTarget(message, self._ids[command.dealer_id])
        except fix.SessionNotFound as error:
            msg = f"the FIX session of {command.dealer_id} is not known to the engine"
            raise NotSentError(msg) from error
        if not sent:
            msg = f"the FIX engine did not take the message for {command.dealer_id}"
            raise NotSentError(msg)

    def _launch(self, application: DealerApplication) -> None:
        dictionary = write_dictionary(self._folder)
        comp_ids = [session.rpartition("->")[2] for session in self._session_of.values()]
        path = self._folder / "sessions.cfg"
        path.write_text(settings_text(self.venue, comp_ids, self._folder, dictionary), encoding="utf-8")
        try:
            settings = fix.SessionSettings(str(path))
            store, logs = fix.FileStoreFactory(settings), fix.FileLogFactory(settings)
            initiator = fix.ThreadedSocketInitiator(application, store, settings, logs)
            for dealer, comp_id in zip(self._session_of, comp_ids, strict=True):
                self._ids[dealer] = fix.SessionID("FIX.4.4", self.venue.sender_comp_id, comp_id)
            initiator.start()
        except (fix.ConfigError, fix.RuntimeError) as error:
            msg = f"the FIX engine refused its settings {path}: {error}"
            raise VenueError(msg) from error
        self._engine = (initiator, application, store, logs, settings)

    def _logged_on(self, dealer_id: str) -> bool:
        session = fix.Session.lookupSession(self._ids[dealer_id]) if dealer_id in self._ids else None
        return bool(session is not None and session.isLoggedOn())

    def _hear(self, heard: Heard) -> None:
        dealer = self._dealer_of.get(heard.session)
        if dealer is None:
            log.warning("message from an unknown FIX session", session=heard.session)
        elif heard.what == "logon":
            loop = asyncio.get_running_loop()
            self._settling[dealer] = loop.call_later(self.venue.settle_s, self._settle, dealer)
        elif heard.what == "logout":
            self._lose(dealer)
        else:
            message = self._understand(heard, dealer)
            if message is not None:
                self._sink(message)

    def _settle(self, dealer: str) -> None:
        if self._logged_on(dealer):
            self._ready.add(dealer)
            SESSIONS.labels("ready").set(len(self._ready))
            self._sink(SessionChanged(dealer_id=dealer, ready=True))

    def _lose(self, dealer: str) -> None:
        timer = self._settling.pop(dealer, None)
        if timer is not None:
            timer.cancel()
        # The engine reports a logout for failed logons too: only a session that was usable can be lost.
        if dealer in self._ready:
            self._ready.discard(dealer)
            SESSIONS.labels("ready").set(len(self._ready))
            self._sink(SessionChanged(dealer_id=dealer, ready=False))

    def _understand(self, heard: Heard, dealer: str) -> AnyFromDealer | None:
        if heard.what == "reject":
            reason = "the dealer's engine rejected a message of ours"
            return Unreadable(dealer_id=dealer, raw=heard.raw.replace(SOH, "|"), session=heard.session, reason=reason)
        try:
            return decode(heard.raw, dealer, self.venue)
        except MalformedError as error:
            return Unreadable(dealer_id=dealer, raw=heard.raw.replace(SOH, "|"), session=heard.session, reason=str(error))


def to_message(wire: Wire) -> Any:  # noqa: ANN401 - the engine's type
    """Build the engine's message; the group goes in last, since the engine copies it."""
    message = fix.Message()
    message.getHeader().setField(35, wire.msg_type)
    for tag, value in wire.fields:
        message.setField(tag, value)
    if wire.group:
        group = fix.Group(146, 55)
        for tag, value in wire.group:
            group.setField(tag, value)
        message.addGroup(group)
    return message
