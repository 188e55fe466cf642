"""Recommend, override, look up and replay. What is answered is journalled first."""

import asyncio
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any, Protocol

import msgspec

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden, Sealed
from serve.domain.advise import Desk, advise
from serve.domain.eligibility import gate
from serve.domain.market import Market
from serve.domain.orders import Order, ShortText
from serve.domain.recommendation import Recommendation
from serve.domain.rules import RuleFailed
from serve.domain.users import User
from serve.ports import Clock, Desks, Ids, Journal, Snapshots
from serve.usecases.answers import Answer, answer_of
from serve.usecases.refusals import NotReady, NotThere, Refusal
from serve.usecases.securities import check_order, resolve


class OverrideReason(StrEnum):
    """Why a trader departs from the recommendation: a closed list, so that overrides can be analysed."""

    KNOWN_AXE = "known_axe"
    MARKET_COLOUR = "market_colour"
    RELATIONSHIP = "relationship"
    CLIENT_INSTRUCTION = "client_instruction"
    INFORMATION_PROTECTION = "information_protection"
    DEALER_UNAVAILABLE = "dealer_unavailable"
    OTHER = "other"


class OverrideRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trader's own list, in the order in which to ask, and why."""

    dealers: Annotated[list[ShortText], msgspec.Meta(min_length=1, max_length=50)]
    reason_code: OverrideReason
    comment: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """An override as it was recorded."""

    override_id: str
    recommendation_id: str
    dealers: list[str]
    reason_code: OverrideReason
    comment: str
    overridden_by: str


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


def recommend(order: Order, market: Market, desk: Desk, recommendation_id: str) -> Recommendation:
    """Recommend dealers for an order whose ``received_at`` is set. Raises ``Refusal``."""
    security = resolve(market, order.security_id, order.security_id_type)
    check_order(order, security)
    try:
        return advise(order, security, market, desk, recommendation_id)
    except RuleFailed as exc:
        raise Refusal("rule-failed", f"The rule book could not be applied: {exc}; correct the rule") from exc


class Reading(Protocol):
    """A journal that is only read."""

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:
        """Yield events with ``seq`` above ``after``, oldest first."""
        ...


class Recommendations:
    """The use cases, over the ports."""

    def __init__(self, snapshots: Snapshots, desks: Desks, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._snapshots, self._desks, self._journal = snapshots, desks, journal
        self._clock, self._ids = clock, ids

    async def make(self, order: Order, user: User) -> Answer:
        """Recommend dealers and return once the answer is in the journal. Raises ``Refusal``."""
        answer = self._made(order, self.market(), self._desks.current())
        await self._record([answer], user)
        return answer

    async def make_all(self, orders: Sequence[Order], user: User) -> list[Answer | Refusal]:
        """Recommend for a list, all by one snapshot and one version of the rules; each gets its answer or its refusal.

        One transaction of the journal holds them all: either every answer is written, or none is given.
        """
        market, desk = self.market(), self._desks.current()
        results: list[Answer | Refusal] = []
        for order in orders:
            try:
                results.append(self._made(order, market, desk))
            except Refusal as refusal:
                results.append(refusal)
            # A list takes as long as its orders: others are served in between.
            await asyncio.sleep(0)
        await self._record([item for item in results if isinstance(item, Answer)], user)
        return results

    def _made(self, order: Order, market: Market, desk: Desk) -> Answer:
        dated = order if order.received_at else msgspec.structs.replace(order, received_at=self._clock.now())
        return answer_of(order, recommend(dated, market, desk, self._ids.new()))

    async def _record(self, answers: Sequence[Answer], user: User) -> None:
        """Journal answers; long exclusions that stand there already are only pointed at."""
        first: dict[int, str] = {}
        events = []
        for answer in answers:
            shared = answer.left_out
            known = None if shared is None else shared.recorded_in or first.setdefault(id(shared), answer.recommendation_id)
            events.append(answer.event(user, None if known == answer.recommendation_id else known))
        await self._journal.append(*events)
        for answer in answers:
            if answer.left_out is not None and answer.left_out.recorded_in is None:
                answer.left_out.recorded_in = first[id(answer.left_out)]

    async def find(self, recommendation_id: str, user: User) -> RecommendationMade:
        """Give a recommendation as recorded. Raises ``NotThere``, for another desk's too."""
        made = await asyncio.to_thread(self._recorded, recommendation_id)
        if made is None or not user.may_see(made.desk):
            raise NotThere("not-found", f"There is no recommendation {recommendation_id!r}", "recommendation_id")
        return made

    async def override(self, recommendation_id: str, wish: OverrideRequest, user: User) -> Override:
        """Record the trader's own list of dealers. Raises ``Refusal`` for a dealer who is unknown, repeated or barred."""
        made = await self.find(recommendation_id, user)
        self._check_dealers(wish.dealers, msgspec.convert(made.answer, Recommendation))
        if not wish.comment.strip():
            raise Refusal("invalid-request", "comment: say in a few words why", "comment")
        override_id = self._ids.new()
        await self._journal.append(
            RecommendationOverridden(
                recommendation_id=made.recommendation_id,
                override_id=override_id,
                dealers=wish.dealers,
                reason_code=wish.reason_code.value,
                comment=wish.comment,
                overridden_by=user.name,
            )
        )
        return Override(
            override_id=override_id,
            recommendation_id=recommendation_id,
            dealers=wish.dealers,
            reason_code=wish.reason_code,
            comment=wish.comment,
            overridden_by=user.name,
        )

    async def replay(self, recommendation_id: str, user: User) -> Replay:
        """Compute a past recommendation again and compare it field by field. Raises ``Refusal``."""
        made = await self.find(recommendation_id, user)
        return await asyncio.to_thread(replay, made, self._snapshots, self._desks)

    def market(self) -> Market:
        """Give the snapshot in use. Raises ``NotReady`` where there is none."""
        market = self._snapshots.current()
        if market is None:
            raise NotReady("no-snapshot", "No snapshot has been published yet; run 'sotto refresh'")
        return market

    def _recorded(self, recommendation_id: str) -> RecommendationMade | None:
        return recorded(self._journal, recommendation_id)

    def _check_dealers(self, dealer_ids: list[str], answer: Recommendation) -> None:
        """Refuse whom the start of an RFQ would refuse: an override that is taken can be acted on."""
        dealers, today = self.market().dealers, self._clock.now().date()
        most = answer.plan.max_dealers
        if most is not None and len(dealer_ids) > most:
            raise Refusal("too-many-dealers", f"The plan allows {most} dealers, the override names {len(dealer_ids)}", "dealers")
        for index, dealer_id in enumerate(dealer_ids):
            field = f"dealers[{index}]"
            if dealer_id not in dealers:
                raise Refusal("unknown-dealer", f"There is no dealer {dealer_id!r}", field)
            if dealer_id in dealer_ids[:index]:
                raise Refusal("repeated-dealer", f"Dealer {dealer_id!r} stands twice in the list", field)
            stop = gate(dealers[dealer_id], answer.order.quantity, today)
            if stop:
                raise Refusal("barred-dealer", f"{stop.reason} No override lifts that ({stop.gate}).", field)


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


def _differences(recorded: object, again: object, path: str) -> list[Difference]:
    if isinstance(recorded, dict) and isinstance(again, dict):
        keys = [*recorded, *(key for key in again if key not in recorded)]
        parts = [(recorded.get(key), again.get(key), f"{path}.{key}" if path else key) for key in keys]
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        parts = [(old, new, f"{path}[{index}]") for index, (old, new) in enumerate(zip(recorded, again, strict=True))]
    else:
        return [] if recorded == again else [Difference(path, recorded, again)]
    return [difference for old, new, place in parts for difference in _differences(old, new, place)]
