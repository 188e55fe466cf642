"""What holds for many routes: lists of orders, keys, tags of what was read, pages, limits, live streams, measurements."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from serve.adapters.answers import SqliteAnswers
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import JournalError
from serve.api import rfqs
from serve.api.idempotency import Once
from serve.domain.users import Role
from serve.ports import Answered
from tests.fakes.snapshot import LIQUID_IG, small_market, write_snapshot
from tests.integration.api_client import order, running

BATCH = "/v1/recommendations:batch"


async def test_list_of_orders_is_answered_in_order_with_a_problem_where_one_failed(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        bodies = [order(order_id="a"), order(quantity=-1), order(order_id="c"), order(currency="EUR"), "no order"]
        response = await api.call("POST", BATCH, json=bodies)
        assert response.status_code == 200
        first, second, third, fourth, fifth = response.json()
        assert (first["order"]["order_id"], third["order"]["order_id"]) == ("a", "c")
        assert second["error"]["errors"][0]["field"] == "quantity"
        assert (fourth["error"]["status"], fifth["error"]["status"]) == (422, 400)
        assert len(list(api.app.state.journal.read(kind="recommendation.made"))) == 2
        recorded = await api.call("GET", f"/v1/recommendations/{third['recommendation_id']}")
        assert recorded.json() == third


async def test_list_of_a_thousand_orders_shares_one_snapshot_and_a_longer_one_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await api.call("POST", BATCH, json=[order(order_id=f"o{n}") for n in range(1000)])
        assert [item["order"]["order_id"] for item in made.json()] == [f"o{n}" for n in range(1000)]
        assert len({(item["snapshot_id"], item["rules_version"]) for item in made.json()}) == 1
        too_many = await api.call("POST", BATCH, json=[order()] * 1001)
        none = await api.call("POST", BATCH, json=[])
        assert (too_many.status_code, none.status_code) == (400, 400)


async def test_list_that_cannot_be_journalled_gets_no_answer_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise JournalError("the disk is full")

    async with running(tmp_path) as api:
        monkeypatch.setattr(api.app.state.journal, "append", full)
        response = await api.call("POST", BATCH, json=[order(), order()])
        assert (response.status_code, response.json()["type"]) == (503, "urn:sotto:problem:journal-unavailable")


OVERRIDE = {"dealers": ["A"], "reason_code": "other", "comment": "why"}


@pytest.mark.parametrize("path", [BATCH, "/v1/recommendations", "/v1/recommendations/{id}/overrides"])
async def test_key_acts_once_and_is_answered_the_same_after_a_restart(tmp_path: Path, path: str) -> None:
    headers = {"Idempotency-Key": "once"}
    async with running(tmp_path) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        body: Any = OVERRIDE if "override" in path else [order()] if path == BATCH else order()
        place = path.format(id=made)
        both = await asyncio.gather(*(api.call("POST", place, json=body, headers=headers) for _ in range(2)))
        assert sorted(answer.status_code for answer in both)[1] == 409
        first = min(both, key=lambda answer: answer.status_code)
        events = api.app.state.journal.head()[0]
    async with running(tmp_path, publish=False) as api:
        again = await api.call("POST", place, json=body, headers=headers)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert api.app.state.journal.head()[0] == events
        other = await api.call("POST", place, json=body * 2 if path == BATCH else body | {"comment": "x"}, headers=headers)
        assert other.status_code == (400 if path == "/v1/recommendations" else 422)


class Dying(SqliteAnswers):
    """Loses the process, as it were, after the act and before its answer is kept."""

    async def keep(self, key: str, answered: Answered) -> None:
        raise OSError("the machine is gone")


@pytest.mark.parametrize("path", ["/v1/recommendations", BATCH, "/v1/recommendations/{id}/overrides"])
async def test_key_whose_service_died_between_the_act_and_its_answer_acts_once(tmp_path: Path, path: str) -> None:
    headers = {"Idempotency-Key": "once"}
    async with running(tmp_path) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        body: Any = OVERRIDE if "override" in path else [order(), order(security_id="nobody")] if path == BATCH else order()
        place = path.format(id=made)
        kept = Dying(tmp_path / "dying.db", api.app.state.recommendations._clock)
        api.app.state.once = Once(kept, TimeOrderedIds())
        assert (await api.call("POST", place, json=body, headers=headers)).status_code == 500
        kept.close()
        events = api.app.state.journal.head()[0]
    async with running(tmp_path, publish=False) as api:
        kept = SqliteAnswers(tmp_path / "dying.db", api.app.state.recommendations._clock)
        api.app.state.once = Once(kept, TimeOrderedIds())
        again = await api.call("POST", place, json=body, headers=headers)
        assert again.status_code < 300, again.text
        assert api.app.state.journal.head()[0] == events
        recorded = list(api.app.state.journal.read())[-1].event
        answer = again.json()[0] if path == BATCH else again.json()
        named = "override_id" if "override" in path else "recommendation_id"
        assert answer[named] == getattr(recorded, named)
        assert (await api.call("POST", place, json=body, headers=headers)).content == again.content
        kept.close()


async def test_what_was_read_already_is_not_sent_again_until_it_changes(tmp_path: Path) -> None:
    async with running(tmp_path, snapshot_poll_s=30) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        for path in (f"/v1/recommendations/{made}", "/v1/dealers", "/v1/dealers/A", "/v1/scorecards", "/v1/rules"):
            first = await api.call("GET", path)
            tag = first.headers["etag"]
            again = await api.call("GET", path, headers={"If-None-Match": f'"other", W/{tag}'})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert (await api.call("GET", path, headers={"If-None-Match": '"other"'})).content == first.content
        assert "etag" not in (await api.call("GET", "/v1/dealers/none")).headers


async def test_lists_come_in_pages_that_add_up_to_the_whole(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        for path, key in (("/v1/dealers", "dealer_id"), ("/v1/scorecards?window=30d", "composite")):
            whole = (await api.call("GET", path)).json()
            joined, following = [], f"{path}{'&' if '?' in path else '?'}limit=3"
            while following:
                page = await api.call("GET", following)
                joined += page.json()
                assert len(page.json()) <= 3
                following = page.headers.get("link", "").partition(">")[0].removeprefix("<")
            assert [row[key] for row in joined] == [row[key] for row in whole]
        stale = await api.call("GET", "/v1/dealers?cursor=gone")
        assert (stale.status_code, stale.json()["errors"][0]["field"]) == (400, "cursor")


async def test_token_that_asks_too_often_waits_and_others_do_not(tmp_path: Path) -> None:
    async with running(tmp_path, rate_per_s=0.5, rate_burst=3) as api:
        statuses = [(await api.call("GET", "/v1/dealers")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = await api.call("GET", "/v1/rules")
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert (await api.call("GET", "/v1/dealers", Role.OMS)).status_code == 200
        assert (await api.call("GET", "/health/live", None)).status_code == 200


async def test_list_counts_against_the_limit_by_its_orders(tmp_path: Path) -> None:
    async with running(tmp_path, rate_per_s=1, rate_burst=10) as api:
        assert (await api.call("POST", BATCH, json=[order()] * 30)).status_code == 200
        assert int((await api.call("GET", "/v1/dealers")).headers["retry-after"]) > 15


async def test_each_route_is_measured_by_its_template(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        await api.call("GET", f"/v1/recommendations/{made}")
        await api.call("GET", "/v1/dealers", None)
        text = (await api.call("GET", "/metrics", None)).text
    for labels in (
        'method="POST",route="/v1/recommendations",status="200"',
        'method="GET",route="/v1/recommendations/{recommendation_id}",status="200"',
        'method="GET",route="/v1/dealers",status="401"',
    ):
        assert f"sotto_http_request_seconds_count{{{labels}}}" in text
    assert made not in text


async def test_stream_without_news_says_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfqs, "KEEP_ALIVE_S", 0.01)
    silent = asyncio.Event()

    async def events() -> Any:
        await silent.wait()
        return
        yield

    stream = rfqs._messages(events())
    assert [(await anext(stream)).comment for _ in range(2)] == ["still here"] * 2
    silent.set()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"due_diligence_expiry": date(2020, 1, 1)}, "due_diligence"),
        ({"credit_limit": 500_000.0}, "credit"),
        ({"status": "SUSPENDED"}, "suspended"),
        ({"restricted": True}, "restricted"),
    ],
)
async def test_override_is_refused_for_whatever_the_start_of_an_rfq_refuses(
    tmp_path: Path, change: dict[str, Any], slug: str
) -> None:
    rows = small_market()
    rows["dim_dealers"] = [row | change if row["dealer_id"] == "B" else row for row in rows["dim_dealers"]]
    write_snapshot(tmp_path, rows)
    async with running(tmp_path, publish=False) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        response = await api.call("POST", f"/v1/recommendations/{made}/overrides", json=OVERRIDE | {"dealers": ["A", "B"]})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "dealers[1]")
    assert f"({slug})" in response.json()["detail"]


async def test_override_longer_than_the_plan_allows_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = (await api.recommend(quantity=50_000_000)).json()
        assert made["plan"]["max_dealers"] == 3
        path = f"/v1/recommendations/{made['recommendation_id']}/overrides"
        response = await api.call("POST", path, json=OVERRIDE | {"dealers": ["A", "B", "C", "D"]})
        assert (response.status_code, response.json()["type"]) == (422, "urn:sotto:problem:too-many-dealers")


async def test_answer_is_the_very_text_that_was_journalled(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        answer = await api.recommend(security_id=LIQUID_IG)
        payload = next(api.app.state.journal._rows("kind = ?", ["recommendation.made"])).payload
        assert answer.text in payload
        assert json.loads(payload)["answer"] == answer.json()
