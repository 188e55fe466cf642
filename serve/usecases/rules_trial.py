"""Past orders run again by the rules in force and by a draft, each on its own snapshot where that is still there."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from expectations.contracts.journal import RecommendationMade, Sealed
from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS
from serve.domain.advise import Desk, scorecards_for
from serve.domain.market import Market
from serve.domain.orders import Order
from serve.domain.rules_trial import Outcome, Rerun, Trial, outcome, trial
from serve.ports import Snapshots
from serve.usecases.advice import recommend, zoned
from serve.usecases.refusals import Refusal
from serve.usecases.securities import resolve

_MONTH = timedelta(days=30)
_EARLIEST = datetime(1970, 1, 31, tzinfo=UTC)


class PastOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it was answered; of the answer itself nothing is kept."""

    recommendation_id: str
    at: datetime
    snapshot_id: str
    order: Order


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Past orders of a period, the oldest first, and how many earlier ones the limit left out."""

    orders: list[PastOrder]
    left_out: int


def period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Fill in a period: up to now, and from 30 days before. A time without a zone is UTC. Raises ``Refusal`` for an empty one."""
    last = zoned(until or now)
    first = zoned(since) if since else max(last, _EARLIEST) - _MONTH
    if first >= last:
        raise Refusal("invalid-request", "since: must be before until", "since")
    return first, last


def past_orders(events: Iterable[Sealed], *, since: datetime, until: datetime, desk: str | None, limit: int) -> Past:
    """Pick the orders answered from ``since`` up to but not at ``until``; ``desk`` ``None`` = of every desk.

    An order that was sent several times is taken once, as it was last.
    """
    latest: dict[tuple[str, str], PastOrder] = {}
    for sealed in events:
        made = sealed.event
        if isinstance(made, RecommendationMade) and since <= sealed.at < until and desk in {None, made.desk}:
            latest.pop((made.desk, made.order_id), None)
            latest[made.desk, made.order_id] = PastOrder(
                recommendation_id=made.recommendation_id,
                at=sealed.at,
                snapshot_id=made.snapshot_id,
                order=msgspec.convert(made.answer["order"], Order),
            )
    orders = list(latest.values())
    return Past(orders=orders[-limit:], left_out=max(0, len(orders) - limit))


def try_on(past: Past, live: Desk, draft: Desk, snapshots: Snapshots, current: Market) -> Trial:
    """Run every order by both versions and say what changes."""
    apart: dict[str, Market] = {}
    runs = [rerun(past_order, (live, draft), _market_of(past_order, snapshots, current), apart) for past_order in past.orders]
    return trial(runs, live.book.version, draft.book.version, left_out=past.left_out)


def rerun(past: PastOrder, desks: tuple[Desk, Desk], market: Market, apart: dict[str, Market]) -> Rerun:
    """Run one past order by two versions of the rules.

    The draft sees a copy of the snapshot (``apart``, by name): what is worked out for a trial must not push out what requests need.
    """
    order = past.order
    markets = (market, apart.setdefault(market.snapshot_id, replace(market, memo={})))
    answers: list[Outcome | None] = []
    failures: list[str] = []
    for desk, seen, name in zip(desks, markets, ("in force", "draft"), strict=True):
        try:
            answers.append(outcome(recommend(order, seen, desk, past.recommendation_id)))
        except Refusal as refusal:
            answers.append(None)
            failures.append(f"{name}: {refusal.detail}")
    cards = None
    if any(answers):
        cards = scorecards_for(market, resolve(market, order.security_id, order.security_id_type), DEFAULT_WINDOW_DAYS)
    return Rerun(
        recommendation_id=past.recommendation_id,
        order_id=order.order_id,
        security_id=order.security_id,
        received_at=zoned(order.received_at or past.at),
        snapshot_id=market.snapshot_id,
        own_snapshot=market.snapshot_id == past.snapshot_id,
        cards=cards,
        live=answers[0],
        draft=answers[1],
        failure="; ".join(failures) or None,
    )


def _market_of(past: PastOrder, snapshots: Snapshots, current: Market) -> Market:
    try:
        return snapshots.get(past.snapshot_id)
    except LookupError:
        return current
