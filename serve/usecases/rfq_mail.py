"""What dealers send, taken to the RFQ that it belongs to."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from expectations.contracts import journal as events
from serve.domain import dealing
from serve.domain.dealing import AnyFromDealer
from serve.usecases.rfq_floor import Floor, Runners

log = structlog.get_logger(__name__)


class Mail:
    """Hands messages to the RFQs' mailboxes, in the order in which they came."""

    def __init__(self, floor: Floor, runners: Runners) -> None:
        self._floor, self._runners = floor, runners
        self._writing: set[asyncio.Task[Any]] = set()

    async def stop(self) -> None:
        """Wait until what was refused is written."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    def hear(self, message: AnyFromDealer) -> None:
        """Take a dealer's message to its RFQ; what belongs to none is journalled as refused."""
        match message:
            case dealing.SessionChanged():
                for runner in self._runners.live():
                    runner.tell(message)
            case dealing.Unreadable():
                self._refuse(message, message.reason)
            case dealing.DealerQuote() | dealing.DealerPassed() | dealing.DealerWithdrew():
                book = self._floor.book
                self._deliver(message, book.of_message(message.dealer_id, message.quote_req_id, message.dealer_quote_id))
            case dealing.DealerFilled() | dealing.DealerRefusedOrder() | dealing.OrderUnknown() | dealing.TradeQuestioned():
                self._deliver(message, self._floor.book.of_order(message.cl_ord_id))

    def _deliver(self, message: AnyFromDealer, rfq_id: str | None) -> None:
        runner = self._runners.of(rfq_id) if rfq_id is not None else None
        if runner is None:
            self._refuse(message, "it belongs to no request, quote or order of ours")
        else:
            runner.tell(message)

    def _refuse(self, message: AnyFromDealer, reason: str) -> None:
        log.warning("dealer message refused", dealer=message.dealer_id, reason=reason)
        refused = events.MessageRefused(session=message.dealer_id, reason=reason, message=message.raw)
        self._spawn(self._floor.journal.append(refused))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
