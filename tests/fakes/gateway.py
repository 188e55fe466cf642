"""Dealers without a wire: what was sent is kept, what dealers say is said by the test or by a script."""

from collections.abc import Callable

from serve.domain.dealing import AnyCommand, AnyFromDealer, Ask, DealerFilled, DealerQuote, Hit, SessionChanged
from serve.ports import NotSentError


class FakeGateway:
    """``script`` answers a command with messages, at once; ``down`` are dealers whose session is not logged on."""

    def __init__(self, script: Callable[[AnyCommand], list[AnyFromDealer]] | None = None) -> None:
        self.sent: list[AnyCommand] = []
        self.down: set[str] = set()
        self.started = False
        self._script = script
        self._sink: Callable[[AnyFromDealer], None] = lambda _: None

    async def start(self, sink: Callable[[AnyFromDealer], None]) -> None:
        self._sink = sink
        self.started = True

    async def stop(self) -> None:
        self.started = False

    def is_ready(self, dealer_id: str) -> bool:
        return self.started and dealer_id not in self.down

    def send(self, command: AnyCommand) -> None:
        if not self.is_ready(command.dealer_id):
            raise NotSentError(f"the FIX session of {command.dealer_id} is not logged on")
        self.sent.append(command)
        for message in self._script(command) if self._script else []:
            self._sink(message)

    def say(self, message: AnyFromDealer) -> None:
        self._sink(message)

    def session(self, dealer_id: str, *, ready: bool) -> None:
        self.down = self.down - {dealer_id} if ready else self.down | {dealer_id}
        self._sink(SessionChanged(dealer_id=dealer_id, ready=ready))

    def quote(self, ask: Ask, price: float, **changes: object) -> None:
        """Say a firm quote for the full size in answer to a request."""
        fields: dict[str, object] = {
            "quote_req_id": ask.quote_req_id,
            "dealer_quote_id": f"{ask.dealer_id}-q",
            "price": price,
            **changes,
        }
        self._sink(DealerQuote(dealer_id=ask.dealer_id, raw="S", **fields))  # type: ignore[arg-type]

    def fill(self, hit: Hit) -> None:
        """Say that a hit traded in full."""
        self._sink(
            DealerFilled(
                dealer_id=hit.dealer_id,
                cl_ord_id=hit.cl_ord_id,
                exec_id=f"exec-{hit.cl_ord_id}",
                price=hit.price,
                quantity=hit.quantity,
                cumulative=hit.quantity,
                executed_at=hit.requested_at,
                done=True,
                raw="8",
            )
        )

    @property
    def asks(self) -> list[Ask]:
        return [command for command in self.sent if isinstance(command, Ask)]

    @property
    def hits(self) -> list[Hit]:
        return [command for command in self.sent if isinstance(command, Hit)]
