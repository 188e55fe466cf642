"""The one click: what may be traded, and how much of it."""

import msgspec

from expectations.contracts import journal as events
from serve.domain.rfq import QUANTITY_STEP, Quote, Rfq
from serve.domain.rfq_course import Course, Refusal
from serve.domain.rfq_quotes import why_not_executable


class Execute(msgspec.Struct, frozen=True):
    """A person's click on a quote. ``cl_ord_id`` names the order that it sends; None = a new name. A name is sent once only."""

    quote_id: str
    actor: str
    cl_ord_id: str | None = None


def execute(course: Course, click: Execute) -> None:
    """Note the one order that goes out; nothing where its name is known. Raises Refusal where it may not."""
    rfq, now = course.rfq, course.around.now
    if click.cl_ord_id is not None and rfq.attempt(click.cl_ord_id) is not None:
        return
    quote = rfq.quote(click.quote_id)
    if quote is None:
        raise Refusal("unknown-quote", f"RFQ {rfq.rfq_id} has no quote {click.quote_id!r}")
    if course.around.halted:
        raise Refusal("kill-switch-on", "the kill switch is on: nothing is sent until it is turned off")
    why = why_not_executable(rfq, quote, now)
    if why is not None:
        raise Refusal("not-executable", f"quote {quote.quote_id} cannot be executed: {why}")
    if not course.around.ready(quote.dealer_id):
        raise Refusal(
            "session-down", f"the FIX session of {quote.dealer_id} is not logged on: wait for it, or execute another quote"
        )
    quantity = hit_quantity(rfq, quote)
    if quantity < QUANTITY_STEP:
        raise Refusal("nothing-left", f"all {rfq.started.quantity:,.0f} of the order have traded")
    course.note(
        events.ExecutionRequested(
            rfq_id=rfq.rfq_id,
            dealer_id=quote.dealer_id,
            quote_id=quote.quote_id,
            cl_ord_id=click.cl_ord_id or course.around.new_id(),
            price=quote.price,
            quantity=quantity,
            requested_by=click.actor,
        )
    )


def hit_quantity(rfq: Rfq, quote: Quote) -> float:
    """Give the par amount that a click on the quote orders: its size, never more than is left of the order."""
    return min(quote.quantity, rfq.left)
