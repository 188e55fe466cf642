"""Commands as FIX 4.4 messages: R, AJ, D and H, one pure function each, in the venue's dialect."""

from expectations.contracts.vocabulary import Side
from serve.adapters.fix.venue import Perspective, Venue
from serve.adapters.fix.wire import Wire, decimal_text, fields, time_text
from serve.domain.dealing import AnyCommand, Ask, AskOrderStatus, Hit, TellLoser, Terms, Told

_CUSIP, _ISIN = "1", "4"
_PERCENT_OF_PAR = "1"
_HIT = "1"
_TOLD = {Told.COVER: "4", Told.DONE_AWAY: "5", Told.NOTHING_DONE: "6"}


def encode(command: AnyCommand, venue: Venue) -> Wire:
    """Write a command. Raises MalformedError where a value cannot be sent."""
    match command:
        case Ask():
            return quote_request(command, venue)
        case Hit():
            return new_order(command, venue) if venue.execute_with == "order" else hit(command, venue)
        case TellLoser():
            return loser_response(command, venue)
        case AskOrderStatus():
            return order_status_request(command, venue)


def quote_request(ask: Ask, venue: Venue) -> Wire:
    """Write QuoteRequest (R): one instrument, tradeable quotes asked for."""
    terms = ask.terms
    group = fields(
        *_instrument(terms, venue),
        (537, "1"),
        (54, _side(terms.side, venue)),
        (38, _quantity(terms.quantity, venue)),
        (15, terms.currency),
        (1, terms.account),
        (126, time_text(ask.expires_at)),
        (60, time_text(ask.asked_at)),
        (423, _PERCENT_OF_PAR),
        *venue.extra_group_tags.items(),
    )
    return Wire("R", fields((131, ask.quote_req_id), *venue.extra_tags.items()), group)


def hit(command: Hit, venue: Venue) -> Wire:
    """Write QuoteResponse (AJ) with 694=1: the quote is hit or lifted."""
    return Wire("AJ", fields((693, command.cl_ord_id), (694, _HIT), (11, command.cl_ord_id), *_against_quote(command, venue)))


def new_order(command: Hit, venue: Venue) -> Wire:
    """Write NewOrderSingle (D), previously quoted (40=D), against the quote."""
    body = ((11, command.cl_ord_id), (40, "D"), *_against_quote(command, venue))
    return Wire("D", fields(*(pair for pair in body if pair[0] != 131)))


def loser_response(command: TellLoser, venue: Venue) -> Wire:
    """Write QuoteResponse (AJ) that tells a dealer: cover, done away, or pass."""
    told = _TOLD[command.told]
    return Wire(
        "AJ",
        fields(
            (693, f"{command.quote_req_id}-{told}"),
            (694, told),
            (117, command.dealer_quote_id),
            (131, command.quote_req_id),
            *_instrument(command.terms, venue),
            (54, _side(command.terms.side, venue)),
            (60, time_text(command.told_at)),
        ),
    )


def order_status_request(command: AskOrderStatus, venue: Venue) -> Wire:
    """Write OrderStatusRequest (H)."""
    terms = command.terms
    return Wire("H", fields((11, command.cl_ord_id), *_instrument(terms, venue), (54, _side(terms.side, venue))))


def _against_quote(command: Hit, venue: Venue) -> tuple[tuple[int, str | None], ...]:
    terms = command.terms
    return (
        (117, command.dealer_quote_id),
        (131, command.quote_req_id),
        *_instrument(terms, venue),
        (54, _side(terms.side, venue)),
        (38, _quantity(command.quantity, venue)),
        (15, terms.currency),
        (1, terms.account),
        (44, decimal_text(command.price)),
        (423, _PERCENT_OF_PAR),
        (60, time_text(command.requested_at)),
    )


def _instrument(terms: Terms, venue: Venue) -> tuple[tuple[int, str | None], ...]:
    known = {"cusip": (terms.cusip, _CUSIP), "isin": (terms.isin, _ISIN)}
    order = (known[venue.security_id], *known.values())
    identifier, source = next(((value, source) for value, source in order if value), (None, None))
    return ((55, "[N/A]" if identifier else terms.security_id), (48, identifier), (22, source))


def _side(side: Side, venue: Venue) -> str:
    ours = venue.request_side is Perspective.CLIENT
    return "1" if (side is Side.BUY) is ours else "2"


def _quantity(quantity: float, venue: Venue) -> str:
    return decimal_text(quantity / venue.request_quantity_unit)
