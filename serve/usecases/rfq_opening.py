"""From a recorded recommendation to an RFQ that may start: every check before the first dealer hears of the order."""

from datetime import timedelta

import msgspec

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden, RfqStarted, Sealed
from serve.domain.eligibility import gate
from serve.domain.limits import Asked, breaches
from serve.domain.market import Market
from serve.domain.recommendation import Recommendation
from serve.domain.rfq_machine import Begin
from serve.usecases.refusals import Conflict, NotReady, NotThere, Refusal
from serve.usecases.rfq_book import Order
from serve.usecases.rfq_floor import Floor


def opening(floor: Floor, history: list[Sealed], override_id: str | None, market: Market | None, rfq_id: str) -> Begin:
    """Build the start of an RFQ from a recommendation's events. Raises the use cases' refusals, each naming what to do."""
    made = next((item for item in history if isinstance(item.event, RecommendationMade)), None)
    if made is None or not isinstance(made.event, RecommendationMade):
        raise NotThere("not-found", "There is no such recommendation", "recommendation_id")
    _check_age(floor, made)
    answer = msgspec.convert(made.event.answer, Recommendation)
    names = _names(history, override_id, answer)
    if market is None:
        raise NotReady("no-snapshot", "No snapshot has been published yet, so no dealer can be checked; run 'sotto refresh'")
    _check_dealers(floor, names, market, answer)
    ready = [name for name in names if floor.gateway.is_ready(name)]
    skipped = tuple(f"{name} is skipped: its FIX session is not logged on" for name in names if name not in ready)
    if not ready:
        raise NotReady("no-session", f"None of the dealers is logged on: {', '.join(names)}. Check their sessions, then try again")
    chosen = _bounded(ready, override_id, answer)
    _check_limits(floor, answer, len(chosen))
    return Begin(_started(floor, made.event, answer, chosen, override_id=override_id, rfq_id=rfq_id), skipped)


def _check_age(floor: Floor, made: Sealed) -> None:
    oldest = timedelta(seconds=floor.limits.recommendation_valid_s)
    age = floor.clock.now() - made.at
    if age > oldest:
        detail = (
            f"The recommendation is {age.total_seconds():,.0f} s old, recommendation_valid_s allows {oldest.total_seconds():,.0f}"
        )
        raise Conflict("stale-recommendation", f"{detail}: ask for a new one", "recommendation_id")


def _names(history: list[Sealed], override_id: str | None, answer: Recommendation) -> list[str]:
    if override_id is None:
        names = [dealer.dealer_id for dealer in answer.dealers]
        if not names:
            raise Refusal("no-dealers", "The recommendation names no dealer to ask: override it with a list of your own")
        return names
    for item in history:
        if isinstance(item.event, RecommendationOverridden) and item.event.override_id == override_id:
            return list(item.event.dealers)
    raise NotThere("not-found", f"The recommendation has no override {override_id!r}", "override_id")


def _check_dealers(floor: Floor, names: list[str], market: Market, answer: Recommendation) -> None:
    today = floor.clock.now().date()
    for name in names:
        dealer = market.dealers.get(name)
        if dealer is None:
            raise Refusal("unknown-dealer", f"There is no dealer {name!r} in the current snapshot: override without it")
        stop = gate(dealer, answer.order.quantity, today)
        if stop is not None:
            raise Refusal("barred-dealer", f"{name} may not be asked ({stop.gate}): {stop.reason} Override without it")
    if len(set(names)) < len(names):
        raise Refusal("repeated-dealer", "A dealer stands twice in the list: name each once")


def _bounded(ready: list[str], override_id: str | None, answer: Recommendation) -> list[str]:
    most = answer.plan.max_dealers
    if most is None or len(ready) <= most:
        return ready
    if override_id is not None:
        raise Refusal("too-many-dealers", f"The plan allows {most} dealers, the override names {len(ready)}: override with fewer")
    return ready[:most]


def check_day(floor: Floor, order: Order) -> None:
    """Hold an order against the day's limit: what traded, and what was sent and may yet trade. Raises Refusal."""
    most = floor.limits.max_day_notional
    day = floor.book.committed_notional(floor.clock.now().date()) + order.notional
    if day > most:
        raise Refusal(
            "limit-breached",
            f"max_day_notional is {most:,.0f}, this would make it {day:,.0f}, with all orders whose report is still out: "
            "wait for the next day",
        )


def _check_limits(floor: Floor, answer: Recommendation, dealers: int) -> None:
    asked = Asked(
        quantity=answer.order.quantity,
        price=answer.arrival_mid,
        dealers=dealers,
        open_rfqs=floor.book.open_rfqs,
        day_notional=floor.book.day_notional(floor.clock.now().date()),
    )
    broken = breaches(floor.limits, asked)
    if broken:
        raise Refusal("limit-breached", "; ".join(breach.detail for breach in broken))


def _started(
    floor: Floor, made: RecommendationMade, answer: Recommendation, dealers: list[str], *, override_id: str | None, rfq_id: str
) -> RfqStarted:
    order, plan = answer.order, answer.plan
    return RfqStarted(
        rfq_id=rfq_id,
        recommendation_id=made.recommendation_id,
        override_id=override_id,
        order_id=order.order_id,
        desk=made.desk,
        account=order.account,
        venue=floor.practice.venue,
        security_id=answer.security.security_id,
        cusip=answer.security.cusip,
        isin=answer.security.isin,
        side=order.side,
        quantity=order.quantity,
        currency=order.currency,
        limit_price=order.limit_price,
        protocol=plan.mode.protocol,
        delay_s=plan.delay_s,
        timeout_s=plan.timeout_s,
        competitive_within_bps=plan.competitive_within_bps,
        expected_cost_bps=answer.liquidity.expected_cost_bps,
        arrival_mid=answer.arrival_mid,
        dealers=dealers,
        levels=[level for level in plan.levels if level.dealer_id in dealers],
        propensity=made.propensity if dealers == [dealer.dealer_id for dealer in answer.dealers] else None,
    )
