"""The audit over HTTP: the journal's events, its head, and the evidence of one RFQ."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter

from expectations.contracts.journal import Sealed
from serve.api.auth import requires
from serve.api.bodies import StrictRequest
from serve.domain.users import Role, User
from serve.ports import Journal
from serve.usecases.evidence import Evidence, Gatherer

UserRequest = StrictRequest[User, str, State]
_LAST = 2**63 - 1
AfterParam = Annotated[int, QueryParameter(name="after", ge=0, le=_LAST, description="events above this sequence number")]
LimitParam = Annotated[int, QueryParameter(name="limit", ge=1, le=500)]
KindParam = Annotated[str | None, QueryParameter(name="kind", description="such as rfq.alert")]
SubjectParam = Annotated[str | None, QueryParameter(name="subject", description="an RFQ's or recommendation's id")]


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it stands in the chain."""

    seq: int
    event_id: str
    at: datetime
    event: dict[str, Any]
    prev_hash: str
    hash: str


class AuditPage(msgspec.Struct, frozen=True):
    """Events, the oldest first; ``next_after`` None = there is no more."""

    events: list[AuditEvent]
    next_after: int | None


class Head(msgspec.Struct, frozen=True):
    """The chain's end: note it elsewhere, and no later change before it can go unseen."""

    seq: int
    hash: str


@get("/v1/audit", guards=[requires(Role.COMPLIANCE, Role.ADMIN)], summary="The journal's events", tags=["audit"])
async def audit(
    state: State, after: AfterParam = 0, limit: LimitParam = 100, kind: KindParam = None, subject: SubjectParam = None
) -> AuditPage:
    """Give events above ``after``, the oldest first."""
    found = await asyncio.to_thread(_page, _journal(state), after, limit + 1, kind, subject)
    shown_now = found[:limit]
    return AuditPage([_audited(sealed) for sealed in shown_now], shown_now[-1].seq if len(found) > limit else None)


@get("/v1/audit/head", guards=[requires(Role.COMPLIANCE, Role.ADMIN)], summary="The end of the journal's chain", tags=["audit"])
async def head(state: State) -> Head:
    """Give the last event's number and hash."""
    return Head(*await asyncio.to_thread(_journal(state).head))


@get(
    "/v1/rfqs/{rfq_id:str}/evidence",
    guards=[requires(Role.TRADER, Role.COMPLIANCE, Role.ADMIN)],
    summary="Everything about one RFQ: order, reasons, rules, data, events with their hashes, FIX messages",
    tags=["audit"],
)
async def evidence(rfq_id: FromPath[str], request: UserRequest, state: State) -> Evidence:
    """Gather the evidence of one RFQ."""
    gatherer: Gatherer = state.evidence
    return await asyncio.to_thread(gatherer.gather, rfq_id, request.user)


def _journal(state: State) -> Journal:
    journal: Journal = state.journal
    return journal


def _page(journal: Journal, after: int, limit: int, kind: str | None, subject: str | None) -> list[Sealed]:
    rows = journal.read(after, subject=subject, kind=kind)
    return [sealed for _, sealed in zip(range(limit), rows, strict=False)]


def _audited(sealed: Sealed) -> AuditEvent:
    return AuditEvent(
        seq=sealed.seq,
        event_id=sealed.event_id,
        at=sealed.at,
        event=msgspec.to_builtins(sealed.event),
        prev_hash=sealed.prev_hash,
        hash=sealed.hash,
    )


router = Router(path="/", route_handlers=[audit, head, evidence])
