"""FIX 4.4 messages from dealers as the desk understands them: S, AJ, AG, AI, Z, 8 and j, one pure function each."""

from collections.abc import Callable

from expectations.contracts.vocabulary import Response
from serve.adapters.fix.parts import instrument, is_firm, par, percent_of_par
from serve.adapters.fix.venue import Venue
from serve.adapters.fix.wire import SOH, MalformedError, needed, number, parse, price, time
from serve.domain import dealing
from serve.domain.dealing import AnyFromDealer

_COUNTER, _EXPIRED = "2", "3"
_REMOVED, _QUOTE_EXPIRED = "6", "7"
_ACKNOWLEDGED = frozenset({"0", "10"})
_ALL_QUOTES = frozenset({"*", "0", "NONE", "[N/A]"})
_TRADE, _STATUS = frozenset({"F", "1", "2"}), "I"
_OVER = {"8": "rejected", "4": "cancelled", "C": "expired", "3": "done for the day"}
_REJECTED, _UNKNOWN_ORDER = "8", "5"
_QUESTIONED = {"H": "trade cancelled", "G": "trade corrected"}


def decode(raw: str, dealer_id: str, venue: Venue) -> AnyFromDealer | None:
    """Read a message; None for a mere acknowledgement. Raises MalformedError for what makes no sense."""
    tags = parse(raw)
    kind = needed(tags, 35, "MsgType")
    reader = _READERS.get(kind)
    if reader is None:
        msg = f"message type {kind} is not one a dealer sends in an RFQ"
        raise MalformedError(msg)
    return reader(tags, raw.replace(SOH, "|"), dealer_id, venue)


def quote(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue) -> dealing.DealerQuote:
    """Read Quote (S): price from 132/133, else 44; a price of 0 is no price."""
    return _quote(tags, raw, dealer_id, venue, needed(tags, 117, "QuoteID"))


def quote_response(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue) -> AnyFromDealer:
    """Read QuoteResponse (AJ) from a dealer: a counter is a price, an expiry takes a quote back, a pass is a pass."""
    kind = needed(tags, 694, "QuoteRespType")
    if kind in venue.pass_response_types:
        return _passed(tags, raw, dealer_id, Response.DECLINED, "passed")
    if kind == _COUNTER:
        return _quote(tags, raw, dealer_id, venue, tags.get(117) or needed(tags, 693, "QuoteRespID"))
    if kind == _EXPIRED:
        return _withdrew(tags, raw, dealer_id, "expired, says its dealer")
    msg = f"QuoteRespType (694) {kind} from a dealer has no meaning at {venue.venue}"
    raise MalformedError(msg)


def quote_request_reject(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue) -> dealing.DealerPassed:
    """Read QuoteRequestReject (AG): the venue's pass reasons are a decline, the others a rejection."""
    needed(tags, 131, "QuoteReqID")
    reason = needed(tags, 658, "QuoteRequestRejectReason")
    response = Response.DECLINED if reason in venue.pass_reasons else Response.REJECTED
    return _passed(tags, raw, dealer_id, response, f"request rejected, reason {reason}")


def quote_status_report(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue) -> AnyFromDealer | None:
    """Read QuoteStatusReport (AI): an acknowledgement, a pass, a rejection, or a quote that is gone."""
    status = tags.get(297)
    if status is None or status in _ACKNOWLEDGED:
        return None
    if status in venue.pass_statuses:
        return _passed(tags, raw, dealer_id, Response.DECLINED, "passed")
    if status in (_REMOVED, _QUOTE_EXPIRED):
        return _withdrew(tags, raw, dealer_id, "removed" if status == _REMOVED else "expired")
    return _passed(tags, raw, dealer_id, Response.REJECTED, f"quote status {status}")


def quote_cancel(tags: dict[int, str], raw: str, dealer_id: str, _: Venue) -> dealing.DealerWithdrew:
    """Read QuoteCancel (Z)."""
    needed(tags, 117, "QuoteID")
    return _withdrew(tags, raw, dealer_id, "cancelled")


def execution_report(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue) -> AnyFromDealer | None:
    """Read ExecutionReport (8): a fill, an end without one, a status, or a trade questioned; None while it is working."""
    kind, status = needed(tags, 150, "ExecType"), needed(tags, 39, "OrdStatus")
    order = tags.get(11) or needed(tags, 693, "QuoteRespID")
    if kind in _QUESTIONED:
        return dealing.TradeQuestioned(dealer_id=dealer_id, raw=raw, cl_ord_id=order, reason=tags.get(58) or _QUESTIONED[kind])
    if kind in _TRADE:
        return _fill(tags, raw, dealer_id, venue, order)
    over = _OVER.get(kind) or (_OVER.get(status) if kind == _STATUS else None)
    if number(tags, 14) and (over or kind == _STATUS):
        return _standing(tags, raw, dealer_id, venue, order)
    if over is None:
        return None
    if tags.get(103) == _UNKNOWN_ORDER or (kind == _STATUS and status == _REJECTED):
        return dealing.OrderUnknown(dealer_id=dealer_id, raw=raw, cl_ord_id=order, reason=tags.get(58) or "unknown order")
    return dealing.DealerRefusedOrder(
        dealer_id=dealer_id,
        raw=raw,
        cl_ord_id=order,
        exec_id=needed(tags, 17, "ExecID"),
        reason=tags.get(58) or over,
        # Some dealers answer a status request with 150=8, so once they were asked it says nothing of the order.
        certain=kind != _REJECTED,
    )


def business_reject(tags: dict[int, str], raw: str, dealer_id: str, _: Venue) -> AnyFromDealer:
    """Read BusinessMessageReject (j) of our request, hit, order or status request, named by 379."""
    kind, reference = needed(tags, 372, "RefMsgType"), needed(tags, 379, "BusinessRejectRefID")
    reason = tags.get(58) or f"business reject {tags.get(380, '')}".strip()
    if kind == "R":
        return dealing.DealerPassed(
            dealer_id=dealer_id, raw=raw, quote_req_id=reference, dealer_quote_id=None, response=Response.REJECTED, reason=reason
        )
    if kind in {"AJ", "D"}:
        return dealing.DealerRefusedOrder(
            dealer_id=dealer_id, raw=raw, cl_ord_id=reference, exec_id=f"j-{reference}", reason=reason
        )
    if kind == "H":
        return dealing.OrderUnknown(dealer_id=dealer_id, raw=raw, cl_ord_id=reference, reason=reason)
    msg = f"our message of type {kind} was rejected: {reason}"
    raise MalformedError(msg)


def _quote(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue, quote_id: str) -> dealing.DealerQuote:
    percent_of_par(tags)
    prices = {tag: price(tags, tag) for tag in (132, 133, 44)}
    if not any(prices.values()):
        msg = "there is no price in 132, 133 or 44"
        raise MalformedError(msg)
    return dealing.DealerQuote(
        dealer_id=dealer_id,
        raw=raw,
        quote_req_id=tags.get(131),
        dealer_quote_id=quote_id,
        bid=prices[132],
        offer=prices[133],
        price=prices[44],
        bid_quantity=par(tags, 134, venue),
        offer_quantity=par(tags, 135, venue),
        quantity=par(tags, 38, venue),
        firm=is_firm(tags, venue),
        valid_until=time(tags, 62),
        **instrument(tags, venue.quote_side),
    )


def _fill(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue, order: str) -> dealing.DealerFilled:
    percent_of_par(tags)
    paid, quantity = price(tags, 31), par(tags, 32, venue)
    if paid is None or not quantity:
        msg = "a trade without LastPx (31) or LastQty (32)"
        raise MalformedError(msg)
    return dealing.DealerFilled(
        dealer_id=dealer_id,
        raw=raw,
        cl_ord_id=order,
        exec_id=needed(tags, 17, "ExecID"),
        price=paid,
        quantity=quantity,
        # A report of a trade with a total of 0 comes from a venue that keeps no total.
        cumulative=par(tags, 14, venue) or None,
        executed_at=time(tags, 60),
        done=tags.get(39) == "2",
        **instrument(tags, venue.request_side),
    )


def _standing(tags: dict[int, str], raw: str, dealer_id: str, venue: Venue, order: str) -> dealing.DealerFilled:
    percent_of_par(tags)
    paid, cumulative = price(tags, 6) or price(tags, 31), par(tags, 14, venue)
    if paid is None or cumulative is None:
        msg = "an order said to have traded, without AvgPx (6) or CumQty (14)"
        raise MalformedError(msg)
    return dealing.DealerFilled(
        dealer_id=dealer_id,
        raw=raw,
        cl_ord_id=order,
        exec_id=needed(tags, 17, "ExecID"),
        price=paid,
        quantity=cumulative,
        cumulative=cumulative,
        executed_at=time(tags, 60),
        done=tags.get(39) in {"2", *_OVER} and (tags.get(150), tags.get(39)) != (_STATUS, _REJECTED),
        is_status=True,
        average=price(tags, 6),
        **instrument(tags, venue.request_side),
    )


def _passed(tags: dict[int, str], raw: str, dealer_id: str, response: Response, reason: str) -> dealing.DealerPassed:
    return dealing.DealerPassed(
        dealer_id=dealer_id,
        raw=raw,
        quote_req_id=tags.get(131),
        dealer_quote_id=tags.get(117),
        response=response,
        reason=tags.get(58) or reason,
    )


def _withdrew(tags: dict[int, str], raw: str, dealer_id: str, reason: str) -> dealing.DealerWithdrew:
    named = tags.get(117)
    return dealing.DealerWithdrew(
        dealer_id=dealer_id,
        raw=raw,
        quote_req_id=tags.get(131),
        dealer_quote_id=None if named in _ALL_QUOTES else named,
        reason=tags.get(58) or reason,
    )


_READERS: dict[str, Callable[[dict[int, str], str, str, Venue], AnyFromDealer | None]] = {
    "S": quote,
    "AJ": quote_response,
    "AG": quote_request_reject,
    "AI": quote_status_report,
    "Z": quote_cancel,
    "8": execution_report,
    "j": business_reject,
}
