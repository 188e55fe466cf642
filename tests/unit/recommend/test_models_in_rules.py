"""The fitted models in a rule book: who is asked, in which way, and what the answer says of it."""

from functools import reduce
from operator import add

import msgspec
import pytest

from serve.adapters.desk_config import DeskConfigRefused, read_desk
from serve.domain.advise import Desk, advise
from serve.domain.exploration import Exploration
from serve.domain.market import Market
from serve.domain.orders import Mode, Order
from serve.domain.recommendation import Recommendation
from serve.domain.rules import RuleBookRefused
from serve.usecases.advice import recommend
from tests.fakes.snapshot import ILLIQUID_IG, LIQUID_IG, Rows
from tests.unit.recommend.cases import HEADER, desk, market, order, shipped

ALWAYS = """  - id: FITTED
    kind: select
    priority: 1
    when: order.asset_class == CORP
    score: {{model: {model}}}
    pick: [{{take: {take}}}]
    protocol: {{mode: {mode}, timeout: 20s}}
"""


def rules(model: str = "expected_utility", take: str = "8", mode: str = "parallel") -> str:
    return ALWAYS.format(model=model, take=take, mode=mode)


def given(asked: Order, desk_: Desk, market_: Market | None = None) -> Recommendation:
    return recommend(asked, market_ or market(), desk_, "recommendation-1")


@pytest.mark.parametrize("model", ["expected_utility", "scorecard"])
def test_contributions_add_up_to_the_score_for_the_fitted_models(model: str) -> None:
    made = given(order(LIQUID_IG, 1e6), desk(rules(model, "3")))
    assert made.model == model
    assert made.dealers
    for dealer in made.dealers:
        assert reduce(add, (part.contribution for part in dealer.components)) == dealer.score


def test_expected_utility_says_how_many_to_ask_and_why_no_more() -> None:
    made = given(order(LIQUID_IG, 1e6), desk(rules()))
    assert 1 <= len(made.dealers) < 8
    assert any("not expected to gain" in excluded.reason for excluded in made.excluded)
    fewer = given(order(LIQUID_IG, 1e6), desk(rules(take="2")))
    assert [dealer.dealer_id for dealer in fewer.dealers] == [dealer.dealer_id for dealer in made.dealers][:2]


def test_an_axe_in_the_sector_shows_as_a_part_of_the_score() -> None:
    made = given(order(LIQUID_IG, 1e6), desk(rules(take="all")))
    axed = next(dealer for dealer in made.dealers if dealer.dealer_id == "C")
    part = next(part for part in axed.components if part.metric == "axe")
    assert part.raw == pytest.approx(0.7)
    assert part.contribution > 0


def test_auto_whispers_where_a_leak_costs_much_and_says_so() -> None:
    made = given(order(LIQUID_IG, 1e6), desk(rules(mode="auto")))
    assert made.plan.mode is Mode.SEQUENTIAL
    assert any("The rules leave open how to ask" in note for note in made.notes)
    assert [level.dealer_id for level in made.plan.levels] == [dealer.dealer_id for dealer in made.dealers]

    def cheap(rows: Rows) -> None:
        for row in rows["fit_class_terms"]:
            row["impact_hs"] = 0.1

    assert given(order(LIQUID_IG, 1e6), desk(rules(mode="auto")), market(cheap)).plan.mode is Mode.PARALLEL


def test_levels_stand_in_a_whisper_unless_the_rule_says_what_is_competitive() -> None:
    open_ = given(order(LIQUID_IG, 1e6), desk(rules(mode="sequential")))
    assert len(open_.plan.levels) == len(open_.dealers)
    assert all(level.leak_bps >= 0 for level in open_.plan.levels)
    fixed = given(order(ILLIQUID_IG, 10e6), shipped())
    assert fixed.plan.competitive_within_bps is not None
    assert fixed.plan.levels == ()


def test_exploration_lets_one_in_rarely_and_a_replay_gives_the_same() -> None:
    curious = msgspec.structs.replace(desk(rules()), exploration=Exploration(share=0.1, max_quantity=2e6))
    there, usual = market(), given(order(LIQUID_IG, 1e6), desk(rules()))
    security = there.securities[there.by_cusip[LIQUID_IG]]
    asked = msgspec.structs.replace(order(LIQUID_IG, 1e6), received_at=there.as_of)
    made = [advise(asked, security, there, curious, f"R{number}") for number in range(200)]
    assert made[7] == advise(asked, security, there, curious, "R7")
    drawn = [item for item in made if [d.dealer_id for d in item.dealers] != [d.dealer_id for d in usual.dealers]]
    assert 5 <= len(drawn) <= 40
    assert all(item.propensity < 0.1 and any("by a chance" in note for note in item.notes) for item in drawn)
    assert all(item.propensity == pytest.approx(0.9) for item in made if item not in drawn)


def test_exploration_keeps_away_from_large_and_whispered_orders() -> None:
    for rule, quantity in ((rules(), 5e6), (rules(mode="sequential"), 1e6)):
        curious = msgspec.structs.replace(desk(rule), exploration=Exploration(share=0.1, max_quantity=2e6))
        assert given(order(LIQUID_IG, quantity), curious).propensity == 1.0


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        ("{model: expected_utility, weights: {response: 1.0}}", "no place in expected_utility"),
        ("{model: expected_utility, windows: 90d}", "did you mean 'window'"),
        ("{model: scorecard, weights: {response: 0.7}}", "add up to 0.7"),
        ("{model: scorecard, weights: {speed: 1.0}}", "unknown part 'speed'"),
        ("{model: seed_v0, window: 90d}", "lacks 'weights'"),
    ],
)
def test_what_a_fitted_model_cannot_use_is_refused_with_its_place(score: str, reason: str) -> None:
    with pytest.raises(RuleBookRefused, match=reason) as refused:
        desk(f"  - id: BAD\n    kind: select\n    priority: 1\n    when: order.is_rated\n    score: {score}\n")
    assert "rules.yml:" in str(refused.value)


def test_exploring_more_than_a_tenth_is_refused() -> None:
    text = shipped().scoring.replace("share: 0.0 ", "share: 0.5 ")
    with pytest.raises(DeskConfigRefused, match="share: must be from 0 to"):
        read_desk(HEADER + rules(), text)


def test_a_half_spread_is_what_the_bond_is_quoted_at_for_the_size_and_not_what_executions_cost() -> None:
    def cheaper(rows: Rows) -> None:
        for row in rows["fit_market_costs"]:
            row["half_spread_bps"] = 4.0

    book = desk(rules(take="all", mode="sequential"))
    dear, cheap = (given(order(LIQUID_IG, 1e6), book, priced) for priced in (market(), market(cheaper)))
    large = given(order(LIQUID_IG, 1e7), book)
    assert cheap.liquidity.expected_cost_bps == pytest.approx(0.4 * (dear.liquidity.expected_cost_bps or 0.0))
    assert cheap.plan.levels == dear.plan.levels
    scores = {dealer.dealer_id: dealer.score for dealer in dear.dealers}
    assert {dealer.dealer_id: dealer.score for dealer in cheap.dealers} == scores
    assert all(dealer.score == pytest.approx(scores[dealer.dealer_id] * 10**0.2) for dealer in large.dealers)
