"""Whatever is sent, the answer is an answer: cases made from the API's own description, and the nastiest ones by hand."""

import asyncio
import multiprocessing
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from serve.domain.users import Role
from tests.integration.api_client import Api, dealing, order

# Cases to a route and a kind (valid, invalid); stateful walks come besides. `.ci/run` and `make fuzz` ask for more.
CASES = int(os.environ.get("SOTTO_FUZZ_CASES", "12"))
# However many cases are asked for, they take as long as they take.
PATIENT = pytest.mark.timeout(0 if "SOTTO_FUZZ_CASES" in os.environ else 300)
JSON = {"content-type": "application/json"}


class Served:
    """The application with every role's routes, behind a real socket in a process of its own, as outsiders meet it."""

    def __init__(self, home: Path) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(home, theirs), daemon=True)
        self._process.start()
        theirs.close()
        port, self.token = ours.recv()
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(30)


def _serve(home: Path, pipe: Connection) -> None:
    asyncio.run(_serving(home, pipe))


async def _serving(home: Path, pipe: Connection) -> None:
    async with dealing(home, rate_per_s=1e6, rate_burst=1e6, snapshot_max_age_hours=1e6) as (api, _):
        listener = socket.create_server(("127.0.0.1", 0))
        token = api.app.state.tokens.create("fuzz", Role.ADMIN, "credit", timedelta(days=1))
        pipe.send((listener.getsockname()[1], token))
        await uvicorn.Server(uvicorn.Config(api.app, log_config=None, access_log=False, lifespan="off")).serve(sockets=[listener])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as running:
        yield running


def document(served: Served) -> dict[str, Any]:
    read: dict[str, Any] = httpx.get(f"{served.url}/schema/openapi.json").json()
    # A stream has no end to wait for, and the kill switch would stop what else is tried; both have tests of their own.
    for path in ("/v1/rfqs/{rfq_id}/events", "/v1/kill-switch"):
        read["paths"].pop(path)
    return read


def described(served: Served) -> Any:
    headers = {"Authorization": f"Bearer {served.token}"}
    schema = schemathesis.openapi.from_dict(document(served))
    schema.config.update(base_url=served.url, headers=headers)
    return schema


def settings(cases: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize="SOTTO_FUZZ_RANDOM" not in os.environ,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )


@PATIENT
def test_no_route_fails_whatever_its_description_allows_or_forbids(served: Served) -> None:
    tried = sum(cases_of(result.ok(), served) for result in described(served).get_all_operations())
    sys.stdout.write(f"{tried:,} requests\n")
    assert tried >= CASES * len(document(served)["paths"])
    assert httpx.get(f"{served.url}/health/live").status_code == 200


def cases_of(operation: Any, served: Served) -> int:
    """Send valid and invalid requests to one route; give how many."""
    tried = 0
    strategies = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

    @hypothesis.given(data=hypothesis.strategies.data())
    @settings(CASES)
    def answers(data: Any) -> None:
        nonlocal tried
        for strategy in strategies:
            try:
                case = data.draw(strategy)
            except (hypothesis.errors.Unsatisfiable, hypothesis.errors.UnsatisfiedAssumption):
                continue
            response = case.call(headers={"Authorization": f"Bearer {served.token}", "Idempotency-Key": f"{operation.path}{tried}"})
            tried += 1
            assert response.status_code < 500, (case.as_curl_command(), response.text)

    answers()
    return tried


@PATIENT
def test_walks_from_answer_to_answer_never_fail(served: Served) -> None:
    steps = 0

    class Walk(described(served).as_state_machine()):  # type: ignore[misc]
        """Feeds identifiers from one answer into the next request, where the description links them."""

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {served.token}", "Idempotency-Key": f"walk{steps}"}}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            nonlocal steps
            steps += 1
            assert response.status_code < 500, (case.as_curl_command(), response.text)

    run_state_machine_as_test(Walk, settings=hypothesis.settings(settings(CASES), stateful_step_count=8))
    assert steps > CASES


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with dealing(tmp_path) as (started, _):
        yield started


POSTS = (
    "/v1/recommendations",
    "/v1/recommendations:batch",
    "/v1/recommendations/x/overrides",
    "/v1/rfqs",
    "/v1/rfqs/x/execute",
    "/v1/rfqs/x/cancel",
    "/v1/kill-switch",
    "/v1/rules/drafts",
)
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a lone surrogate": b'{"order_id":"\\ud800","reason":"\\udfff","text":"\\ud800","recommendation_id":"\\ud800"}',
    "a lone surrogate in a key": b'{"\\ud800":1}',
    "no number": b'{"quantity":NaN,"limit_price":Infinity}',
    "beyond a float": b'{"quantity":1e309}',
    "a huge integer": b'{"quantity":' + b"9" * 5000 + b"}",
    "unknown fields": b'{"colour":"red","reason":"x","extra":[1]}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "balanced and deep": b"[" * 3000 + b"]" * 3000,
    "broken text": b'{"order_id":"\xff\xfe"}',
    "an escape that ends early": b'{"order_id":"\\u12"}',
    "a null byte": b'{"order_id":"a\\u0000b","reason":"a\\u0000b"}',
    "another type": b'"text"',
    "a list of lists": b"[[[]]]",
    "ten megabytes": b'{"comment":"' + b"x" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("what", BODIES)
async def test_bad_body_is_a_problem_on_every_route_and_never_a_failure(api: Api, what: str) -> None:
    for path in POSTS:
        answer = await api.call(
            "POST", path, Role.ADMIN, content=BODIES[what], headers=JSON | {"Idempotency-Key": f"{what[:3]}{path}"[:60]}
        )
        fine = path.endswith(("/cancel", ":batch")) or (path == "/v1/kill-switch" and answer.status_code == 200)
        assert answer.status_code in {400, 404, 413, 415, 422} or fine, (path, answer.status_code, answer.text[:300])
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"]


async def test_body_that_is_not_there_is_asked_for(api: Api) -> None:
    for path in ("/v1/recommendations", "/v1/rfqs", "/v1/rules/drafts", "/v1/rules/drafts/x/approve"):
        answer = await api.call("POST", path, Role.ADMIN, content=b"", headers=JSON | {"Idempotency-Key": "k"})
        told = answer.json()
        assert (answer.status_code, told["detail"]) == (400, "body: is required"), (path, told)
        assert told["errors"] == [{"field": "body", "detail": "is required"}]


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "a" * 3000]
)
async def test_wrong_content_type_is_refused_on_every_route(api: Api, kind: str) -> None:
    for path in POSTS:
        if path.endswith("/cancel"):
            continue
        headers = {"Idempotency-Key": "k"} | ({"content-type": kind} if kind else {})
        answer = await api.call("POST", path, Role.ADMIN, content=b"{}", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json"), path


@pytest.mark.parametrize(
    "path",
    [
        "/v1/dealers/%00",
        "/v1/dealers/%ED%A0%80",
        "/v1/dealers/" + "x" * 5000,
        "/v1/dealers/..%2f..%2fetc",
        "/v1/recommendations/%FF",
        "/v1/recommendations/%00/replay",
        "/v1/rfqs/%00",
        "/v1/rfqs/%ED%A0%80/evidence",
        "/v1/rules/versions/%2e%2e",
        "/v1/rules/drafts/%00",
        "/v1/liquidity/%00?quantity=1e400",
        "/v1/liquidity/x?quantity=nan",
        "/v1/dealers?limit=99999999999999999999",
        "/v1/dealers?cursor=%00",
        "/v1/scorecards?window=%D9%A3%D9%A0",
        "/v1/rfqs?cursor=99999999999999999999999",
        "/v1/audit?after=99999999999999999999999",
        "/v1/audit?subject=%00&kind=%ED%A0%80",
        "/v1/audit?limit=1e3",
    ],
)
async def test_odd_path_or_query_is_answered(api: Api, path: str) -> None:
    answer = await api.call("GET", path, Role.ADMIN)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": "\x7f" * 5000},
        {"Last-Event-ID": "9" * 40},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "Bearer a.b.c"},
    ],
)
async def test_odd_header_is_answered(api: Api, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await api.call("GET", "/v1/dealers", Role.ADMIN, headers=encoded)
    assert answer.status_code in {200, 401}


async def test_order_at_the_edge_of_its_types_is_answered(api: Api) -> None:
    for changes in (
        {"quantity": 5e-324},
        {"quantity": 1e12},
        {"quantity": 1},
        {"received_at": "0001-01-01T00:00:00Z"},
        {"received_at": "9999-12-31T23:59:59.999999Z"},
        {"received_at": "0001-01-01T00:00:00+14:00"},
        {"received_at": "9999-12-31T23:59:59-12:00"},
        {"limit_price": 5e-324},
        {"account": "ü" * 64},
    ):
        answer = await api.call("POST", "/v1/recommendations", json=order(**changes))
        assert answer.status_code in {200, 400, 422}, (changes, answer.text)
