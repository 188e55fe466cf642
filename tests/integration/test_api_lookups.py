"""Dealers, scorecards, liquidity, rules, health, metrics and the pages."""

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from serve.domain.users import Role
from serve.web import pages
from tests.fakes.snapshot import FIGURES, ILLIQUID_IG, UNTRADED, scorecards, small_market, write_snapshot
from tests.integration.api_client import Api, running

STATIC = Path(pages.__file__).parent / "static"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path, snapshot_max_age_hours=1e6) as started:
        yield started


async def test_scorecards_of_past_weeks_are_told_by_class_the_latest_first(api: Api) -> None:
    past = (await api.call("GET", "/v1/dealers/A/scorecards/history")).json()
    assert [(card["scorecard_class"], card["as_of_day"], card["rfqs_asked"]) for card in past] == [
        ("CORP_IG", "2026-01-30", 10),
        ("CORP_IG", "2026-01-23", 9),
        ("MUNI", "2026-01-30", 10),
    ]
    assert past[1]["figures"][0] == {"metric": "fill_rate", "raw": 0.5, "n": 9}
    one = await api.call("GET", "/v1/dealers/A/scorecards/history", params={"scorecard_class": "MUNI"})
    assert len(one.json()) == 1
    assert (await api.call("GET", "/v1/dealers/B/scorecards/history")).json() == []
    assert (await api.call("GET", "/v1/dealers/nobody/scorecards/history")).status_code == 404


async def test_override_outcomes_are_told_by_reason_the_most_frequent_first(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        told = (await api.call("GET", "/v1/overrides/outcomes", Role.QUANT)).json()
    assert [(item["reason_code"], item["overrides"], item["trader_advantage_bps"]) for item in told["outcomes"]] == [
        ("known_axe", 3, 1.25),
        ("other", 1, None),
    ]


async def test_dealer_matrix_is_ranked_with_figures_counts_and_tiers(api: Api) -> None:
    rows = (await api.call("GET", "/v1/scorecards?scorecard_class=CORP_HY&window=90d")).json()
    assert [row["dealer_id"] for row in rows[:3]] == ["C", "A", "H"]
    assert [row["composite_rank"] for row in rows] == list(range(1, 9))
    assert [row["tier"] for row in rows] == [1, 1, 2, 2, 3, 3, 3, 3]
    assert rows[0]["composite"] == pytest.approx(1.063)
    assert {metric["metric"]: metric["n"] for metric in rows[0]["metrics"]}["hit_rate"] == 50


async def test_dealer_has_a_static_and_a_dynamic_profile(api: Api) -> None:
    answer = (await api.call("GET", "/v1/dealers/A")).json()
    assert answer["profile"]["name"] == "Dealer A"
    assert {card["scorecard_class"] for card in answer["scorecards"]} == {"CORP_IG", "CORP_HY", "CORP_NR", "MUNI", "GOVT"}
    assert answer["axe_record"] is None
    record = (await api.call("GET", "/v1/dealers/C")).json()["axe_record"]
    assert (record["axes_came_true"], record["axes_tested"], record["came_true_share"]) == (8, 20, 0.4)
    history = (await api.call("GET", "/v1/dealers/A/scorecards?scorecard_class=MUNI")).json()
    assert [card["window_days"] for card in history] == [30, 60, 90, 180]
    assert len((await api.call("GET", "/v1/dealers")).json()) == 8


async def test_half_life_chooses_the_scorecards_where_recent_days_weigh_more(tmp_path: Path) -> None:
    rows = small_market()
    decayed = scorecards("MUNI", 90, {**FIGURES, "F": FIGURES["A"]})
    rows["fct_dealer_scorecards"] += [row | {"half_life_days": 60} for row in decayed]
    write_snapshot(tmp_path, rows)
    async with running(tmp_path, publish=False, snapshot_max_age_hours=1e6) as api:
        plain = (await api.call("GET", "/v1/scorecards?scorecard_class=MUNI")).json()
        recent = (await api.call("GET", "/v1/scorecards?scorecard_class=MUNI&half_life=60d")).json()
    assert {row["half_life_days"] for row in plain} == {0}
    assert {row["half_life_days"] for row in recent} == {60}
    assert [row["dealer_id"] for row in recent[:3]] == ["C", "A", "F"]


async def test_liquidity_says_that_capped_prints_make_a_volume_a_lower_bound(tmp_path: Path) -> None:
    rows = small_market()
    rows["fct_security_liquidity"] = [
        row | ({"capped_trades_30d": 2} if row["security_id"] == ILLIQUID_IG else {}) for row in rows["fct_security_liquidity"]
    ]
    write_snapshot(tmp_path, rows)
    said = "The tape caps the size of 2 of this bond's 6 prints of 30 days, so volumes count at least that much."
    async with running(tmp_path, publish=False, snapshot_max_age_hours=1e6) as api:
        capped = (await api.call("GET", f"/v1/liquidity/{ILLIQUID_IG}")).json()
        other = (await api.call("GET", f"/v1/liquidity/{UNTRADED}")).json()
    assert said in capped["liquidity"]["reasons"]
    assert not any("tape" in reason for reason in other["liquidity"]["reasons"])


async def test_liquidity_says_why_and_what_is_not_known(api: Api) -> None:
    thin = (await api.call("GET", f"/v1/liquidity/{ILLIQUID_IG}?quantity=10000000&side=SELL")).json()
    assert thin["liquidity"]["illiquid"]
    assert "It last traded 11.0 days ago, more than 7." in thin["liquidity"]["reasons"]
    assert thin["liquidity"]["expected_cost_bps"] == pytest.approx(12 * 10**0.2)
    assert thin["liquidity"]["expected_impact_bps"] == pytest.approx(0.5 * 35 * 2.5**0.5)
    low, high = thin["liquidity"]["expected_impact_low_bps"], thin["liquidity"]["expected_impact_high_bps"]
    assert low < thin["liquidity"]["expected_impact_bps"] < high
    assert (thin["liquidity"]["expected_cost_n"], thin["liquidity"]["expected_impact_n"]) == (400, 120)
    unknown = (await api.call("GET", f"/v1/liquidity/{UNTRADED}")).json()
    assert unknown["liquidity"]["adv_30d"] is None
    assert unknown["liquidity"]["adv_basis"] == "none"
    assert any("daily volume is not known" in reason for reason in unknown["liquidity"]["reasons"])


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/v1/dealers/NOBODY", 404, "dealer_id"),
        ("/v1/dealers/NOBODY/scorecards", 404, "dealer_id"),
        ("/v1/dealers/A/scorecards?window=45d", 400, "window"),
        ("/v1/scorecards?scorecard_class=CRYPTO", 404, "scorecard_class"),
        ("/v1/scorecards?window=soon", 400, "window"),
        ("/v1/scorecards?half_life=45d", 400, "half_life"),
        ("/v1/liquidity/000000000", 404, "security_id"),
        (f"/v1/liquidity/{ILLIQUID_IG}?quantity=-5", 400, "quantity"),
        (f"/v1/liquidity/{ILLIQUID_IG}?quantity=much", 400, "quantity"),
        (f"/v1/liquidity/{ILLIQUID_IG}?side=UP", 400, "side"),
    ],
)
async def test_wrong_lookup_is_told_with_the_field(api: Api, path: str, status: int, field: str) -> None:
    response = await api.call("GET", path)
    assert response.status_code == status
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_rules_are_shown_as_tried_and_as_written(api: Api) -> None:
    answer = (await api.call("GET", "/v1/rules")).json()
    assert [rule["id"] for rule in answer["rules"]] == [
        "ILLIQUID-CORP-WHISPER",
        "HY-CORP-OVER-5MM",
        "NR-MUNI-OVER-2MM",
        "OVER-10PCT-ADV",
    ]
    assert "# M-22" in answer["source"]


async def test_ready_with_a_fresh_snapshot_and_not_with_a_stale_one(api: Api, tmp_path: Path) -> None:
    ready = (await api.call("GET", "/health/ready", None)).json()
    assert (ready["ready"], ready["as_of"][-1]) == (True, "Z")
    async with running(tmp_path / "other", snapshot_max_age_hours=1) as stale:
        answer = await stale.call("GET", "/health/ready", None)
        assert answer.status_code == 503
        assert "stale" in answer.json()["reasons"][0]


async def test_metrics_name_the_snapshot_in_use(api: Api) -> None:
    text = (await api.call("GET", "/metrics", None)).text
    assert "sotto_snapshot_as_of_seconds 1.7698" in text
    assert 'sotto_snapshot_loads_total{result="loaded"}' in text


async def test_api_description_is_openapi_31_with_bearer_tokens(api: Api) -> None:
    document = (await api.call("GET", "/schema/openapi.json", None)).json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["BearerToken"]["scheme"] == "bearer"
    assert "/v1/recommendations" in document["paths"]


@pytest.mark.parametrize("path", ["/", "/schema", "/schema/swagger"])
async def test_pages_load_nothing_from_outside(api: Api, path: str) -> None:
    response = await api.call("GET", path, None)
    assert response.status_code == 200
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", response.text)
    assert links
    for link in links:
        assert link.startswith("/"), link
        if link.startswith("/static/"):
            assert (await api.call("GET", link, None)).status_code == 200


def test_vendored_files_are_what_the_record_says() -> None:
    record = (STATIC / "VENDORED.md").read_text()
    rows = re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", record)
    assert len(rows) == 5
    for name, digest in rows:
        assert sha256((STATIC / name).read_bytes()).hexdigest() == digest
