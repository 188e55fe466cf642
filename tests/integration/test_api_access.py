"""Who may do what, and that nothing under /v1 is open."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serve.adapters.tokens import TokenFile, TokensBroken
from serve.domain.users import Role
from tests.integration.api_client import order, running

OVERRIDE = {"dealers": ["A"], "reason_code": "other", "comment": "why"}
ACTS = {
    ("POST", "/v1/recommendations"): {Role.OMS, Role.TRADER, Role.QUANT, Role.ADMIN},
    ("POST", "/v1/recommendations/{id}/overrides"): {Role.TRADER, Role.ADMIN},
    ("GET", "/v1/recommendations/{id}"): set(Role),
    ("GET", "/v1/recommendations/{id}/replay"): set(Role),
    ("GET", "/v1/dealers"): set(Role),
    ("GET", "/v1/dealers/A"): set(Role),
    ("GET", "/v1/dealers/A/scorecards"): set(Role),
    ("GET", "/v1/scorecards"): set(Role),
    ("GET", "/v1/rules"): set(Role),
    ("GET", "/v1/liquidity/111111AA8"): set(Role),
}


async def test_each_role_may_do_what_its_row_says_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = (await api.recommend()).json()["recommendation_id"]
        for (method, path), allowed in ACTS.items():
            body = {"json": OVERRIDE if "override" in path else order()} if method == "POST" else {}
            for role in Role:
                response = await api.call(method, path.format(id=made), role, **body)
                assert (response.status_code == 403) is (role not in allowed), (method, path, role)
                assert response.status_code in ({200, 201} if role in allowed else {403})


async def test_every_route_under_v1_refuses_a_caller_without_a_token(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        for route in api.app.routes:
            if not route.path.startswith("/v1"):
                continue
            path = route.path.replace("{", "").replace(":str}", "")
            for method in getattr(route, "methods", set()) - {"OPTIONS", "HEAD"}:
                response = await api.call(method, path, None, **({"json": {}} if method == "POST" else {}))
                assert response.status_code == 401, (method, path)
                assert response.headers["www-authenticate"] == "Bearer"
                assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["", "Basic abc", "Bearer", "Bearer ", "Bearer x", "Bearer sotto_0000_x", "Bearer " + "x" * 5000]
)
async def test_header_that_is_no_valid_token_is_refused(tmp_path: Path, header: str) -> None:
    async with running(tmp_path) as api:
        response = await api.client.get("/v1/dealers", headers={"Authorization": header})
        assert response.status_code == 401


async def test_revoked_token_stops_working_at_once_even_when_it_was_used(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        assert (await api.call("GET", "/v1/dealers")).status_code == 200
        file = TokenFile(tmp_path / "tokens.json")
        trader = next(user for user in file.listed() if user.role is Role.TRADER)
        assert file.revoke(trader.token_id)
        assert (await api.call("GET", "/v1/dealers")).status_code == 401
        assert (await api.call("GET", "/v1/dealers", Role.OMS)).status_code == 200


async def test_token_that_is_revoked_while_it_is_verified_is_not_let_in(tmp_path: Path) -> None:
    ours, another = TokenFile(tmp_path / "tokens.json"), TokenFile(tmp_path / "tokens.json")
    secret = ours.create("ann", Role.TRADER, "credit", timedelta(days=1))
    verifying = asyncio.create_task(ours.verify(secret))
    await asyncio.sleep(0)
    assert another.revoke(ours.listed()[0].token_id)
    assert ours.remembered("another request in between") is None
    assert await verifying is None
    assert ours.remembered(secret) is None


async def test_token_made_while_another_is_verified_leaves_that_one_valid(tmp_path: Path) -> None:
    ours, another = TokenFile(tmp_path / "tokens.json"), TokenFile(tmp_path / "tokens.json")
    secret = ours.create("ann", Role.TRADER, "credit", timedelta(days=1))
    verifying = asyncio.create_task(ours.verify(secret))
    await asyncio.sleep(0)
    another.create("bob", Role.OMS, "credit", timedelta(days=1))
    user = await verifying
    assert user is not None
    assert ours.remembered(secret) == user


@pytest.mark.parametrize("change", ["create", "rotate"])
def test_token_that_is_revoked_while_another_is_made_stays_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    ours, another = TokenFile(tmp_path / "tokens.json"), TokenFile(tmp_path / "tokens.json")
    for name in ("ann", "bob"):
        ours.create(name, Role.TRADER, "credit", timedelta(days=1))
    ann, bob = (user.token_id for user in ours.listed())

    class Slow:
        """Takes so long that another shell revokes a token meanwhile."""

        def hash(self, _: str) -> str:
            assert another.revoke(ann)
            return "a hash"

    monkeypatch.setattr("serve.adapters.tokens._HASHER", Slow())
    if change == "create":
        ours.create("cal", Role.OMS, "credit", timedelta(days=1))
    else:
        assert ours.rotate(bob, timedelta(days=1), timedelta())
    assert [user.name for user in TokenFile(tmp_path / "tokens.json").listed()] == ["bob", "cal" if change == "create" else "bob"]


def test_tokens_that_are_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    def make(number: int) -> str:
        return TokenFile(tmp_path / "tokens.json").create(f"bearer {number}", Role.OMS, "credit", timedelta(days=1))

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(24)))
    assert len(TokenFile(tmp_path / "tokens.json").listed()) == len(made)


def test_revoking_where_there_are_no_tokens_makes_nothing(tmp_path: Path) -> None:
    assert not TokenFile(tmp_path / "none" / "tokens.json").revoke("x")
    assert TokenFile(tmp_path / "none" / "tokens.json").rotate("x", timedelta(days=1), timedelta()) is None
    assert not (tmp_path / "none").exists()


async def test_expired_token_is_refused(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    secret = file.create("late", Role.TRADER, "credit", timedelta(seconds=-1))
    assert await file.verify(secret) is None


async def test_token_file_holds_hashes_only_and_is_private(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    secret = file.create("someone", Role.OMS, "credit", timedelta(days=1))
    text = (tmp_path / "tokens.json").read_text()
    assert secret.rsplit("_", 1)[1] not in text
    assert "$argon2id$" in text
    assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600
    user = await file.verify(secret)
    assert user is not None
    assert (user.name, user.role, user.desk) == ("someone", Role.OMS, "credit")
    assert user.expires_at > datetime.now(UTC)
    assert file.remembered(secret) == user


def test_broken_token_file_is_told_and_not_taken_for_empty(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("[{")
    with pytest.raises(TokensBroken, match=r"tokens\.json cannot be read"):
        TokenFile(tmp_path / "tokens.json").listed()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("DELETE", "/v1/dealers", 405), ("PUT", "/", 405)]
)
async def test_unknown_path_and_wrong_method_are_problems(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with running(tmp_path) as api:
        response = await api.call(method, path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert path in response.json()["detail"]
