"""What a person says became of an execution in doubt, when the dealer's engine never answers."""

import msgspec

from expectations.contracts import journal as events
from serve.domain.rfq import QUANTITY_STEP, Attempt, Fate
from serve.domain.rfq_course import Course, Refusal
from serve.domain.rfq_quotes import distance_bps


class Settle(msgspec.Struct, frozen=True):
    """A person's word. ``price`` (clean, per 100 par) and ``quantity`` (par) stand where it traded, and only there."""

    traded: bool
    price: float | None
    quantity: float | None
    comment: str
    actor: str


def settle(course: Course, word: Settle) -> None:
    """Take the word for it: a trade is reported as the dealer's own report would be, else the execution has failed.

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
    else:
        course.fail(attempt, f"settled by {word.actor} as not traded: {word.comment}")


def _traded(course: Course, attempt: Attempt, price: float | None, quantity: float | None) -> None:
    if price is None or quantity is None:
        raise Refusal("incomplete", "what traded has a price and a quantity: give both, as the dealer confirmed them")
    if quantity > attempt.quantity + QUANTITY_STEP:
        raise Refusal("too-much", f"{quantity:,.0f} is more than the {attempt.quantity:,.0f} that was sent: give what traded")
    band = course.around.price_band_bps
    if band is not None and abs(distance_bps(price, attempt.price)) > band:
        raise Refusal(
            "price-out-of-band", f"{price:g} is more than {band:g} bps from the {attempt.price:g} that was sent: check it"
        )
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
    done = course.rfq.active
    if done is not None:
        course.finish(done)
