"""From an order and a snapshot to a recommendation: the one path that the service, the command and the back-test share."""

import msgspec

from serve.domain.asking import Whispered, settled
from serve.domain.case import Case
from serve.domain.exploration import Exploration
from serve.domain.exploring import explored
from serve.domain.liquidity import Thresholds, half_spread_for_size, judge
from serve.domain.market import Market, Scorecards, Security
from serve.domain.models import Context
from serve.domain.order_facts import describe, order_time, order_variables
from serve.domain.orders import Mode, Order, Plan
from serve.domain.recommendation import Recommendation
from serve.domain.rules import RuleBook, decide
from serve.domain.rules_bench import Bench, Standing
from serve.domain.scoring import covering


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk decides by: its rule book, when a bond counts as illiquid, whether it explores; the texts as written."""

    book: RuleBook
    thresholds: Thresholds
    source: str = ""
    scoring: str = ""
    exploration: Exploration = Exploration()


def advise(order: Order, security: Security, market: Market, desk: Desk, recommendation_id: str) -> Recommendation:
    """Recommend dealers for an order whose ``received_at`` is set. Pure: the same inputs give the same answer.

    Raises ``RuleFailed`` where a condition of the rule book cannot be evaluated.
    """
    case = weigh(order, security, market, desk)
    decision, facts = case.decision, market.liquidity.get(security.security_id)
    shortlist = explored(case, case.shortlist(), desk.exploration, recommendation_id)
    return Recommendation(
        recommendation_id=recommendation_id,
        snapshot_id=market.snapshot_id,
        rules_version=desk.book.version,
        as_of=market.as_of,
        order=order,
        security=describe(security),
        arrival_mid=facts.mid if facts else None,
        liquidity=case.view,
        matched_rules=decision.matched,
        notes=decision.notes,
        plan=case.planned(shortlist),
        model=decision.score.model,
        weights={str(name): weight for name, weight in decision.score.weights},
        dealers=case.recommended(shortlist),
        excluded=shortlist.left_out,
        propensity=shortlist.propensity,
    )


def weigh(order: Order, security: Security, market: Market, desk: Desk) -> Case:
    """Score every dealer for an order as its rules have it, before anyone is chosen or left out. Raises ``RuleFailed``."""
    now = order_time(order, market)
    view = judge(market, security, order.quantity, now.date(), desk.thresholds)
    variables = order_variables(order, security, view, market)
    decision = decide(desk.book, variables)
    bench = Bench.of(market, desk.book)
    context = Context(sector=security.sector, side=order.side, half_spread_bps=_half_spread(order, security, market))
    standing = bench.standing(security.scorecard_class, security.asset_class, decision.score).for_order(context)
    plan = decision.plan
    if decision.auto:
        plan, why = settled(plan, standing.beliefs)
        decision.notes.append(why)
    return Case(
        plan=plan,
        whispered=_whispered(plan, standing, context),
        order=order,
        security=security,
        market=market,
        view=view,
        decision=decision,
        bench=bench,
        standing=standing,
        variables=variables,
        now=now,
    )


def scorecards_for(market: Market, security: Security, window_days: int) -> Scorecards:
    """Give the class's scorecards, without recency, with a row for every dealer on record."""
    key = (security.scorecard_class, window_days, 0)
    return covering(market.scorecards.get(key), key, tuple(sorted(market.dealers)))


def _whispered(plan: Plan, standing: Standing, context: Context) -> Whispered | None:
    """Look at the dealers as a whisper meets them, where one is meant and something hangs on it."""
    open_ = plan.competitive_within_bps is None or standing.rating.view is not None
    if plan.mode is not Mode.SEQUENTIAL or not open_:
        return None
    beliefs = standing.beliefs
    return Whispered.of(beliefs, context, standing.odds(context.sector, premium_hs=beliefs.terms.premium_hs))


def _half_spread(order: Order, security: Security, market: Market) -> float | None:
    """Give what one half-spread is worth for the order, bps of price."""
    beliefs = market.beliefs.get(security.scorecard_class)
    usual_bps = beliefs.terms.half_spread_bps if beliefs else None
    facts, costs = market.liquidity.get(security.security_id), market.costs.get(security.scorecard_class)
    return half_spread_for_size(facts, costs, usual_bps, order.quantity)
