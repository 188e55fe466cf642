"""One RFQ as a value: who was asked, what came back, what was hit."""

from datetime import datetime
from enum import StrEnum

import msgspec

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Response
from serve.domain.dealing import Terms

# Par amounts are whole cents at the finest.
QUANTITY_STEP = 0.01


class RfqState(StrEnum):
    """Where an RFQ stands, as a trader sees it."""

    OPEN = "OPEN"
    QUOTED = "QUOTED"
    AWAITING_TRADER = "AWAITING_TRADER"
    EXECUTING = "EXECUTING"
    IN_DOUBT = "IN_DOUBT"
    EXECUTED = "EXECUTED"
    NOT_TRADED = "NOT_TRADED"
    CANCELLED = "CANCELLED"


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer's price. ``withdrawn`` says why it is gone; None = alive as far as is known."""

    quote_id: str
    dealer_quote_id: str
    dealer_id: str
    price: float
    quantity: float
    firm: bool
    responded_at: datetime
    valid_until: datetime | None
    withdrawn: str | None = None


class DealerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One dealer within the RFQ. ``asked_at`` None = not asked (yet, or ever: ``response`` then tells why)."""

    dealer_id: str
    sequence: int
    quote_req_id: str | None = None
    asked_at: datetime | None = None
    response: Response | None = None
    responded_at: datetime | None = None
    reason: str | None = None

    @property
    def waiting(self) -> bool:
        """Say whether an answer is still due."""
        return self.asked_at is not None and self.response is None

    @property
    def untouched(self) -> bool:
        """Say whether this dealer knows nothing of the RFQ and was not passed over."""
        return self.asked_at is None and self.response is None


class Fate(StrEnum):
    """What became of a hit or order."""

    PENDING = "PENDING"
    IN_DOUBT = "IN_DOUBT"
    FAILED = "FAILED"


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a trade."""

    dealer_id: str
    exec_id: str
    price: float
    quantity: float
    executed_at: datetime


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One click: what was sent, and what came of it."""

    dealer_id: str
    quote_id: str
    cl_ord_id: str
    price: float
    quantity: float
    requested_by: str
    requested_at: datetime
    fate: Fate = Fate.PENDING
    fills: tuple[Fill, ...] = ()

    @property
    def filled(self) -> float:
        """Give the par amount traded so far."""
        return sum(fill.quantity for fill in self.fills)

    @property
    def average_price(self) -> float:
        """Give the price over all fills, weighed by quantity; only where there are any."""
        return self._cash / self.filled

    def price_of_rest(self, average: float, total: float) -> float:
        """Give the price of what is not known yet, where all ``total`` of the order traded at ``average``."""
        return round((average * total - self._cash) / (total - self.filled), 8)

    @property
    def _cash(self) -> float:
        return sum(fill.price * fill.quantity for fill in self.fills)


class Alert(msgspec.Struct, frozen=True):
    """Something a trader must see."""

    at: datetime
    message: str


class Rfq(msgspec.Struct, frozen=True, kw_only=True):
    """One RFQ. Immutable: every event gives a new value."""

    started: events.RfqStarted
    started_at: datetime
    lines: tuple[DealerLine, ...]
    quotes: tuple[Quote, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    alerts: tuple[Alert, ...] = ()
    settled: tuple[events.ExecutionSettled, ...] = ()
    told: tuple[events.LoserTold, ...] = ()
    closed: events.RfqClosed | None = None
    closed_at: datetime | None = None

    @property
    def rfq_id(self) -> str:
        """Name the RFQ."""
        return self.started.rfq_id

    @property
    def terms(self) -> Terms:
        """Give what is asked about."""
        start = self.started
        return Terms(
            security_id=start.security_id,
            cusip=start.cusip,
            isin=start.isin,
            side=start.side,
            quantity=start.quantity,
            currency=start.currency,
            account=start.account,
        )

    @property
    def active(self) -> Attempt | None:
        """Give the hit or order under way or in doubt: one at the most."""
        return next((item for item in self.attempts if item.fate is not Fate.FAILED and not self.closed), None)

    @property
    def traded(self) -> tuple[Attempt, ...]:
        """Give the attempts that traded."""
        return tuple(item for item in self.attempts if item.fills)

    @property
    def left(self) -> float:
        """Give the par amount that no fill has taken yet, whichever order it came by; never below 0."""
        return max(self.started.quantity - sum(item.filled for item in self.attempts), 0.0)

    def line(self, dealer_id: str) -> DealerLine | None:
        """Find a dealer's line."""
        return next((line for line in self.lines if line.dealer_id == dealer_id), None)

    def attempt(self, cl_ord_id: str) -> Attempt | None:
        """Find a hit or order by our name of it."""
        return next((item for item in self.attempts if item.cl_ord_id == cl_ord_id), None)

    def quote(self, quote_id: str) -> Quote | None:
        """Find a quote, alive or not."""
        return next((quote for quote in self.quotes if quote.quote_id == quote_id), None)

    def live_quotes(self) -> tuple[Quote, ...]:
        """Give the quotes that nobody has withdrawn."""
        return tuple(quote for quote in self.quotes if quote.withdrawn is None)
