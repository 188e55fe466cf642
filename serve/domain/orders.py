"""An order as the OMS sends it, and the plan by which dealers are asked."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from expectations.contracts.journal import WhisperLevel
from expectations.contracts.vocabulary import Protocol, Side

ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Par = Annotated[float, msgspec.Meta(gt=0, le=1e12)]


class SecurityIdType(StrEnum):
    """Which identifier ``security_id`` is."""

    CUSIP = "CUSIP"
    ISIN = "ISIN"
    FIGI = "FIGI"
    INTERNAL = "INTERNAL"


class Urgency(StrEnum):
    """How soon the desk wants the order done."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the desk wants to do. ``quantity`` is par in currency units; ``limit_price`` is clean, per 100 par.

    ``received_at`` is when the desk got the order (UTC); ``None`` means now, as the service's clock has it.
    """

    order_id: ShortText
    security_id: ShortText
    security_id_type: SecurityIdType
    side: Side
    quantity: Par
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    received_at: datetime | None = None
    urgency: Urgency = Urgency.NORMAL
    limit_price: Annotated[float, msgspec.Meta(gt=0, le=1000)] | None = None
    account: ShortText | None = None


class Mode(StrEnum):
    """How the chosen dealers are asked: all at once, one after another on the answer, or one after another on a delay."""

    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    STAGGERED = "staggered"

    @property
    def protocol(self) -> Protocol:
        """The same, as RFQ logs write it."""
        return Protocol(self.value.upper())


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask. ``delay_s`` only for staggered; ``competitive_within_bps`` is how far a quote may lie beyond the
    expected cost and still end a sequential RFQ; where that is ``None``, ``levels`` say dealer by dealer when a quote in hand is
    good enough, and without those any full quote is. ``max_dealers`` None = no limit.
    """

    mode: Mode
    timeout_s: float
    delay_s: float | None = None
    max_dealers: int | None = None
    competitive_within_bps: float | None = None
    levels: tuple[WhisperLevel, ...] = ()
