"""The FIX engine, imported so that Ctrl-C still works, and the way from our messages to its own."""

import threading
from signal import SIGINT, getsignal, signal

_BEFORE = getsignal(SIGINT)

import quickfix as fix  # noqa: E402 - the import takes SIGINT away, so its handler has to be read before

if threading.current_thread() is threading.main_thread():
    signal(SIGINT, _BEFORE)

from sim.fix.fields import MSG_TYPE, Outgoing  # noqa: E402 - nothing may come between the engine's import and the line above

__all__ = ["BEGIN_STRING", "fix", "send", "to_engine"]

BEGIN_STRING = "FIX.4.4"


def to_engine(outgoing: Outgoing) -> fix.Message:
    """Build the engine's message; groups are copied in, so they come last."""
    message = fix.Message()
    header = message.getHeader()
    header.setField(fix.BeginString(BEGIN_STRING))
    header.setField(MSG_TYPE, outgoing.msg_type)
    for tag, value in outgoing.fields:
        message.setField(tag, value)
    for group in outgoing.groups:
        entry = fix.Group(group.counter, group.fields[0][0])
        for tag, value in group.fields:
            entry.setField(tag, value)
        message.addGroup(entry)
    return message


def send(outgoing: Outgoing, session: tuple[str, str]) -> bool:
    """Hand a message to the engine for the session (sender, target); false when there is no such session."""
    try:
        return bool(fix.Session.sendToTarget(to_engine(outgoing), fix.SessionID(BEGIN_STRING, *session)))
    except fix.SessionNotFound:
        return False
