"""Where RFQs run: one at a time for each RFQ, the journal before the wire, time by the desk's clock."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import structlog

from expectations.contracts.journal import Sealed
from serve.domain.dealing import AnyCommand
from serve.domain.limits import Limits
from serve.domain.rfq import Rfq
from serve.domain.rfq_course import Refusal
from serve.domain.rfq_machine import Halt, Input, NotSent, Tick, decide
from serve.domain.rfq_policy import Around, next_wake
from serve.domain.rfq_replay import evolve, rebuild
from serve.ports import Clock, DealerGateway, Ids, Journal, NotSentError
from serve.usecases.kill_switch import Switch
from serve.usecases.refusals import Conflict, NotReady, NotThere
from serve.usecases.rfq_book import Book

log = structlog.get_logger(__name__)

_PAUSE_AFTER_FAILURE_S = 1.0
_REFUSALS = {"unknown-quote": NotThere, "kill-switch-on": NotReady}


class Practice(msgspec.Struct, frozen=True, kw_only=True):
    """How the venue in use does things, as far as the machine must know (see ``Around``)."""

    venue: str
    grace_s: float = 0.0
    tell_losers: str = "none"
    pass_on_close: bool = False


@dataclass(slots=True)
class Floor:
    """What every RFQ shares. The ``switch`` stops all sending at the very next message."""

    journal: Journal
    clock: Clock
    ids: Ids
    gateway: DealerGateway
    limits: Limits
    practice: Practice
    book: Book = field(default_factory=Book)
    switch: Switch = field(default_factory=Switch)

    @property
    def halted(self) -> bool:
        """Say whether sending is stopped."""
        return self.switch.on

    def around(self) -> Around:
        """Give the world as it is now."""
        return Around(
            now=self.clock.now(),
            new_id=self.ids.new,
            ready=self.gateway.is_ready,
            halted=self.halted,
            tell_losers=self.practice.tell_losers,
            pass_on_close=self.practice.pass_on_close,
            grace_s=self.practice.grace_s,
            execution_timeout_s=self.limits.execution_timeout_s,
            max_life_s=self.limits.rfq_life_s,
            price_band_bps=self.limits.price_band_bps,
        )

    def send(self, command: AnyCommand) -> str | None:
        """Send a command whose event is journalled; gives the reason where it certainly was not sent."""
        if self.halted:
            return "the kill switch is on"
        try:
            self.gateway.send(command)
        except NotSentError as error:
            return str(error)
        except Exception:
            # Whether it left is not known: the RFQ's own time-outs decide, nothing is sent again.
            log.exception("sending failed", dealer=command.dealer_id, rfq=command.rfq_id, command=type(command).__name__)
        return None


@dataclass(slots=True)
class _Letter:
    happened: Input
    read: "asyncio.Future[Rfq] | None" = None


class Runner:
    """Runs one RFQ: inputs wait in a mailbox, so that a decision never meets a half-applied one."""

    def __init__(self, floor: Floor, rfq: Rfq | None, on_end: Callable[["Runner"], None]) -> None:
        self.rfq = rfq
        self._floor = floor
        self._on_end = on_end
        self._mailbox: asyncio.Queue[_Letter] = asyncio.Queue()
        self._alarm: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._run())

    def tell(self, happened: Input) -> None:
        """Put something in the mailbox."""
        self._mailbox.put_nowait(_Letter(happened))

    async def do(self, happened: Input) -> Rfq:
        """Put something in the mailbox and wait for the state after it. Raises the use cases' refusals, JournalError."""
        letter = _Letter(happened, asyncio.get_running_loop().create_future())
        self._mailbox.put_nowait(letter)
        assert letter.read is not None  # noqa: S101 - set a line above
        return await letter.read

    async def stop(self) -> None:
        """Stop running; the journal has all there is to know. Whoever still waits is told by a cancellation."""
        for task in (self._alarm, self._task):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        while not self._mailbox.empty():
            _abandon(self._mailbox.get_nowait())

    async def _run(self) -> None:
        while self.rfq is None or self.rfq.closed is None or not self._mailbox.empty():
            letter = await self._mailbox.get()
            try:
                failed = await self._open(letter)
            finally:
                _abandon(letter)
            if failed and self.rfq is None:
                break
            self._set_alarm(_PAUSE_AFTER_FAILURE_S if failed else 0.0)
        self._silence()
        self._on_end(self)

    async def _open(self, letter: _Letter) -> bool:
        try:
            await self._step(letter.happened)
        except Refusal as refusal:
            self._answer(letter, _REFUSALS.get(refusal.slug, Conflict)(refusal.slug, refusal.detail))
            return self.rfq is None
        except Exception as error:
            log.exception("RFQ step failed", rfq=self.rfq.rfq_id if self.rfq else None, happened=type(letter.happened).__name__)
            self._answer(letter, error)
            return True
        self._answer(letter, self.rfq)
        return False

    async def _step(self, happened: Input) -> None:
        decision = decide(self.rfq, happened, self._floor.around())
        for sealed in await self._floor.journal.append(*decision.events):
            self._take(sealed)
        unsent = [NotSent(command, why) for command in decision.commands if (why := self._floor.send(command)) is not None]
        for failure in unsent:
            await self._step(failure)

    def _take(self, sealed: Sealed) -> None:
        self.rfq = evolve(self.rfq, sealed.event, sealed.at)
        self._floor.book.apply(sealed)

    def _answer(self, letter: _Letter, result: Rfq | Exception | None) -> None:
        if letter.read is None or letter.read.done():
            return
        if isinstance(result, Exception):
            letter.read.set_exception(result)
        elif result is not None:
            letter.read.set_result(result)

    def _set_alarm(self, at_least: float) -> None:
        self._silence()
        try:
            seconds = self._seconds_to_wake()
        except Exception:
            # A runner that dies here would leave everybody waiting who comes after: it looks again instead.
            log.exception("RFQ cannot tell when it wakes", rfq=self.rfq.rfq_id if self.rfq else None)
            seconds = at_least = _PAUSE_AFTER_FAILURE_S
        if seconds is not None:
            self._alarm = asyncio.create_task(self._ring(max(seconds, at_least)))

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _seconds_to_wake(self) -> float | None:
        around = self._floor.around()
        wake = next_wake(self.rfq, around) if self.rfq is not None else None
        return None if wake is None else (wake - around.now).total_seconds()

    async def _ring(self, seconds: float) -> None:
        await self._floor.clock.sleep(seconds)
        self.tell(Tick())


def _abandon(letter: _Letter) -> None:
    if letter.read is not None and not letter.read.done():
        letter.read.cancel()


class Runners:
    """The RFQs that are running; a closed one is taken up again for as long as a late message takes."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._running: dict[str, Runner] = {}

    def begin(self, rfq_id: str) -> Runner:
        """Make a runner for a new RFQ."""
        return self._add(rfq_id, None)

    def of(self, rfq_id: str) -> Runner | None:
        """Give the runner of an RFQ, taking it up from the journal where needed; None = there is no such RFQ."""
        running = self._running.get(rfq_id)
        if running is not None:
            return running
        rfq = rebuild(list(self._floor.journal.read(subject=rfq_id)))
        return None if rfq is None else self._add(rfq_id, rfq)

    def live(self) -> list[Runner]:
        """Give those that run now."""
        return list(self._running.values())

    def state(self, rfq_id: str) -> Rfq | None:
        """Give the state of one that runs."""
        running = self._running.get(rfq_id)
        return running.rfq if running else None

    async def halt(self, reason: str) -> None:
        """Bring the kill switch to every RFQ and wait until each has taken it in."""
        await asyncio.gather(*(runner.do(Halt(reason)) for runner in self.live()), return_exceptions=True)

    async def stop(self) -> None:
        """Stop them all."""
        for runner in self.live():
            await runner.stop()
        self._running.clear()

    def _add(self, rfq_id: str, rfq: Rfq | None) -> Runner:
        def ended(runner: Runner) -> None:
            if self._running.get(rfq_id) is runner:
                del self._running[rfq_id]

        runner = Runner(self._floor, rfq, ended)
        self._running[rfq_id] = runner
        return runner
