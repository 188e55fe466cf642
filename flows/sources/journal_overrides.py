"""The journal's overrides as rows of ``overrides``: what the machine chose, what the trader chose instead, and why. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden, RfqStarted

OverrideEvent = RecommendationMade | RecommendationOverridden | RfqStarted


def override_rows(entries: Iterable[tuple[datetime, OverrideEvent]]) -> Iterator[dict[str, str | None]]:
    """Give one row per override, cells as text; ``rfq_id`` is the RFQ started with it, ``None`` while there is none."""
    recommended: dict[str, list[str]] = {}
    overridden: list[tuple[datetime, RecommendationOverridden]] = []
    started: dict[str, str] = {}
    for at, event in entries:
        if isinstance(event, RecommendationMade):
            recommended[event.recommendation_id] = [dealer["dealer_id"] for dealer in event.answer["dealers"]]
        elif isinstance(event, RecommendationOverridden):
            overridden.append((at, event))
        elif event.override_id:
            started[event.override_id] = event.rfq_id
    for at, override in overridden:
        yield {
            "override_id": override.override_id,
            "recommendation_id": override.recommendation_id,
            "rfq_id": started.get(override.override_id),
            "overridden_at": at.isoformat(),
            "overridden_by": override.overridden_by,
            "reason_code": override.reason_code,
            "comment": override.comment,
            "recommended": ";".join(recommended.get(override.recommendation_id, [])),
            "chosen": ";".join(override.dealers),
        }
