"""The engine's own log of messages, read back for the audit."""

import re
from collections.abc import Iterable
from pathlib import Path

_SOH = "\x01"
# Where our identifiers and the dealer's stand: QuoteReqID, QuoteID, ClOrdID, OrigClOrdID.
_TAGS = ("131", "117", "11", "41")


class FixLogs:
    """The log files of every session under one folder; an empty answer where the engine keeps none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def about(self, identifiers: Iterable[str]) -> list[str]:
        """Give the messages that name one of the identifiers, in order of time, with ``|`` between the fields."""
        names = [re.escape(name) for name in identifiers if name]
        if not names or not self._folder.is_dir():
            return []
        wanted = re.compile(f"{_SOH}(?:{'|'.join(_TAGS)})=(?:{'|'.join(names)}){_SOH}")
        found = []
        for path in sorted(self._folder.glob("*.messages.*log")):
            with path.open(encoding="utf-8", errors="replace") as lines:
                found += [line.rstrip("\n").replace(_SOH, "|") for line in lines if wanted.search(line)]
        return sorted(found)
