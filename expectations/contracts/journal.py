"""The journal's events: what ``serve`` writes before it acts and what ``flows`` reads back as one more source.

Times are UTC on the desk's clock. Prices are clean, per 100 par; quantities are par in currency units.
"""

from datetime import datetime
from typing import Any

import msgspec

from expectations.contracts.vocabulary import Protocol, Response, Side


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One fact. The tag is the event's kind, as stored and as filtered by ``GET /v1/audit``."""


class RecommendationMade(Event, frozen=True, tag="recommendation.made"):
    """A recommendation, whole, as it was answered; ``request`` is the order as it came.

    ``propensity`` is the probability with which the chosen list was chosen: 1 where nothing is left to chance. ``excluded_as``
    None = ``answer.excluded`` is whole; else it is empty, and word for word that of the recommendation named here.
    """

    recommendation_id: str
    order_id: str
    snapshot_id: str
    rules_version: str
    desk: str
    request: dict[str, Any]
    answer: dict[str, Any]
    requested_by: str | None = None
    propensity: float | None = None
    excluded_as: str | None = None


class RecommendationOverridden(Event, frozen=True, tag="recommendation.overridden"):
    """A trader's own list of dealers in place of the recommended one, with the mandatory reason."""

    recommendation_id: str
    override_id: str
    dealers: list[str]
    reason_code: str
    comment: str
    overridden_by: str | None = None


class WhisperLevel(msgspec.Struct, frozen=True, kw_only=True):
    """When a dealer of a whisper is worth asking, bps of price from the arrival mid, positive = cost.

    The best quote in hand, less ``leak_bps`` of the dealer that gave it, ends the asking at or below ``stop_below_bps`` of the
    next dealer.
    """

    dealer_id: str
    stop_below_bps: float
    leak_bps: float


class RfqStarted(Event, frozen=True, tag="rfq.started"):
    """An RFQ with everything its state machine needs to run again; ``dealers`` in the order they will be asked."""

    rfq_id: str
    recommendation_id: str
    override_id: str | None
    order_id: str
    desk: str
    account: str | None
    venue: str
    security_id: str
    cusip: str | None
    isin: str | None
    side: Side
    quantity: float
    currency: str
    limit_price: float | None
    protocol: Protocol
    delay_s: float | None
    timeout_s: float
    competitive_within_bps: float | None
    expected_cost_bps: float | None
    arrival_mid: float | None
    dealers: list[str]
    propensity: float | None = None
    levels: list[WhisperLevel] = []


class DealerAsked(Event, frozen=True, tag="rfq.dealer_asked"):
    """Written before the QuoteRequest goes out. ``sequence`` counts from 1."""

    rfq_id: str
    dealer_id: str
    sequence: int
    quote_req_id: str


class QuoteReceived(Event, frozen=True, tag="rfq.quote_received"):
    """A dealer's price. ``responded_at`` is when it came in; ``valid_until`` None = until withdrawn.

    ``quote_id`` is ours and unique; ``dealer_quote_id`` is the dealer's own, which another dealer or a later price may repeat.
    """

    rfq_id: str
    dealer_id: str
    quote_id: str
    price: float
    quantity: float
    firm: bool
    responded_at: datetime
    valid_until: datetime | None
    dealer_quote_id: str = ""


# Why a quote past its validity is withdrawn: its dealer did not take it back.
EXPIRED = "expired"


class QuoteWithdrawn(Event, frozen=True, tag="rfq.quote_withdrawn"):
    """A quote taken back by its dealer or past its validity."""

    rfq_id: str
    dealer_id: str
    quote_id: str
    reason: str


class DealerAnsweredWithout(Event, frozen=True, tag="rfq.dealer_without_quote"):
    """A dealer asked who gave no price: declined, rejected or timed out."""

    rfq_id: str
    dealer_id: str
    response: Response
    responded_at: datetime | None
    reason: str


class AlertRaised(Event, frozen=True, tag="rfq.alert"):
    """Something a trader must see now: a competitive quote, an order in doubt, a lost session."""

    rfq_id: str
    message: str


class ExecutionRequested(Event, frozen=True, tag="rfq.execution_requested"):
    """The one click, written before the hit or order goes out. ``cl_ord_id`` is sent at most once."""

    rfq_id: str
    dealer_id: str
    quote_id: str
    cl_ord_id: str
    price: float
    quantity: float
    requested_by: str


class ExecutionReported(Event, frozen=True, tag="rfq.execution_reported"):
    """A fill by the dealer: the trade. ``exec_id`` is the dealer's own; a repeat is not journalled again."""

    rfq_id: str
    dealer_id: str
    cl_ord_id: str
    exec_id: str
    price: float
    quantity: float
    executed_at: datetime


class ExecutionFailed(Event, frozen=True, tag="rfq.execution_failed"):
    """The dealer refused the hit or order; nothing was traded by it, as far as is known then."""

    rfq_id: str
    dealer_id: str
    cl_ord_id: str
    reason: str


class ExecutionInDoubt(Event, frozen=True, tag="rfq.execution_in_doubt"):
    """An order was journalled and its fate is unknown (a crash, a lost session): asked about, never sent again."""

    rfq_id: str
    dealer_id: str
    cl_ord_id: str


class ExecutionSettled(Event, frozen=True, tag="rfq.execution_settled"):
    """A person's word, after a call to the dealer, on an execution in doubt; what it means follows as an event of its own.

    ``quantity`` is what the order traded in total, ``price`` the average over that; fills reported before are part of both.
    """

    rfq_id: str
    dealer_id: str
    cl_ord_id: str
    traded: bool
    price: float | None
    quantity: float | None
    comment: str
    settled_by: str


class LoserTold(Event, frozen=True, tag="rfq.loser_told"):
    """A losing dealer was told cover or done away, where the venue allows it."""

    rfq_id: str
    dealer_id: str
    quote_id: str
    told: str


class RfqClosed(Event, frozen=True, tag="rfq.closed"):
    """The end of an RFQ: ``EXECUTED``, ``NOT_TRADED`` or ``CANCELLED``."""

    rfq_id: str
    state: str
    reason: str


class MessageRefused(Event, frozen=True, tag="fix.message_refused"):
    """An inbound message that made no sense or came too late; kept whole for the audit."""

    session: str
    reason: str
    message: str


class KillSwitchSet(Event, frozen=True, tag="desk.kill_switch"):
    """All sending stopped (``on``) or allowed again."""

    on: bool
    actor: str
    reason: str


class RulesDrafted(Event, frozen=True, tag="rules.drafted"):
    """A rule book that somebody proposes, whole: ``rules`` and ``scoring`` are the two files' texts as written.

    ``version`` names their content; ``base_version`` is what was in force when it was written (``None`` = nothing was);
    ``author_token`` is the identifier of the author's token (``None`` = the configuration file).
    """

    draft_id: str
    version: str
    base_version: str | None
    author: str
    author_token: str | None
    desk: str | None
    comment: str
    rules: str
    scoring: str


class RulesApproved(Event, frozen=True, tag="rules.approved"):
    """A second person's consent: from here on the draft's version is in force, instead of ``previous_version``."""

    draft_id: str
    version: str
    previous_version: str | None
    approved_by: str
    role: str
    comment: str


class RulesRolledBack(Event, frozen=True, tag="rules.rolled_back"):
    """A version that was in force before is in force again, instead of ``previous_version``."""

    version: str
    previous_version: str
    rolled_back_by: str
    role: str
    reason: str


AnyEvent = (
    RecommendationMade
    | RecommendationOverridden
    | RfqStarted
    | DealerAsked
    | QuoteReceived
    | QuoteWithdrawn
    | DealerAnsweredWithout
    | AlertRaised
    | ExecutionRequested
    | ExecutionReported
    | ExecutionFailed
    | ExecutionInDoubt
    | ExecutionSettled
    | LoserTold
    | RfqClosed
    | MessageRefused
    | KillSwitchSet
    | RulesDrafted
    | RulesApproved
    | RulesRolledBack
)


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it stands in the chain: ``hash`` = sha256 over ``prev_hash`` and every other field as stored."""

    seq: int
    event_id: str
    at: datetime
    event: AnyEvent
    prev_hash: str
    hash: str


# The table that holds the chain; ``payload`` is the event as JSON text, tag included, exactly as hashed.
JOURNAL_DDL = """
create table if not exists events (
    seq integer primary key,
    event_id text not null unique,
    at text not null,
    kind text not null,
    subject text not null,
    payload text not null,
    prev_hash text not null,
    hash text not null
) strict
"""
