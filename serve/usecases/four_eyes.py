"""What a change of rules takes: a reason, and a second person."""

from expectations.contracts.journal import RulesDrafted
from serve.domain.users import SEES_EVERY_DESK, User
from serve.usecases.refusals import NotAllowed, Refusal


def say_why(text: str, field: str) -> None:
    """Raise ``Refusal`` where nobody said why."""
    if not text.strip():
        raise Refusal("invalid-request", f"{field}: say in a few words why", field)


def second_person(draft: RulesDrafted, user: User) -> None:
    """Raise ``NotAllowed`` where who approves is who wrote, or may be."""
    if draft.author_token == user.token_id or draft.author.strip().casefold() == user.name.strip().casefold():
        detail = f"{user.name} wrote this draft: a second person with the role quant, compliance or admin must approve it"
        raise NotAllowed("four-eyes", detail)
    if draft.author_token is None and user.role not in SEES_EVERY_DESK:
        detail = "Who changed the configuration files is not known: compliance or admin must approve this draft"
        raise NotAllowed("four-eyes", detail)
