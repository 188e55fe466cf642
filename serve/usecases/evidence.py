"""Everything about one RFQ, gathered for whoever must judge it later: order, reasons, rules, data, events, messages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec

from expectations.contracts.journal import DealerAsked, ExecutionRequested, RfqStarted
from serve.domain.users import User
from serve.ports import Clock, Desks
from serve.usecases.refusals import NotThere

T = TypeVar("T")


class StoredEvent(Protocol):
    """An event as stored, field by field as it was hashed."""

    @property
    def seq(self) -> int: ...  # noqa: D102 - the journal's own columns
    @property
    def event_id(self) -> str: ...  # noqa: D102
    @property
    def at(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def payload(self) -> str: ...  # noqa: D102
    @property
    def prev_hash(self) -> str: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102


class Ledger(Protocol):
    """The journal, as it is stored."""

    def rows(self, subject: str) -> Sequence[StoredEvent]:
        """Give what is stored about a subject, oldest first."""
        ...

    def refused_of(self, rfq_id: str) -> Sequence[StoredEvent]:
        """Give the dealers' messages that an RFQ could not use."""
        ...

    def head(self) -> tuple[int, str]:
        """Give the last sequence number and hash."""
        ...


class Manifests(Protocol):
    """What snapshots say of themselves."""

    def manifest(self, snapshot_id: str) -> dict[str, Any]:
        """Give a manifest. Raises ``LookupError``."""
        ...


class FixLog(Protocol):
    """The messages that passed over the wire."""

    def about(self, identifiers: Iterable[str]) -> list[str]:
        """Give the messages about what has these identifiers of ours, in order of time."""
        ...


class EvidenceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event. ``hash`` = sha256 of the JSON array [prev_hash, seq, event_id, at, kind, subject, payload]."""

    seq: int
    event_id: str
    at: str
    kind: str
    subject: str
    payload: str
    prev_hash: str
    hash: str


class RulesInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The rule book by which the dealers were chosen, as written; ``text`` None = it was not kept."""

    version: str
    text: str | None


class SnapshotUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The data by which the dealers were chosen; ``manifest`` None = the snapshot is gone."""

    snapshot_id: str
    manifest: dict[str, Any] | None


class ChainHead(msgspec.Struct, frozen=True):
    """The chain's end when the evidence was gathered."""

    seq: int
    hash: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The pack. ``recommendation`` holds the reasons and who was left out; ``fix_messages`` is empty where none were logged."""

    rfq_id: str
    gathered_at: datetime
    order: dict[str, Any]
    recommendation: dict[str, Any]
    overrides: list[dict[str, Any]]
    rules: RulesInForce
    snapshot: SnapshotUsed
    events: list[EvidenceEvent]
    head: ChainHead
    fix_messages: list[str]


class Gatherer:
    """Gathers evidence, over the ports."""

    def __init__(self, ledger: Ledger, desks: Desks, manifests: Manifests, fix_log: FixLog, clock: Clock) -> None:
        self._ledger, self._desks, self._manifests, self._fix_log, self._clock = ledger, desks, manifests, fix_log, clock

    def gather(self, rfq_id: str, user: User | None) -> Evidence:
        """Gather what there is. ``user`` None = whoever can read the files. Raises ``NotThere``, for another desk's RFQ too."""
        rows = list(self._ledger.rows(rfq_id))
        start = next((_read(row, RfqStarted) for row in rows if row.kind == "rfq.started"), None)
        if start is None or (user is not None and not user.may_see(start.desk)):
            raise NotThere("not-found", f"There is no RFQ {rfq_id!r}", "rfq_id")
        before = list(self._ledger.rows(start.recommendation_id))
        made = self._made(before)
        stored = sorted([*before, *rows, *self._ledger.refused_of(rfq_id)], key=lambda row: row.seq)
        return Evidence(
            rfq_id=rfq_id,
            gathered_at=self._clock.now(),
            order=made["request"],
            recommendation=made["answer"],
            overrides=[msgspec.json.decode(row.payload) for row in before if row.kind == "recommendation.overridden"],
            rules=self._rules(made["rules_version"]),
            snapshot=self._snapshot(made["snapshot_id"]),
            events=[_event(row) for row in stored],
            head=ChainHead(*self._ledger.head()),
            fix_messages=self._fix_log.about(_identifiers(rows)),
        )

    def _made(self, before: Sequence[StoredEvent]) -> dict[str, Any]:
        made: dict[str, Any] = next(msgspec.json.decode(row.payload) for row in before if row.kind == "recommendation.made")
        first = made.get("excluded_as")
        if first:
            # Long exclusions stand once in the journal; a pack must stand by itself.
            whole = next(msgspec.json.decode(row.payload) for row in self._ledger.rows(first) if row.kind == "recommendation.made")
            made["answer"]["excluded"] = whole["answer"]["excluded"]
        return made

    def _rules(self, version: str) -> RulesInForce:
        try:
            return RulesInForce(version=version, text=self._desks.get(version).source)
        except LookupError:
            return RulesInForce(version=version, text=None)

    def _snapshot(self, snapshot_id: str) -> SnapshotUsed:
        try:
            return SnapshotUsed(snapshot_id=snapshot_id, manifest=self._manifests.manifest(snapshot_id))
        except LookupError:
            return SnapshotUsed(snapshot_id=snapshot_id, manifest=None)


def _event(row: StoredEvent) -> EvidenceEvent:
    return EvidenceEvent(**{name: getattr(row, name) for name in EvidenceEvent.__struct_fields__})


def _identifiers(rows: Sequence[StoredEvent]) -> list[str]:
    found: list[str] = []
    for row in rows:
        match row.kind:
            case "rfq.dealer_asked":
                found.append(_read(row, DealerAsked).quote_req_id)
            case "rfq.execution_requested":
                found.append(_read(row, ExecutionRequested).cl_ord_id)
            case _:
                pass
    return found


def _read(row: StoredEvent, kind: type[T]) -> T:
    return msgspec.json.decode(row.payload, type=kind)
