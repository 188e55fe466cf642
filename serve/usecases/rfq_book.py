"""What the desk must find quickly, all of it from the journal: RFQs, their messages' identifiers, the day's notional."""

from datetime import date

from expectations.contracts import journal as events
from expectations.contracts.journal import Sealed
from serve.domain.limits import notional


class Book:
    """An index over the journal's events; ``apply`` takes each event once, old ones at the start and new ones as written."""

    def __init__(self) -> None:
        self.started: list[tuple[int, events.RfqStarted]] = []
        self.open: dict[str, events.RfqStarted] = {}
        self.halted = False
        self._rfq_of_recommendation: dict[str, str] = {}
        self._rfq_of_request: dict[str, str] = {}
        self._rfq_of_order: dict[str, str] = {}
        self._rfq_of_quote: dict[tuple[str, str], str] = {}
        self._traded: dict[date, float] = {}

    def apply(self, sealed: Sealed) -> None:
        """Take an event in."""
        match sealed.event:
            case events.RfqStarted() as event:
                self.started.append((sealed.seq, event))
                self.open[event.rfq_id] = event
                self._rfq_of_recommendation[event.recommendation_id] = event.rfq_id
            case events.DealerAsked() as event:
                self._rfq_of_request[event.quote_req_id] = event.rfq_id
            case events.QuoteReceived() as event:
                self._rfq_of_quote[event.dealer_id, event.dealer_quote_id] = event.rfq_id
            case events.ExecutionRequested() as event:
                self._rfq_of_order[event.cl_ord_id] = event.rfq_id
            case events.ExecutionReported() as event:
                day = sealed.at.date()
                self._traded[day] = self._traded.get(day, 0.0) + notional(event.quantity, event.price)
            case events.RfqClosed() as event:
                self.open.pop(event.rfq_id, None)
            case events.KillSwitchSet() as event:
                self.halted = event.on
            case _:
                pass

    def of_recommendation(self, recommendation_id: str) -> str | None:
        """Give the RFQ that a recommendation started."""
        return self._rfq_of_recommendation.get(recommendation_id)

    def of_message(self, dealer_id: str, quote_req_id: str | None, dealer_quote_id: str | None) -> str | None:
        """Find the RFQ of a dealer's message: by our request (131), then by the dealer's quote (117)."""
        by_request = self._rfq_of_request.get(quote_req_id or "")
        return by_request or self._rfq_of_quote.get((dealer_id, dealer_quote_id or ""))

    def of_order(self, cl_ord_id: str) -> str | None:
        """Find the RFQ of a hit or order."""
        return self._rfq_of_order.get(cl_ord_id)

    def day_notional(self, day: date) -> float:
        """Give the notional committed on a day: what traded, and what open RFQs may yet trade."""
        pending = sum(notional(event.quantity, event.arrival_mid) for event in self.open.values())
        return self._traded.get(day, 0.0) + pending

    def traded_notional(self, day: date) -> float:
        """Give the notional traded on a day."""
        return self._traded.get(day, 0.0)
