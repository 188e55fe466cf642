"""What a quote is worth to us: its cost, whether it ends the asking, whether it can be traded on."""

from datetime import datetime

from expectations.contracts import journal as events
from serve.domain.rfq import QUANTITY_STEP, Quote, Rfq, RfqState

EXPIRED = events.EXPIRED
REPLACED = "replaced by a new quote"
PRICE_STEP = 1e-9


def distance_bps(price: float, reference: float) -> float:
    """Give how far a price lies above a reference, in bps of the reference; negative = below."""
    return (price - reference) / reference * 10_000


def cost_bps(rfq: Rfq, price: float) -> float | None:
    """Give the cost of a price against the arrival mid in bps, positive = bad for us; None without an arrival mid."""
    mid = rfq.started.arrival_mid
    return None if mid is None else rfq.started.side.direction * distance_bps(price, mid)


def cost_ceiling_bps(rfq: Rfq) -> float | None:
    """Give the cost up to which a quote is competitive; None = it cannot be judged or any full quote will do."""
    start = rfq.started
    if start.competitive_within_bps is None or start.expected_cost_bps is None or start.arrival_mid is None:
        return None
    return start.expected_cost_bps + start.competitive_within_bps


def is_competitive(rfq: Rfq, quote: Quote) -> bool:
    """Say whether a quote is as good as was hoped for: firm, for the full size, within the limit and the expected cost.

    The rule book's tolerance goes first; else the level at which asking the next dealer would still pay. Where cost cannot be
    judged (no arrival mid, neither of the two) price does not count.
    """
    ceiling, cost = cost_ceiling_bps(rfq), cost_bps(rfq, quote.price)
    full = quote.quantity >= rfq.started.quantity - QUANTITY_STEP
    if ceiling is None:
        ceiling = _level_bps(rfq, quote)
    cheap = ceiling is None or cost is None or cost <= ceiling + PRICE_STEP
    return quote.firm and full and cheap and within_limit(rfq, quote.price)


def _level_bps(rfq: Rfq, quote: Quote) -> float | None:
    """Give the cost up to which a quote ends the asking by the levels of the plan; ``None`` = they say nothing of the next dealer.

    A dealer of whom they say nothing is taken to leak nothing, which asks on rather than stop too early.
    """
    levels = {level.dealer_id: level for level in rfq.started.levels}
    following = next((line.dealer_id for line in rfq.lines if line.untouched), None)
    if following not in levels:
        return None
    own = levels.get(quote.dealer_id)
    return levels[following].stop_below_bps + (own.leak_bps if own else 0.0)


def within_limit(rfq: Rfq, price: float) -> bool:
    """Say whether a price respects the order's limit: not above it when we buy, not below it when we sell."""
    limit = rfq.started.limit_price
    return limit is None or rfq.started.side.direction * (price - limit) <= PRICE_STEP


def expired(quote: Quote, now: datetime) -> bool:
    """Say whether a quote's own validity is over."""
    return quote.valid_until is not None and quote.valid_until <= now


def why_not_executable(rfq: Rfq, quote: Quote, now: datetime) -> str | None:
    """Say what stands against trading on a quote now; None = nothing."""
    if rfq.closed is not None:
        return f"the RFQ is closed ({rfq.closed.state})"
    if rfq.active is not None:
        return "an execution is already under way"
    return _unfit(rfq, quote, now)


def _unfit(rfq: Rfq, quote: Quote, now: datetime) -> str | None:
    if quote.withdrawn is not None:
        return f"the quote is gone: {quote.withdrawn}"
    if expired(quote, now):
        return f"the quote expired at {quote.valid_until:%H:%M:%S} UTC"
    if not quote.firm:
        return "the quote is indicative, not firm"
    if not within_limit(rfq, quote.price):
        return f"the price {quote.price:g} is beyond the order's limit {rfq.started.limit_price:g}"
    return None


def executable_quotes(rfq: Rfq, now: datetime) -> tuple[Quote, ...]:
    """Give the quotes that can be traded on now, the best price first, the earlier one on a tie."""
    alive = (quote for quote in rfq.live_quotes() if why_not_executable(rfq, quote, now) is None)
    return tuple(sorted(alive, key=lambda quote: (rfq.started.side.direction * quote.price, quote.responded_at)))


def state_of(rfq: Rfq) -> RfqState:
    """Name the state, from the events alone."""
    if rfq.closed is not None:
        return RfqState(rfq.closed.state)
    active = rfq.active
    if active is not None:
        return RfqState.IN_DOUBT if active.fate == "IN_DOUBT" else RfqState.EXECUTING
    live = [quote for quote in rfq.live_quotes() if quote.firm and within_limit(rfq, quote.price)]
    if not live:
        return RfqState.OPEN
    answered = not any(line.waiting or line.untouched for line in rfq.lines)
    return RfqState.AWAITING_TRADER if answered or any(is_competitive(rfq, quote) for quote in live) else RfqState.QUOTED
