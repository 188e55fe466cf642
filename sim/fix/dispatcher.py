"""The dealers' one thread: takes messages from the engine, asks the books, and sends each answer when it is due."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from logging import getLogger
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from sim.fix import fields as tags
from sim.fix.dealer_book import DealerBook
from sim.fix.desk_time import DeskTime
from sim.fix.fields import Outgoing

_LOG = getLogger(__name__)


@dataclass(order=True, slots=True)
class _Pending:
    tick: float
    number: int
    session: str = field(compare=False)
    message: Outgoing = field(compare=False)


class Dispatcher:
    """Runs the books by session name. ``send`` hands a message to the engine."""

    def __init__(self, books: Mapping[str, DealerBook], speed: float, send: Callable[[str, Outgoing], bool]) -> None:
        self.received: list[tuple[str, dict[int, str]]] = []
        self.failures: list[BaseException] = []
        self._books, self._send = books, send
        self._clock = DeskTime(speed)
        self._inbox: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._pending: list[_Pending] = []
        self._numbers = count()
        self._thread = Thread(target=self._run, name="simulated-dealers", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is not yet due is never sent."""
        self._inbox.put(None)
        self._thread.join(timeout=10)

    def take(self, session: str, raw: str) -> None:
        """Take a raw message from any thread; returns at once."""
        self._inbox.put((session, raw))

    def _run(self) -> None:
        while True:
            try:
                item = self._inbox.get(timeout=self._until_next())
                if item is None:
                    return
                self._handle(*item)
            except Empty:
                pass
            except Exception as failure:  # noqa: BLE001 - one dealer's fault must not silence the others; it is kept and logged
                self.failures.append(failure)
                _LOG.exception("a simulated dealer failed")
            self._send_due()

    def _until_next(self) -> float | None:
        return max(0.0, self._pending[0].tick - monotonic()) if self._pending else None

    def _handle(self, session: str, raw: str) -> None:
        message = tags.parse(raw)
        self.received.append((session, message))
        now = self._clock.hear(message)
        for due in self._books[session].handle(message, now):
            tick = monotonic() + self._clock.wait_for(due.at, now)
            heapq.heappush(self._pending, _Pending(tick, next(self._numbers), session, due.message))

    def _send_due(self) -> None:
        while self._pending and self._pending[0].tick <= monotonic():
            pending = heapq.heappop(self._pending)
            if not self._send(pending.session, pending.message):
                _LOG.warning("no session %s: a message of type %s was not sent", pending.session, pending.message.msg_type)
