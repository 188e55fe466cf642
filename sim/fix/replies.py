"""The dealers' messages, one pure function each."""

from datetime import datetime

from sim.fix import fields as tags
from sim.fix.fields import Group, Outgoing
from sim.fix.inquiry import Inquiry


def _instrument(inquiry: Inquiry) -> tuple[tuple[int, str], ...]:
    source = ((tags.SECURITY_ID_SOURCE, inquiry.id_source),) if inquiry.id_source else ()
    return ((tags.SYMBOL, "[N/A]"), (tags.SECURITY_ID, inquiry.identifier), *source)


def quote(
    inquiry: Inquiry, quote_id: str, terms: tuple[float, float], *, firm: bool, at: datetime, until: datetime | None
) -> Outgoing:
    """Write a Quote; ``terms`` are price and size. A client that buys sees an offer, one that sells a bid."""
    price, size = terms
    buys = inquiry.direction > 0
    return Outgoing(
        tags.QUOTE,
        (
            (tags.QUOTE_ID, quote_id),
            (tags.QUOTE_REQ_ID, inquiry.quote_req_id),
            (tags.QUOTE_TYPE, tags.TRADEABLE if firm else tags.INDICATIVE),
            *_instrument(inquiry),
            (tags.SIDE, inquiry.side),
            (tags.ORDER_QTY, tags.plain(inquiry.quantity)),
            (tags.OFFER_PX if buys else tags.BID_PX, tags.plain(price)),
            (tags.OFFER_SIZE if buys else tags.BID_SIZE, tags.plain(size)),
            *(((tags.VALID_UNTIL, tags.timestamp(until)),) if until else ()),
            (tags.TRANSACT_TIME, tags.timestamp(at)),
            (tags.PRICE_TYPE, tags.PERCENT_OF_PAR),
        ),
    )


def counter(
    inquiry: Inquiry, quote_id: str, terms: tuple[float, float], *, firm: bool, at: datetime, until: datetime | None
) -> Outgoing:
    """Write a QuoteResponse that carries the price (694=2), as some venues do instead of a Quote; 131 ties it to the request."""
    price, size = terms
    return Outgoing(
        tags.QUOTE_RESPONSE,
        (
            (tags.QUOTE_RESP_ID, f"{quote_id}-R"),
            (tags.QUOTE_ID, quote_id),
            (tags.QUOTE_REQ_ID, inquiry.quote_req_id),
            (tags.QUOTE_RESP_TYPE, tags.COUNTER),
            (tags.QUOTE_TYPE, tags.TRADEABLE if firm else tags.INDICATIVE),
            *_instrument(inquiry),
            (tags.SIDE, inquiry.side),
            (tags.ORDER_QTY, tags.plain(size)),
            (tags.PRICE, tags.plain(price)),
            (tags.PRICE_TYPE, tags.PERCENT_OF_PAR),
            *(((tags.VALID_UNTIL, tags.timestamp(until)),) if until else ()),
            (tags.TRANSACT_TIME, tags.timestamp(at)),
        ),
    )


def passed(inquiry: Inquiry, quote_id: str, at: datetime) -> Outgoing:
    """Write a QuoteStatusReport that passes (297=11)."""
    return Outgoing(
        tags.QUOTE_STATUS_REPORT,
        (
            (tags.QUOTE_ID, quote_id),
            (tags.QUOTE_REQ_ID, inquiry.quote_req_id),
            *_instrument(inquiry),
            (tags.SIDE, inquiry.side),
            (tags.QUOTE_STATUS, tags.PASSED),
            (tags.TRANSACT_TIME, tags.timestamp(at)),
            (tags.TEXT, "no interest"),
        ),
    )


def request_rejected(quote_req_id: str, identifier: str, reason: str, text: str) -> Outgoing:
    """Write a QuoteRequestReject with the 658 code."""
    entry = ((tags.SYMBOL, "[N/A]"), *(((tags.SECURITY_ID, identifier),) if identifier else ()))
    fields = ((tags.QUOTE_REQ_ID, quote_req_id), (tags.REJECT_REASON, reason), (tags.TEXT, text))
    return Outgoing(tags.QUOTE_REQUEST_REJECT, fields, (Group(tags.NO_RELATED_SYM, entry),))


def withdrawn(inquiry: Inquiry, quote_id: str) -> Outgoing:
    """Write a QuoteCancel for one quote."""
    return Outgoing(
        tags.QUOTE_CANCEL,
        ((tags.QUOTE_REQ_ID, inquiry.quote_req_id), (tags.QUOTE_ID, quote_id), (tags.QUOTE_CANCEL_TYPE, tags.CANCEL_BY_QUOTE_ID)),
    )
