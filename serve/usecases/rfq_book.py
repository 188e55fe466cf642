"""What the desk must find quickly, all of it from the journal: RFQs, their messages' identifiers, the day's notional."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from expectations.contracts import journal as events
from expectations.contracts.journal import Sealed
from serve.domain.limits import notional


@dataclass(slots=True)
class Order:
    """What a hit or order may yet trade, as far as no report has told; ``alive`` False = it was refused or never sent."""

    rfq_id: str
    quantity: float = 0.0
    price: float = 100.0
    alive: bool = True

    @property
    def notional(self) -> float:
        """Give the money value of what may yet trade."""
        return notional(max(self.quantity, 0.0), self.price) if self.alive else 0.0


class Book:
    """An index over the journal's events; ``apply`` takes each event once, old ones at the start and new ones as written.

    What is being written counts as well, so that of two starts or orders at once the second sees the first.
    """

    def __init__(self) -> None:
        self.started: list[tuple[int, events.RfqStarted]] = []
        self.open: dict[str, events.RfqStarted] = {}
        self.halted = False
        self._rfq_of_recommendation: dict[str, str] = {}
        self._rfq_of_request: dict[str, str] = {}
        self._rfq_of_order: dict[str, str] = {}
        self._rfq_of_quote: dict[tuple[str, str], str] = {}
        self._traded: dict[date, float] = {}
        self._orders: dict[str, Order] = {}
        self._starting: dict[str, events.RfqStarted] = {}
        self._ordering: dict[str, Order] = {}

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
                self._orders[event.cl_ord_id] = Order(event.rfq_id, event.quantity, event.price)
            case events.ExecutionReported() as event:
                day = sealed.at.date()
                self._traded[day] = self._traded.get(day, 0.0) + notional(event.quantity, event.price)
                if order := self._orders.get(event.cl_ord_id):
                    order.quantity, order.alive = order.quantity - event.quantity, True
            case events.ExecutionFailed() as event:
                if order := self._orders.get(event.cl_ord_id):
                    order.alive = False
            case events.RfqClosed() as event:
                self.open.pop(event.rfq_id, None)
                self._orders = {name: order for name, order in self._orders.items() if order.rfq_id != event.rfq_id}
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
        pending = sum(notional(event.quantity, event.arrival_mid) for event in (self.open | self._starting).values())
        return self._traded.get(day, 0.0) + pending

    def committed_notional(self, day: date) -> float:
        """Give the notional traded on a day, and what orders under way or in doubt may yet trade."""
        return self._traded.get(day, 0.0) + sum(order.notional for order in (self._ordering | self._orders).values())

    @property
    def open_rfqs(self) -> int:
        """Count the open RFQs."""
        return len(self.open | self._starting)

    @contextmanager
    def starting(self, event: events.RfqStarted) -> Iterator[None]:
        """Count an RFQ while its start is being written."""
        self._starting[event.rfq_id] = event
        try:
            yield
        finally:
            self._starting.pop(event.rfq_id, None)

    @contextmanager
    def ordering(self, cl_ord_id: str, order: Order) -> Iterator[None]:
        """Count an order while its request is being written."""
        self._ordering[cl_ord_id] = order
        try:
            yield
        finally:
            self._ordering.pop(cl_ord_id, None)
