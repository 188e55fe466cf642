"""What a person says became of an execution in doubt, when the dealer's engine never answers."""

import msgspec

from expectations.contracts import journal as events
from serve.domain.rfq import QUANTITY_STEP, Attempt, Fate, Rfq
from serve.domain.rfq_course import Course, Refusal
from serve.domain.rfq_quotes import distance_bps


class Settle(msgspec.Struct, frozen=True):
    """A person's word on the whole order. Where it traded, ``quantity`` is the par amount that it traded **in total**, reported
    fills included, and ``price`` the average over that, clean, per 100 par. ``traded`` False = nothing, or nothing more than the
    fills on record; then both are None.
    """

    traded: bool
    price: float | None
    quantity: float | None
    comment: str
    actor: str

    def was_taken(self, rfq: Rfq) -> bool:
        """Say whether this very word stands in the journal."""
        own = (self.traded, self.price, self.quantity, self.comment, self.actor)
        return any((item.traded, item.price, item.quantity, item.comment, item.settled_by) == own for item in rfq.settled)


def settle(course: Course, word: Settle) -> None:
    """Take the word for it: what no report has told of the trade is booked as the dealer's own report would be; where nothing
    traded at all the execution has failed.

    Raises Refusal where nothing is in doubt, or where price and quantity do not fit what was sent.
    """
    rfq, attempt = course.rfq, course.rfq.active
    if attempt is None or attempt.fate is not Fate.IN_DOUBT:
        raise Refusal("not-in-doubt", f"RFQ {rfq.rfq_id} has no execution in doubt: there is nothing to settle")
    if not word.comment.strip():
        raise Refusal("comment-missing", "say in the comment who at the dealer confirmed it, and when")
    price, quantity = word.price, word.quantity
    if not word.traded and (price is not None or quantity is not None):
        raise Refusal("contradiction", "what did not trade has neither price nor quantity: leave both out")
    course.note(
        events.ExecutionSettled(
            rfq_id=rfq.rfq_id,
            dealer_id=attempt.dealer_id,
            cl_ord_id=attempt.cl_ord_id,
            traded=word.traded,
            price=price,
            quantity=quantity,
            comment=word.comment,
            settled_by=word.actor,
        )
    )
    if word.traded:
        _traded(course, attempt, price, quantity)
    elif attempt.fills:
        course.finish()
    else:
        course.fail(attempt, f"settled by {word.actor} as not traded: {word.comment}")


def _traded(course: Course, attempt: Attempt, price: float | None, quantity: float | None) -> None:
    if price is None or quantity is None:
        raise Refusal("incomplete", "what traded has a price and a quantity: give both, as the dealer confirmed them")
    if quantity > attempt.quantity + QUANTITY_STEP:
        raise Refusal("too-much", f"{quantity:,.0f} is more than the {attempt.quantity:,.0f} that was sent: give what traded")
    if quantity < attempt.filled - QUANTITY_STEP:
        raise Refusal(
            "too-little", f"{attempt.filled:,.0f} of the order is reported as traded already: give what traded of it in total"
        )
    missing = quantity - attempt.filled
    if missing > QUANTITY_STEP:
        _book(course, attempt, attempt.price_of_rest(price, quantity), missing)
    else:
        _check_price(course, attempt, price)
    course.finish()


def _check_price(course: Course, attempt: Attempt, price: float) -> None:
    band = course.around.price_band_bps
    if band is None or abs(distance_bps(price, attempt.price)) <= band:
        return
    where = f" for what is not reported yet (reported: {attempt.filled:,.0f} at {attempt.average_price:g})" if attempt.fills else ""
    raise Refusal(
        "price-out-of-band", f"{price:g}{where} is more than {band:g} bps from the {attempt.price:g} that was sent: check it"
    )


def _book(course: Course, attempt: Attempt, price: float, quantity: float) -> None:
    _check_price(course, attempt, price)
    course.note(
        events.ExecutionReported(
            rfq_id=course.rfq.rfq_id,
            dealer_id=attempt.dealer_id,
            cl_ord_id=attempt.cl_ord_id,
            exec_id=f"settled-{attempt.cl_ord_id}",
            price=price,
            quantity=quantity,
            executed_at=course.around.now,
        )
    )
