"""Dealers, scorecards and liquidity over HTTP."""

import asyncio
import re
from typing import Annotated

from litestar import Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS, HALF_LIVES_DAYS, WINDOWS_DAYS
from expectations.contracts.vocabulary import Side
from serve.api.auth import requires
from serve.api.bodies import StrictRequest
from serve.api.paging import PAGE, PageCursor, PageLimit, page
from serve.api.problems import FieldError, Problem
from serve.domain.market import Dealer, PastScorecard
from serve.domain.users import EVERYONE, Role, User
from serve.usecases.lookups import DealerView, LiquidityAnswer, Lookups, OverrideReview, ScorecardView, Wanted

UserRequest = StrictRequest[User, str, State]
_DAYS = re.compile(r"(\d{1,4})d?")
WindowParam = Annotated[str | None, QueryParameter(name="window", description="30, 60, 90 or 180 days, written 90 or 90d")]
HalfLifeParam = Annotated[
    str | None,
    QueryParameter(
        name="half_life",
        description="60 days, written 60 or 60d: recent observations weigh more; all the same where it is left out",
    ),
]
ClassParam = Annotated[str | None, QueryParameter(name="scorecard_class", description="such as CORP_HY; all where it is left out")]
QuantityParam = Annotated[float | None, QueryParameter(name="quantity", gt=0, le=1e12, description="par, in currency units")]
SideParam = Annotated[Side | None, QueryParameter(name="side", description="the client's side")]


def _use_cases(state: State) -> Lookups:
    use_cases: Lookups = state.lookups
    return use_cases


def _days(name: str, written: str | None, kept: tuple[int, ...]) -> int | None:
    if written is None:
        return None
    found = _DAYS.fullmatch(written)
    if not found or int(found[1]) not in kept:
        detail = f"must be one of {', '.join(f'{days}d' for days in kept)}, not {written!r}"
        raise Problem(400, "invalid-request", "The request is not valid", f"{name}: {detail}", [FieldError(name, detail)])
    return int(found[1])


def _wanted(scorecard_class: str | None, window: str | None, half_life: str | None) -> Wanted:
    return Wanted(
        scorecard_class=scorecard_class,
        window_days=_days("window", window, WINDOWS_DAYS),
        half_life_days=_days("half_life", half_life, HALF_LIVES_DAYS) or 0,
    )


@get("/v1/dealers", summary="Every dealer's static profile", tags=["dealers"])
async def dealers(
    request: UserRequest, lookups: NamedDependency[Lookups], limit: PageLimit = PAGE, cursor: PageCursor = None
) -> Response[list[Dealer]]:
    """List the dealers on record."""
    return page(request, lookups.dealers(), lambda item: item.dealer_id, limit, cursor)


@get("/v1/dealers/{dealer_id:str}", summary="One dealer: static and dynamic profile", tags=["dealers"])
async def dealer(dealer_id: FromPath[str], lookups: NamedDependency[Lookups]) -> DealerView:
    """Show one dealer with a scorecard per class."""
    return lookups.dealer(dealer_id)


@get("/v1/dealers/{dealer_id:str}/scorecards", summary="One dealer's scorecards by class and window", tags=["dealers"])
async def dealer_scorecards(
    dealer_id: FromPath[str],
    lookups: NamedDependency[Lookups],
    window: WindowParam = None,
    half_life: HalfLifeParam = None,
    scorecard_class: ClassParam = None,
) -> list[ScorecardView]:
    """Show one dealer's figures."""
    return lookups.dealer_scorecards(dealer_id, _wanted(scorecard_class, window, half_life))


@get("/v1/dealers/{dealer_id:str}/scorecards/history", summary="One dealer's scorecards, week by week", tags=["dealers"])
async def dealer_history(
    dealer_id: FromPath[str], lookups: NamedDependency[Lookups], scorecard_class: ClassParam = None
) -> list[PastScorecard]:
    """Show how one dealer's figures came to be what they are, over the past year."""
    return await asyncio.to_thread(lookups.history, dealer_id, scorecard_class)


@get("/v1/scorecards", summary="The dealer matrix", tags=["dealers"])
async def scorecards(  # noqa: PLR0917 - the framework gives them by name; each is a parameter of the query
    request: UserRequest,
    lookups: NamedDependency[Lookups],
    window: WindowParam = None,
    half_life: HalfLifeParam = None,
    scorecard_class: ClassParam = None,
    limit: PageLimit = PAGE,
    cursor: PageCursor = None,
) -> Response[list[ScorecardView]]:
    """Show all dealers of a class, best first."""
    views = lookups.scorecards(_wanted(scorecard_class, window or f"{DEFAULT_WINDOW_DAYS}d", half_life))
    return page(request, views, lambda view: f"{view.scorecard_class}/{view.dealer_id}", limit, cursor)


@get("/v1/liquidity/{security_id:str}", summary="Pre-trade: illiquid or not and why, expected cost and impact", tags=["pre-trade"])
async def liquidity(
    security_id: FromPath[str], lookups: NamedDependency[Lookups], quantity: QuantityParam = None, side: SideParam = None
) -> LiquidityAnswer:
    """Show one bond, by any of its identifiers."""
    return lookups.liquidity(security_id, quantity, side)


@get(
    "/v1/overrides/outcomes",
    guards=[requires(Role.QUANT, Role.COMPLIANCE, Role.ADMIN)],
    summary="What came of overrides, by reason",
    tags=["recommendations"],
)
async def override_outcomes(lookups: NamedDependency[Lookups]) -> OverrideReview:
    """Say for each reason whether the trader or the machine was right, with counts and intervals, over all desks."""
    return lookups.overrides()


router = Router(
    path="/",
    route_handlers=[
        Router(
            path="/",
            route_handlers=[dealers, dealer, dealer_scorecards, dealer_history, scorecards, liquidity],
            guards=[requires(*EVERYONE)],
        ),
        override_outcomes,
    ],
    dependencies={"lookups": Provide(_use_cases, sync_to_thread=False)},
)
