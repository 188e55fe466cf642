"""The engine's settings: one session per dealer, every value one that was tried."""

import re
from collections.abc import Iterable
from pathlib import Path

from serve.adapters.fix.log import log_folder
from serve.adapters.fix.venue import Venue, VenueError

_COMP_ID = re.compile(r"[A-Za-z0-9_.\-]{1,64}")

_DEFAULT = """[DEFAULT]
ConnectionType=initiator
BeginString=FIX.4.4
SenderCompID={sender}
SocketConnectHost={host}
SocketConnectPort={port}
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt={heartbeat}
ReconnectInterval={reconnect}
LogonTimeout=10
LogoutTimeout=2
ResetOnLogon=N
PersistMessages=N
SocketNodelay=Y
TimestampPrecision=3
UseDataDictionary=Y
DataDictionary={dictionary}
AllowUnknownMsgFields=N
ValidateUserDefinedFields=N
CheckLatency=Y
MaxLatency=120
FileStorePath={folder}/store
FileLogPath={log}
"""


def settings_text(venue: Venue, comp_ids: Iterable[str], folder: Path, dictionary: Path) -> str:
    """Write the engine's settings. Raises VenueError for a session name that cannot stand in FIX or in the file."""
    blocks = [
        _DEFAULT.format(
            sender=venue.sender_comp_id,
            host=venue.host,
            port=venue.port,
            heartbeat=venue.heartbeat_s,
            reconnect=venue.reconnect_s,
            dictionary=dictionary,
            folder=folder,
            log=log_folder(folder),
        )
    ]
    for comp_id in comp_ids:
        if not _COMP_ID.fullmatch(comp_id):
            msg = f"fix_session {comp_id!r} cannot be a CompID: use letters, digits, dot, dash and underscore"
            raise VenueError(msg)
        blocks.append(f"[SESSION]\nTargetCompID={comp_id}\n")
    return "\n".join(blocks)
