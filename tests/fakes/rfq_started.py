"""An RFQ's start as the journal has it."""

from typing import Any

from msgspec.structs import replace

from expectations.contracts.journal import RfqStarted
from expectations.contracts.vocabulary import Protocol, Side

MID = 100.0


def started(**changes: Any) -> RfqStarted:
    """Give a whisper RFQ to four dealers; ``changes`` replace its fields."""
    base = RfqStarted(
        rfq_id="rfq-1",
        recommendation_id="rec-1",
        override_id=None,
        order_id="order-1",
        desk="credit",
        account=None,
        venue="sim",
        security_id="SEC1",
        cusip="912828ZT0",
        isin=None,
        side=Side.SELL,
        quantity=10_000_000.0,
        currency="USD",
        limit_price=None,
        protocol=Protocol.SEQUENTIAL,
        delay_s=None,
        timeout_s=20.0,
        competitive_within_bps=3.0,
        expected_cost_bps=5.0,
        arrival_mid=MID,
        dealers=["A", "B", "C", "D"],
    )
    return replace(base, **changes)
