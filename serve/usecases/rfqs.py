"""The RFQ desk: start, execute, cancel, stop everything, look, and take up again after a restart."""

import asyncio
from collections.abc import AsyncIterator

import structlog

from expectations.contracts import journal as events
from expectations.contracts.journal import Sealed
from serve.domain import dealing
from serve.domain.rfq import Rfq
from serve.domain.rfq_executing import Execute, hit_quantity
from serve.domain.rfq_machine import Cancel, Recover
from serve.domain.rfq_replay import rebuild
from serve.domain.rfq_settling import Settle
from serve.domain.users import User
from serve.ports import Attempt, Snapshots
from serve.usecases.finishing import to_the_end
from serve.usecases.refusals import Conflict, NotReady, NotThere
from serve.usecases.rfq_book import Order
from serve.usecases.rfq_floor import Floor, Runner, Runners
from serve.usecases.rfq_mail import Mail
from serve.usecases.rfq_opening import check_day, opening
from serve.usecases.rfq_views import RfqView, view

log = structlog.get_logger(__name__)

# So many events of the journal are in memory at once while the desk takes up again.
_PAGE = 2_000


class Desk:
    """The use cases of the desk role. One process runs it for a group of FIX sessions."""

    def __init__(self, floor: Floor, snapshots: Snapshots) -> None:
        self._floor = floor
        self._snapshots = snapshots
        self._runners = Runners(floor)
        self._starting: set[str] = set()
        self._mail = Mail(floor, self._runners)
        self._recovered = False

    async def start(self) -> None:
        """Take up where the journal ends, then connect to the dealers.

        An execution without a report is in doubt: asked about, never sent again. An open RFQ without an execution ends
        untraded: its prices are stale, and the trader asks anew.
        """
        floor = self._floor
        async with floor.switch.writing:
            after = 0
            while page := await asyncio.to_thread(floor.journal.page, after, _PAGE):
                for sealed in page:
                    floor.book.apply(sealed)
                after = page[-1].seq
            floor.switch.on = floor.switch.on or floor.book.halted
        for rfq_id in sorted(floor.book.open):
            runner = self._runners.of(rfq_id)
            if runner is not None:
                await runner.do(Recover())
        self._recovered = True
        await floor.gateway.start(self._mail.hear)

    async def stop(self) -> None:
        """Disconnect and stop; what is open stays in the journal."""
        await self._floor.gateway.stop()
        await self._runners.stop()
        await self._mail.stop()

    def not_ready_because(self) -> list[str]:
        """Say why the desk cannot work yet; empty = it can. The kill switch is no such reason: it must stay in reach."""
        return [] if self._recovered else ["the desk has not recovered from its journal yet"]

    def is_ready(self, dealer_id: str) -> bool:
        """Say whether a dealer can be asked now."""
        return self._floor.gateway.is_ready(dealer_id)

    @property
    def halted(self) -> bool:
        """Say whether the kill switch is on."""
        return self._floor.halted

    async def begin(self, recommendation_id: str, override_id: str | None, user: User, attempt: Attempt | None = None) -> RfqView:
        """Start an RFQ from a recommendation, or from its override; one recommendation starts one RFQ. Raises refusals.

        An ``attempt`` that was begun before the service died gets the RFQ that it started.
        """
        return await to_the_end(self._begin(recommendation_id, override_id, user, attempt))

    async def _begin(self, recommendation_id: str, override_id: str | None, user: User, attempt: Attempt | None) -> RfqView:
        known = self._floor.book.of_recommendation(recommendation_id)
        if known is not None and attempt is not None and known == attempt.action_id:
            return await self.get(known, user)
        self._check_sending()
        if known is not None or recommendation_id in self._starting:
            detail = f"The recommendation has already started RFQ {known}" if known else "The recommendation is starting an RFQ now"
            raise Conflict("already-started", f"{detail}: ask for a new recommendation to start another", "recommendation_id")
        self._starting.add(recommendation_id)
        try:
            history = await asyncio.to_thread(lambda: list(self._floor.journal.read(subject=recommendation_id)))
            self._check_desk(history, user)
            rfq_id = attempt.action_id if attempt else self._floor.ids.new()
            begin = opening(self._floor, history, override_id, self._snapshots.current(), rfq_id)
            self._check_sending()
            # No await between the check of the limits in ``opening`` and the room that is held here.
            with self._floor.book.starting(begin.started):
                return self._show(await self._runners.begin(rfq_id).do(begin))
        finally:
            self._starting.discard(recommendation_id)

    async def execute(self, rfq_id: str, quote_id: str, user: User, attempt: Attempt | None = None) -> RfqView:
        """Trade on a quote: one order goes out, at most once. Raises refusals.

        The order bears the ``attempt``'s id, so that an attempt that was begun before the service died finds what it sent.
        """
        return await to_the_end(self._execute(rfq_id, quote_id, user, attempt))

    async def _execute(self, rfq_id: str, quote_id: str, user: User, attempt: Attempt | None) -> RfqView:
        found = await self._find(rfq_id, user)
        cl_ord_id = attempt.action_id if attempt else self._floor.ids.new()
        if found.attempt(cl_ord_id) is not None:
            return self._show(found)
        self._check_sending()
        runner = self._runner(rfq_id)
        rfq = runner.rfq or found
        quote = rfq.quote(quote_id)
        order = Order(rfq_id, hit_quantity(rfq, quote), quote.price) if quote is not None else Order(rfq_id)
        check_day(self._floor, order)
        with self._floor.book.ordering(cl_ord_id, order):
            return self._show(await runner.do(Execute(quote_id, user.name, cl_ord_id)))

    async def cancel(self, rfq_id: str, user: User, attempt: Attempt | None = None) -> RfqView:
        """End an RFQ without a trade; an ``attempt`` begun before that ended it is answered as then. Raises refusals."""
        rfq, cancel = await self._find(rfq_id, user), Cancel(user.name)
        if attempt is not None and attempt.again and cancel.has_ended(rfq):
            return self._show(rfq)
        return self._show(await self._runner(rfq_id).do(cancel))

    async def settle(self, rfq_id: str, settle: Settle, user: User, attempt: Attempt | None = None) -> RfqView:
        """Take a person's word on an execution in doubt; nothing is sent, so the kill switch does not matter. Raises refusals.

        A word that an ``attempt`` begun before has given is not taken twice.
        """
        rfq = await self._find(rfq_id, user)
        if attempt is not None and attempt.again and settle.was_taken(rfq):
            return self._show(rfq)
        return self._show(await self._runner(rfq_id).do(settle))

    async def kill_switch(self, *, on: bool, reason: str, user: User) -> None:
        """Stop all sending at once, or allow it again; open RFQs without an execution under way are cancelled.

        Sending is allowed again only once that is written, and only if nobody has stopped it in between: ``halted`` tells.
        Raises NotReady where a stop holds but could not be written, and the journal's error where an OFF could not.
        """
        event = events.KillSwitchSet(on=on, actor=user.name, reason=reason)
        if on:
            # Stop first, write after: the one order of things in which nothing slips out.
            self._floor.switch.stop()
            await to_the_end(self._stopped(event))
        else:
            await to_the_end(self._release(event, self._floor.switch.stops))

    async def _stopped(self, event: events.KillSwitchSet) -> None:
        written, kept, _ = await asyncio.gather(
            self._write(event), self._floor.switch.keep(), self._runners.halt(event.reason), return_exceptions=True
        )
        if isinstance(written, Exception):
            log.error("the kill switch is on, but is not in the journal", reason=str(written))
            how_long = "also after a restart" if kept is True else "until the service is restarted"
            raise NotReady(
                "kill-switch-not-journalled",
                f"All sending is stopped, {how_long}, but that could not be written in the journal: press again until it answers "
                "200, and tell who runs the service",
            ) from written

    async def _release(self, event: events.KillSwitchSet, seen: int) -> None:
        await self._write(event, seen)
        if not self._floor.halted:
            self._ask_about_doubts()

    async def _write(self, event: events.KillSwitchSet, seen: int = 0) -> None:
        floor = self._floor
        async with floor.switch.writing:
            (sealed,) = await floor.journal.append(event)
            floor.book.apply(sealed)
            if not event.on and not floor.switch.release(seen):
                log.warning("the kill switch stays on: it was pressed again meanwhile")

    async def get(self, rfq_id: str, user: User) -> RfqView:
        """Show an RFQ. Raises NotThere, for another desk's too."""
        return self._show(await self._find(rfq_id, user))

    async def page(self, user: User, before: int | None, limit: int) -> tuple[list[RfqView], int | None]:
        """Show RFQs, the latest first, with the cursor of the next page; None = there is no more."""
        started = [item for item in self._floor.book.started if user.may_see(item[1].desk) and (before is None or item[0] < before)]
        chosen = started[::-1][:limit]
        shown = [self._show(await self._find(event.rfq_id, user)) for _, event in chosen]
        return shown, chosen[-1][0] if len(started) > len(chosen) else None

    async def follow(self, rfq_id: str, after: int, user: User) -> AsyncIterator[Sealed]:
        """Give an RFQ's events above ``after``, past ones and then live ones, until it closes. Raises NotThere at once."""
        await self._find(rfq_id, user)
        return self._events(rfq_id, after)

    def _ask_about_doubts(self) -> None:
        for runner in self._runners.live():
            active = runner.rfq.active if runner.rfq else None
            if active is not None and self._floor.gateway.is_ready(active.dealer_id):
                runner.tell(dealing.SessionChanged(dealer_id=active.dealer_id, ready=True))

    async def _events(self, rfq_id: str, after: int) -> AsyncIterator[Sealed]:
        journal = self._floor.journal
        if rfq_id not in self._floor.book.open:
            for sealed in await asyncio.to_thread(lambda: list(journal.read(after, subject=rfq_id))):
                yield sealed
            return
        async for sealed in journal.follow(after, subject=rfq_id):
            yield sealed
            if isinstance(sealed.event, events.RfqClosed):
                return

    async def _find(self, rfq_id: str, user: User) -> Rfq:
        rfq = self._runners.state(rfq_id)
        if rfq is None:
            rfq = rebuild(await asyncio.to_thread(lambda: list(self._floor.journal.read(subject=rfq_id))))
        if rfq is None or not user.may_see(rfq.started.desk):
            raise NotThere("not-found", f"There is no RFQ {rfq_id!r}", "rfq_id")
        return rfq

    def _runner(self, rfq_id: str) -> Runner:
        runner = self._runners.of(rfq_id)
        if runner is None:
            raise NotThere("not-found", f"There is no RFQ {rfq_id!r}", "rfq_id")
        return runner

    def _check_sending(self) -> None:
        if self._floor.halted:
            raise NotReady("kill-switch-on", "The kill switch is on: nothing is sent until it is turned off")

    def _check_desk(self, history: list[Sealed], user: User) -> None:
        made = next((item.event for item in history if isinstance(item.event, events.RecommendationMade)), None)
        if made is None or not user.may_see(made.desk):
            raise NotThere("not-found", "There is no such recommendation", "recommendation_id")

    def _show(self, rfq: Rfq) -> RfqView:
        return view(rfq, self._floor.clock.now())
