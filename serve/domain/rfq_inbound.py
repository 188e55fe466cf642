"""What a dealer's message does to an RFQ."""

from expectations.contracts import journal as events
from serve.domain import dealing
from serve.domain.dealing import AnyCommand, AnyFromDealer
from serve.domain.rfq import QUANTITY_STEP, Fate, Quote, Rfq
from serve.domain.rfq_commands import status_of
from serve.domain.rfq_course import Course
from serve.domain.rfq_quotes import REPLACED, cost_bps, expired, is_competitive
from serve.domain.rfq_reports import hear_fill, hear_refusal, hear_unknown


def hear(course: Course, message: AnyFromDealer) -> tuple[AnyCommand, ...]:
    """Note what a message means; gives commands that need no event of their own (a question asked again)."""
    match message:
        case dealing.DealerQuote():
            _hear_quote(course, message)
        case dealing.DealerPassed():
            _hear_pass(course, message)
        case dealing.DealerWithdrew():
            _withdraw_all(course, message.dealer_id, message.dealer_quote_id, f"withdrawn by its dealer: {message.reason}")
        case dealing.DealerFilled():
            hear_fill(course, message)
        case dealing.DealerRefusedOrder():
            hear_refusal(course, message)
        case dealing.OrderUnknown():
            hear_unknown(course, message)
        case dealing.TradeQuestioned():
            course.alert(f"{message.dealer_id} questions the trade of order {message.cl_ord_id}: {message.reason}. Call the dealer")
            course.refuse_message(message, message.reason)
        case dealing.SessionChanged():
            return _hear_session(course, message)
        case dealing.Unreadable():
            course.refuse_message(message, message.reason)
    return ()


def _hear_quote(course: Course, message: dealing.DealerQuote) -> None:
    rfq, now = course.rfq, course.around.now
    wrong = _wrong_with(rfq, message)
    price = message.price_for(rfq.started.side)
    if wrong is not None or price is None:
        course.refuse_message(message, wrong or f"no price for a client that {rfq.started.side}S")
        return
    size = message.quantity_for(rfq.started.side)
    quantity = rfq.started.quantity if size is None else size
    if quantity < QUANTITY_STEP:
        course.refuse_message(message, "no size on our side")
        _withdraw_all(course, message.dealer_id, None, "its dealer has no size on our side any more")
        return
    if any(_repeats(message, quote, price, quantity) for quote in rfq.live_quotes()):
        return
    _withdraw_all(course, message.dealer_id, None, REPLACED)
    quote = events.QuoteReceived(
        rfq_id=rfq.rfq_id,
        dealer_id=message.dealer_id,
        quote_id=course.around.new_id(),
        price=price,
        quantity=quantity,
        firm=message.firm,
        responded_at=now,
        valid_until=message.valid_until,
        dealer_quote_id=message.dealer_quote_id,
    )
    course.note(quote)
    if rfq.closed is None:
        _judge(course, quote.quote_id)


def _repeats(message: dealing.DealerQuote, quote: Quote, price: float, quantity: float) -> bool:
    told = (message.dealer_id, message.dealer_quote_id, price, quantity, message.firm, message.valid_until)
    return told == (quote.dealer_id, quote.dealer_quote_id, quote.price, quote.quantity, quote.firm, quote.valid_until)


def _wrong_with(rfq: Rfq, message: dealing.DealerQuote) -> str | None:
    line = rfq.line(message.dealer_id)
    if line is None or line.asked_at is None:
        return f"{message.dealer_id} was not asked"
    wrong = message.contradicts(rfq.terms)
    return None if wrong is None else f"the quote is {wrong}"


def _judge(course: Course, quote_id: str) -> None:
    quote = course.rfq.quote(quote_id)
    if quote is None:
        return
    if expired(quote, course.around.now):
        course.withdraw(quote, f"it had expired at {quote.valid_until:%H:%M:%S} UTC when it came")
        return
    band, cost = course.around.price_band_bps, cost_bps(course.rfq, quote.price)
    if band is not None and cost is not None and abs(cost) > band:
        course.withdraw(quote, f"its price is {abs(cost):,.0f} bps from the arrival mid, beyond price_band_bps = {band:g}")
        course.alert(f"A price from {quote.dealer_id} looks like an error and cannot be executed: {course.describe(quote)}")
    elif is_competitive(course.rfq, quote):
        course.alert(f"Competitive quote, ready to execute: {course.describe(quote)}")


def _withdraw_all(course: Course, dealer_id: str, dealer_quote_id: str | None, reason: str) -> None:
    for quote in course.rfq.live_quotes():
        if quote.dealer_id == dealer_id and dealer_quote_id in (None, quote.dealer_quote_id):
            course.withdraw(quote, reason)


def _hear_pass(course: Course, message: dealing.DealerPassed) -> None:
    line = course.rfq.line(message.dealer_id)
    if line is not None and line.waiting and course.rfq.closed is None:
        course.without_quote(message.dealer_id, message.reason, message.response, course.around.now)
    elif any(quote.dealer_id == message.dealer_id for quote in course.rfq.live_quotes()):
        _withdraw_all(course, message.dealer_id, message.dealer_quote_id, f"its dealer passed: {message.reason}")
    else:
        course.refuse_message(message, f"{message.dealer_id} passed when no answer was due any more")


def _hear_session(course: Course, message: dealing.SessionChanged) -> tuple[AnyCommand, ...]:
    active, dealer = course.rfq.active, message.dealer_id
    if active is not None and active.dealer_id == dealer:
        if not message.ready and active.fate is Fate.PENDING:
            course.doubt(active, "the FIX session was lost before the report came")
        elif message.ready and active.fate is Fate.IN_DOUBT:
            return (status_of(course.rfq, active),)
    elif not message.ready and any(quote.dealer_id == dealer for quote in course.rfq.live_quotes()) and course.rfq.closed is None:
        course.alert(f"The FIX session of {dealer} was lost: its quote cannot be executed until it is back")
    return ()
