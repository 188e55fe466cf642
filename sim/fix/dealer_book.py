"""One simulated dealer: what it does with each message, and when. No sockets, no threads, no wall clock."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sim.fix import fields as tags
from sim.fix import replies, reports
from sim.fix.fields import Outgoing
from sim.fix.fills import Fill, FillBook
from sim.fix.inquiry import Inquiry, RefusedError, read_inquiry
from sim.fix.model import conduct, quote_at, size_bucket
from sim.fix.scripts import Action, DeclineBy, OnHit, Script, Scripts, Via, script_for
from sim.traits import CLASS_NAMES, CLASSES
from sim.world import TrueBond, TrueDealer, World


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be sent when the desk's clock reads ``at``."""

    at: datetime
    message: Outgoing


@dataclass(slots=True)
class _Shown:
    """A quote that stands, fell or was taken."""

    inquiry: Inquiry
    script: Script
    price: float
    quantity: float
    at: datetime
    until: datetime | None
    withdrawn_at: datetime | None


class DealerBook:
    """The dealer's quotes and fills. ``handle`` takes a message and the desk's time and gives what is to be sent, and when.

    ``prefix`` makes this run's identifiers unlike those of any other.
    """

    def __init__(self, world: World, dealer: TrueDealer, fills: FillBook, scripts: Scripts, prefix: str) -> None:
        self.dealer = dealer
        self.told: list[tuple[str, str]] = []
        self._world, self._fills, self._scripts = world, fills, scripts
        self._quotes: dict[str, _Shown] = {}
        self._requests: Counter[tuple[str, int, int]] = Counter()
        self._seen = 0
        self._ids: Iterator[str] = (f"{dealer.dealer_id}-{prefix}-{number}" for number in count(1))
        self._handlers: dict[str, Callable[[dict[int, str], datetime], list[Due]]] = {
            tags.QUOTE_REQUEST: self._asked,
            tags.QUOTE_RESPONSE: self._answered,
            tags.NEW_ORDER: self._ordered,
            tags.ORDER_STATUS_REQUEST: self._questioned,
        }

    def handle(self, message: dict[int, str], now: datetime) -> list[Due]:
        """Take one message; ``now`` is the desk's time. A message of another type is passed over."""
        handler = self._handlers.get(message.get(tags.MSG_TYPE, ""))
        return handler(message, now) if handler else []

    def _asked(self, message: dict[int, str], now: datetime) -> list[Due]:
        request = message.get(tags.QUOTE_REQ_ID, "")
        try:
            inquiry = read_inquiry(message)
            scripted = script_for(self._scripts, self.dealer.dealer_id, self._seen)
            bond = self._bond(inquiry, limited=scripted is None)
        except RefusedError as refusal:
            identifier = message.get(tags.SECURITY_ID, "")
            return [Due(now, replies.request_rejected(request, identifier, refusal.reason, str(refusal)))] if request else []
        self._seen += 1
        script = scripted or self._conduct(bond, inquiry)
        at = inquiry.asked_at + timedelta(seconds=script.after_s)
        if script.action == Action.SILENT or (inquiry.expires and at > inquiry.expires and not script.even_late):
            return []
        if script.action == Action.QUOTE:
            return self._quote(bond, inquiry, script, at)
        return [Due(at, self._refusal(inquiry, script, at))]

    def _bond(self, inquiry: Inquiry, *, limited: bool) -> TrueBond:
        bond = self._world.bond(inquiry.identifier)
        if bond is None:
            raise RefusedError(tags.UNKNOWN_SYMBOL, f"unknown security {inquiry.identifier}")
        if limited and inquiry.quantity * bond.mid / 100 > self.dealer.credit_limit:
            raise RefusedError(tags.LIMIT_EXCEEDED, "above our limit for this client")
        return bond

    def _conduct(self, bond: TrueBond, inquiry: Inquiry) -> Script:
        # Asking again is another draw, but the same one in every run.
        key = (bond.security_id, inquiry.direction, size_bucket(inquiry.quantity))
        nth = self._requests[key]
        self._requests[key] += 1
        return conduct(self._world, self.dealer, bond, inquiry, nth)

    def _refusal(self, inquiry: Inquiry, script: Script, at: datetime) -> Outgoing:
        if script.action == Action.REJECT:
            return replies.request_rejected(inquiry.quote_req_id, inquiry.identifier, script.reason, "cannot quote")
        if script.decline_by == DeclineBy.REQUEST_REJECT:
            return replies.request_rejected(inquiry.quote_req_id, inquiry.identifier, tags.NO_INTEREST, "pass")
        return replies.passed(inquiry, next(self._ids), at)

    def _quote(self, bond: TrueBond, inquiry: Inquiry, script: Script, at: datetime) -> list[Due]:
        quote_id = next(self._ids)
        price = script.price if script.price is not None else self._fair_price(bond, inquiry)
        size = script.quantity if script.quantity is not None else inquiry.quantity
        until = at + timedelta(seconds=script.valid_s) if script.valid_s is not None else None
        gone = at + timedelta(seconds=script.withdraw_after_s) if script.withdraw_after_s is not None else None
        self._quotes[quote_id] = _Shown(inquiry, script, price, size, at, until, gone)
        write = replies.counter if script.via == Via.COUNTER else replies.quote
        due = [Due(at, write(inquiry, quote_id, (price, size), firm=script.firm, at=at, until=until))]
        return due if gone is None else [*due, Due(gone, replies.withdrawn(inquiry, quote_id))]

    def _fair_price(self, bond: TrueBond, inquiry: Inquiry) -> float:
        usual = CLASSES[CLASS_NAMES.index(bond.scorecard_class)].size
        return quote_at(bond, inquiry.direction, inquiry.quantity / usual, self.dealer.cost_hs[bond.scorecard_class])

    def _answered(self, message: dict[int, str], now: datetime) -> list[Due]:
        kind = message.get(tags.QUOTE_RESP_TYPE, "")
        if kind == tags.HIT_OR_LIFT:
            return self._ordered(message, now)
        if kind in {tags.COVER, tags.DONE_AWAY}:
            self.told.append((message.get(tags.QUOTE_ID, ""), kind))
        return []

    def _ordered(self, message: dict[int, str], now: datetime) -> list[Due]:
        cl_ord_id, quote_id = message.get(tags.CL_ORD_ID, ""), message.get(tags.QUOTE_ID, "")
        earlier = self._fills.find(self.dealer.dealer_id, cl_ord_id)
        if earlier is not None:
            return [Due(now, reports.filled(earlier))]
        shown = self._quotes.get(quote_id)
        fault = self._fault(message, shown, quote_id, now)
        if fault or shown is None:
            return [Due(now, reports.refused(message, next(self._ids), now, fault or "unknown quote"))]
        return self._fill(shown, message, now)

    def _fault(self, message: dict[int, str], shown: _Shown | None, quote_id: str, now: datetime) -> str | None:
        """Say why an order cannot be filled; ``None`` when it can."""
        if shown is None or now < shown.at:
            return "unknown quote"
        faults = (
            (not message.get(tags.CL_ORD_ID), "no client order id"),
            (shown.script.on_hit == OnHit.REFUSE, "no longer there"),
            (self._fills.quote_taken(self.dealer.dealer_id, quote_id), "quote already traded"),
            (shown.until is not None and now > shown.until, "quote expired"),
            (shown.withdrawn_at is not None and now >= shown.withdrawn_at, "quote withdrawn"),
        )
        return next((text for holds, text in faults if holds), None) or _mismatch(message, shown)

    def _fill(self, shown: _Shown, message: dict[int, str], now: datetime) -> list[Due]:
        conduct_ = shown.script.on_hit
        if conduct_ == OnHit.IGNORE:
            return []
        at = now + timedelta(seconds=shown.script.fill_after_s)
        fill = Fill(
            dealer_id=self.dealer.dealer_id,
            cl_ord_id=message[tags.CL_ORD_ID],
            order_id=next(self._ids),
            exec_id=next(self._ids),
            quote_id=message[tags.QUOTE_ID],
            quote_req_id=shown.inquiry.quote_req_id,
            identifier=shown.inquiry.identifier,
            id_source=shown.inquiry.id_source,
            side=shown.inquiry.side,
            price=shown.price,
            quantity=float(message.get(tags.ORDER_QTY, shown.quantity)),
            at=tags.timestamp(at),
            party_id=self.dealer.party_id,
        )
        self._fills.add(fill)
        copies = {OnHit.FILL_SILENTLY: 0, OnHit.REPORT_TWICE: 2}.get(conduct_, 1)
        return [Due(at, reports.filled(fill))] * copies

    def _questioned(self, message: dict[int, str], now: datetime) -> list[Due]:
        fill = self._fills.find(self.dealer.dealer_id, message.get(tags.CL_ORD_ID, ""))
        if fill is not None:
            return [Due(now, reports.status_of(fill))]
        return [Due(now, reports.refused(message, next(self._ids), now, "unknown order", asked=True))]


def _mismatch(message: dict[int, str], shown: _Shown) -> str | None:
    """Say where an order departs from the quote it takes; what it leaves out it accepts."""
    if message.get(tags.MSG_TYPE) == tags.NEW_ORDER and message.get(tags.ORD_TYPE) != tags.PREVIOUSLY_QUOTED:
        return "only previously quoted orders (40=D)"
    if message.get(tags.SIDE, shown.inquiry.side) != shown.inquiry.side:
        return "side is not the quote's"
    try:
        price = float(message.get(tags.PRICE, shown.price))
        size = float(message.get(tags.ORDER_QTY, shown.quantity))
    except ValueError:
        return "price or size is not a number"
    if abs(price - shown.price) > 1e-6:
        return "price is not the quote's"
    return None if 0 < size <= shown.quantity else "size is beyond the quote's"
