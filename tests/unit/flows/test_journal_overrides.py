"""Overrides of the journal as rows."""

from datetime import UTC, datetime

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden
from flows.sources.journal_overrides import override_rows

AT = datetime(2026, 6, 1, 10, tzinfo=UTC)


def made(recommendation_id: str, *dealers: str) -> RecommendationMade:
    return RecommendationMade(
        recommendation_id=recommendation_id,
        order_id="O",
        snapshot_id="S",
        rules_version="V",
        desk="main",
        request={},
        answer={"dealers": [{"dealer_id": dealer} for dealer in dealers]},
    )


def overridden(recommendation_id: str, override_id: str, *dealers: str) -> RecommendationOverridden:
    return RecommendationOverridden(
        recommendation_id=recommendation_id,
        override_id=override_id,
        dealers=list(dealers),
        reason_code="KNOWN_AXE",
        comment="saw the axe",
        overridden_by="ann",
    )


def test_an_override_tells_both_lists_and_the_reason() -> None:
    rows = list(override_rows([(AT, made("R", "A", "B")), (AT, overridden("R", "O1", "C", "A"))]))
    assert rows == [
        {
            "override_id": "O1",
            "recommendation_id": "R",
            "rfq_id": None,
            "overridden_at": "2026-06-01T10:00:00+00:00",
            "overridden_by": "ann",
            "reason_code": "KNOWN_AXE",
            "comment": "saw the axe",
            "recommended": "A;B",
            "chosen": "C;A",
        }
    ]


def test_a_recommendation_that_was_taken_gives_no_row() -> None:
    assert list(override_rows([(AT, made("R", "A"))])) == []
