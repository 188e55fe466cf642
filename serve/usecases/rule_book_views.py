"""What is asked and answered about the rule book's versions."""

from datetime import datetime
from typing import Annotated

import msgspec

from serve.domain.rules import Rule, RuleBookRefused
from serve.domain.rules_diff import BookDiff
from serve.domain.rules_history import Draft, InForce
from serve.usecases.refusals import Refusal

Comment = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Version = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class DraftRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole rule book as YAML text, and what it is for. ``scoring`` left out = the thresholds in force stay.

    ``base_version`` is the version that was edited; where another is in force by now, the draft is refused.
    """

    rules: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000_000)]
    comment: Comment
    scoring: Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)] | None = None
    base_version: Version | None = None


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the second person says."""

    comment: Comment


class RollbackRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which earlier version to go back to, and why."""

    version: Version
    reason: Comment


class TryRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The period of past orders, from ``since`` up to but not at ``until``; left out = the last 30 days.

    A time without a zone is UTC.
    """

    since: datetime | None = None
    until: datetime | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 500


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; a select rule's are listed in the order in which they are tried."""

    id: str
    kind: str
    priority: int
    when: str


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A draft: who wrote it and why, how it differs from what is in force, and whether it was approved.

    ``state`` is ``pending``, ``stale`` (another version came into force since it was written) or ``approved``.
    """

    draft_id: str
    version: str
    base_version: str | None
    state: str
    author: str
    comment: str
    drafted_at: datetime
    approval: InForce | None
    against: str
    diff: BookDiff
    rules: str
    scoring: str


class PendingDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that waits for a second person."""

    draft_id: str
    version: str
    author: str
    comment: str
    drafted_at: datetime


class RuleBookView(msgspec.Struct, frozen=True, kw_only=True):
    """The rule book in force with its text as written, its past (the latest first), and the drafts that wait."""

    version: str
    tiers: dict[str, list[float]]
    rules: list[RuleView]
    source: str
    scoring: str
    history: list[InForce]
    pending: list[PendingDraft]


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version's texts, and when it was in force (never: empty)."""

    version: str
    in_force: list[InForce]
    active: bool
    rules: str
    scoring: str


class RulesRefused(Refusal):
    """A draft with faults; every one of them is told with its place."""

    def __init__(self, refused: RuleBookRefused) -> None:
        super().__init__("rules-refused", refused.faults[0] if refused.faults else str(refused), "rules")
        self.errors = [(f"rules:{item.line}:{item.column}", item.reason) for item in refused.places]


def waiting(draft: Draft) -> PendingDraft:
    """Show a draft that waits for a second person."""
    event = draft.event
    return PendingDraft(
        draft_id=event.draft_id,
        version=event.version,
        author=event.author,
        comment=event.comment,
        drafted_at=draft.drafted_at,
    )


def rule_view(rule: Rule) -> RuleView:
    """Show a rule."""
    return RuleView(id=rule.id, kind=rule.kind.value, priority=rule.priority, when=rule.when.source)
