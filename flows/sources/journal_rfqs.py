"""The journal's RFQs as rows of ``rfq_log``, a row per dealer asked. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Outcome, Protocol, Response

RfqEvent = (
    events.RfqStarted
    | events.DealerAsked
    | events.QuoteReceived
    | events.QuoteWithdrawn
    | events.DealerAnsweredWithout
    | events.ExecutionReported
    | events.RfqClosed
)

# Of a dealer that was asked as the RFQ ended.
_LEAST_S = 0.001


class Entry(msgspec.Struct, frozen=True):
    """An event and when it was journalled."""

    at: datetime
    event: RfqEvent


def rfq_rows(entries: Iterable[Entry]) -> Iterator[dict[str, str | None]]:
    """Turn events into rows of ``rfq_log``, one per dealer asked in a closed RFQ, cells as text. Pure.

    What a dealer sent first counts: a quote after its time-out, or after the end, is late and changes nothing; a fill counts
    whenever it comes. A dealer whose request never went out was not asked; one that had not answered when the RFQ ended timed
    out then.
    """
    by_rfq: dict[str, list[Entry]] = {}
    closed: set[str] = set()
    for entry in entries:
        rfq_id = entry.event.rfq_id
        if rfq_id not in closed or isinstance(entry.event, events.ExecutionReported):
            by_rfq.setdefault(rfq_id, []).append(entry)
        if isinstance(entry.event, events.RfqClosed):
            closed.add(rfq_id)
    for rfq_id, story in by_rfq.items():
        start = story[0].event
        if rfq_id in closed and isinstance(start, events.RfqStarted):
            yield from _rows_of(start, story)


@dataclass(slots=True)
class _Asked:
    """One dealer's part in an RFQ."""

    at: datetime
    sequence: int
    in_time: list[events.QuoteReceived] = field(default_factory=list)
    late: list[events.QuoteReceived] = field(default_factory=list)
    without: events.DealerAnsweredWithout | None = None
    fills: list[events.ExecutionReported] = field(default_factory=list)
    withdrawn: dict[str, str] = field(default_factory=dict)

    def note(self, event: RfqEvent) -> None:
        """Take in what the dealer did next."""
        match event:
            case events.QuoteReceived():
                (self.late if self.without else self.in_time).append(event)
            case events.DealerAnsweredWithout() if not self.in_time:
                self.without = event
            case events.ExecutionReported():
                self.fills.append(event)
            case events.QuoteWithdrawn():
                self.withdrawn[event.quote_id] = event.reason

    @property
    def quotes(self) -> list[events.QuoteReceived]:
        """The quotes that count: those in time, and late ones only where the desk traded on one."""
        return self.in_time or (self.late if self.fills else [])

    def covers(self, quantity: float) -> bool:
        """Whether the last quote could have been the cover of a trade of so much: as the desk sees it when it tells the losers."""
        last = self.quotes[-1] if self.quotes and not self.fills else None
        taken_back = last is not None and self.withdrawn.get(last.quote_id, events.EXPIRED) != events.EXPIRED
        return last is not None and last.firm and not taken_back and last.quantity >= quantity

    @property
    def is_dead(self) -> bool:
        """Whether the last quote was taken back or past its validity before the RFQ ended."""
        return bool(self.quotes) and self.quotes[-1].quote_id in self.withdrawn

    @property
    def never_sent(self) -> bool:
        """Whether the request did not go out: our failure, which must not count against the dealer."""
        silent = self.without
        return silent is not None and silent.response is Response.REJECTED and silent.responded_at is None


def _rows_of(start: events.RfqStarted, story: list[Entry]) -> Iterator[dict[str, str | None]]:
    asked: dict[str, _Asked] = {}
    ended = next(entry.at for entry in story if isinstance(entry.event, events.RfqClosed))
    for entry in story:
        if isinstance(entry.event, events.DealerAsked):
            asked[entry.event.dealer_id] = _Asked(entry.at, entry.event.sequence)
        elif not isinstance(entry.event, events.RfqStarted | events.RfqClosed) and entry.event.dealer_id in asked:
            asked[entry.event.dealer_id].note(entry.event)
    sent = {dealer: part for dealer, part in asked.items() if not part.never_sent}
    outcomes = _outcomes(start, sent)
    for dealer, part in sent.items():
        yield {
            **_asking(start, dealer, part, len(sent)),
            **_answer(part, ended),
            "outcome": outcomes[dealer],
            **_fill(part),
            "arrival_mid": _number(start.arrival_mid),
            "propensity": _number(start.propensity),
        }


def _asking(start: events.RfqStarted, dealer: str, part: _Asked, dealers_asked: int) -> dict[str, str | None]:
    return {
        "rfq_id": start.rfq_id,
        "order_id": start.order_id,
        "venue": start.venue,
        "security_id": start.security_id,
        "client_side": start.side,
        "quantity": _number(start.quantity),
        "protocol": start.protocol,
        "asked_at": part.at.isoformat(),
        "dealer_id": dealer,
        "sequence": str(part.sequence),
        "dealers_asked": str(dealers_asked),
        "timeout_s": _number(start.timeout_s),
    }


def _answer(part: _Asked, ended: datetime) -> dict[str, str | None]:
    """Give the response: its time is that of the first quote, its price and size those of the last.

    Who had not answered when the RFQ ended had only so long to do so, and was silent as long as that.
    """
    if part.quotes:
        first, last = part.quotes[0], part.quotes[-1]
        return {
            "response": Response.QUOTED,
            "responded_at": first.responded_at.isoformat(),
            "quote_price": _number(last.price),
            "quote_quantity": _number(last.quantity),
            "firm": str(last.firm).lower(),
        }
    silent = part.without
    responded = silent.responded_at if silent and silent.response is not Response.TIMED_OUT else None
    cut_off = {} if silent else {"timeout_s": _number(max((ended - part.at).total_seconds(), _LEAST_S))}
    return {
        **cut_off,
        "response": silent.response if silent else Response.TIMED_OUT,
        "responded_at": responded.isoformat() if responded else None,
        "quote_price": None,
        "quote_quantity": None,
        "firm": None,
    }


def _fill(part: _Asked) -> dict[str, str | None]:
    if not part.fills:
        return {"executed_at": None, "executed_price": None, "executed_quantity": None}
    size = sum(fill.quantity for fill in part.fills)
    return {
        "executed_at": max(fill.executed_at for fill in part.fills).isoformat(),
        "executed_price": _number(sum(fill.price * fill.quantity for fill in part.fills) / size),
        "executed_quantity": _number(size),
    }


def _outcomes(start: events.RfqStarted, answered: dict[str, _Asked]) -> dict[str, Outcome]:
    if not any(part.fills for part in answered.values()):
        return dict.fromkeys(answered, Outcome.NOT_TRADED)
    # A whisper tells how long quotes live, so there a dead one is no cover, whatever its dealer was told.
    dead = {dealer for dealer, part in answered.items() if part.is_dead}
    losing = [
        (part.quotes[-1].price * start.side.direction, part.quotes[-1].responded_at, dealer)
        for dealer, part in answered.items()
        if part.covers(start.quantity) and not (dealer in dead and start.protocol is Protocol.SEQUENTIAL)
    ]
    cover = min(losing)[2] if losing else None
    words = {**dict.fromkeys(answered, Outcome.LOST), **dict.fromkeys(dead, Outcome.EXPIRED)}
    words |= {cover: Outcome.COVER} if cover else {}
    return words | {dealer: Outcome.TRADED for dealer, part in answered.items() if part.fills}


def _number(value: float | None) -> str | None:
    return None if value is None else repr(value)
