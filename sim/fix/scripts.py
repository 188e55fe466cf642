"""Scripted dealers: what tests and demonstrations may force a dealer to do, instead of what it would do by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a dealer does with a request."""

    QUOTE = "quote"
    DECLINE = "decline"
    REJECT = "reject"
    SILENT = "silent"


class OnHit(StrEnum):
    """What a dealer does with a hit or order: fill it, fill it and report twice, refuse it, fill it without a word, or lose it."""

    FILL = "fill"
    REPORT_TWICE = "report_twice"
    REFUSE = "refuse"
    FILL_SILENTLY = "fill_silently"
    IGNORE = "ignore"


class Via(StrEnum):
    """The message that carries the price: a Quote, or a QuoteResponse that counters."""

    QUOTE = "S"
    COUNTER = "AJ"


class DeclineBy(StrEnum):
    """The message that declines: a QuoteStatusReport (297=11) or a QuoteRequestReject (658=10)."""

    STATUS_REPORT = "AI"
    REQUEST_REJECT = "AG"


@dataclass(frozen=True, slots=True)
class Script:
    """One dealer's conduct in one RFQ; seconds are the desk's.

    ``price`` ``None`` = the dealer's usual one; ``quantity`` ``None`` = the size asked; ``valid_s`` ``None`` = no expiry in the
    quote; ``withdraw_after_s`` counts from the quote; ``even_late`` answers though the request has expired; ``reason`` is the 658
    code of a REJECT.
    """

    action: Action = Action.QUOTE
    after_s: float = 1.0
    price: float | None = None
    quantity: float | None = None
    firm: bool = True
    valid_s: float | None = 300.0
    withdraw_after_s: float | None = None
    via: Via = Via.QUOTE
    decline_by: DeclineBy = DeclineBy.STATUS_REPORT
    reason: str = "99"
    on_hit: OnHit = OnHit.FILL
    fill_after_s: float = 0.5
    even_late: bool = False


# A dealer's scripts are used in turn, the last one ever after.
Scripts = Mapping[str, Script | Sequence[Script]]


def script_for(scripts: Scripts, dealer_id: str, nth: int) -> Script | None:
    """Give the script for a dealer's n-th request (from 0), ``None`` when the dealer is not scripted."""
    chosen = scripts.get(dealer_id)
    if chosen is None or isinstance(chosen, Script):
        return chosen
    return chosen[min(nth, len(chosen) - 1)] if chosen else None
