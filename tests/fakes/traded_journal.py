"""A journal file in which RFQs were executed, one dealer each: what a refresh finds of the service's own trading."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import Side
from tests.fakes.journal_file import write_events
from tests.fakes.rfq_started import started


def write_journal(path: Path, executions: int, start: datetime, *, apart: timedelta = timedelta(minutes=10)) -> Path:
    """Write so many executed RFQs (R001, R002, ...), one after the other, sides and prices in turn."""
    return write_events(path, _events(executions, start, apart))


def _events(count: int, start: datetime, apart: timedelta) -> Iterator[tuple[datetime, events.AnyEvent]]:
    for number in range(1, count + 1):
        at, rfq = start + number * apart, f"R{number:03d}"
        price = round(99 + number / 100, 4)
        later = at + timedelta(seconds=9)
        yield (
            at,
            started(
                rfq_id=rfq,
                recommendation_id=f"rec-{number}",
                order_id=f"O{number}",
                venue="SIMULATED",
                security_id="037833100",
                cusip="037833100",
                side=Side.SELL if number % 2 else Side.BUY,
                quantity=1_000_000.0,
                expected_cost_bps=10.0,
                arrival_mid=99.5,
                dealers=["A"],
            ),
        )
        yield at, events.DealerAsked(rfq_id=rfq, dealer_id="A", sequence=1, quote_req_id=f"Q{number}")
        yield (
            later,
            events.QuoteReceived(
                rfq_id=rfq,
                dealer_id="A",
                quote_id=f"q{number}",
                price=price,
                quantity=1_000_000.0,
                firm=True,
                responded_at=later,
                valid_until=None,
            ),
        )
        yield (
            later,
            events.ExecutionReported(
                rfq_id=rfq,
                dealer_id="A",
                cl_ord_id=f"C{number}",
                exec_id=f"E{number}",
                price=price,
                quantity=1_000_000.0,
                executed_at=later,
            ),
        )
        yield later, events.RfqClosed(rfq_id=rfq, state="EXECUTED", reason="")
