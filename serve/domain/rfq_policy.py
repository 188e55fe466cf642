"""Who is asked next, when an answer is late, and when an RFQ is over: parallel, sequential (whisper) and staggered."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from expectations.contracts.vocabulary import Protocol
from serve.domain.rfq import DealerLine, Rfq
from serve.domain.rfq_quotes import EXPIRED, executable_quotes, is_competitive


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine must know of the world at the moment of a decision.

    ``ready`` says whether a dealer's session can take a message; ``halted`` is the kill switch; ``tell_losers`` is
    ``cover``, ``done_away`` or ``none``; ``grace_s`` is added to each time-out where a venue holds quotes back;
    ``price_band_bps`` is how far a price may lie from the arrival mid before it is taken for an error (None = any).
    """

    now: datetime
    new_id: Callable[[], str]
    ready: Callable[[str], bool]
    halted: bool = False
    tell_losers: str = "none"
    pass_on_close: bool = False
    grace_s: float = 0.0
    execution_timeout_s: float = 30.0
    max_life_s: float = 3600.0
    price_band_bps: float | None = None


def answer_due(rfq: Rfq, line: DealerLine, around: Around) -> datetime:
    """Give the time by which a dealer asked must have answered."""
    assert line.asked_at is not None, "only a dealer who was asked can be late"  # noqa: S101 - narrows the type
    return line.asked_at + timedelta(seconds=rfq.started.timeout_s + around.grace_s)


def life_over(rfq: Rfq, around: Around) -> datetime:
    """Give the time at which an RFQ that nobody ends is ended."""
    return rfq.started_at + timedelta(seconds=around.max_life_s)


def asking_is_over(rfq: Rfq) -> bool:
    """Say whether no further dealer will be asked as things stand.

    A whisper stops at a competitive quote. It also stops where such a quote expired unclicked: asking on would tell
    more dealers of an order that nobody is there to trade.
    """
    if not any(line.untouched for line in rfq.lines):
        return True
    if rfq.started.protocol is not Protocol.SEQUENTIAL:
        return False
    return any(is_competitive(rfq, quote) for quote in rfq.quotes if quote.withdrawn in (None, EXPIRED))


def dealers_to_ask(rfq: Rfq, around: Around) -> tuple[DealerLine, ...]:
    """Give the dealers to ask now, in order; a whisper or a staggered RFQ names one at the most."""
    if rfq.closed or rfq.active or around.halted or asking_is_over(rfq):
        return ()
    left = tuple(line for line in rfq.lines if line.untouched)
    match rfq.started.protocol:
        case Protocol.PARALLEL:
            return left
        case Protocol.SEQUENTIAL:
            return () if any(line.waiting for line in rfq.lines) else left[:1]
        case Protocol.STAGGERED:
            due = next_stagger(rfq)
            return left[:1] if due is None or due <= around.now else ()


def next_stagger(rfq: Rfq) -> datetime | None:
    """Give the time at which the next dealer of a staggered RFQ is due; None = at once."""
    asked = [line.asked_at for line in rfq.lines if line.asked_at is not None]
    return max(asked) + timedelta(seconds=rfq.started.delay_s or 0.0) if asked else None


def is_spent(rfq: Rfq, around: Around) -> bool:
    """Say whether nothing can come of an RFQ any more: nobody to ask, nobody to wait for, nothing to trade on."""
    if rfq.closed or rfq.active or any(line.waiting for line in rfq.lines):
        return False
    return asking_is_over(rfq) and not executable_quotes(rfq, around.now)


def all_have_answered(rfq: Rfq) -> bool:
    """Say whether every dealer has answered, timed out or was passed over."""
    return not any(line.waiting or line.untouched for line in rfq.lines)


def next_wake(rfq: Rfq, around: Around) -> datetime | None:
    """Give the next time at which something happens by itself; None = only a message or a person can move the RFQ."""
    if rfq.closed is not None:
        return None
    active = rfq.active
    if active is not None:
        late = active.requested_at + timedelta(seconds=around.execution_timeout_s)
        return late if active.fate == "PENDING" else None
    if around.halted:
        return around.now
    times = [answer_due(rfq, line, around) for line in rfq.lines if line.waiting]
    times += [quote.valid_until for quote in rfq.live_quotes() if quote.valid_until is not None]
    if rfq.started.protocol is Protocol.STAGGERED and not asking_is_over(rfq):
        times += [due for due in (next_stagger(rfq),) if due is not None]
    return min([*times, life_over(rfq, around)])
