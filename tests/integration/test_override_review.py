"""Overrides made over HTTP, analysed from the journal."""

from datetime import timedelta
from pathlib import Path

from serve.adapters.journal import JournalReader
from serve.adapters.snapshot import SnapshotStore
from serve.domain.users import Role
from serve.settings import Settings
from serve.usecases.override_review import review_overrides
from tests.integration.api_client import Api, order, running


async def overridden(api: Api, dealers: list[str], reason: str) -> None:
    made = (await api.recommend(order_id=f"{reason}-{'-'.join(dealers)}")).json()["recommendation_id"]
    body = {"dealers": dealers, "reason_code": reason, "comment": "why"}
    assert (await api.call("POST", f"/v1/recommendations/{made}/overrides", json=body)).status_code == 201


async def test_overrides_are_judged_by_reason_on_the_snapshot_they_were_made_from(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await overridden(api, ["F", "D"], "known_axe")
        await overridden(api, ["A", "C"], "relationship")
        await overridden(api, ["D"], "known_axe")
        stranger = api.app.state.tokens.create("x", Role.TRADER, "munis", timedelta(hours=1))
        await api.client.post("/v1/recommendations", json=order(), headers={"Authorization": f"Bearer {stranger}"})
    settings = Settings(home=tmp_path)
    events = list(JournalReader(settings.state.journal).read())
    review = review_overrides(events, SnapshotStore(settings.state))
    told = {item.reason_code: (item.count, item.difference.verdict) for item in review.outcomes}
    # F and D improve prices least of all; A and C most.
    assert (told["known_axe"], told["relationship"][0], told["all"][0]) == ((2, "costs more"), 1, 3)
    costs = {item.reason_code: item.difference.bps for item in review.outcomes}
    assert costs["known_axe"] is not None
    assert costs["relationship"] is not None
    assert costs["known_axe"] > 0 > costs["relationship"]
    assert review_overrides(events, SnapshotStore(settings.state), desk="munis").outcomes == []
    snapshot = settings.state.current.read_text().strip()
    (settings.state.snapshots / snapshot / "manifest.json").unlink()
    gone = review_overrides(events, SnapshotStore(settings.state))
    assert (gone.outcomes, gone.not_judged) == ([], 3)
