"""An RFQ played by hand: decisions taken, events kept, commands collected, time moved by the test."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Response
from serve.domain import dealing
from serve.domain.rfq import Quote, Rfq, RfqState
from serve.domain.rfq_executing import Execute
from serve.domain.rfq_machine import Around, Begin, Cancel, Input, Tick, decide
from serve.domain.rfq_quotes import state_of
from serve.domain.rfq_replay import evolve
from tests.fakes.clock import START, CountingIds
from tests.fakes.rfq_started import started


class Play:
    """Feeds inputs to the machine; what it journals is kept in ``history`` and what it sends in ``sent``."""

    def __init__(self, **changes: Any) -> None:
        self.now: datetime = START
        self.history: list[tuple[events.AnyEvent, datetime]] = []
        self.sent: list[dealing.AnyCommand] = []
        self.down: set[str] = set()
        self.around: dict[str, Any] = {}
        self.state: Rfq | None = None
        self._ids = CountingIds()
        self._changes = changes

    def begin(self) -> "Play":
        self.happen(Begin(started(**self._changes)))
        return self

    def happen(self, happened: Input) -> tuple[events.AnyEvent, ...]:
        around = Around(now=self.now, new_id=self._ids.new, ready=lambda dealer: dealer not in self.down, **self.around)
        decision = decide(self.state, happened, around)
        for event in decision.events:
            self.state = evolve(self.state, event, self.now)
            self.history.append((event, self.now))
        self.sent.extend(decision.commands)
        return decision.events

    def after(self, seconds: float) -> tuple[events.AnyEvent, ...]:
        self.now += timedelta(seconds=seconds)
        return self.happen(Tick())

    def quote(self, dealer: str, price: float, **changes: Any) -> tuple[events.AnyEvent, ...]:
        line = self.rfq.line(dealer)
        message = dealing.DealerQuote(
            dealer_id=dealer, quote_req_id=line.quote_req_id if line else None, dealer_quote_id=f"{dealer}-q", bid=price, raw="S"
        )
        return self.happen(replace(message, **changes))

    def passes(self, dealer: str, response: Response = Response.DECLINED) -> tuple[events.AnyEvent, ...]:
        return self.happen(
            dealing.DealerPassed(dealer_id=dealer, quote_req_id=None, dealer_quote_id=None, response=response, reason="no interest")
        )

    def execute(self, quote: Quote | None = None) -> dealing.Hit:
        target = quote or self.rfq.live_quotes()[-1]
        self.happen(Execute(target.quote_id, "ann"))
        return self.hits[-1]

    def fill(self, hit: dealing.Hit, **changes: Any) -> tuple[events.AnyEvent, ...]:
        report = dealing.DealerFilled(
            dealer_id=hit.dealer_id,
            cl_ord_id=hit.cl_ord_id,
            exec_id="x1",
            price=hit.price,
            quantity=hit.quantity,
            cumulative=hit.quantity,
            executed_at=self.now,
            done=True,
            raw="8",
        )
        return self.happen(replace(report, **changes))

    def refuse(self, hit: dealing.Hit, *, certain: bool = True) -> tuple[events.AnyEvent, ...]:
        refusal = dealing.DealerRefusedOrder(
            dealer_id=hit.dealer_id, cl_ord_id=hit.cl_ord_id, exec_id="x9", reason="price gone", certain=certain
        )
        return self.happen(refusal)

    def unknown(self, hit: dealing.Hit) -> tuple[events.AnyEvent, ...]:
        return self.happen(dealing.OrderUnknown(dealer_id=hit.dealer_id, cl_ord_id=hit.cl_ord_id, reason="unknown order"))

    def session(self, dealer: str, *, ready: bool) -> tuple[events.AnyEvent, ...]:
        self.down = self.down - {dealer} if ready else self.down | {dealer}
        return self.happen(dealing.SessionChanged(dealer_id=dealer, ready=ready))

    def cancel(self) -> None:
        self.happen(Cancel("ann"))

    @property
    def rfq(self) -> Rfq:
        assert self.state is not None
        return self.state

    @property
    def stage(self) -> RfqState:
        return state_of(self.rfq)

    @property
    def asked(self) -> list[str]:
        return [command.dealer_id for command in self.sent if isinstance(command, dealing.Ask)]

    @property
    def hits(self) -> list[dealing.Hit]:
        return [command for command in self.sent if isinstance(command, dealing.Hit)]

    @property
    def told(self) -> dict[str, str]:
        return {command.dealer_id: command.told.value for command in self.sent if isinstance(command, dealing.TellLoser)}

    @property
    def alerts(self) -> str:
        return "\n".join(alert.message for alert in self.rfq.alerts)
