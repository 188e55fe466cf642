"""What is recommended for an order, and whether it would be again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from expectations.contracts.journal import RecommendationMade, Sealed
from serve.domain.advise import Desk, advise
from serve.domain.market import Market
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.domain.rules import RuleFailed
from serve.ports import Desks, Journal, Snapshots
from serve.usecases.refusals import Refusal
from serve.usecases.securities import check_order, resolve


def zoned(at: datetime) -> datetime:
    """Read a time without a zone as UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def dated(order: Order, now: datetime) -> Order:
    """Give an order the time at which it came in: its own, in UTC where it has no zone, else now."""
    at = zoned(order.received_at or now)
    return order if at is order.received_at else msgspec.structs.replace(order, received_at=at)


def recommend(order: Order, market: Market, desk: Desk, recommendation_id: str) -> Recommendation:
    """Recommend dealers for an order whose ``received_at`` is set. Raises ``Refusal``."""
    security = resolve(market, order.security_id, order.security_id_type)
    check_order(order, security)
    try:
        return advise(order, security, market, desk, recommendation_id)
    except RuleFailed as exc:
        raise Refusal("rule-failed", f"The rule book could not be applied: {exc}; correct the rule") from exc


class Difference(msgspec.Struct, frozen=True):
    """One field in which a replay departs from what was answered."""

    field: str
    recorded: Any
    recomputed: Any


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A past recommendation computed again from the same snapshot and rules."""

    recommendation_id: str
    snapshot_id: str
    rules_version: str
    identical: bool
    differences: list[Difference]


class Reading(Protocol):
    """A journal that is only read."""

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:
        """Yield events with ``seq`` above ``after``, oldest first."""
        ...


def replay(made: RecommendationMade, snapshots: Snapshots, desks: Desks) -> Replay:
    """Compute a recorded recommendation again. Raises ``Refusal`` where its snapshot or rules are gone."""
    try:
        market, desk = snapshots.get(made.snapshot_id), desks.get(made.rules_version)
    except LookupError as exc:
        raise Refusal("not-replayable", f"It cannot be computed again: {exc}") from exc
    order = msgspec.convert(made.answer["order"], Order)
    again = msgspec.to_builtins(recommend(order, market, desk, made.recommendation_id))
    recorded = msgspec.json.decode(msgspec.json.encode(made.answer))
    differences = list(_differences(recorded, msgspec.json.decode(msgspec.json.encode(again)), ""))
    return Replay(
        recommendation_id=made.recommendation_id,
        snapshot_id=made.snapshot_id,
        rules_version=made.rules_version,
        identical=not differences,
        differences=differences,
    )


def recorded(journal: Journal | Reading, recommendation_id: str) -> RecommendationMade | None:
    """Give a recommendation from the journal with its exclusions whole; ``None`` where there is none."""
    found = _made_in(journal, recommendation_id)
    if found is None or found.excluded_as is None:
        return found
    first = _made_in(journal, found.excluded_as)
    excluded = first.answer["excluded"] if first else []
    return msgspec.structs.replace(found, answer={**found.answer, "excluded": excluded}, excluded_as=None)


def _made_in(journal: Journal | Reading, recommendation_id: str) -> RecommendationMade | None:
    read = journal.read(subject=recommendation_id, kind="recommendation.made")
    return next((sealed.event for sealed in read if isinstance(sealed.event, RecommendationMade)), None)


def _differences(recorded: object, again: object, path: str) -> list[Difference]:
    if isinstance(recorded, dict) and isinstance(again, dict):
        keys = [*recorded, *(key for key in again if key not in recorded)]
        parts = [(recorded.get(key), again.get(key), f"{path}.{key}" if path else key) for key in keys]
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        parts = [(old, new, f"{path}[{index}]") for index, (old, new) in enumerate(zip(recorded, again, strict=True))]
    else:
        return [] if recorded == again else [Difference(path, recorded, again)]
    return [difference for old, new, place in parts for difference in _differences(old, new, place)]
