"""Overrides of the journal as rows."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden
from flows.sources.config import SourceConfig
from flows.sources.journal_overrides import override_rows
from flows.sources.registry import pull
from tests.fakes import rfq_started
from tests.fakes.journal_file import write_events

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


def test_a_journal_delivers_the_overrides_with_what_they_were_made_of(tmp_path: Path) -> None:
    started = rfq_started.started(rfq_id="F1", recommendation_id="R", override_id="O1", dealers=["C", "A"])
    told = [made("R", "A", "B"), made("Q", "A"), overridden("R", "O1", "C", "A"), started, rfq_started.started(rfq_id="F2")]
    path = write_events(tmp_path / "journal.db", [(AT, event) for event in told])
    (delivery,) = pull(SourceConfig(name="journal", kind="journal", path=str(path)))
    assert delivery.table == "overrides"
    with duckdb.connect() as connection:
        found = connection.execute(f"select override_id, recommended, chosen, rfq_id from ({delivery.select})").fetchall()
    assert found == [("O1", "A;B", "C;A", "F1")]
