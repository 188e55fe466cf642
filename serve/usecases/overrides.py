"""A trader's own list of dealers in place of the recommended one."""

from enum import StrEnum
from typing import Annotated

import msgspec

from expectations.contracts.journal import RecommendationOverridden
from serve.domain.orders import ShortText


class OverrideReason(StrEnum):
    """Why a trader departs from the recommendation: a closed list, so that overrides can be analysed."""

    KNOWN_AXE = "known_axe"
    MARKET_COLOUR = "market_colour"
    RELATIONSHIP = "relationship"
    CLIENT_INSTRUCTION = "client_instruction"
    INFORMATION_PROTECTION = "information_protection"
    DEALER_UNAVAILABLE = "dealer_unavailable"
    OTHER = "other"


class OverrideRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trader's own list, in the order in which to ask, and why."""

    dealers: Annotated[list[ShortText], msgspec.Meta(min_length=1, max_length=50)]
    reason_code: OverrideReason
    comment: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """An override as it was recorded."""

    override_id: str
    recommendation_id: str
    dealers: list[str]
    reason_code: OverrideReason
    comment: str
    overridden_by: str | None


def override_of(event: RecommendationOverridden) -> Override:
    """Show an override as it was recorded."""
    return Override(
        override_id=event.override_id,
        recommendation_id=event.recommendation_id,
        dealers=event.dealers,
        reason_code=OverrideReason(event.reason_code),
        comment=event.comment,
        overridden_by=event.overridden_by,
    )
