"""The RFQ as a pure state machine: a state, what happened and the world around it give events to journal and commands to send.

Every command is derived from an event of the same decision, so nothing can be sent that was not written first.
"""

import msgspec

from expectations.contracts import journal as events
from serve.domain import dealing
from serve.domain.dealing import AnyCommand, AnyFromDealer
from serve.domain.rfq import Fate, Rfq
from serve.domain.rfq_commands import command_for, status_of
from serve.domain.rfq_course import Course, Refusal
from serve.domain.rfq_executing import Execute, execute
from serve.domain.rfq_inbound import hear
from serve.domain.rfq_policy import (
    Around,
    all_have_answered,
    answer_due,
    asking_is_over,
    dealers_to_ask,
    is_spent,
    life_over,
    next_wake,
)
from serve.domain.rfq_quotes import EXPIRED, executable_quotes, expired, is_competitive
from serve.domain.rfq_settling import Settle, settle


class Begin(msgspec.Struct, frozen=True):
    """A new RFQ."""

    started: events.RfqStarted
    remarks: tuple[str, ...] = ()


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


class Cancel(msgspec.Struct, frozen=True):
    """A person ends the RFQ."""

    actor: str

    def has_ended(self, rfq: Rfq) -> bool:
        """Say whether this is what ended the RFQ."""
        return rfq.closed is not None and (rfq.closed.state, rfq.closed.reason) == ("CANCELLED", self.reason)

    @property
    def reason(self) -> str:
        """Give the reason that the journal gets."""
        return f"cancelled by {self.actor}"


class Halt(msgspec.Struct, frozen=True):
    """The kill switch was set."""

    reason: str


class NotSent(msgspec.Struct, frozen=True):
    """A command that is known not to have left the house."""

    command: AnyCommand
    reason: str


class Recover(msgspec.Struct, frozen=True):
    """The service starts again and finds this RFQ open in the journal."""


Input = Begin | Tick | Execute | Cancel | Settle | Halt | NotSent | Recover | AnyFromDealer


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to journal, and then what to send. ``rfq`` is the state as it will be; the journalled times make it final."""

    events: tuple[events.AnyEvent, ...]
    commands: tuple[AnyCommand, ...]
    rfq: Rfq


def decide(rfq: Rfq | None, happened: Input, around: Around) -> Decision:
    """Decide what follows from what happened. Raises Refusal where a person asked for what cannot be done."""
    course = Course(rfq, around)
    answered_before = rfq is not None and all_have_answered(rfq)
    again: tuple[AnyCommand, ...] = ()
    match happened:
        case Begin():
            _begin(course, happened)
        case Execute():
            execute(course, happened)
        case Cancel():
            _cancel(course, happened)
        case Settle():
            settle(course, happened)
        case Halt():
            _halt(course, happened)
        case NotSent():
            _not_sent(course, happened)
        case Recover():
            again = _recover(course)
        case Tick():
            pass
        case _:
            again = hear(course, happened)
    _advance(course, answered_before=answered_before)
    commands = [command for event in course.events if (command := command_for(course.rfq, event, around.now)) is not None]
    return Decision(events=tuple(course.events), commands=() if around.halted else (*commands, *again), rfq=course.rfq)


def _begin(course: Course, begin: Begin) -> None:
    start = begin.started
    course.note(start)
    for remark in begin.remarks:
        course.alert(remark)
    # Levels judge a quote without an expected cost, unless the rule has a tolerance around that.
    by_levels = bool(start.levels) and start.competitive_within_bps is None
    needed = [("arrival mid", start.arrival_mid)] + ([] if by_levels else [("expected cost", start.expected_cost_bps)])
    missing = [name for name, value in needed if value is None]
    if missing:
        course.alert(f"No {' and no '.join(missing)} is known: any firm quote for the full size counts as good")


def _cancel(course: Course, cancel: Cancel) -> None:
    if course.rfq.closed is not None:
        raise Refusal("rfq-closed", f"RFQ {course.rfq.rfq_id} is already closed ({course.rfq.closed.state})")
    if course.rfq.active is not None:
        raise Refusal("execution-under-way", "an execution is under way and cannot be called back: wait for the dealer's report")
    course.close("CANCELLED", cancel.reason)


def _halt(course: Course, halt: Halt) -> None:
    if course.rfq.closed is not None:
        return
    if course.rfq.active is not None:
        course.alert("The kill switch is on, but an execution was sent before it and cannot be called back: its report is awaited")
    else:
        course.close("CANCELLED", f"kill switch: {halt.reason}")


def _not_sent(course: Course, failure: NotSent) -> None:
    command, rfq = failure.command, course.rfq
    match command:
        case dealing.Ask():
            line = rfq.line(command.dealer_id)
            if line is not None and line.waiting:
                course.without_quote(line.dealer_id, f"not sent: {failure.reason}")
        case dealing.Hit():
            attempt = rfq.attempt(command.cl_ord_id)
            if attempt is not None and attempt.fate is Fate.PENDING and not attempt.fills:
                course.fail(attempt, f"not sent: {failure.reason}")
                course.alert(f"The execution with {command.dealer_id} was not sent: {failure.reason}")
        case dealing.TellLoser():
            course.alert(f"{command.dealer_id} could not be told {command.told.value}: {failure.reason}")
        case dealing.AskOrderStatus():
            # Asked again when the session is back; the trader was alerted when the order fell in doubt.
            pass


def _recover(course: Course) -> tuple[AnyCommand, ...]:
    rfq = course.rfq
    active = rfq.active
    if rfq.closed is not None:
        return ()
    if active is None:
        course.close("NOT_TRADED", "the service stopped while the RFQ was open; its prices are stale: ask for a new recommendation")
        return ()
    if active.fate is Fate.PENDING:
        course.doubt(active, "the service stopped before the dealer's report came")
        return ()
    return (status_of(rfq, active),)


def _advance(course: Course, *, answered_before: bool) -> None:
    if course.rfq.closed is not None:
        return
    _let_time_pass(course)
    if course.rfq.active is not None:
        return
    if course.rfq.traded:
        # An order held for dead traded while another was under way, which has now come to nothing.
        course.finish()
        return
    if course.around.halted:
        course.close("CANCELLED", "kill switch: it is on")
        return
    if life_over(course.rfq, course.around) <= course.around.now:
        course.close("NOT_TRADED", f"nobody traded within {course.around.max_life_s:g} s")
        return
    _ask(course)
    if is_spent(course.rfq, course.around):
        course.close("NOT_TRADED", _why_not_traded(course.rfq))
    elif all_have_answered(course.rfq) and not answered_before:
        _tell_all_answered(course)


def _let_time_pass(course: Course) -> None:
    now, active = course.around.now, course.rfq.active
    for quote in course.rfq.live_quotes():
        if expired(quote, now) and (active is None or active.quote_id != quote.quote_id):
            course.withdraw(quote, EXPIRED)
    for line in course.rfq.lines:
        if line.waiting and answer_due(course.rfq, line, course.around) <= now:
            course.time_out(line)
    due = next_wake(course.rfq, course.around)
    if active is not None and active.fate is Fate.PENDING and due is not None and due <= now:
        course.doubt(active, f"no report came within {course.around.execution_timeout_s:g} s")


def _ask(course: Course) -> None:
    while lines := dealers_to_ask(course.rfq, course.around):
        for line in lines:
            if course.around.ready(line.dealer_id):
                course.ask(line)
            else:
                course.without_quote(line.dealer_id, "not asked: its FIX session is not logged on")


def _tell_all_answered(course: Course) -> None:
    rfq = course.rfq
    best = executable_quotes(rfq, course.around.now)
    if best and not any(is_competitive(rfq, quote) for quote in best):
        course.alert(f"All dealers have answered, none competitively. The best quote: {course.describe(best[0])}")


def _why_not_traded(rfq: Rfq) -> str:
    if not rfq.quotes:
        return "no dealer gave a quote"
    if asking_is_over(rfq) and any(line.untouched for line in rfq.lines):
        return "the competitive quote expired unclicked; no further dealer was told of the order"
    return "no quote is left that can be executed"
