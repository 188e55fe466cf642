"""The rule book over HTTP: drafted, refused, tried, approved by a second person, rolled back, and still so after a restart."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.journal import RulesApproved, RulesDrafted, RulesRolledBack
from serve.domain.users import Role
from serve.settings import Settings
from tests.fakes.snapshot import LIQUID_IG
from tests.integration.api_client import Api, order, running

SHIPPED = (Settings().config / "rules.yml").read_text()
ONE_DEALER = SHIPPED + "\n  - {id: ONE-DEALER, kind: constrain, when: order.notional > mm(0), max_dealers: 1}\n"
TWO_DEALERS = ONE_DEALER.replace("ONE-DEALER", "TWO-DEALERS").replace("max_dealers: 1", "max_dealers: 2")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path) as started:
        yield started


async def act(api: Api, path: str, body: Any, role: Role = Role.TRADER, key: str | None = None) -> Any:
    api_key = key or f"{path}-{role}-{hash(str(body))}"
    return await api.call("POST", f"/v1/rules/{path}", role, json=body, headers={"Idempotency-Key": api_key})


async def drafted(api: Api, rules: str = ONE_DEALER, role: Role = Role.TRADER) -> dict[str, Any]:
    response = await act(api, "drafts", {"rules": rules, "comment": "fewer names see it"}, role)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def approved(api: Api, rules: str = ONE_DEALER) -> dict[str, Any]:
    draft = await drafted(api, rules)
    response = await act(api, f"drafts/{draft['draft_id']}/approve", {"comment": "agreed"}, Role.COMPLIANCE)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def asked(api: Api) -> list[str]:
    return [dealer["dealer_id"] for dealer in (await api.recommend()).json()["dealers"]]


async def test_first_version_is_the_files_and_is_in_the_journal(api: Api) -> None:
    book = (await api.call("GET", "/v1/rules")).json()
    assert [(entry["version"], entry["role"]) for entry in book["history"]] == [(book["version"], "first version")]
    events = [sealed.event for sealed in api.app.state.journal.read()]
    assert [type(event) for event in events] == [RulesDrafted, RulesApproved]
    version = (await api.call("GET", f"/v1/rules/versions/{book['version']}")).json()
    assert (version["active"], version["rules"]) == (True, SHIPPED)


async def test_draft_shows_its_difference_and_changes_nothing_until_a_second_person_approves(api: Api) -> None:
    before = await asked(api)
    draft = await drafted(api)
    assert (draft["state"], draft["author"]) == ("pending", "trader-1")
    assert [(change["id"], change["change"]) for change in draft["diff"]["changes"]] == [("ONE-DEALER", "added")]
    assert "+  - {id: ONE-DEALER" in draft["diff"]["unified"]
    assert await asked(api) == before
    response = await act(api, f"drafts/{draft['draft_id']}/approve", {"comment": "agreed"}, Role.QUANT)
    assert response.json()["state"] == "approved"
    assert await asked(api) == before[:1]
    answer = (await api.recommend()).json()
    assert answer["rules_version"] == draft["version"]


async def test_author_may_not_approve_and_nor_may_a_second_token_of_the_same_name(api: Api) -> None:
    draft = await drafted(api, role=Role.QUANT)
    path = f"drafts/{draft['draft_id']}/approve"
    own = await act(api, path, {"comment": "mine"}, Role.QUANT)
    assert (own.status_code, own.json()["type"]) == (403, "urn:sotto:problem:four-eyes")
    api.tokens[Role.ADMIN] = api.app.state.tokens.create("Quant-1 ", Role.ADMIN, "credit", timedelta(hours=1))
    again = await act(api, path, {"comment": "mine too"}, Role.ADMIN)
    assert again.status_code == 403
    assert (await api.call("GET", "/v1/rules")).json()["pending"][0]["draft_id"] == draft["draft_id"]


async def test_each_role_may_do_to_rules_what_its_row_says(api: Api) -> None:
    writes, approves, rolls = set(Role) - {Role.OMS}, {Role.QUANT, Role.COMPLIANCE, Role.ADMIN}, {Role.COMPLIANCE, Role.ADMIN}
    none = "0" * 16
    rows = {
        "drafts": (writes, {"rules": "x", "comment": "c"}),
        "drafts/none/try": (writes, {}),
        "drafts/none/approve": (approves, {"comment": "c"}),
        "rollback": (rolls, {"version": none, "reason": "r"}),
    }
    for path, (allowed, body) in rows.items():
        for role in Role:
            response = await act(api, path, body, role)
            assert (response.status_code == 403) is (role not in allowed), (path, role)


async def test_bad_draft_is_refused_with_every_fault_and_its_place(api: Api) -> None:
    rules = SHIPPED.replace("order.is_rated && order.rating", "order.rating").replace("MUNI &&", "MUNNI &&")
    response = await act(api, "drafts", {"rules": rules, "comment": "oops"})
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    places = {error["field"]: error["detail"] for error in response.json()["errors"]}
    assert len(places) == 2
    assert any("did you mean 'MUNI'" in detail for detail in places.values())
    assert all(field.startswith("rules:") for field in places)
    assert not list(api.app.state.journal.read(kind="rules.drafted"))[1:]


@pytest.mark.parametrize(
    ("changes", "status", "slug"),
    [
        ({"rules": SHIPPED}, 422, "no-change"),
        ({"comment": "  "}, 422, "invalid-request"),
        ({"comment": ""}, 400, "invalid-request"),
        ({"scoring": "illiquid: {}"}, 422, "rules-refused"),
        ({"base_version": "0" * 16}, 409, "stale-draft"),
        ({"base_version": "../../etc"}, 400, "invalid-request"),
        ({"rules": "a: &x 1\nb: *x"}, 422, "rules-refused"),
        ({"rules": "[" * 5000}, 422, "rules-refused"),
        ({"author": "someone else"}, 400, "invalid-request"),
    ],
)
async def test_draft_that_cannot_be_is_a_problem(api: Api, changes: dict[str, Any], status: int, slug: str) -> None:
    response = await act(api, "drafts", {"rules": ONE_DEALER, "comment": "why"} | changes)
    assert (response.status_code, response.json()["type"]) == (status, f"urn:sotto:problem:{slug}")


async def test_draft_that_is_too_large_is_refused_before_it_is_read(api: Api) -> None:
    over = await act(api, "drafts", {"rules": "#" * 1_000_001, "comment": "c"}, key="over")
    huge = await act(api, "drafts", {"rules": "[" * 10_000_000, "comment": "c"}, key="huge")
    assert (over.status_code, huge.status_code) == (400, 413)
    assert huge.headers["content-type"] == "application/problem+json"


async def test_draft_written_on_a_version_that_is_gone_is_stale(api: Api) -> None:
    first, second = await drafted(api), await drafted(api, TWO_DEALERS)
    await act(api, f"drafts/{first['draft_id']}/approve", {"comment": "agreed"}, Role.ADMIN)
    late = await act(api, f"drafts/{second['draft_id']}/approve", {"comment": "agreed"}, Role.ADMIN)
    assert (late.status_code, late.json()["type"]) == (409, "urn:sotto:problem:stale-draft")
    twice = await act(api, f"drafts/{first['draft_id']}/approve", {"comment": "again"}, Role.ADMIN)
    assert twice.json()["type"] == "urn:sotto:problem:already-approved"
    assert (await api.call("GET", f"/v1/rules/drafts/{second['draft_id']}")).json()["state"] == "stale"


async def test_rollback_puts_an_earlier_version_in_force_at_once_and_only_one_that_was(api: Api) -> None:
    first = (await api.call("GET", "/v1/rules")).json()["version"]
    before = await asked(api)
    await approved(api)
    never = await drafted(api, TWO_DEALERS)
    refused = await act(api, "rollback", {"version": never["version"], "reason": "try"}, Role.ADMIN)
    assert refused.status_code == 404
    book = (await act(api, "rollback", {"version": first, "reason": "too few quotes"}, Role.ADMIN)).json()
    assert (book["version"], book["history"][0]["comment"]) == (first, "too few quotes")
    assert await asked(api) == before
    assert [type(sealed.event) for sealed in api.app.state.journal.read(kind="rules.rolled_back")] == [RulesRolledBack]
    again = await act(api, "rollback", {"version": first, "reason": "again"}, Role.ADMIN)
    assert again.json()["type"] == "urn:sotto:problem:already-in-force"


async def test_version_in_force_survives_a_restart_and_old_answers_replay(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        old = (await api.recommend()).json()["recommendation_id"]
        version = (await approved(api))["version"]
    async with running(tmp_path, publish=False) as api:
        book = (await api.call("GET", "/v1/rules")).json()
        assert (book["version"], len(book["history"]), book["pending"]) == (version, 2, [])
        assert len(await asked(api)) == 1
        assert (await api.call("GET", f"/v1/recommendations/{old}/replay")).json()["identical"]


async def test_changed_file_is_a_draft_that_trader_and_quant_cannot_put_in_force(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "scoring.yml").write_text((Settings().config / "scoring.yml").read_text())
    (config / "rules.yml").write_text(SHIPPED)
    async with running(tmp_path / "home", config=config) as api:
        before = await asked(api)
    (config / "rules.yml").write_text(ONE_DEALER)
    for _ in range(2):  # announced once, however often the service starts
        async with running(tmp_path / "home", publish=False, config=config) as api:
            assert await asked(api) == before
            (waiting,) = (await api.call("GET", "/v1/rules")).json()["pending"]
            assert waiting["author"] == "configuration file"
            path = f"drafts/{waiting['draft_id']}/approve"
            assert (await act(api, path, {"comment": "mine"}, Role.QUANT)).status_code == 403
    async with running(tmp_path / "home", publish=False, config=config) as api:
        assert (await act(api, path, {"comment": "seen in review"}, Role.COMPLIANCE, "third")).status_code == 200
        assert await asked(api) == before[:1]


async def test_same_key_drafts_once(api: Api) -> None:
    body = {"rules": ONE_DEALER, "comment": "c"}
    first, again = [await act(api, "drafts", body, key="once") for _ in range(2)]
    other = await act(api, "drafts", body | {"comment": "d"}, key="once")
    without = await api.call("POST", "/v1/rules/drafts", json=body)
    assert first.json() == again.json()
    assert (other.status_code, without.status_code) == (422, 400)
    assert len((await api.call("GET", "/v1/rules")).json()["pending"]) == 1


async def test_journal_that_cannot_write_leaves_the_version_in_force(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from serve.adapters.journal import JournalError

    draft, before = await drafted(api), await asked(api)

    async def full(*_: object) -> None:
        raise JournalError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(api.app.state.journal, "append", full)
        response = await act(api, f"drafts/{draft['draft_id']}/approve", {"comment": "c"}, Role.ADMIN)
    assert response.status_code == 503
    assert await asked(api) == before


async def test_try_shows_what_would_have_changed_on_the_desks_own_orders(api: Api) -> None:
    for number in range(3):
        await api.recommend(order_id=f"order-{number}", quantity=1_000_000 * (number + 1))
    await api.recommend(order_id="order-2", quantity=3_000_000)  # sent again: counted once
    stranger = api.app.state.tokens.create("x", Role.TRADER, "munis", timedelta(hours=1))
    headers = {"Authorization": f"Bearer {stranger}"}
    await api.client.post("/v1/recommendations", json=order(order_id="theirs"), headers=headers)
    draft = await drafted(api)
    path = f"drafts/{draft['draft_id']}/try"
    trial = (await act(api, path, {})).json()
    assert (trial["orders"], trial["changed"], trial["on_other_snapshot"], trial["failed"]) == (3, 3, 0, 0)
    assert {"id": "ONE-DEALER", "before": 0, "after": 3} in trial["rules"]
    assert (trial["dealers_asked_before"], trial["dealers_asked_after"]) == (4.0, 1.0)
    assert trial["cost"]["orders"] == 3
    assert trial["cost"]["low"] <= trial["cost"]["bps"] <= trial["cost"]["high"]
    change = trial["changes"][0]
    assert (change["order_id"], change["security_id"], change["dealers_after"]) == ("order-2", LIQUID_IG, ["C"])
    assert {"dealer_id": "A", "rank_before": 2, "rank_after": None} in change["moved"]
    assert (await act(api, path, {}, Role.COMPLIANCE)).json()["orders"] == 4
    assert (await act(api, path, {"limit": 1})).json()["left_out"] == 2
    for period in (
        {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"since": "2026-02-01T00:00:00", "until": "2026-02-01T00:00:00Z"},
        {"until": "0001-01-01T00:00:00Z"},
        {"since": "9999-12-31T23:59:59Z"},
    ):
        assert (await act(api, path, period)).status_code == 422, period
    empty = (await act(api, path, {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"})).json()
    assert (empty["orders"], empty["cost"]["bps"]) == (0, None)


async def test_try_takes_a_time_without_a_zone_as_utc(api: Api) -> None:
    await api.recommend(order_id="order-1", received_at="2026-01-30T21:00:00")
    await api.recommend(order_id="order-2", received_at="2026-01-30T22:00:00+01:00")
    path = f"drafts/{(await drafted(api))['draft_id']}/try"
    asked_at = next(iter(api.app.state.journal.read(kind="recommendation.made"))).at.replace(tzinfo=None)
    period = {"since": asked_at.isoformat(), "until": "2100-01-01T00:00:00"}
    trial = (await act(api, path, period)).json()
    assert (trial["orders"], trial["failed"]) == (2, 0)
    assert {change["received_at"] for change in trial["changes"]} == {"2026-01-30T21:00:00Z", "2026-01-30T22:00:00+01:00"}
    assert (await act(api, path, {"until": asked_at.isoformat()})).json()["orders"] == 0


async def test_unknown_draft_and_version_are_not_found(api: Api) -> None:
    for path in ("drafts/none", "versions/none"):
        assert (await api.call("GET", f"/v1/rules/{path}")).status_code == 404
