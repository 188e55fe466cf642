"""Overrides of the journal beside what was recommended, judged by the scorecards that the recommendation was made from."""

from collections.abc import Iterable

import msgspec

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden, Sealed
from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS
from serve.domain.overrides import OverrideCase, ReasonOutcome, override_outcomes
from serve.ports import Snapshots


class OverrideReview(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes by reason; ``not_judged`` overrides have a snapshot that is gone, or a class without scorecards in it."""

    outcomes: list[ReasonOutcome]
    not_judged: int


def review_overrides(events: Iterable[Sealed], snapshots: Snapshots, *, desk: str | None = None) -> OverrideReview:
    """Analyse the overrides among the events, oldest first; ``desk`` ``None`` = of every desk."""
    made: dict[str, RecommendationMade] = {}
    cases: list[OverrideCase] = []
    not_judged = 0
    for sealed in events:
        event = sealed.event
        if isinstance(event, RecommendationMade) and desk in {None, event.desk}:
            made[event.recommendation_id] = event
        elif isinstance(event, RecommendationOverridden) and event.recommendation_id in made:
            case = _case(made[event.recommendation_id], event, snapshots)
            not_judged += case is None
            cases += [case] if case else []
    return OverrideReview(outcomes=override_outcomes(cases), not_judged=not_judged)


def _case(made: RecommendationMade, event: RecommendationOverridden, snapshots: Snapshots) -> OverrideCase | None:
    try:
        market = snapshots.get(made.snapshot_id)
    except LookupError:
        return None
    cards = market.scorecards.get((made.answer["security"]["scorecard_class"], DEFAULT_WINDOW_DAYS))
    if cards is None:
        return None
    return OverrideCase(
        override_id=event.override_id,
        reason_code=event.reason_code,
        snapshot_id=made.snapshot_id,
        cards=cards,
        recommended=[dealer["dealer_id"] for dealer in made.answer["dealers"]],
        overridden=event.dealers,
    )
