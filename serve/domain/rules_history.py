"""The rule book's past, told from the journal: what was proposed, what was in force when, and by whom."""

from datetime import datetime

import msgspec

from expectations.contracts.journal import AnyEvent, RulesApproved, RulesDrafted, RulesRolledBack

KINDS = tuple(str(event.__struct_config__.tag) for event in (RulesDrafted, RulesApproved, RulesRolledBack))
# Who "wrote" what a configuration file brought, and "approved" the very first version.
FILE_AUTHOR = "configuration file"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it was journalled, and when."""

    event: RulesDrafted
    drafted_at: datetime


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a version was in force, by whose consent and why; ``draft_id`` ``None`` = it was rolled back to."""

    version: str
    since: datetime
    by: str
    role: str
    comment: str
    draft_id: str | None


class History:
    """Everything that was said of rules, in the order of the journal."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.in_force: list[InForce] = []
        self._texts: dict[str, tuple[str, str]] = {}

    def apply(self, event: AnyEvent, at: datetime) -> None:
        """Take in one event; what is not of rules is passed over."""
        if isinstance(event, RulesDrafted):
            self.drafts[event.draft_id] = Draft(event=event, drafted_at=at)
            self._texts[event.version] = (event.rules, event.scoring)
        elif isinstance(event, RulesApproved):
            by = {"by": event.approved_by, "role": event.role, "comment": event.comment}
            self.in_force.append(InForce(version=event.version, since=at, draft_id=event.draft_id, **by))
        elif isinstance(event, RulesRolledBack):
            by = {"by": event.rolled_back_by, "role": event.role, "comment": event.reason}
            self.in_force.append(InForce(version=event.version, since=at, draft_id=None, **by))

    @property
    def active(self) -> str | None:
        """The version in force; ``None`` = none ever was."""
        return self.in_force[-1].version if self.in_force else None

    def was_in_force(self, version: str) -> bool:
        """Say whether a version was ever in force."""
        return any(item.version == version for item in self.in_force)

    def texts(self, version: str) -> tuple[str, str] | None:
        """Give the rules and the thresholds of a version as they were written; ``None`` = it was never drafted."""
        return self._texts.get(version)

    def approved(self, draft_id: str) -> InForce | None:
        """Give a draft's approval; ``None`` = it has none."""
        return next((item for item in self.in_force if item.draft_id == draft_id), None)

    def rolled_back_to(self, version: str) -> InForce | None:
        """Give the roll-back to a version that is in force; ``None`` = it is not, or not by a roll-back."""
        last = self.in_force[-1] if self.in_force else None
        return last if last is not None and last.version == version and last.draft_id is None else None

    def last_from_file(self) -> str | None:
        """Give the version that the configuration files last brought; ``None`` = they never brought one."""
        brought = [draft.event.version for draft in self.drafts.values() if draft.event.author_token is None]
        return brought[-1] if brought else None
