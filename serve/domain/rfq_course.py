"""One decision in the making: the events noted so far and the state they give."""

from datetime import datetime

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Response
from serve.domain.dealing import FromDealer, Told
from serve.domain.rfq import QUANTITY_STEP, Attempt, DealerLine, Quote, Rfq
from serve.domain.rfq_policy import Around
from serve.domain.rfq_quotes import EXPIRED, cost_bps
from serve.domain.rfq_replay import evolve


class Refusal(Exception):
    """What a person asked for cannot be done; ``slug`` names the kind, the text says why and what to do."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail


class Course:
    """Collects the events of one decision and applies each at once, so that the next step sees its effect."""

    def __init__(self, rfq: Rfq | None, around: Around) -> None:
        self._rfq = rfq
        self.around = around
        self.events: list[events.AnyEvent] = []

    @property
    def rfq(self) -> Rfq:
        """Give the state so far."""
        if self._rfq is None:
            msg = "an RFQ must begin before anything else can happen to it"
            raise ValueError(msg)
        return self._rfq

    def note(self, event: events.AnyEvent) -> None:
        """Add an event."""
        self.events.append(event)
        self._rfq = evolve(self._rfq, event, self.around.now)

    def alert(self, message: str) -> None:
        """Tell the trader something."""
        self.note(events.AlertRaised(rfq_id=self.rfq.rfq_id, message=message))

    def refuse_message(self, message: FromDealer, reason: str) -> None:
        """Keep a message that cannot be used."""
        self.note(events.MessageRefused(session=message.dealer_id, reason=f"RFQ {self.rfq.rfq_id}: {reason}", message=message.raw))

    def ask(self, line: DealerLine) -> None:
        """Ask a dealer."""
        self.note(
            events.DealerAsked(
                rfq_id=self.rfq.rfq_id, dealer_id=line.dealer_id, sequence=line.sequence, quote_req_id=self.around.new_id()
            )
        )

    def without_quote(
        self, dealer_id: str, reason: str, response: Response = Response.REJECTED, at: datetime | None = None
    ) -> None:
        """Note that a dealer gives no price; ``at`` None = it said nothing."""
        self.note(
            events.DealerAnsweredWithout(
                rfq_id=self.rfq.rfq_id, dealer_id=dealer_id, response=response, responded_at=at, reason=reason
            )
        )

    def time_out(self, line: DealerLine) -> None:
        """Note that a dealer did not answer in time."""
        self.without_quote(line.dealer_id, f"no answer within {self.rfq.started.timeout_s:g} s", Response.TIMED_OUT)

    def withdraw(self, quote: Quote, reason: str) -> None:
        """Take a quote off."""
        self.note(events.QuoteWithdrawn(rfq_id=self.rfq.rfq_id, dealer_id=quote.dealer_id, quote_id=quote.quote_id, reason=reason))

    def fail(self, attempt: Attempt, reason: str) -> None:
        """Note that an execution did not come about."""
        self.note(
            events.ExecutionFailed(rfq_id=self.rfq.rfq_id, dealer_id=attempt.dealer_id, cl_ord_id=attempt.cl_ord_id, reason=reason)
        )

    def doubt(self, attempt: Attempt, why: str) -> None:
        """Note that an execution's fate is unknown, and tell the trader."""
        self.note(events.ExecutionInDoubt(rfq_id=self.rfq.rfq_id, dealer_id=attempt.dealer_id, cl_ord_id=attempt.cl_ord_id))
        self.alert(
            f"The execution with {attempt.dealer_id} for {attempt.quantity:,.0f} at {attempt.price:g} is in doubt: {why}. "
            f"Its status is asked for; it is not sent again. Call the dealer (order {attempt.cl_ord_id})"
        )

    def describe(self, quote: Quote) -> str:
        """Write a quote as a trader reads it."""
        cost = cost_bps(self.rfq, quote.price)
        judged = "cost unknown" if cost is None else f"cost {cost:+.1f} bps"
        until = f", until {quote.valid_until:%H:%M:%S} UTC" if quote.valid_until else ""
        return f"{quote.dealer_id} {quote.quantity:,.0f} at {quote.price:g} ({judged}{until})"

    def close(self, state: str, reason: str) -> None:
        """End the RFQ; dealers with live quotes hear that nothing is done, where the venue allows it."""
        if self.around.pass_on_close and state != "EXECUTED":
            for quote in self.rfq.live_quotes():
                self._tell(quote, Told.NOTHING_DONE)
        self.note(events.RfqClosed(rfq_id=self.rfq.rfq_id, state=state, reason=reason))

    def finish(self) -> None:
        """End the RFQ as executed and tell the losers, the cover apart from the others where the venue does so."""
        losers = self._losing_quotes()
        cover = next(
            (quote for quote in losers if quote.firm and quote.quantity >= self.rfq.started.quantity - QUANTITY_STEP), None
        )
        for quote in losers if self.around.tell_losers != "none" else ():
            self._tell(quote, Told.COVER if quote is cover and self.around.tell_losers == "cover" else Told.DONE_AWAY)
        self.close("EXECUTED", self._what_traded())

    def _what_traded(self) -> str:
        asked, done = self.rfq.started.quantity, sum(item.filled for item in self.rfq.traded)
        trades = ", ".join(f"{item.dealer_id} traded {item.filled:,.0f} at {item.average_price:g}" for item in self.rfq.traded)
        if done > asked + QUANTITY_STEP:
            return f"{trades}; that is {done - asked:,.0f} more than the {asked:,.0f} of the order"
        return trades if done >= asked - QUANTITY_STEP else f"{trades}; {asked - done:,.0f} of {asked:,.0f} remains untraded"

    def _losing_quotes(self) -> list[Quote]:
        # An order that failed may have traded all the same: whoever was sent one is not told that it lost.
        hit = {item.dealer_id for item in self.rfq.attempts}
        latest = {quote.dealer_id: quote for quote in self.rfq.quotes if quote.dealer_id not in hit}
        standing = [quote for quote in latest.values() if quote.withdrawn in (None, EXPIRED)]
        return sorted(standing, key=lambda quote: (self.rfq.started.side.direction * quote.price, quote.responded_at))

    def _tell(self, quote: Quote, told: Told) -> None:
        if not self.around.halted:
            self.note(events.LoserTold(rfq_id=self.rfq.rfq_id, dealer_id=quote.dealer_id, quote_id=quote.quote_id, told=told.value))
