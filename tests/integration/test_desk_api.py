"""The desk over HTTP: one action per key, problems that say what to do, events as they happen."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from serve.adapters.answers import SqliteAnswers
from serve.adapters.limits import load_limits
from serve.api import audit, rfqs
from serve.api.bodies import StrictRequest
from serve.api.idempotency import Once
from serve.api.problems import HANDLERS
from serve.api.throttle import Throttle
from serve.domain.users import Role, User
from serve.usecases.rfq_floor import Floor, Practice
from serve.usecases.rfqs import Desk
from tests.fakes.clock import START, CountingIds, FakeClock, settle
from tests.fakes.gateway import FakeGateway
from tests.fakes.journal import MemoryJournal
from tests.fakes.recommendation import FakeSnapshots, dealer, recommendation_made

LIMITS = load_limits(Path(__file__).parents[2] / "config" / "limits.yml")
PROBLEM = "application/problem+json"


class Tokens:
    """Each role is its own token."""

    def remembered(self, secret: str) -> User | None:
        if secret not in set(Role):
            return None
        return User(token_id=secret, name=secret, role=Role(secret), desk="credit", expires_at=START + timedelta(days=1))

    async def verify(self, secret: str) -> User | None:
        return None


class Service:
    """The desk's routes over fakes; ``restart`` gives another process over the same journal and answers."""

    def __init__(self, folder: Path, journal: MemoryJournal | None = None, clock: FakeClock | None = None) -> None:
        self.folder = folder
        self.clock = clock or FakeClock()
        self.journal = journal or MemoryJournal(self.clock)
        self.gateway = FakeGateway()
        ids = CountingIds(f"run{len(self.journal.rows)}")
        floor = Floor(self.journal, self.clock, ids, self.gateway, LIMITS, Practice(venue="sim"))
        self.desk = Desk(floor, FakeSnapshots(dealer("A"), dealer("B"), dealer("C")))
        self.answers = SqliteAnswers(folder / "answers.db", self.clock)
        app = Litestar(
            route_handlers=[rfqs.router, audit.router],
            request_class=StrictRequest,
            exception_handlers=HANDLERS,
            openapi_config=None,
            logging_config=None,
        )
        app.state.desk, app.state.journal, app.state.tokens = self.desk, self.journal, Tokens()
        app.state.once = Once(self.answers, ids)
        self.state = app.state
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://desk")

    async def __aenter__(self) -> "Service":
        await self.desk.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self.desk.stop()
        self.answers.close()

    def restart(self) -> "Service":
        return Service(self.folder, self.journal, self.clock)

    async def post(
        self, path: str, body: Any = None, key: str | None = "k", role: str = "trader", **headers: str
    ) -> httpx.Response:
        named = {"Idempotency-Key": key} if key else {}
        return await self.client.post(path, json=body, headers={"Authorization": f"Bearer {role}", **named, **headers})

    async def get(self, path: str, role: str = "trader", **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {role}", **headers})

    async def begin(self, recommendation_id: str = "rec-1", key: str = "start") -> dict[str, Any]:
        await self.journal.append(recommendation_made(recommendation_id))
        answer = await self.post("/v1/rfqs", {"recommendation_id": recommendation_id}, key)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with Service(tmp_path) as running:
        yield running


async def test_rfq_goes_from_start_to_trade(service: Service) -> None:
    rfq = await service.begin()
    assert rfq["state"] == "OPEN"
    assert rfq["plan"] == {
        "mode": "sequential",
        "delay_s": None,
        "timeout_s": 20.0,
        "max_dealers": 3,
        "competitive_within_bps": 3.0,
    }
    assert [line["state"] for line in rfq["dealers"]] == ["ASKED", "NOT_ASKED", "NOT_ASKED"]
    service.gateway.quote(service.gateway.asks[0], 99.95)
    await settle()
    path = f"/v1/rfqs/{rfq['rfq_id']}"
    seen = (await service.get(path)).json()
    quote = seen["dealers"][0]["quote"]
    assert (seen["state"], quote["executable"]) == ("AWAITING_TRADER", True)
    executing = await service.post(f"{path}/execute", {"quote_id": quote["quote_id"]}, "exec")
    assert (executing.status_code, executing.json()["state"]) == (202, "EXECUTING")
    service.gateway.fill(service.gateway.hits[0])
    await settle()
    done = (await service.get(path)).json()
    assert done["state"] == "EXECUTED"
    assert done["execution"]["price"] == 99.95
    again = await service.post(f"{path}/execute", {"quote_id": quote["quote_id"]}, "exec-2")
    assert (again.status_code, again.headers["content-type"]) == (409, PROBLEM)


async def test_same_key_and_body_act_once_and_answer_the_same_even_after_a_restart(service: Service) -> None:
    first = await service.begin()
    second = await service.post("/v1/rfqs", {"recommendation_id": "rec-1"}, "start")
    assert (second.status_code, second.json()) == (202, first)
    async with service.restart() as again:
        third = await again.post("/v1/rfqs", {"recommendation_id": "rec-1"}, "start")
        assert (third.status_code, third.json()) == (202, first)
        assert again.gateway.sent == []


async def test_same_key_with_another_body_is_refused(service: Service) -> None:
    await service.begin()
    other = await service.post("/v1/rfqs", {"recommendation_id": "rec-2"}, "start")
    assert (other.status_code, other.json()["type"]) == (422, "urn:sotto:problem:idempotency-key-reused")


async def test_same_key_of_another_person_is_another_key(service: Service) -> None:
    await service.begin()
    other = await service.post("/v1/rfqs", {"recommendation_id": "rec-1"}, "start", role="oms")
    assert (other.status_code, other.json()["type"]) == (409, "urn:sotto:problem:already-started")


async def test_refusal_is_remembered_so_that_a_blind_retry_does_not_act_later(service: Service) -> None:
    refused = await service.post("/v1/rfqs", {"recommendation_id": "rec-1"}, "start")
    assert refused.status_code == 404
    await service.journal.append(recommendation_made())
    retried = await service.post("/v1/rfqs", {"recommendation_id": "rec-1"}, "start")
    assert (retried.status_code, retried.json()) == (404, refused.json())
    assert service.gateway.sent == []


async def test_key_under_way_is_a_conflict(service: Service) -> None:
    await service.journal.append(recommendation_made())
    both = await asyncio.gather(*(service.post("/v1/rfqs", {"recommendation_id": "rec-1"}, "start") for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [202, 409]


@pytest.mark.parametrize("key", [None, "", "x" * 256, "two words"])
async def test_acting_without_a_usable_key_is_refused(service: Service, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await service.post("/v1/rfqs", {"recommendation_id": "rec-1"}, None, **headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:sotto:problem:idempotency-key-required")


@pytest.mark.parametrize(
    "body", [None, [], {}, {"recommendation_id": 1}, {"recommendation_id": ""}, {"recommendation_id": "r", "dealers": ["A"]}]
)
async def test_bad_body_names_the_field(service: Service, body: object) -> None:
    answer = await service.post("/v1/rfqs", body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("method", "path", "role", "status"),
    [
        ("post", "/v1/rfqs", "quant", 403),
        ("post", "/v1/rfqs/x/execute", "compliance", 403),
        ("post", "/v1/rfqs/x/cancel", "quant", 403),
        ("post", "/v1/kill-switch", "oms", 403),
        ("get", "/v1/audit", "trader", 403),
        ("get", "/v1/audit/head", "oms", 403),
        ("get", "/v1/rfqs", "nobody", 401),
    ],
)
async def test_roles_bound_what_may_be_done(service: Service, method: str, path: str, role: str, status: int) -> None:
    answer = await (service.post(path, {}, role=role) if method == "post" else service.get(path, role=role))
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


@pytest.mark.parametrize("path", ["/v1/rfqs/none", "/v1/rfqs/none/events"])
async def test_unknown_rfq_is_not_there(service: Service, path: str) -> None:
    assert (await service.get(path)).status_code == 404


async def test_unknown_quote_is_not_there(service: Service) -> None:
    rfq = await service.begin()
    answer = await service.post(f"/v1/rfqs/{rfq['rfq_id']}/execute", {"quote_id": "none"})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:sotto:problem:unknown-quote")


def told(text: str) -> list[dict[str, Any]]:
    lines = text.replace("\r\n", "\n").split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def test_events_stream_past_and_live_and_end_when_the_rfq_closes(service: Service) -> None:
    rfq = await service.begin()
    path = f"/v1/rfqs/{rfq['rfq_id']}"
    streaming = asyncio.create_task(service.get(f"{path}/events"))
    await settle()
    service.gateway.quote(service.gateway.asks[0], 99.95)
    await settle()
    assert (await service.post(f"{path}/cancel", key="cancel")).json()["state"] == "CANCELLED"
    answer = await asyncio.wait_for(streaming, 5)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = told(answer.text)
    kinds = [event["kind"] for event in events]
    assert kinds == ["rfq.started", "rfq.dealer_asked", "rfq.quote_received", "rfq.alert", "rfq.closed"]
    resumed = await service.get(f"{path}/events", **{"Last-Event-ID": str(events[2]["seq"])})
    assert [event["kind"] for event in told(resumed.text)] == kinds[3:]
    wrong = await service.get(f"{path}/events", **{"Last-Event-ID": "abc"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, PROBLEM)


async def test_pages_have_a_cursor(service: Service) -> None:
    for number in range(3):
        await service.begin(f"rec-{number}", f"key-{number}")
    first = (await service.get("/v1/rfqs?limit=2")).json()
    assert [rfq["recommendation_id"] for rfq in first["rfqs"]] == ["rec-2", "rec-1"]
    second = (await service.get(f"/v1/rfqs?limit=2&cursor={first['next_cursor']}")).json()
    assert [rfq["recommendation_id"] for rfq in second["rfqs"]] == ["rec-0"]
    assert second["next_cursor"] is None
    for query in ("limit=0", "limit=501", "cursor=x"):
        assert (await service.get(f"/v1/rfqs?{query}")).status_code == 400


async def test_kill_switch_needs_no_key_and_only_compliance_or_admin_turn_it_off(service: Service) -> None:
    rfq = await service.begin()
    on = await service.post("/v1/kill-switch", {"reason": "storm"}, None)
    assert (on.status_code, on.json()) == (200, {"on": True})
    assert (await service.get(f"/v1/rfqs/{rfq['rfq_id']}")).json()["state"] == "CANCELLED"
    await service.journal.append(recommendation_made("rec-2"))
    refused = await service.post("/v1/rfqs", {"recommendation_id": "rec-2"}, "two")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:sotto:problem:kill-switch-on")
    assert (await service.post("/v1/kill-switch", {"reason": "calm", "on": False}, None)).status_code == 403
    off = await service.post("/v1/kill-switch", {"reason": "calm", "on": False}, None, role="compliance")
    assert off.json() == {"on": False}
    assert (await service.post("/v1/rfqs", {"recommendation_id": "rec-2"}, "two")).status_code == 202


async def test_token_that_asks_too_often_can_still_stop_things(service: Service) -> None:
    rfq = await service.begin()
    service.state.throttle = Throttle(0.001, 1)
    path = f"/v1/rfqs/{rfq['rfq_id']}"
    assert [(await service.get(path)).status_code for _ in range(2)] == [200, 429]
    assert (await service.post(f"{path}/cancel", key="cancel")).json()["state"] == "CANCELLED"
    assert (await service.post("/v1/kill-switch", {"reason": "storm"}, None)).status_code == 200


async def test_audit_filters_and_pages_and_names_its_head(service: Service) -> None:
    rfq = await service.begin()
    everything = (await service.get("/v1/audit", role="compliance")).json()
    assert [event["event"]["kind"] for event in everything["events"]] == ["recommendation.made", "rfq.started", "rfq.dealer_asked"]
    assert everything["next_after"] is None
    first = (await service.get("/v1/audit?limit=2", role="compliance")).json()
    rest = (await service.get(f"/v1/audit?after={first['next_after']}", role="admin")).json()
    assert len(rest["events"]) == 1
    own = (await service.get(f"/v1/audit?subject={rfq['rfq_id']}&kind=rfq.started", role="compliance")).json()
    assert len(own["events"]) == 1
    head = (await service.get("/v1/audit/head", role="compliance")).json()
    assert (head["seq"], head["hash"]) == service.journal.head()
    assert head["hash"] == everything["events"][-1]["hash"]
