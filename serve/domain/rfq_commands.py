"""The command that each journalled event stands for: sent after the event is written, never without it."""

from datetime import datetime, timedelta

from expectations.contracts import journal as events
from serve.domain import dealing
from serve.domain.dealing import AnyCommand, Told
from serve.domain.rfq import Attempt, Rfq


def command_for(rfq: Rfq, event: events.AnyEvent, now: datetime) -> AnyCommand | None:
    """Give what an event of ``rfq`` sends; None for an event that only records."""
    match event:
        case events.DealerAsked():
            return _ask(rfq, event, now)
        case events.ExecutionRequested():
            return _hit(rfq, event, now)
        case events.LoserTold():
            return _tell_loser(rfq, event, now)
        case events.ExecutionInDoubt():
            return _ask_status(rfq, event.dealer_id, event.cl_ord_id)
    return None


def status_of(rfq: Rfq, attempt: Attempt) -> dealing.AskOrderStatus:
    """Build the question about an order in doubt."""
    return _ask_status(rfq, attempt.dealer_id, attempt.cl_ord_id)


def _ask_status(rfq: Rfq, dealer_id: str, cl_ord_id: str) -> dealing.AskOrderStatus:
    return dealing.AskOrderStatus(rfq_id=rfq.rfq_id, dealer_id=dealer_id, terms=rfq.terms, cl_ord_id=cl_ord_id)


def _ask(rfq: Rfq, event: events.DealerAsked, now: datetime) -> dealing.Ask:
    return dealing.Ask(
        rfq_id=rfq.rfq_id,
        dealer_id=event.dealer_id,
        terms=rfq.terms,
        quote_req_id=event.quote_req_id,
        asked_at=now,
        expires_at=now + timedelta(seconds=rfq.started.timeout_s),
    )


def _hit(rfq: Rfq, event: events.ExecutionRequested, now: datetime) -> dealing.Hit:
    return dealing.Hit(
        rfq_id=rfq.rfq_id,
        dealer_id=event.dealer_id,
        terms=rfq.terms,
        quote_req_id=_quote_req_id(rfq, event.dealer_id),
        dealer_quote_id=_dealer_quote_id(rfq, event.quote_id),
        cl_ord_id=event.cl_ord_id,
        price=event.price,
        quantity=event.quantity,
        requested_at=now,
    )


def _tell_loser(rfq: Rfq, event: events.LoserTold, now: datetime) -> dealing.TellLoser:
    return dealing.TellLoser(
        rfq_id=rfq.rfq_id,
        dealer_id=event.dealer_id,
        terms=rfq.terms,
        quote_req_id=_quote_req_id(rfq, event.dealer_id),
        dealer_quote_id=_dealer_quote_id(rfq, event.quote_id),
        told=Told(event.told),
        told_at=now,
    )


def _quote_req_id(rfq: Rfq, dealer_id: str) -> str:
    line = rfq.line(dealer_id)
    return (line.quote_req_id if line else None) or ""


def _dealer_quote_id(rfq: Rfq, quote_id: str) -> str:
    quote = rfq.quote(quote_id)
    return quote.dealer_quote_id if quote else ""
