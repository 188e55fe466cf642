"""RFQs and the kill switch over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from expectations.contracts.journal import Sealed
from serve.api.auth import requires
from serve.api.bodies import StrictRequest
from serve.api.idempotency import Once
from serve.api.problems import FieldError, Problem
from serve.domain.orders import Par, ShortText
from serve.domain.rfq_settling import Settle
from serve.domain.users import EVERYONE, Role, User
from serve.usecases.rfq_views import RfqView
from serve.usecases.rfqs import Desk

UserRequest = StrictRequest[User, str, State]
_RFQ = ResponseSpec(data_container=RfqView, description="The RFQ as it stands", generate_examples=False)
KEEP_ALIVE_S = 15.0
TRADES = (Role.TRADER, Role.OMS, Role.ADMIN)
LimitParam = Annotated[int, QueryParameter(name="limit", ge=1, le=500)]
CursorParam = Annotated[int | None, QueryParameter(name="cursor", ge=1, description="next_cursor of the page before")]


class StartRfq(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which recommendation to act on, and the override in its place, if any."""

    recommendation_id: ShortText
    override_id: ShortText | None = None


class ExecuteQuote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The quote to trade on."""

    quote_id: ShortText


class SettleExecution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of the whole order: the par amount that it traded in total, fills already reported included, and the average
    clean price per 100 par of that. ``traded`` false = nothing, or nothing more than what is reported. Who said so and when
    stands in the comment.
    """

    traded: bool
    comment: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    price: Annotated[float, msgspec.Meta(gt=0, le=1000)] | None = None
    quantity: Par | None = None


class SetKillSwitch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop all sending (``on``, the default) or allow it again, and why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    on: bool = True


class KillSwitch(msgspec.Struct, frozen=True):
    """Whether sending is stopped."""

    on: bool


class RfqPage(msgspec.Struct, frozen=True):
    """RFQs, the latest first; ``next_cursor`` None = there is no more."""

    rfqs: list[RfqView]
    next_cursor: int | None


def _desk(state: State) -> Desk:
    desk: Desk = state.desk
    return desk


def _once(state: State) -> Once:
    once: Once = state.once
    return once


@post(
    "/v1/rfqs",
    status_code=202,
    responses={202: _RFQ},
    guards=[requires(*TRADES)],
    summary="Start an RFQ from a recommendation",
    tags=["rfqs"],
)
async def start(
    data: JSONBody[StartRfq], request: UserRequest, desk: NamedDependency[Desk], once: NamedDependency[Once]
) -> Response[bytes]:
    """Start asking the dealers of a recommendation, or of its override; a recommendation starts one RFQ."""
    return await once.do(request, lambda attempt: desk.begin(data.recommendation_id, data.override_id, request.user, attempt), 202)


@get("/v1/rfqs", guards=[requires(*EVERYONE)], summary="RFQs, the latest first", tags=["rfqs"])
async def listed(request: UserRequest, desk: NamedDependency[Desk], cursor: CursorParam = None, limit: LimitParam = 50) -> RfqPage:
    """Give a page of RFQs."""
    rfqs, following = await desk.page(request.user, cursor, limit)
    return RfqPage(rfqs, following)


@get("/v1/rfqs/{rfq_id:str}", guards=[requires(*EVERYONE)], summary="An RFQ as it stands", tags=["rfqs"])
async def shown(rfq_id: FromPath[str], request: UserRequest, desk: NamedDependency[Desk]) -> RfqView:
    """Give an RFQ with its dealers, quotes and alerts."""
    return await desk.get(rfq_id, request.user)


@get("/v1/rfqs/{rfq_id:str}/events", guards=[requires(*EVERYONE)], summary="An RFQ's events as they happen (SSE)", tags=["rfqs"])
async def events(rfq_id: FromPath[str], request: UserRequest, desk: NamedDependency[Desk]) -> ServerSentEvent:
    """Stream past events, then live ones, until the RFQ closes; ``Last-Event-ID`` goes on from there."""
    return ServerSentEvent(_messages(await desk.follow(rfq_id, _last_event_id(request), request.user)))


@post(
    "/v1/rfqs/{rfq_id:str}/execute",
    status_code=202,
    responses={202: _RFQ},
    guards=[requires(*TRADES)],
    summary="Trade on a quote",
    tags=["rfqs"],
)
async def execute(
    rfq_id: FromPath[str],
    data: JSONBody[ExecuteQuote],
    request: UserRequest,
    desk: NamedDependency[Desk],
    once: NamedDependency[Once],
) -> Response[bytes]:
    """Send one hit or order against a quote; the report follows in the RFQ's state and events."""
    return await once.do(request, lambda attempt: desk.execute(rfq_id, data.quote_id, request.user, attempt), 202)


@post(
    "/v1/rfqs/{rfq_id:str}/cancel",
    status_code=200,
    responses={200: _RFQ},
    guards=[requires(*TRADES, throttled=False)],
    summary="End an RFQ untraded",
    tags=["rfqs"],
)
async def cancel(
    rfq_id: FromPath[str], request: UserRequest, desk: NamedDependency[Desk], once: NamedDependency[Once]
) -> Response[bytes]:
    """Ask nobody else and close."""
    return await once.do(request, lambda attempt: desk.cancel(rfq_id, request.user, attempt), 200)


@post(
    "/v1/rfqs/{rfq_id:str}/settle",
    status_code=200,
    responses={200: _RFQ},
    guards=[requires(Role.TRADER, Role.COMPLIANCE, Role.ADMIN)],
    summary="Say what became of an execution in doubt, after a call to the dealer",
    tags=["rfqs"],
)
async def settle(
    rfq_id: FromPath[str],
    data: JSONBody[SettleExecution],
    request: UserRequest,
    desk: NamedDependency[Desk],
    once: NamedDependency[Once],
) -> Response[bytes]:
    """Record a person's word: what the order traded in total and at what average price, or that it did not trade (any further).
    Nothing is sent.
    """
    word = Settle(data.traded, data.price, data.quantity, data.comment, request.user.name)
    return await once.do(request, lambda attempt: desk.settle(rfq_id, word, request.user, attempt), 200)


@post(
    "/v1/kill-switch",
    status_code=200,
    guards=[requires(Role.TRADER, Role.COMPLIANCE, Role.ADMIN, throttled=False)],
    summary="Stop all sending, now",
    tags=["rfqs"],
)
async def kill_switch(data: JSONBody[SetKillSwitch], request: UserRequest, desk: NamedDependency[Desk]) -> KillSwitch:
    """Stop all sending, or allow it again (which takes compliance or admin).

    No ``Idempotency-Key`` is asked for: setting it twice is the same as once, and nothing may stand in its way. The answer says
    whether sending is stopped: an OFF during which somebody stopped it again leaves it stopped. 503 with the type
    ``kill-switch-not-journalled`` means that sending is stopped, and that it could not be written down.
    """
    if not data.on and request.user.role is Role.TRADER:
        raise Problem(403, "forbidden", "Not allowed", "Turning the kill switch off takes the role compliance or admin")
    await desk.kill_switch(on=data.on, reason=data.reason, user=request.user)
    return KillSwitch(desk.halted)


async def _messages(sealed_events: AsyncIterator[Sealed]) -> AsyncIterator[ServerSentEventMessage]:
    """Tell events as they come; where none comes, say so now and then, so that nothing between here and there hangs up."""
    following = aiter(sealed_events)
    coming: asyncio.Task[Sealed | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(following))
            done, _ = await asyncio.wait({coming}, timeout=KEEP_ALIVE_S)
            if not done:
                yield ServerSentEventMessage(comment="still here")
                continue
            sealed, coming = coming.result(), None
            if sealed is None:
                return
            payload = msgspec.to_builtins(sealed.event)
            data = json.dumps({"seq": sealed.seq, "at": sealed.at.isoformat(), **payload})
            yield ServerSentEventMessage(data=data, event=payload["kind"], id=sealed.seq)
    finally:
        if coming is not None:
            coming.cancel()


async def _next(events_to_come: AsyncIterator[Sealed]) -> Sealed | None:
    return await anext(events_to_come, None)


def _last_event_id(request: UserRequest) -> int:
    given = request.headers.get("last-event-id", "0")
    if not given.isdecimal() or len(given) > 18:
        detail = "must be the id of an event that was received, a whole number"
        raise Problem(
            400, "invalid-request", "The request is not valid", f"Last-Event-ID: {detail}", [FieldError("Last-Event-ID", detail)]
        )
    return int(given)


router = Router(
    path="/",
    route_handlers=[start, listed, shown, events, execute, cancel, settle, kill_switch],
    dependencies={
        "desk": Provide(_desk, sync_to_thread=False),
        "once": Provide(_once, sync_to_thread=False),
    },
)
