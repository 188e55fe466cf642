"""What a dealer's report on a hit or order does to an RFQ."""

from expectations.contracts import journal as events
from serve.domain import dealing
from serve.domain.rfq import QUANTITY_STEP, Attempt, Fate, Quote
from serve.domain.rfq_course import Course
from serve.domain.rfq_quotes import PRICE_STEP, distance_bps

# An average comes rounded; what it leaves for the rest is off by more than that.
_ROUNDING = 1e-3


def hear_fill(course: Course, message: dealing.DealerFilled) -> None:
    """Book what a fill adds to what is known; a repeat adds nothing."""
    attempt = find_attempt(course, message.cl_ord_id, message.dealer_id)
    if attempt is None:
        course.refuse_message(message, f"a fill for order {message.cl_ord_id}, which {message.dealer_id} was not sent")
        course.alert(
            f"{message.dealer_id} reports a fill of an order that was not sent to it ({message.cl_ord_id}). Call the dealer"
        )
        return
    quantity = _news_in(attempt, message)
    if quantity > QUANTITY_STEP:
        _note_fill(course, attempt, message, quantity)
    _compare_totals(course, message)
    now = find_attempt(course, message.cl_ord_id, message.dealer_id)
    if now is None or not now.fills or course.rfq.closed is not None or now.fate is Fate.FAILED:
        return
    if message.done or now.filled >= now.quantity - QUANTITY_STEP:
        course.finish()
    elif quantity > QUANTITY_STEP:
        course.alert(f"Part of the order traded with {message.dealer_id}: {now.filled:,.0f} of {now.quantity:,.0f}")


def _news_in(attempt: Attempt, message: dealing.DealerFilled) -> float:
    """Give the quantity that a report adds to what is known: 0 for a repeat, whatever its shape."""
    if message.is_status and message.cumulative is not None:
        return max(message.cumulative - attempt.filled, 0.0)
    if _is_known(attempt, message.exec_id):
        return 0.0
    return message.quantity if message.cumulative is None else min(message.quantity, max(message.cumulative - attempt.filled, 0.0))


def _is_known(attempt: Attempt, exec_id: str) -> bool:
    return any(fill.exec_id == exec_id for fill in attempt.fills)


def _price_of_news(course: Course, attempt: Attempt, message: dealing.DealerFilled, quantity: float) -> float:
    """Give the price of what a report adds: where it gives the average over the order, what that leaves for the rest."""
    if message.average is None or not attempt.fills:
        return message.price
    rest, band = attempt.price_of_rest(message.average, attempt.filled + quantity), course.around.price_band_bps
    if rest <= 0 or (band is not None and abs(distance_bps(rest, attempt.price)) > band):
        course.alert(
            f"{message.dealer_id} says that {attempt.filled + quantity:,.0f} traded at {message.average:g} on average; with the "
            f"{attempt.filled:,.0f} at {attempt.average_price:g} known before that makes {rest:g} for the rest, which looks "
            "like an error. Call the dealer"
        )
    return rest if rest > 0 else message.average


def _note_fill(course: Course, attempt: Attempt, message: dealing.DealerFilled, quantity: float) -> None:
    was_failed, was_closed = attempt.fate is Fate.FAILED, course.rfq.closed
    price = _price_of_news(course, attempt, message, quantity)
    course.note(
        events.ExecutionReported(
            rfq_id=course.rfq.rfq_id,
            dealer_id=message.dealer_id,
            cl_ord_id=message.cl_ord_id,
            # The report of an order as a whole may bear the name of a fill that is booked already.
            exec_id=f"status-{message.exec_id}" if _is_known(attempt, message.exec_id) else message.exec_id,
            price=price,
            quantity=quantity,
            executed_at=message.executed_at or course.around.now,
        )
    )
    if course.rfq.started.side.direction * (price - attempt.price) > (PRICE_STEP if price == message.price else _ROUNDING):
        course.alert(f"{message.dealer_id} traded at {price:g}, worse than the {attempt.price:g} that was hit. Call the dealer")
    wrong = message.contradicts(course.rfq.terms)
    if wrong is not None:
        course.alert(
            f"{message.dealer_id} reports a trade {wrong} (order {message.cl_ord_id}). It is booked all the same: call the dealer"
        )
    if attempt.filled + quantity > attempt.quantity + QUANTITY_STEP:
        course.alert(f"{message.dealer_id} traded {attempt.filled + quantity:,.0f}, more than the {attempt.quantity:,.0f} ordered")
    if was_failed or was_closed is not None:
        told = f"A fill came from {message.dealer_id} for an order held for dead ({message.cl_ord_id})"
        course.alert(f"{told}. {_whom_to_call(course, attempt)}")


def _compare_totals(course: Course, message: dealing.DealerFilled) -> None:
    attempt = course.rfq.attempt(message.cl_ord_id)
    if attempt is None or message.cumulative is None or not (message.is_status or message.done):
        return
    if abs(attempt.filled - message.cumulative) > QUANTITY_STEP:
        text = (
            f"{message.dealer_id} says that {message.cumulative:,.0f} of order {message.cl_ord_id} traded, its reports add up to "
            f"{attempt.filled:,.0f}. Call the dealer"
        )
        if text not in {alert.message for alert in course.rfq.alerts}:
            course.alert(text)


def _whom_to_call(course: Course, attempt: Attempt) -> str:
    other = course.rfq.active
    if other is None or other.cl_ord_id == attempt.cl_ord_id:
        return "Call the dealer"
    return f"The order with {other.dealer_id} ({other.cl_ord_id}) is under way and may trade on top of it: call both dealers now"


def hear_refusal(course: Course, message: dealing.DealerRefusedOrder) -> None:
    """Let the attempt fail, or end where a part of it traded; a word that may answer our question decides nothing."""
    attempt = find_attempt(course, message.cl_ord_id, message.dealer_id)
    if attempt is None:
        course.refuse_message(message, f"a report on order {message.cl_ord_id}, which {message.dealer_id} was not sent")
    elif course.rfq.closed is not None or attempt.fate is Fate.FAILED:
        return
    elif not message.certain and (attempt.fate is Fate.IN_DOUBT or attempt.fills):
        _unknown(course, attempt, message.reason)
    elif attempt.fills:
        course.finish()
    else:
        course.fail(attempt, message.reason)
        quote: Quote | None = course.rfq.quote(attempt.quote_id)
        if quote is not None and quote.withdrawn is None:
            course.withdraw(quote, "its dealer refused the execution")
        course.alert(
            f"{message.dealer_id} refused the execution: {message.reason}. Nothing traded; other live quotes can be executed"
        )


def hear_unknown(course: Course, message: dealing.OrderUnknown) -> None:
    """Keep the order in doubt: a dealer that does not book hits as orders knows none, and may fill it all the same."""
    attempt = find_attempt(course, message.cl_ord_id, message.dealer_id)
    if attempt is None:
        course.refuse_message(message, f"a report on order {message.cl_ord_id}, which {message.dealer_id} was not sent")
    elif course.rfq.closed is None and attempt.fate is not Fate.FAILED:
        _unknown(course, attempt, message.reason)


def _unknown(course: Course, attempt: Attempt, reason: str) -> None:
    if attempt.fate is Fate.PENDING:
        course.doubt(attempt, f"its dealer does not know the order ({reason})")
        return
    text = (
        f"{attempt.dealer_id} does not know the order {attempt.cl_ord_id}, or has rejected it ({reason}); it may trade all the "
        "same: call the dealer, then settle"
    )
    if text not in {alert.message for alert in course.rfq.alerts}:
        course.alert(text)


def find_attempt(course: Course, cl_ord_id: str, dealer_id: str) -> Attempt | None:
    """Give the attempt that a report names, if it went to that dealer."""
    attempt = course.rfq.attempt(cl_ord_id)
    return attempt if attempt is not None and attempt.dealer_id == dealer_id else None
