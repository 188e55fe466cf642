"""Recommendations over HTTP: decode, call the use case, return."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from serve.api.auth import requires
from serve.api.bodies import StrictRequest
from serve.api.idempotency import Once
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.domain.users import EVERYONE, Role, User
from serve.usecases.recommendations import Override, OverrideRequest, Recommendations, Replay

UserRequest = StrictRequest[User, str, State]


_OPTIONAL_KEY = "An Idempotency-Key is honoured where one is sent: the same key is answered the same and acts once."


async def _once_if_asked(request: UserRequest, act: Callable[[], Awaitable[msgspec.Struct]], status: int) -> Response[Any]:
    if "idempotency-key" not in request.headers:
        return Response(await act(), status_code=status)
    once: Once = request.app.state.once
    return await once.do(request, act, status)


def _use_cases(state: State) -> Recommendations:
    use_cases: Recommendations = state.recommendations
    return use_cases


@post(
    "/v1/recommendations",
    status_code=200,
    responses={200: ResponseSpec(data_container=Recommendation, description=_OPTIONAL_KEY, generate_examples=False)},
    guards=[requires(Role.OMS, Role.TRADER, Role.QUANT, Role.ADMIN)],
    summary="Recommend dealers for an order",
    tags=["recommendations"],
)
async def recommend(
    data: JSONBody[Order], request: UserRequest, recommendations: NamedDependency[Recommendations]
) -> Response[Any]:
    """Rank the dealers for an order, with the plan and the reasons, journalled before it is answered."""
    return await _once_if_asked(request, lambda: recommendations.make(data, request.user), 200)


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
) -> Response[Any]:
    """Record the trader's list with its reason."""
    return await _once_if_asked(request, lambda: recommendations.override(recommendation_id, data, request.user), 201)


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
    route_handlers=[recommend, recorded, override, replayed],
    dependencies={"recommendations": Provide(_use_cases, sync_to_thread=False)},
)
