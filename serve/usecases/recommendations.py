"""Recommend, override, look up and replay. What is answered is journalled first."""

import asyncio
from collections.abc import Sequence

import msgspec

from expectations.contracts.journal import RecommendationMade, RecommendationOverridden
from serve.domain.advise import Desk
from serve.domain.eligibility import gate
from serve.domain.market import Market
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.domain.users import User
from serve.ports import Attempt, Clock, Desks, Ids, Journal, Snapshots
from serve.usecases.advice import Replay, dated, recommend, recorded, replay
from serve.usecases.answers import Answer, answer_of
from serve.usecases.overrides import Override, OverrideRequest, override_of
from serve.usecases.refusals import NotReady, NotThere, Refusal


class Recommendations:
    """The use cases, over the ports."""

    def __init__(self, snapshots: Snapshots, desks: Desks, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._snapshots, self._desks, self._journal = snapshots, desks, journal
        self._clock, self._ids = clock, ids

    async def make(self, order: Order, user: User, attempt: Attempt | None = None) -> bytes:
        """Recommend dealers and give the answer as JSON once it is in the journal. Raises ``Refusal``.

        An ``attempt`` that was begun before gets what the journal holds of it, and acts only where it holds nothing.
        """
        given = await self._given(attempt, attempt.action_id) if attempt else None
        if given is not None:
            return given
        answer = self._made(order, self.market(), self._desks.current(), attempt.action_id if attempt else self._ids.new())
        await self._record([answer], user)
        return answer.encoded

    async def make_all(self, orders: Sequence[Order], user: User, attempt: Attempt | None = None) -> list[bytes | Refusal]:
        """Recommend for a list, all by one snapshot and one version of the rules; each gets its answer or its refusal.

        One transaction of the journal holds them all: either every answer is written, or none is given. An ``attempt`` that was
        begun before gets what the journal holds of it.
        """
        market, desk = self.market(), self._desks.current()
        results: list[Answer | bytes | Refusal] = []
        for place, order in enumerate(orders):
            recommendation_id = f"{attempt.action_id}-{place}" if attempt else self._ids.new()
            try:
                given = await self._given(attempt, recommendation_id) if attempt else None
                results.append(given or self._made(order, market, desk, recommendation_id))
            except Refusal as refusal:
                results.append(refusal)
            # A list takes as long as its orders: others are served in between.
            await asyncio.sleep(0)
        await self._record([item for item in results if isinstance(item, Answer)], user)
        return [item.encoded if isinstance(item, Answer) else item for item in results]

    async def _given(self, attempt: Attempt, recommendation_id: str) -> bytes | None:
        if not attempt.again:
            return None
        made = await asyncio.to_thread(self._recorded, recommendation_id)
        return msgspec.json.encode(made.answer) if made else None

    def _made(self, order: Order, market: Market, desk: Desk, recommendation_id: str) -> Answer:
        return answer_of(order, recommend(dated(order, self._clock.now()), market, desk, recommendation_id))

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

    async def override(self, recommendation_id: str, wish: OverrideRequest, user: User, attempt: Attempt | None = None) -> Override:
        """Record the trader's own list of dealers. Raises ``Refusal`` for a dealer who is unknown, repeated or barred.

        An ``attempt`` that was begun before and stands in the journal is not recorded again.
        """
        made = await self.find(recommendation_id, user)
        override_id = attempt.action_id if attempt else self._ids.new()
        known = await asyncio.to_thread(self._overridden, recommendation_id, override_id) if attempt and attempt.again else None
        if known is not None:
            return known
        self._check_dealers(wish.dealers, msgspec.convert(made.answer, Recommendation))
        if not wish.comment.strip():
            raise Refusal("invalid-request", "comment: say in a few words why", "comment")
        event = RecommendationOverridden(
            recommendation_id=made.recommendation_id,
            override_id=override_id,
            dealers=wish.dealers,
            reason_code=wish.reason_code.value,
            comment=wish.comment,
            overridden_by=user.name,
        )
        await self._journal.append(event)
        return override_of(event)

    def _overridden(self, recommendation_id: str, override_id: str) -> Override | None:
        read = self._journal.read(subject=recommendation_id, kind="recommendation.overridden")
        events = (sealed.event for sealed in read)
        own = (event for event in events if isinstance(event, RecommendationOverridden) and event.override_id == override_id)
        return next(map(override_of, own), None)

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
