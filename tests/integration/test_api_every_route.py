"""Every route of the application, by a table: who may, and what anyone else is told. A route without a row fails."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from litestar.routes import HTTPRoute

from serve.adapters.tokens import TokenFile
from serve.app import create_app
from serve.domain.users import Role
from serve.settings import ServiceRole, Settings
from tests.fakes.clock import CountingIds
from tests.integration.api_client import Api, dealing, order, running

ALL, OMS, T, Q, C, A = set(Role), Role.OMS, Role.TRADER, Role.QUANT, Role.COMPLIANCE, Role.ADMIN
OVERRIDE = {"dealers": ["A"], "reason_code": "other", "comment": "why"}
HIDDEN, SHARED, FILTERED = "404 to another desk", "the same for every desk", "lists the own desk's only"


class Row(NamedTuple):
    """Who may call, with what body, and what another desk sees of it."""

    roles: set[Role]
    desk: str
    body: Any = None


REC, RFQ = "/v1/recommendations/{recommendation_id:str}", "/v1/rfqs/{rfq_id:str}"
DRAFT = "/v1/rules/drafts/{draft_id:str}"
TABLE: dict[tuple[str, str], Row] = {
    ("POST", "/v1/recommendations"): Row({OMS, T, Q, A}, SHARED, order()),
    ("POST", "/v1/recommendations:batch"): Row({OMS, T, Q, A}, SHARED, [order()]),
    ("GET", REC): Row(ALL, HIDDEN),
    ("GET", f"{REC}/replay"): Row(ALL, HIDDEN),
    ("POST", f"{REC}/overrides"): Row({T, A}, HIDDEN, OVERRIDE),
    ("GET", "/v1/dealers"): Row(ALL, SHARED),
    ("GET", "/v1/dealers/{dealer_id:str}"): Row(ALL, SHARED),
    ("GET", "/v1/dealers/{dealer_id:str}/scorecards"): Row(ALL, SHARED),
    ("GET", "/v1/dealers/{dealer_id:str}/scorecards/history"): Row(ALL, SHARED),
    ("GET", "/v1/scorecards"): Row(ALL, SHARED),
    ("GET", "/v1/overrides/outcomes"): Row({Q, C, A}, SHARED),
    ("GET", "/v1/rules"): Row(ALL, SHARED),
    ("GET", "/v1/rules/versions/{version:str}"): Row(ALL, SHARED),
    ("POST", "/v1/rules/drafts"): Row({T, Q, C, A}, SHARED, {"rules": "version: 1", "comment": "why"}),
    ("GET", DRAFT): Row(ALL, SHARED),
    ("POST", f"{DRAFT}/try"): Row({T, Q, C, A}, SHARED, {}),
    ("POST", f"{DRAFT}/approve"): Row({Q, C, A}, SHARED, {"comment": "why"}),
    ("POST", "/v1/rules/rollback"): Row({C, A}, SHARED, {"version": "0" * 16, "reason": "why"}),
    ("GET", "/v1/liquidity/{security_id:str}"): Row(ALL, SHARED),
    ("POST", "/v1/rfqs"): Row({T, OMS, A}, HIDDEN, {"recommendation_id": "{recommendation_id}"}),
    ("GET", "/v1/rfqs"): Row(ALL, FILTERED),
    ("GET", RFQ): Row(ALL, HIDDEN),
    ("GET", f"{RFQ}/evidence"): Row({T, C, A}, HIDDEN),
    ("GET", f"{RFQ}/events"): Row(ALL, HIDDEN),
    ("POST", f"{RFQ}/execute"): Row({T, OMS, A}, HIDDEN, {"quote_id": "none"}),
    ("POST", f"{RFQ}/cancel"): Row({T, OMS, A}, HIDDEN, {}),
    ("POST", f"{RFQ}/settle"): Row({T, C, A}, HIDDEN, {"traded": False, "comment": "called"}),
    ("POST", "/v1/kill-switch"): Row({T, C, A}, SHARED, {"reason": "drill"}),
    ("GET", "/v1/audit"): Row({C, A}, SHARED),
    ("GET", "/v1/audit/head"): Row({C, A}, SHARED),
}
OPEN = {"/", "/health/live", "/health/ready", "/metrics"}
SEES_ALL = {Role.COMPLIANCE, Role.ADMIN}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with dealing(tmp_path) as (started, _):
        yield started


async def begun(api: Api) -> dict[str, str]:
    """Start an RFQ from one recommendation, and give it with another that is still free."""
    first, free = [(await api.recommend()).json()["recommendation_id"] for _ in range(2)]
    answer = await send(api, ("POST", "/v1/rfqs"), api._token(Role.TRADER), {"recommendation_id": first})
    assert answer.status_code == 202, answer.text
    return {"recommendation_id": free, "rfq_id": answer.json()["rfq_id"], "dealer_id": "A", "security_id": "111111AA8"}


KEYS = CountingIds("key")


async def send(api: Api, call: tuple[str, str], bearer: str | None, names: dict[str, str]) -> httpx.Response:
    method, path = call
    for name, value in names.items():
        path = path.replace(f"{{{name}:str}}", value)
    headers = {"Authorization": bearer if " " in bearer else f"Bearer {bearer}"} if bearer else {}
    if method == "GET":
        if path.endswith("/events"):
            # The stream of an open RFQ has no end: only its head is wanted, and a closed one's is short.
            path = path.replace(names["rfq_id"], names.get("closed", names["rfq_id"]))
        return await api.client.get(path, headers=headers)
    body = TABLE[call].body
    filled = json.loads(json.dumps(body).replace("{recommendation_id}", names.get("recommendation_id", "")))
    return await api.client.post(path, json=filled, headers=headers | {"Idempotency-Key": KEYS.new()})


def routes_of(tmp_path: Path) -> set[tuple[str, str]]:
    app = create_app(Settings(home=tmp_path, roles=(ServiceRole.RECOMMEND, ServiceRole.DESK)))
    return {
        (method, route.path)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS", "HEAD"}
        if route.path not in OPEN and not route.path.startswith(("/schema", "/static"))
    }


def test_every_route_has_a_row_and_every_row_a_route(tmp_path: Path) -> None:
    assert routes_of(tmp_path) == set(TABLE)


async def test_without_a_valid_token_every_route_says_401_whatever_the_token_looks_like(api: Api, tmp_path: Path) -> None:
    good = TokenFile(tmp_path / "tokens.json").create("expired", Role.ADMIN, "credit", timedelta(seconds=-1))
    known = api._token(Role.ADMIN)
    forged = known[:-4] + ("aaaa" if not known.endswith("aaaa") else "bbbb")
    names = {"recommendation_id": "x", "rfq_id": "x", "dealer_id": "A", "security_id": "x"}
    for call in TABLE:
        for what, bearer in (
            ("none", None),
            ("malformed", "Basic abc"),
            ("no secret", "Bearer x"),
            ("late", good),
            ("forged", forged),
        ):
            answer = await send(api, call, bearer, names)
            assert answer.status_code == 401, (call, what)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_each_route_takes_the_roles_of_its_row_and_no_other(api: Api) -> None:
    for call, row in TABLE.items():
        names = await begun(api)
        cancelled = await send(api, ("POST", f"{RFQ}/cancel"), api._token(Role.TRADER), names)
        names["closed"] = cancelled.json()["rfq_id"]
        for role in Role:
            answer = await send(api, call, api._token(role), names)
            assert (answer.status_code == 403) is (role not in row.roles), (call, role, answer.text)
            assert answer.status_code not in {401, 500}
        await api.call("POST", "/v1/kill-switch", Role.ADMIN, json={"reason": "on with it", "on": False})


async def test_another_desk_sees_nothing_of_what_is_not_its_own(api: Api) -> None:
    names = await begun(api)
    strangers = {role: api.app.state.tokens.create(f"{role}-2", role, "munis", timedelta(hours=1)) for role in ALL - SEES_ALL}
    for call, row in TABLE.items():
        for role in row.roles - SEES_ALL:
            if row.desk == SHARED:
                continue
            answer = await send(api, call, strangers[role], names)
            if row.desk == HIDDEN:
                assert answer.status_code == 404, (call, role, answer.text)
            else:
                assert answer.json() == {"rfqs": [], "next_cursor": None}, (call, role)


def signed(key: ec.EllipticCurvePrivateKey, kid: str = "k1", **changes: Any) -> str:
    claims = {
        "iss": "https://issuer.firm",
        "aud": "sotto",
        "sub": "jane",
        "role": "trader",
        "desk": "credit",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})


def key_set(key: ec.EllipticCurvePrivateKey) -> str:
    return json.dumps({"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())) | {"kid": "k1", "alg": "ES256"}]})


async def test_issuers_token_opens_what_its_role_may_and_every_wrong_one_is_refused(tmp_path: Path) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "keys.json").write_text(key_set(key))
    issuer = {"jwt_issuer": "https://issuer.firm", "jwt_keys": str(tmp_path / "keys.json")}
    async with running(tmp_path, **issuer) as api:

        async def status(token: str, path: str = "/v1/dealers") -> int:
            return (await api.client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code

        assert await status(signed(key)) == 200
        own = TokenFile(tmp_path / "tokens.json").create("oms", Role.OMS, "credit", timedelta(hours=1))
        assert await status(own) == 200
        wrong = {
            "expired": signed(key, exp=datetime.now(UTC) - timedelta(minutes=5)),
            "not yet": signed(key, nbf=datetime.now(UTC) + timedelta(minutes=5)),
            "forged": signed(other),
            "unknown key": signed(key, kid="k2"),
            "another issuer": signed(key, iss="https://elsewhere"),
            "another audience": signed(key, aud="other"),
            "unknown role": signed(key, role="root"),
            "no role": signed(key, role=None),
            "no desk": signed(key, desk=None),
            "no end": signed(key, exp=None),
            "endless": signed(key, exp=10**18),
            "odd name": signed(key, sub="a\ud800"),
            "unsigned": jwt.encode({"sub": "jane"}, None, algorithm="none"),
            "public key as a secret": jwt.encode(
                {"sub": "jane", "iss": "https://issuer.firm"}, key_set(key)[:64], algorithm="HS256"
            ),
            "cut": signed(key)[:-5],
            "not a token": "a.b.c",
            "long": "a." * 2 + "x" * 9000,
        }
        for what, token in wrong.items():
            assert await status(token) == 401, what
        made = await api.client.post("/v1/recommendations", json=order(), headers={"Authorization": f"Bearer {signed(key)}"})
        path = f"/v1/recommendations/{made.json()['recommendation_id']}"
        assert await status(signed(key), path) == 200
        assert await status(signed(key, desk="munis"), path) == 404


async def test_rotated_token_works_beside_the_old_one_until_the_overlap_ends(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    old = file.create("oms", Role.OMS, "credit", timedelta(days=30))
    token_id = file.listed()[0].token_id
    fresh = file.rotate(token_id, timedelta(days=90), timedelta(hours=1))
    assert fresh is not None
    for secret in (old, fresh):
        user = await file.verify(secret)
        assert user is not None
        assert (user.name, user.role, user.desk) == ("oms", Role.OMS, "credit")
    assert file.rotate(token_id, timedelta(days=90), timedelta(0)) is not None
    assert await file.verify(old) is None
    assert await file.verify(fresh) is not None
    assert file.rotate("none", timedelta(days=1), timedelta(0)) is None
