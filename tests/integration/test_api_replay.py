"""Replay: any past recommendation, computed again by another process from what was kept, is the same in every field."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from expectations.contracts.home import Home
from expectations.contracts.journal import RecommendationMade, Sealed
from serve.adapters.desk_config import DeskFiles
from serve.adapters.journal import JournalReader
from serve.adapters.snapshot import SnapshotStore
from serve.domain.advise import advise
from serve.domain.orders import Order
from serve.domain.users import Role
from serve.usecases.advice import recommend, recorded, replay
from serve.usecases.rules_trial import Past, PastOrder, try_on
from tests.fakes.orders import many_dealers, random_order
from tests.fakes.snapshot import write_snapshot
from tests.integration.api_client import order, running
from tests.unit.recommend.cases import CONFIG, HEADER

ORDERS, DEALERS = 1000, 60


class Read:
    """A journal read once, since opening the file for each of a thousand takes longer than computing them."""

    def __init__(self, sealed: list[Sealed]) -> None:
        self.by_subject: dict[str | None, Any] = {item.event.recommendation_id: item for item in sealed}  # type: ignore[union-attr]

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:
        yield from [self.by_subject[subject]] if subject in self.by_subject else []


async def test_a_thousand_random_recommendations_replay_identically_in_a_fresh_process(tmp_path: Path) -> None:
    rng = random.Random(43)
    write_snapshot(tmp_path, many_dealers(DEALERS))
    async with running(tmp_path, publish=False) as api:
        answers = []
        for _ in range(4):
            batch = [random_order(rng, number) for number in range(ORDERS // 4)]
            answers += (await api.call("POST", "/v1/recommendations:batch", json=batch)).json()
    made = [answer for answer in answers if "error" not in answer]
    assert len(made) > ORDERS * 0.9
    journal = JournalReader(tmp_path / "journal.db")
    snapshots, desks = SnapshotStore(Home(tmp_path)), DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", tmp_path / "rules")
    read = Read(list(journal.read(kind="recommendation.made")))
    for answer in made:
        kept = recorded(read, answer["recommendation_id"])
        assert kept is not None
        assert kept.answer == answer
        assert kept.propensity == 1.0
        again = replay(kept, snapshots, desks)
        assert (again.identical, again.differences) == (True, [])
    pointing = sum(sealed.event.excluded_as is not None for sealed in read.by_subject.values())
    assert 0 < pointing < len(made)


async def test_replay_over_http_and_evidence_hold_for_exclusions_that_stand_elsewhere(tmp_path: Path) -> None:
    write_snapshot(tmp_path, many_dealers(150))
    async with running(tmp_path, publish=False) as api:
        first, second = [(await api.recommend()).json() for _ in range(2)]
        events = [sealed.event for sealed in api.app.state.journal.read(kind="recommendation.made")]
        assert [event.excluded_as for event in events] == [None, first["recommendation_id"]]
        assert second["excluded"] == first["excluded"]
        assert events[1].answer["excluded"] == []
        path = f"/v1/recommendations/{second['recommendation_id']}"
        assert (await api.call("GET", path)).json() == second
        assert (await api.call("GET", f"{path}/replay", Role.COMPLIANCE)).json()["identical"]
        both = await api.call("POST", "/v1/recommendations:batch", json=[order(quantity=7e6), order(quantity=7e6)])
        assert both.json()[0]["excluded"] == both.json()[1]["excluded"]


async def test_order_without_a_zone_is_given_back_in_utc_and_replays_as_it_was_recorded_before(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = (await api.recommend(received_at="2026-01-30T21:00:00")).json()
    assert made["order"]["received_at"] == "2026-01-30T21:00:00Z"
    kept = recorded(JournalReader(tmp_path / "journal.db"), made["recommendation_id"])
    assert kept is not None
    older = {**kept.answer, "order": {**kept.answer["order"], "received_at": "2026-01-30T21:00:00"}}
    snapshots, desks = SnapshotStore(Home(tmp_path)), DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", tmp_path / "rules")
    for one in (kept, msgspec.structs.replace(kept, answer=older)):
        assert replay(one, snapshots, desks).differences == []


def test_past_orders_recorded_with_and_without_a_zone_are_tried_together(tmp_path: Path) -> None:
    write_snapshot(tmp_path)
    snapshots, desks = SnapshotStore(Home(tmp_path)), DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", tmp_path / "rules")
    market = snapshots.get("20260130T210000Z-small")
    past = [
        PastOrder(
            recommendation_id=f"rec-{place}",
            at=market.as_of,
            snapshot_id=market.snapshot_id,
            order=msgspec.convert(order(received_at=at), Order),
        )
        for place, at in enumerate(["2026-01-30T21:00:00", "2026-01-30T22:00:00Z"])
    ]
    one = desks.read(
        f"{HEADER}  - {{id: ONE, kind: constrain, when: order.notional > mm(0), max_dealers: 1}}\n", desks.current().scoring
    )
    trial = try_on(Past(orders=past, left_out=0), desks.current(), one, snapshots, market)
    assert [change.recommendation_id for change in trial.changes] == ["rec-1", "rec-0"]


def test_replay_names_the_fields_that_differ(tmp_path: Path) -> None:
    write_snapshot(tmp_path)
    snapshots, desks = SnapshotStore(Home(tmp_path)), DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", tmp_path / "rules")
    market = snapshots.get("20260130T210000Z-small")
    asked = msgspec.convert(random_order(random.Random(1), 1) | {"received_at": "2026-01-30T22:00:00Z"}, Order)
    answer = msgspec.to_builtins(recommend(asked, market, desks.current(), "rec-1"))
    answer["dealers"][0]["score"] += 0.01
    made = RecommendationMade(
        recommendation_id="rec-1",
        order_id="o",
        snapshot_id=market.snapshot_id,
        rules_version=desks.current().book.version,
        desk="credit",
        request={},
        answer=msgspec.json.decode(msgspec.json.encode(answer)),
    )
    assert [item.field for item in replay(made, snapshots, desks).differences] == ["dealers[0].score"]


def test_choice_kept_from_an_order_before_is_the_one_made_afresh(tmp_path: Path) -> None:
    write_snapshot(tmp_path, many_dealers(DEALERS))
    snapshots, desks = SnapshotStore(Home(tmp_path)), DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", tmp_path / "rules")
    market, desk, rng = snapshots.get("20260130T210000Z-small"), desks.current(), random.Random(9)
    asked = [msgspec.convert(random_order(rng, number) | {"received_at": "2026-01-31T10:00:00Z"}, Order) for number in range(300)]

    def answers(*, afresh: bool) -> list[bytes]:
        given = []
        for item in asked:
            if afresh:
                market.memo.clear()
            given.append(msgspec.json.encode(advise(item, market.securities[item.security_id], market, desk, "r")))
        return given

    assert answers(afresh=False) == answers(afresh=True)
