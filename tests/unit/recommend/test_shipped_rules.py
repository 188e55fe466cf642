"""The rules that are shipped, each on the order it is made for."""

from datetime import UTC, datetime

import pytest

from serve.domain.orders import Mode
from tests.fakes.snapshot import AS_OF, ILLIQUID_HY, ILLIQUID_IG, LIQUID_IG, TREASURY, UNRATED_MUNI, UNTRADED, Rows
from tests.unit.recommend.cases import gates, market, names, recommended


def quick_to_trade(rows: Rows) -> None:
    for row in rows["fct_security_liquidity"]:
        row.update(days_since_last_trade=1.0, traded_days_30d=20, adv_30d=900e6, adv_basis="security")


def test_m22_high_yield_over_5mm_takes_the_top_three_by_hit_rate_and_price() -> None:
    answer = recommended(ILLIQUID_HY, 6e6, market_=market(quick_to_trade))
    assert [rule.id for rule in answer.matched_rules] == ["HY-CORP-OVER-5MM"]
    assert answer.weights == {"hit_rate": 0.6, "price_improvement": 0.4}
    assert names(answer) == ["C", "A", "H"]
    assert answer.plan.mode is Mode.PARALLEL
    assert answer.plan.timeout_s == 60


@pytest.mark.parametrize(("quantity", "matched"), [(5e6, False), (5_000_001.0, True)])
def test_m22_means_above_5mm_not_from_5mm(quantity: float, matched: bool) -> None:
    answer = recommended(ILLIQUID_HY, quantity, market_=market(quick_to_trade))
    assert ("HY-CORP-OVER-5MM" in [rule.id for rule in answer.matched_rules]) is matched


def test_m22_leaves_out_a_bond_rated_bbb_and_one_without_a_rating() -> None:
    calm = market(quick_to_trade)
    assert recommended(ILLIQUID_IG, 6e6, market_=calm).matched_rules == []
    unrated = recommended(UNTRADED, 6e6)
    assert "HY-CORP-OVER-5MM" not in [rule.id for rule in unrated.matched_rules]


def test_m24_takes_all_of_tier_one_and_two_muni_specialists_of_tier_two() -> None:
    answer = recommended(UNRATED_MUNI, 3e6)
    # Of eight dealers C and A are tier 1, H and E tier 2, and of these only E specialises in municipals.
    assert names(answer) == ["C", "A", "E"]
    assert [dealer.tier for dealer in answer.dealers] == [1, 1, 2]
    assert gates(answer)["H"] == "pick"


def test_m25_over_a_tenth_of_daily_volume_is_staggered_by_5s_to_three_dealers() -> None:
    answer = recommended(LIQUID_IG, 9e6)
    assert [(rule.id, rule.kind) for rule in answer.matched_rules] == [("OVER-10PCT-ADV", "constrain")]
    assert (answer.plan.mode, answer.plan.delay_s, answer.plan.max_dealers) == (Mode.STAGGERED, 5.0, 3)
    assert names(answer) == ["C", "A", "H"]
    assert gates(answer)["E"] == "max_dealers"


def test_m25_names_whose_volume_the_share_is_of() -> None:
    answer = recommended(ILLIQUID_IG, 10e6)
    assert answer.liquidity.adv_basis == "issuer"
    assert answer.liquidity.adv_share == pytest.approx(2.5)


def test_m25_applies_out_of_caution_where_no_volume_is_known_and_says_so() -> None:
    answer = recommended(UNTRADED, 1e6)
    limit = next(rule for rule in answer.matched_rules if rule.id == "OVER-10PCT-ADV")
    assert limit.why.startswith("Applied out of caution, because order.adv30_share is not known")
    assert answer.plan.mode is Mode.STAGGERED


@pytest.mark.parametrize("security_id", [ILLIQUID_IG, ILLIQUID_HY])
def test_m30_large_order_in_a_corporate_untraded_for_a_week_is_whispered(security_id: str) -> None:
    answer = recommended(security_id, 10e6)
    assert [rule.id for rule in answer.matched_rules] == ["ILLIQUID-CORP-WHISPER", "OVER-10PCT-ADV"]
    assert answer.liquidity.illiquid
    assert answer.weights == pytest.approx({"information_leakage": 0.625, "fill_rate": 0.375})
    assert (answer.plan.mode, answer.plan.timeout_s, answer.plan.competitive_within_bps) == (Mode.SEQUENTIAL, 20.0, 3.0)


def test_whisper_and_adv_limit_together_stay_sequential_and_ask_three() -> None:
    answer = recommended(ILLIQUID_IG, 10e6)
    assert (answer.plan.mode, answer.plan.max_dealers, answer.plan.delay_s) == (Mode.SEQUENTIAL, 3, None)
    assert names(answer) == ["C", "A", "E"]


def test_whisper_candidates_are_those_who_quoted_the_issuer_or_a_similar_bond() -> None:
    assert {dealer for dealer, gate in gates(recommended(ILLIQUID_IG, 10e6)).items() if gate == "candidates"} == {"F", "G", "H"}


def test_dealer_never_asked_anything_remains_a_candidate() -> None:
    def newcomer(rows: Rows) -> None:
        rows["dim_dealers"].append(rows["dim_dealers"][0] | {"dealer_id": "N", "name": "Newcomer"})

    answer = recommended(ILLIQUID_IG, 10e6, market_=market(newcomer))
    assert "N" in [*names(answer), *(dealer for dealer, gate in gates(answer).items() if gate in {"pick", "max_dealers"})]


def test_candidates_that_would_leave_nobody_are_dropped_and_said() -> None:
    answer = recommended(ILLIQUID_HY, 10e6)
    assert names(answer)
    assert "every dealer is a candidate" in " ".join(answer.notes)


def test_order_that_no_rule_is_for_takes_the_default() -> None:
    answer = recommended(TREASURY, 1e6, side="BUY")
    assert answer.matched_rules == []
    assert "default applies" in answer.notes[0]
    assert names(answer) == ["C", "A", "H", "E"]
    assert answer.as_of == AS_OF.astimezone(UTC)
    assert answer.order.received_at == datetime(2026, 1, 30, 21, 0, tzinfo=UTC)
