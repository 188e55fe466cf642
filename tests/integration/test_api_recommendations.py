"""Recommendations over HTTP: answered, journalled, looked up, overridden, replayed, refused."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden
from serve.adapters.journal import JournalError
from serve.domain.users import Role
from tests.fakes.snapshot import ILLIQUID_IG, LIQUID_IG, UNTRADED, small_market, write_snapshot
from tests.integration.api_client import Api, order, running

JSON = {"content-type": "application/json"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path) as started:
        yield started


async def test_order_gets_ranked_dealers_whose_contributions_add_up(api: Api) -> None:
    response = await api.recommend(security_id=ILLIQUID_IG, quantity=10_000_000)
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) >= {
        *("recommendation_id", "snapshot_id", "rules_version", "as_of", "order", "security", "liquidity", "matched_rules", "plan"),
        *("model", "weights", "dealers", "excluded", "arrival_mid"),
    }
    assert answer["plan"]["mode"] == "sequential"
    assert [dealer["rank"] for dealer in answer["dealers"]] == [1, 2, 3]
    for dealer in answer["dealers"]:
        assert sum(part["contribution"] for part in dealer["components"]) == dealer["score"]


async def test_recommendation_is_in_the_journal_whole_before_it_is_answered(api: Api) -> None:
    answer = (await api.recommend()).json()
    sealed = list(api.app.state.journal.read(subject=answer["recommendation_id"]))
    (made,) = [item.event for item in sealed]
    assert isinstance(made, RecommendationMade)
    assert (made.answer, made.desk, made.requested_by, made.order_id) == (answer, "credit", "trader-1", "order-1")


async def test_journal_that_cannot_write_stops_the_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(api.app.state.journal, "append", full)
    response = await api.recommend()
    assert response.status_code == 503
    assert response.json()["type"] == "urn:sotto:problem:journal-unavailable"
    assert "disk" not in response.text


@pytest.mark.parametrize(("kind", "value"), [("ISIN", "US" + LIQUID_IG), ("INTERNAL", LIQUID_IG), ("CUSIP", LIQUID_IG.lower())])
async def test_security_is_found_by_any_of_its_identifiers(api: Api, kind: str, value: str) -> None:
    isin = small_market()["dim_securities"][0]["isin"]
    response = await api.recommend(security_id_type=kind, security_id=isin if kind == "ISIN" else value)
    assert response.json()["security"]["security_id"] == LIQUID_IG


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"quantity": -1}, "quantity", 400),
        ({"quantity": "1000000"}, "quantity", 400),
        ({"quantity": None}, "quantity", 400),
        ({"side": "HOLD"}, "side", 400),
        ({"currency": "usd"}, "currency", 400),
        ({"currency": "EUR"}, "currency", 422),
        ({"security_id": LIQUID_IG[:-1] + "0"}, "security_id", 422),
        ({"security_id": "037833100"}, "security_id", 422),
        ({"security_id_type": "SEDOL"}, "security_id_type", 400),
        ({"order_id": ""}, "order_id", 400),
        ({"order_id": "a\x01b"}, "order_id", 400),
        ({"received_at": "yesterday"}, "received_at", 400),
        ({"received_at": "2045-01-01T00:00:00Z"}, "security_id", 422),
        ({"colour": "red"}, "colour", 400),
    ],
)
async def test_bad_order_is_refused_with_the_field(api: Api, changes: dict[str, Any], field: str, status: int) -> None:
    response = await api.recommend(**changes)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_every_bad_missing_and_unknown_field_of_a_body_is_named(api: Api) -> None:
    wrong = order(quantity=-1, side="HOLD", order_id="a\x01b", colour="red") | {"a\x01": 1}
    del wrong["currency"]
    problem = (await api.call("POST", "/v1/recommendations", content=json.dumps(wrong), headers=JSON)).json()
    told = {error["field"]: error["detail"] for error in problem["errors"]}
    assert list(told) == ["order_id", "side", "quantity", "currency", "colour", "a\ufffd"]
    assert (told["currency"], told["colour"]) == ("is required", "is not a field of this body")
    assert problem["detail"] == "; ".join(f"{field}: {detail}" for field, detail in told.items())
    made = (await api.recommend()).json()["recommendation_id"]
    body = {"dealers": ["A", 1, "", "B"], "reason_code": "other"}
    answer = await api.call("POST", f"/v1/recommendations/{made}/overrides", json=body)
    assert [error["field"] for error in answer.json()["errors"]] == ["dealers[1]", "dealers[2]", "comment"]


async def test_field_given_twice_and_once_wrongly_is_named(api: Api) -> None:
    content = json.dumps(order()).encode()[:-1] + b',"quantity":-1,"quantity":5}'
    response = await api.call("POST", "/v1/recommendations", content=content, headers=JSON)
    assert [error["field"] for error in response.json()["errors"]] == ["quantity"]


async def test_more_faults_than_anyone_reads_are_counted(api: Api) -> None:
    response = await api.recommend(**{f"field{number}": 1 for number in range(1234)})
    assert len(response.json()["errors"]) == 100
    assert response.json()["detail"].endswith("; and 1,134 more")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"order_id":"\\ud800"}',
        b'{"order_id":"a","quantity":1e309}',
        b'{"order_id":"a","quantity":NaN}',
        b"[" * 50_000,
        b'{"a":' * 50_000,
    ],
)
async def test_body_that_is_no_order_is_a_problem_and_never_a_500(api: Api, body: bytes) -> None:
    response = await api.call("POST", "/v1/recommendations", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"]


async def test_wrong_content_type_and_too_large_a_body_are_refused(api: Api) -> None:
    plain = await api.call("POST", "/v1/recommendations", content=b"{}", headers={"content-type": "text/plain"})
    large = await api.call("POST", "/v1/recommendations", content=b" " * 300_000, headers={"content-type": "application/json"})
    assert (plain.status_code, large.status_code) == (415, 413)
    assert {plain.headers["content-type"], large.headers["content-type"]} == {"application/problem+json"}


async def test_recorded_recommendation_is_the_answer_and_replays_identically(api: Api) -> None:
    answer = (await api.recommend(security_id=UNTRADED, quantity=10_000_000)).json()
    path = f"/v1/recommendations/{answer['recommendation_id']}"
    assert (await api.call("GET", path)).json() == answer
    replayed = (await api.call("GET", f"{path}/replay")).json()
    assert (replayed["identical"], replayed["differences"]) == (True, [])


async def test_replay_after_a_new_snapshot_and_new_rules_still_uses_the_old_ones(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        answer = (await api.recommend()).json()
    rows = small_market()
    rows["dim_dealers"] = [row | {"status": "SUSPENDED"} if row["dealer_id"] == "C" else row for row in rows["dim_dealers"]]
    write_snapshot(tmp_path, rows, snapshot_id="later")
    async with running(tmp_path, publish=False) as api:
        replayed = (await api.call("GET", f"/v1/recommendations/{answer['recommendation_id']}/replay")).json()
        assert replayed["identical"]
        assert (await api.recommend()).json()["dealers"][0]["dealer_id"] == "A"


async def test_another_desks_recommendation_is_hidden_but_compliance_sees_it(api: Api) -> None:
    answer = (await api.recommend()).json()
    stranger = api.app.state.tokens.create("x", Role.TRADER, "munis", timedelta(hours=1))
    path = f"/v1/recommendations/{answer['recommendation_id']}"
    hidden = await api.client.get(path, headers={"Authorization": f"Bearer {stranger}"})
    assert hidden.status_code == 404
    assert (await api.call("GET", path, Role.COMPLIANCE)).status_code == 200


async def test_override_is_recorded_with_reason_and_person(api: Api) -> None:
    answer = (await api.recommend()).json()
    path = f"/v1/recommendations/{answer['recommendation_id']}/overrides"
    body = {"dealers": ["F", "A"], "reason_code": "known_axe", "comment": "F has wanted these since Monday"}
    response = await api.call("POST", path, json=body)
    assert response.status_code == 201
    events = [item.event for item in api.app.state.journal.read(subject=answer["recommendation_id"])]
    assert isinstance(events[1], RecommendationOverridden)
    assert (events[1].dealers, events[1].overridden_by) == (["F", "A"], "trader-1")


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"dealers": []}, "dealers", 400),
        ({"dealers": ["A", "NOBODY"]}, "dealers[1]", 422),
        ({"dealers": ["A", "A"]}, "dealers[1]", 422),
        ({"dealers": ["B"]}, "dealers[0]", 422),
        ({"reason_code": "because"}, "reason_code", 400),
        ({"comment": ""}, "comment", 400),
        ({"comment": "  "}, "comment", 422),
    ],
)
async def test_bad_override_is_refused(tmp_path: Path, changes: dict[str, Any], field: str, status: int) -> None:
    rows = small_market()
    rows["dim_dealers"][1]["restricted"] = True
    write_snapshot(tmp_path, rows)
    async with running(tmp_path, publish=False) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        body = {"dealers": ["A"], "reason_code": "other", "comment": "why"} | changes
        response = await api.call("POST", f"/v1/recommendations/{made}/overrides", json=body)
    assert response.status_code == status
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("suffix", ["", "/replay", "/overrides"])
async def test_unknown_recommendation_is_not_found(api: Api, suffix: str) -> None:
    body = {"dealers": ["A"], "reason_code": "other", "comment": "why"}
    more = {"json": body} if suffix == "/overrides" else {}
    response = await api.call("POST" if more else "GET", f"/v1/recommendations/none{suffix}", **more)
    assert response.status_code == 404


async def test_without_a_snapshot_the_service_runs_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    async with running(tmp_path, publish=False) as api:
        refused = await api.recommend()
        ready = await api.call("GET", "/health/ready", None)
        assert (refused.status_code, ready.status_code) == (503, 503)
        assert ready.json()["reasons"] == ["no snapshot is published"]
        assert (await api.call("GET", "/health/live", None)).status_code == 200


async def test_order_without_a_time_is_dated_when_it_comes_in(api: Api) -> None:
    assert (await api.recommend()).json()["order"]["received_at"].endswith("Z")
    assert order()["order_id"] == "order-1"


async def test_same_idempotency_key_gives_the_same_recommendation_and_journals_it_once(api: Api) -> None:
    headers = {"Idempotency-Key": "order-1-first"}
    first, again = [await api.call("POST", "/v1/recommendations", json=order(), headers=headers) for _ in range(2)]
    other = await api.call("POST", "/v1/recommendations", json=order(quantity=2_000_000), headers=headers)
    assert first.json() == again.json()
    assert other.status_code == 422
    assert len(list(api.app.state.journal.read(kind="recommendation.made"))) == 1
