"""An RFQ as the API shows it."""

from datetime import datetime

import msgspec

from expectations.contracts.vocabulary import Protocol, Response, Side
from serve.domain.rfq import Attempt, DealerLine, Quote, Rfq, RfqState
from serve.domain.rfq_quotes import cost_bps, is_competitive, state_of, why_not_executable


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """How the dealers are asked."""

    mode: str
    delay_s: float | None
    timeout_s: float
    max_dealers: int
    competitive_within_bps: float | None


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer's latest quote. ``cost_bps`` is against the arrival mid, positive = bad for us, None = not known.

    ``why_not`` says what stands against executing it; None = nothing.
    """

    quote_id: str
    price: float
    quantity: float
    firm: bool
    valid_until: datetime | None
    cost_bps: float | None
    competitive: bool
    executable: bool
    why_not: str | None


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """One dealer of the RFQ. ``state``: NOT_ASKED, ASKED, SKIPPED, or the response."""

    dealer_id: str
    sequence: int
    state: str
    asked_at: datetime | None
    responded_at: datetime | None
    response: Response | None
    reason: str | None
    quote: QuoteView | None


class AlertView(msgspec.Struct, frozen=True):
    """Something the trader must see."""

    at: datetime
    message: str


class ExecutionView(msgspec.Struct, frozen=True, kw_only=True):
    """What one order traded: ``price`` over all fills, weighed by quantity; ``executed_at`` of the last."""

    dealer_id: str
    price: float
    quantity: float
    executed_at: datetime
    cl_ord_id: str


class RfqView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole RFQ. ``executions`` has an entry for each order that traded, ``execution`` is the last of them.

    More than one means that an order held for dead traded after all; their quantities add up.
    """

    rfq_id: str
    recommendation_id: str
    override_id: str | None
    order_id: str
    desk: str
    venue: str
    security_id: str
    side: Side
    quantity: float
    currency: str
    limit_price: float | None
    arrival_mid: float | None
    expected_cost_bps: float | None
    state: RfqState
    reason: str | None
    plan: PlanView
    dealers: list[LineView]
    alerts: list[AlertView]
    execution: ExecutionView | None
    executions: list[ExecutionView]
    started_at: datetime
    closed_at: datetime | None


_MODES = {Protocol.PARALLEL: "parallel", Protocol.SEQUENTIAL: "sequential", Protocol.STAGGERED: "staggered"}


def view(rfq: Rfq, now: datetime) -> RfqView:
    """Show an RFQ as it stands."""
    start, executions = rfq.started, [_execution(attempt) for attempt in rfq.traded]
    return RfqView(
        rfq_id=start.rfq_id,
        recommendation_id=start.recommendation_id,
        override_id=start.override_id,
        order_id=start.order_id,
        desk=start.desk,
        venue=start.venue,
        security_id=start.security_id,
        side=start.side,
        quantity=start.quantity,
        currency=start.currency,
        limit_price=start.limit_price,
        arrival_mid=start.arrival_mid,
        expected_cost_bps=start.expected_cost_bps,
        state=state_of(rfq),
        reason=rfq.closed.reason if rfq.closed else None,
        plan=PlanView(
            mode=_MODES[start.protocol],
            delay_s=start.delay_s,
            timeout_s=start.timeout_s,
            max_dealers=len(start.dealers),
            competitive_within_bps=start.competitive_within_bps,
        ),
        dealers=[_line(rfq, line, now) for line in rfq.lines],
        alerts=[AlertView(alert.at, alert.message) for alert in rfq.alerts],
        execution=executions[-1] if executions else None,
        executions=executions,
        started_at=rfq.started_at,
        closed_at=rfq.closed_at,
    )


def _line(rfq: Rfq, line: DealerLine, now: datetime) -> LineView:
    latest = next((quote for quote in reversed(rfq.quotes) if quote.dealer_id == line.dealer_id), None)
    return LineView(
        dealer_id=line.dealer_id,
        sequence=line.sequence,
        state=_line_state(line),
        asked_at=line.asked_at,
        responded_at=line.responded_at,
        response=line.response,
        reason=line.reason,
        quote=None if latest is None else _quote(rfq, latest, now),
    )


def _line_state(line: DealerLine) -> str:
    if line.asked_at is None:
        return "NOT_ASKED" if line.response is None else "SKIPPED"
    return "ASKED" if line.response is None else line.response.value


def _quote(rfq: Rfq, quote: Quote, now: datetime) -> QuoteView:
    why_not = why_not_executable(rfq, quote, now)
    return QuoteView(
        quote_id=quote.quote_id,
        price=quote.price,
        quantity=quote.quantity,
        firm=quote.firm,
        valid_until=quote.valid_until,
        cost_bps=cost_bps(rfq, quote.price),
        competitive=is_competitive(rfq, quote),
        executable=why_not is None,
        why_not=why_not,
    )


def _execution(attempt: Attempt) -> ExecutionView:
    return ExecutionView(
        dealer_id=attempt.dealer_id,
        price=attempt.average_price,
        quantity=attempt.filled,
        executed_at=max(fill.executed_at for fill in attempt.fills),
        cl_ord_id=attempt.cl_ord_id,
    )
