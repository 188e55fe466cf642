"""The engine's own log of messages: where it stands, and read back for the audit."""

import re
from collections.abc import Iterable
from pathlib import Path

_SOH = "\x01"
# Where our identifiers and the dealer's stand: QuoteReqID, QuoteID, ClOrdID, OrigClOrdID.
_TAGS = ("131", "117", "11", "41")


def venue_folder(fix: Path, venue: str) -> Path:
    """Give where the engine keeps what belongs to one venue."""
    return fix / venue


def log_folder(venue: Path) -> Path:
    """Give where the engine logs the messages of a venue, given the venue's folder."""
    return venue / "log"


class FixLogs:
    """The log files of every session at every venue under the FIX folder; an empty answer where the engine keeps none."""

    def __init__(self, fix: Path) -> None:
        self._fix = fix

    def about(self, identifiers: Iterable[str]) -> list[str]:
        """Give the messages that name one of the identifiers, in order of time, with ``|`` between the fields."""
        names = [re.escape(name) for name in identifiers if name]
        if not names or not self._fix.is_dir():
            return []
        wanted = re.compile(f"{_SOH}(?:{'|'.join(_TAGS)})=(?:{'|'.join(names)}){_SOH}")
        found = []
        for path in sorted(self._fix.glob(str(log_folder(venue_folder(Path(), "*")) / "*.messages.*log"))):
            with path.open(encoding="utf-8", errors="replace") as lines:
                found += [line.rstrip("\n").replace(_SOH, "|") for line in lines if wanted.search(line)]
        return sorted(found)
