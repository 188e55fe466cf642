"""Recommendations over HTTP: decode, call the use case, return."""

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from serve.api.auth import requires
from serve.api.bodies import StrictRequest, decode
from serve.api.idempotency import Once
from serve.api.problems import FieldError, Problem, ProblemBody, from_refusal
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.domain.users import EVERYONE, Role, User
from serve.ports import Attempt
from serve.usecases.advice import Replay
from serve.usecases.overrides import Override, OverrideRequest
from serve.usecases.recommendations import Recommendations
from serve.usecases.refusals import Refusal

UserRequest = StrictRequest[User, str, State]


MOST_ORDERS = 1000
_BATCH_BYTES = 4 * 1024 * 1024
_OPTIONAL_KEY = "An Idempotency-Key is honoured where one is sent: the same key is answered the same and acts once."


def _use_cases(state: State) -> Recommendations:
    use_cases: Recommendations = state.recommendations
    return use_cases


def _once(state: State) -> Once:
    once: Once = state.once
    return once


class Failed(msgspec.Struct, frozen=True):
    """One order of a list that got no recommendation, and why."""

    error: ProblemBody


Orders = Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MOST_ORDERS)]


@post(
    "/v1/recommendations",
    status_code=200,
    responses={200: ResponseSpec(data_container=Recommendation, description=_OPTIONAL_KEY, generate_examples=False)},
    guards=[requires(Role.OMS, Role.TRADER, Role.QUANT, Role.ADMIN)],
    summary="Recommend dealers for an order",
    tags=["recommendations"],
)
async def recommend(data: JSONBody[Order], request: UserRequest) -> Response[bytes]:
    """Rank the dealers for an order, with the plan and the reasons, journalled before it is answered."""
    # Straight from the state: the framework's injection starts a task group for each request, and this one is in a hurry.
    state = request.app.state

    async def act(attempt: Attempt | None) -> bytes:
        encoded: bytes = await state.recommendations.make(data, request.user, attempt)
        return encoded

    once: Once = state.once
    return await once.if_asked(request, act, 200)


@post(
    "/v1/recommendations:batch",
    status_code=200,
    responses={200: ResponseSpec(data_container=list[Recommendation | Failed], description=_OPTIONAL_KEY, generate_examples=False)},
    guards=[requires(Role.OMS, Role.TRADER, Role.QUANT, Role.ADMIN)],
    request_max_body_size=_BATCH_BYTES,
    summary="Recommend dealers for each of a list of orders",
    tags=["recommendations"],
)
async def recommend_all(
    data: JSONBody[Orders], request: UserRequest, recommendations: NamedDependency[Recommendations], once: NamedDependency[Once]
) -> Response[bytes]:
    """Answer a list in its own order: a recommendation each, or ``{"error": <problem>}`` where one failed.

    All of them come from one snapshot and one version of the rules, and stand in the journal before any is answered.
    """

    async def act(attempt: Attempt | None) -> bytes:
        return await _answer_all(data, request, recommendations, attempt)

    return await once.if_asked(request, act, 200)


async def _answer_all(
    bodies: list[msgspec.Raw], request: UserRequest, recommendations: Recommendations, attempt: Attempt | None
) -> bytes:
    if not 1 <= len(bodies) <= MOST_ORDERS:
        detail = f"must be a list of 1 to {MOST_ORDERS} orders, not of {len(bodies)}"
        raise Problem(400, "invalid-request", "The request is not valid", f"body: {detail}", [FieldError("body", detail)])
    throttle = request.app.state.get("throttle")
    if throttle is not None and len(bodies) > 1:
        throttle.charge(request.user.token_id, len(bodies) - 1)
    read = [_order(bytes(body)) for body in bodies]
    made = iter(await recommendations.make_all([item for item in read if isinstance(item, Order)], request.user, attempt))
    return b"[" + b",".join(_told(next(made) if isinstance(item, Order) else item) for item in read) + b"]"


def _order(body: bytes) -> Order | Problem:
    try:
        return decode(body, Order)
    except Problem as problem:
        return problem


def _told(result: bytes | Refusal | Problem) -> bytes:
    if isinstance(result, bytes):
        return result
    problem = result if isinstance(result, Problem) else from_refusal(result)
    return msgspec.json.encode(Failed(problem.body))


@get(
    "/v1/recommendations/{recommendation_id:str}",
    guards=[requires(*EVERYONE)],
    summary="A recommendation as it was recorded",
    tags=["recommendations"],
)
async def recorded(
    recommendation_id: FromPath[str], request: UserRequest, recommendations: NamedDependency[Recommendations]
) -> dict[str, Any]:
    """Give the whole answer as it was journalled."""
    return (await recommendations.find(recommendation_id, request.user)).answer


@post(
    "/v1/recommendations/{recommendation_id:str}/overrides",
    status_code=201,
    responses={201: ResponseSpec(data_container=Override, description=_OPTIONAL_KEY, generate_examples=False)},
    guards=[requires(Role.TRADER, Role.ADMIN)],
    summary="Put a trader's own list of dealers in place of the recommended one",
    tags=["recommendations"],
)
async def override(
    recommendation_id: FromPath[str],
    data: JSONBody[OverrideRequest],
    request: UserRequest,
    recommendations: NamedDependency[Recommendations],
    once: NamedDependency[Once],
) -> Response[bytes]:
    """Record the trader's list with its reason. Whoever could not be asked at the start of an RFQ is refused here already."""
    return await once.if_asked(
        request, lambda attempt: recommendations.override(recommendation_id, data, request.user, attempt), 201
    )


@get(
    "/v1/recommendations/{recommendation_id:str}/replay",
    guards=[requires(*EVERYONE)],
    summary="Compute a past recommendation again and compare",
    tags=["recommendations"],
)
async def replayed(
    recommendation_id: FromPath[str], request: UserRequest, recommendations: NamedDependency[Recommendations]
) -> Replay:
    """Compare field by field with what was answered."""
    return await recommendations.replay(recommendation_id, request.user)


router = Router(
    path="/",
    route_handlers=[recommend, recommend_all, recorded, override, replayed],
    dependencies={
        "recommendations": Provide(_use_cases, sync_to_thread=False),
        "once": Provide(_once, sync_to_thread=False),
    },
)
