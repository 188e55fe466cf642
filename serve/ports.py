"""What the use cases need from the world: a clock, identifiers, a journal, a snapshot, a way to dealers."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from expectations.contracts.journal import AnyEvent, Sealed
from serve.domain.advise import Desk
from serve.domain.dealing import AnyCommand, AnyFromDealer
from serve.domain.market import Market, PastScorecard
from serve.domain.users import User


class Clock(Protocol):
    """The desk's clock."""

    def now(self) -> datetime:
        """Give the time in UTC, with its time zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of the desk's clock, which may run faster than the wall's."""
        ...


class Ids(Protocol):
    """Identifiers: unique, ordered by time."""

    def new(self) -> str:
        """Give the next identifier."""
        ...


class Journal(Protocol):
    """The append-only chain of events; what is not in it did not happen."""

    async def append(self, *events: AnyEvent) -> tuple[Sealed, ...]:
        """Write the events in one transaction and return once they are durable."""
        ...

    def read(self, after: int = 0, *, subject: str | None = None, kind: str | None = None) -> Iterator[Sealed]:
        """Yield events with ``seq`` above ``after``, oldest first. ``subject`` is a recommendation's or RFQ's id."""
        ...

    def page(self, after: int, limit: int, *, subject: str | None = None, kind: str | None = None) -> list[Sealed]:
        """Give at most ``limit`` events above ``after``, oldest first."""
        ...

    def head(self) -> tuple[int, str]:
        """Give the last sequence number and hash; (0, sixty-four zeros) for an empty journal."""
        ...

    def follow(self, after: int = 0, *, subject: str | None = None) -> AsyncIterator[Sealed]:
        """Yield past events and then new ones as they are written, without end, each exactly once and in order."""
        ...


class Brake(Protocol):
    """A stop that the next process finds, also where the journal could not be written. May raise OSError."""

    def is_set(self) -> bool:
        """Say whether the stop was left on."""
        ...

    def set(self) -> None:
        """Leave the stop on."""
        ...

    def clear(self) -> None:
        """Take the stop off."""
        ...


class Tokens(Protocol):
    """The tokens that open the service. ``app.state.tokens`` holds the one in use."""

    def remembered(self, secret: str) -> User | None:
        """Give the bearer of a token that was verified before and is still valid; ``None`` says nothing about others."""
        ...

    async def verify(self, secret: str) -> User | None:
        """Give the bearer of a token, or ``None`` where it is unknown, revoked or expired. Slow by design."""
        ...


class Snapshots(Protocol):
    """The published snapshots."""

    def current(self) -> Market | None:
        """Give the last good snapshot, or ``None`` where there never was one. A request takes it once and keeps to it."""
        ...

    def get(self, snapshot_id: str) -> Market:
        """Give a snapshot by its name. Raises ``LookupError`` where it is not there or cannot be read."""
        ...


class Histories(Protocol):
    """Scorecards of past days, as snapshots hold them."""

    def history(self, snapshot_id: str, dealer_id: str) -> list[PastScorecard]:
        """Give one dealer's past scorecards, by class, the latest first. Raises ``LookupError`` where the snapshot is gone."""
        ...


class Desks(Protocol):
    """The rules in force and those that once were."""

    def current(self) -> Desk:
        """Give the rules and thresholds in force."""
        ...

    def get(self, version: str) -> Desk:
        """Give a version that was in force. Raises ``LookupError`` where it was not kept."""
        ...


class DeskVersions(Desks, Protocol):
    """The rules in force, changed while the service runs."""

    def of_files(self) -> Desk:
        """Give what the configuration files held when the service started."""
        ...

    def read(self, rules: str, scoring: str, *, was_in_force: bool = False) -> Desk:
        """Parse and check a version; one that was in force before is read leniently. Raises ``RuleBookRefused`` with its faults."""
        ...

    def use(self, desk: Desk) -> None:
        """Keep a version for replay and put it in force."""
        ...


class NotSentError(RuntimeError):
    """A command that certainly did not leave the house; the text says why."""


class DealerGateway(Protocol):
    """The way to dealers: commands out, messages in, one session per dealer."""

    async def start(self, sink: Callable[[AnyFromDealer], None]) -> None:
        """Connect; what dealers send goes to ``sink``, called on the running loop."""
        ...

    async def stop(self) -> None:
        """Log out and disconnect."""
        ...

    def is_ready(self, dealer_id: str) -> bool:
        """Say whether the dealer can be sent a message now."""
        ...

    def send(self, command: AnyCommand) -> None:
        """Hand a command over, once. Raises NotSentError where it is certain that nothing left the house."""
        ...


class Answered(NamedTuple):
    """What was answered to a request with a key."""

    status: int
    body: bytes


class Attempt(NamedTuple):
    """One request with a key on its way: what it makes is to bear ``action_id``.

    ``again`` = it was begun before and the service died before it answered: what bears the id may stand in the journal already.
    """

    action_id: str
    again: bool


class Begun(NamedTuple):
    """A key's request: of which content, under which id, and what was answered; None = nothing yet."""

    fingerprint: str
    attempt: Attempt
    answered: Answered | None


class Answers(Protocol):
    """Requests and their answers kept by idempotency key, across restarts."""

    async def begin(self, key: str, fingerprint: str, action_id: str) -> Begun:
        """Note, before anything is done, that ``key`` acts under ``action_id``; a key that was noted before keeps its own."""
        ...

    async def keep(self, key: str, answered: Answered) -> None:
        """Keep the answer to a key that was begun; the first one stays."""
        ...
