"""The state of an RFQ as its journalled events make it: replaying them gives the same state, always."""

from datetime import datetime
from functools import reduce

from msgspec.structs import replace

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Response
from serve.domain.rfq import Alert, Attempt, DealerLine, Fate, Fill, Quote, Rfq


def evolve(rfq: Rfq | None, event: events.AnyEvent, at: datetime) -> Rfq:
    """Apply one journalled event. Raises ValueError for an event before ``RfqStarted``."""
    if isinstance(event, events.RfqStarted):
        lines = tuple(DealerLine(dealer_id=dealer, sequence=number) for number, dealer in enumerate(event.dealers, 1))
        return Rfq(started=event, started_at=at, lines=lines)
    if rfq is None:
        msg = f"the journal has {type(event).__name__} before the RFQ was started"
        raise ValueError(msg)
    match event:
        case events.DealerAsked() | events.DealerAnsweredWithout():
            rfq = _line_changed(rfq, event, at)
        case events.QuoteReceived() | events.QuoteWithdrawn():
            rfq = _quote_changed(rfq, event)
        case events.ExecutionRequested() | events.ExecutionReported() | events.ExecutionFailed() | events.ExecutionInDoubt():
            rfq = _attempt_changed(rfq, event, at)
        case events.AlertRaised():
            rfq = replace(rfq, alerts=(*rfq.alerts, Alert(at, event.message)))
        case events.ExecutionSettled():
            rfq = replace(rfq, settled=(*rfq.settled, event))
        case events.LoserTold():
            rfq = replace(rfq, told=(*rfq.told, event))
        case events.RfqClosed():
            rfq = replace(rfq, closed=event, closed_at=at)
    return rfq


def rebuild(history: list[events.Sealed]) -> Rfq | None:
    """Rebuild an RFQ from its events, oldest first; None where there are none."""
    return reduce(lambda rfq, sealed: evolve(rfq, sealed.event, sealed.at), history, None)


def _line_changed(rfq: Rfq, event: events.DealerAsked | events.DealerAnsweredWithout, at: datetime) -> Rfq:
    def changed(line: DealerLine) -> DealerLine:
        if line.dealer_id != event.dealer_id:
            return line
        if isinstance(event, events.DealerAsked):
            return replace(line, quote_req_id=event.quote_req_id, asked_at=at)
        return replace(line, response=event.response, responded_at=event.responded_at, reason=event.reason)

    return replace(rfq, lines=tuple(map(changed, rfq.lines)))


def _quote_changed(rfq: Rfq, event: events.QuoteReceived | events.QuoteWithdrawn) -> Rfq:
    if isinstance(event, events.QuoteWithdrawn):
        gone = tuple(replace(quote, withdrawn=event.reason) if quote.quote_id == event.quote_id else quote for quote in rfq.quotes)
        return replace(rfq, quotes=gone)
    quote = Quote(
        quote_id=event.quote_id,
        dealer_quote_id=event.dealer_quote_id,
        dealer_id=event.dealer_id,
        price=event.price,
        quantity=event.quantity,
        firm=event.firm,
        responded_at=event.responded_at,
        valid_until=event.valid_until,
    )
    lines = tuple(
        replace(line, response=Response.QUOTED, responded_at=line.responded_at or event.responded_at, reason=None)
        if line.dealer_id == event.dealer_id
        else line
        for line in rfq.lines
    )
    return replace(rfq, quotes=(*rfq.quotes, quote), lines=lines)


def _attempt_changed(
    rfq: Rfq,
    event: events.ExecutionRequested | events.ExecutionReported | events.ExecutionFailed | events.ExecutionInDoubt,
    at: datetime,
) -> Rfq:
    if isinstance(event, events.ExecutionRequested):
        attempt = Attempt(
            dealer_id=event.dealer_id,
            quote_id=event.quote_id,
            cl_ord_id=event.cl_ord_id,
            price=event.price,
            quantity=event.quantity,
            requested_by=event.requested_by,
            requested_at=at,
        )
        return replace(rfq, attempts=(*rfq.attempts, attempt))
    return replace(
        rfq, attempts=tuple(_with(event, item, rfq.active) if item.cl_ord_id == event.cl_ord_id else item for item in rfq.attempts)
    )


def _with(
    event: events.ExecutionReported | events.ExecutionFailed | events.ExecutionInDoubt, attempt: Attempt, active: Attempt | None
) -> Attempt:
    match event:
        case events.ExecutionFailed():
            return replace(attempt, fate=Fate.FAILED)
        case events.ExecutionInDoubt():
            return replace(attempt, fate=Fate.IN_DOUBT)
        case events.ExecutionReported():
            fill = Fill(
                dealer_id=event.dealer_id,
                exec_id=event.exec_id,
                price=event.price,
                quantity=event.quantity,
                executed_at=event.executed_at,
            )
            # A fill proves that the order lived, whatever was thought of it before; but one order at a time is under way.
            fate = Fate.PENDING if active in (None, attempt) else attempt.fate
            return replace(attempt, fills=(*attempt.fills, fill), fate=fate)
