"""The engine's own log of messages: where it stands, and read back for the audit."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_SOH = "\x01"
_REQUEST, _QUOTE, _RESPONSE = "131", "117", "693"
# Where identifiers of ours stand: QuoteReqID, ClOrdID, OrigClOrdID, BusinessRejectRefID; a QuoteRespID can be the dealer's, too.
_OURS = (_REQUEST, "11", "41", "379")
_NAMED = re.compile(f"{_SOH}({'|'.join((*_OURS, _QUOTE, _RESPONSE))})=([^{_SOH}]*)")


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
        """Give the messages about what has identifiers of ours, in order of time, with ``|`` between the fields.

        A message that names only the dealer's quote belongs where the desk puts it: to the request for which that session used the
        quote's name last. A name alone says nothing: dealers count from 1, and many of them every day.
        """
        ours = {name for name in identifiers if name}
        if not ours or not self._fix.is_dir():
            return []
        found: list[str] = []
        quotes: dict[str, set[str]] = {}
        for path in sorted(self._fix.glob(str(log_folder(venue_folder(Path(), "*")) / "*.messages.*log")), key=_age):
            session = str(path).partition(".messages.")[0]
            with path.open(encoding="utf-8", errors="replace") as lines:
                found += _about(lines, ours, quotes.setdefault(session, set()))
        return sorted(found)


def _age(path: Path) -> tuple[bool, int, str]:
    """Sort the files of a session by age: those that the engine put aside, by their number, then the current one."""
    return ".messages.current." in path.name, len(path.name), str(path)


def _about(lines: Iterable[str], ours: set[str], quotes: set[str]) -> Iterator[str]:
    """Yield the messages of one session; ``quotes`` holds the names of quotes that stand for one of our requests by now."""
    for line in lines:
        named = dict(_NAMED.findall(line))
        quote = named.get(_QUOTE) or named.get(_RESPONSE) or ""
        if any(named.get(tag) in ours for tag in (*_OURS, _RESPONSE)):
            if quote and named.get(_REQUEST) in ours:
                quotes.add(quote)
        elif any(tag in named for tag in _OURS):
            if _REQUEST in named:
                quotes.discard(quote)
            continue
        elif quote not in quotes:
            continue
        yield line.rstrip("\n").replace(_SOH, "|")
