"""What passes between the desk and its dealers, free of any wire format: commands out, messages in.

Prices are clean, per 100 par; quantities are par in currency units; times are UTC on the desk's clock.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from expectations.contracts.vocabulary import Response, Side


class Told(StrEnum):
    """What a dealer who does not trade is told: it was the best loser, it lost, or nothing is done with its quote."""

    COVER = "cover"
    DONE_AWAY = "done_away"
    NOTHING_DONE = "pass"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The trade that is asked about. ``side`` is ours."""

    security_id: str
    cusip: str | None
    isin: str | None
    side: Side
    quantity: float
    currency: str
    account: str | None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something to send to one dealer, after its event stands in the journal."""

    rfq_id: str
    dealer_id: str
    terms: Terms


class Ask(Command, frozen=True, tag=True):
    """Ask for a quote, to be answered by ``expires_at``."""

    quote_req_id: str
    asked_at: datetime
    expires_at: datetime


class Hit(Command, frozen=True, tag=True):
    """Trade against a quote: ``quantity`` of it at ``price``. Sent at most once per ``cl_ord_id``."""

    quote_req_id: str
    dealer_quote_id: str
    cl_ord_id: str
    price: float
    quantity: float
    requested_at: datetime


class TellLoser(Command, frozen=True, tag=True):
    """Tell a dealer what became of its quote."""

    quote_req_id: str
    dealer_quote_id: str
    told: Told
    told_at: datetime


class AskOrderStatus(Command, frozen=True, tag=True):
    """Ask what became of an order whose fate is unknown."""

    cl_ord_id: str


AnyCommand = Ask | Hit | TellLoser | AskOrderStatus


class FromDealer(msgspec.Struct, frozen=True, kw_only=True):
    """A message in. ``raw`` is the message as it came; identifiers that the dealer left out are None."""

    dealer_id: str
    raw: str = ""


class Instrument(FromDealer, frozen=True, kw_only=True):
    """What a message says it is about; None or nothing where it does not say. ``our_side`` is ours."""

    our_side: Side | None = None
    security_ids: tuple[str, ...] = ()
    currency: str | None = None

    def contradicts(self, terms: Terms) -> str | None:
        """Say in what it contradicts what we asked; None = in nothing."""
        if self.our_side not in (None, terms.side):
            return f"for a client that {self.our_side}S, we {terms.side}"
        if self.security_ids and not {terms.security_id, terms.cusip, terms.isin} & set(self.security_ids):
            return f"for {', '.join(self.security_ids)}, not for {terms.security_id}"
        if self.currency not in (None, terms.currency):
            return f"in {self.currency}, not in {terms.currency}"
        return None


class DealerQuote(Instrument, frozen=True):
    """A price. ``bid`` and ``offer`` are the dealer's; ``price`` stands for either.

    ``quantity`` None = all that was asked, 0 = none.
    """

    quote_req_id: str | None
    dealer_quote_id: str
    bid: float | None = None
    offer: float | None = None
    price: float | None = None
    bid_quantity: float | None = None
    offer_quantity: float | None = None
    quantity: float | None = None
    firm: bool = True
    valid_until: datetime | None = None

    def price_for(self, side: Side) -> float | None:
        """Give the price at which we trade: the dealer's offer when we buy, its bid when we sell."""
        own = self.offer if side is Side.BUY else self.bid
        return own if own is not None else self.price

    def quantity_for(self, side: Side) -> float | None:
        """Give the size of that price."""
        own = self.offer_quantity if side is Side.BUY else self.bid_quantity
        return own if own is not None else self.quantity


class DealerPassed(FromDealer, frozen=True):
    """No price from this dealer: declined, or the request was rejected."""

    quote_req_id: str | None
    dealer_quote_id: str | None
    response: Response
    reason: str


class DealerWithdrew(FromDealer, frozen=True):
    """A quote taken back. ``dealer_quote_id`` None = whatever this dealer quoted."""

    quote_req_id: str | None
    dealer_quote_id: str | None
    reason: str


class DealerFilled(Instrument, frozen=True):
    """A fill. ``quantity`` is of this report, ``cumulative`` of the whole order, None where not given.

    ``is_status``: the report tells of the order as a whole and repeats what may be known; ``average`` is then its price over all
    that traded, None where not given. ``done``: nothing more will come.
    """

    cl_ord_id: str
    exec_id: str
    price: float
    quantity: float
    cumulative: float | None
    executed_at: datetime | None
    done: bool
    is_status: bool = False
    average: float | None = None


class DealerRefusedOrder(FromDealer, frozen=True):
    """The hit or order did not trade, or what was left of it never will.

    ``certain`` False = once the dealer was asked, the report may as well be its answer, and then says nothing of the order's fate.
    """

    cl_ord_id: str
    exec_id: str
    reason: str
    certain: bool = True


class OrderUnknown(FromDealer, frozen=True):
    """Asked about a hit or order, the dealer does not know it or has it as rejected: whether it traded is still open."""

    cl_ord_id: str
    reason: str


class TradeQuestioned(FromDealer, frozen=True):
    """A fill was cancelled or corrected by the dealer: a person must look."""

    cl_ord_id: str
    reason: str


class SessionChanged(FromDealer, frozen=True):
    """A dealer's session became usable, or was lost."""

    ready: bool


class Unreadable(FromDealer, frozen=True):
    """A message that could not be understood, with the reason. ``session`` names where it came from."""

    session: str
    reason: str


AnyFromDealer = (
    DealerQuote
    | DealerPassed
    | DealerWithdrew
    | DealerFilled
    | DealerRefusedOrder
    | OrderUnknown
    | TradeQuestioned
    | SessionChanged
    | Unreadable
)
