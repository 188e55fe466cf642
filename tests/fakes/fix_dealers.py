"""Dealers at the other end of a FIX connection, scripted by the test: a real acceptor on a free port."""

import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serve.adapters.fix.dictionary import write_dictionary
from serve.adapters.fix.engine import fix, restore_interrupt
from serve.adapters.fix.wire import parse

# What came (tags), the session it came by, and a way to answer on it: (message type, tags).
Answer = Callable[[str, dict[int, str]], None]
Script = Callable[[dict[int, str], str, Answer], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Dealers(fix.Application):  # type: ignore[misc]
    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.received: list[dict[int, str]] = []
        self.sessions: dict[str, Any] = {}

    def onCreate(self, session: Any) -> None: ...  # noqa: N802 - the engine's name

    def onLogon(self, session: Any) -> None:  # noqa: N802 - the engine's name
        self.sessions[session.getSenderCompID().getString()] = _copy(session)

    def onLogout(self, session: Any) -> None: ...  # noqa: N802 - the engine's name

    def toAdmin(self, message: Any, session: Any) -> None: ...  # noqa: N802 - the engine's name

    def fromAdmin(self, message: Any, session: Any) -> None: ...  # noqa: N802 - the engine's name

    def toApp(self, message: Any, session: Any) -> None: ...  # noqa: N802 - the engine's name

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802 - the engine's name
        try:
            tags, own = parse(message.toString()), _copy(session)
            self.received.append(tags)
            dealer = tags[56]
            threading.Thread(target=self.script, args=(tags, dealer, lambda kind, body: send(own, kind, body)), daemon=True).start()
        except BaseException as error:  # noqa: BLE001 - it would end the process
            self.received.append({35: "script failed", 58: repr(error)})


def _copy(session: Any) -> Any:
    begin, sender, target = (
        session.getBeginString().getString(),
        session.getSenderCompID().getString(),
        session.getTargetCompID().getString(),
    )
    return fix.SessionID(begin, sender, target)


def send(session: Any, kind: str, body: dict[int, str]) -> None:
    message = fix.Message()
    message.getHeader().setField(35, kind)
    for tag, value in body.items():
        message.setField(tag, value)
    if kind == "AG":
        group = fix.Group(146, 55)
        group.setField(55, "[N/A]")
        message.addGroup(group)
    fix.Session.sendToTarget(message, session)


class FixDealers:
    """An acceptor with one session per CompID; ``script`` answers each message, on a thread of its own."""

    def __init__(self, folder: Path, comp_ids: list[str], script: Script, port: int | None = None) -> None:
        self.port = port or free_port()
        self._application = _Dealers(script)
        dictionary = write_dictionary(folder)
        text = [
            "[DEFAULT]\nConnectionType=acceptor\nBeginString=FIX.4.4\nTargetCompID=SOTTO\nStartTime=00:00:00\nEndTime=00:00:00",
            f"HeartBtInt=30\nSocketAcceptPort={self.port}\nSocketReuseAddress=Y\nUseDataDictionary=Y\nDataDictionary={dictionary}",
            f"FileStorePath={folder}/dealer-store\nTimestampPrecision=3\nValidateUserDefinedFields=N",
            *(f"[SESSION]\nSenderCompID={comp_id}" for comp_id in comp_ids),
        ]
        path = folder / "dealers.cfg"
        path.write_text("\n".join(text) + "\n")
        self._settings = fix.SessionSettings(str(path))
        self._store = fix.FileStoreFactory(self._settings)
        self._acceptor = fix.ThreadedSocketAcceptor(self._application, self._store, self._settings)

    async def __aenter__(self) -> "FixDealers":
        await asyncio.get_running_loop().run_in_executor(None, self._acceptor.start)
        restore_interrupt()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self._acceptor.stop)

    def received(self, kind: str) -> list[dict[int, str]]:
        return [tags for tags in self._application.received if tags[35] == kind]

    def say(self, comp_id: str, kind: str, body: dict[int, str]) -> None:
        """Send out of turn."""
        send(self._application.sessions[comp_id], kind, body)
