"""Recommendations over HTTP: decode, call the use case, return."""

from typing import Any

from litestar import Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from serve.api.auth import requires
from serve.api.bodies import StrictRequest
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.domain.users import EVERYONE, Role, User
from serve.usecases.recommendations import Override, OverrideRequest, Recommendations, Replay

UserRequest = StrictRequest[User, str, State]


def _use_cases(state: State) -> Recommendations:
    use_cases: Recommendations = state.recommendations
    return use_cases


@post(
    "/v1/recommendations",
    status_code=200,
    guards=[requires(Role.OMS, Role.TRADER, Role.QUANT, Role.ADMIN)],
    summary="Recommend dealers for an order",
    tags=["recommendations"],
)
async def recommend(
    data: JSONBody[Order], request: UserRequest, recommendations: NamedDependency[Recommendations]
) -> Recommendation:
    """Rank the dealers for an order, with the plan and the reasons, journalled before it is answered."""
    return await recommendations.make(data, request.user)


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
    guards=[requires(Role.TRADER, Role.ADMIN)],
    summary="Put a trader's own list of dealers in place of the recommended one",
    tags=["recommendations"],
)
async def override(
    recommendation_id: FromPath[str],
    data: JSONBody[OverrideRequest],
    request: UserRequest,
    recommendations: NamedDependency[Recommendations],
) -> Override:
    """Record the trader's list with its reason."""
    return await recommendations.override(recommendation_id, data, request.user)


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
