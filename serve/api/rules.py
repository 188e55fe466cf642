"""The rule book and its versions over HTTP."""

from litestar import Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from serve.api.auth import requires
from serve.api.bodies import StrictRequest
from serve.api.idempotency import Once
from serve.domain.rules_trial import Trial
from serve.domain.users import EVERYONE, Role, User
from serve.usecases.rule_book import RuleVersions
from serve.usecases.rule_book_views import (
    ApprovalRequest,
    DraftRequest,
    DraftView,
    RollbackRequest,
    RuleBookView,
    TryRequest,
    VersionView,
)

UserRequest = StrictRequest[User, str, State]
WRITES = (Role.TRADER, Role.QUANT, Role.COMPLIANCE, Role.ADMIN)
APPROVES = (Role.QUANT, Role.COMPLIANCE, Role.ADMIN)
ROLLS_BACK = (Role.COMPLIANCE, Role.ADMIN)
# The largest rule book, written as JSON with every character escaped twice over.
_DRAFT_BYTES = 2_500_000


def _versions(state: State) -> RuleVersions:
    versions: RuleVersions = state.rules
    return versions


def _once(state: State) -> Once:
    once: Once = state.once
    return once


@get("/v1/rules", guards=[requires(*EVERYONE)], summary="The rule book in force, its history and what waits", tags=["rules"])
async def book(versions: NamedDependency[RuleVersions]) -> RuleBookView:
    """Show the rules in the order in which they are tried, with the text as written."""
    return versions.book()


@get("/v1/rules/versions/{version:str}", guards=[requires(*EVERYONE)], summary="One version of the rule book", tags=["rules"])
async def version_of(version: FromPath[str], versions: NamedDependency[RuleVersions]) -> VersionView:
    """Show a version, in force, once in force, or only drafted."""
    return versions.version(version)


@post(
    "/v1/rules/drafts",
    status_code=201,
    responses={201: ResponseSpec(data_container=DraftView, description="The draft, with its diff", generate_examples=False)},
    guards=[requires(*WRITES)],
    request_max_body_size=_DRAFT_BYTES,
    summary="Propose a rule book",
    tags=["rules"],
)
async def draft(
    data: JSONBody[DraftRequest], request: UserRequest, versions: NamedDependency[RuleVersions], once: NamedDependency[Once]
) -> Response[bytes]:
    """Check a whole rule book and record it as a draft; a bad one is refused with the place and reason of every fault."""
    return await once.do(request, lambda attempt: versions.draft(data, request.user, attempt), 201)


@get("/v1/rules/drafts/{draft_id:str}", guards=[requires(*EVERYONE)], summary="A draft and what it changes", tags=["rules"])
async def shown(draft_id: FromPath[str], versions: NamedDependency[RuleVersions]) -> DraftView:
    """Show a draft with its difference to the version in force, rule by rule and line by line."""
    return await versions.show(draft_id)


@post(
    "/v1/rules/drafts/{draft_id:str}/try",
    status_code=200,
    guards=[requires(*WRITES)],
    summary="Try a draft on past orders",
    tags=["rules"],
)
async def attempt(
    draft_id: FromPath[str], data: JSONBody[TryRequest], request: UserRequest, versions: NamedDependency[RuleVersions]
) -> Trial:
    """Run past orders by the draft and by the version in force, and show what changes. It changes nothing itself."""
    return await versions.attempt(draft_id, data, request.user)


@post(
    "/v1/rules/drafts/{draft_id:str}/approve",
    status_code=200,
    responses={200: ResponseSpec(data_container=DraftView, description="The draft, now in force", generate_examples=False)},
    guards=[requires(*APPROVES)],
    summary="Put a draft in force, as a second person",
    tags=["rules"],
)
async def approve(
    draft_id: FromPath[str],
    data: JSONBody[ApprovalRequest],
    request: UserRequest,
    versions: NamedDependency[RuleVersions],
    once: NamedDependency[Once],
) -> Response[bytes]:
    """Approve somebody else's draft; requests that begin after the answer are decided by it."""
    return await once.do(request, lambda attempt: versions.approve(draft_id, data, request.user, attempt), 200)


@post(
    "/v1/rules/rollback",
    status_code=200,
    responses={200: ResponseSpec(data_container=RuleBookView, description="The rule book in force", generate_examples=False)},
    guards=[requires(*ROLLS_BACK)],
    summary="Go back to a version that was in force before",
    tags=["rules"],
)
async def roll_back(
    data: JSONBody[RollbackRequest], request: UserRequest, versions: NamedDependency[RuleVersions], once: NamedDependency[Once]
) -> Response[bytes]:
    """Put an earlier version in force again, at once."""
    return await once.do(request, lambda attempt: versions.roll_back(data, request.user, attempt), 200)


router = Router(
    path="/",
    route_handlers=[book, version_of, draft, shown, attempt, approve, roll_back],
    dependencies={"versions": Provide(_versions, sync_to_thread=False), "once": Provide(_once, sync_to_thread=False)},
)
