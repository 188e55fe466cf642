"""Gates: who may not be asked for this order, and why, before anyone is ranked."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import msgspec

from expectations.contracts.vocabulary import DealerStatus
from serve.domain.market import Dealer, Market, Security


class Excluded(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer left out, by which gate, and why."""

    dealer_id: str
    gate: str
    reason: str


def gate(dealer: Dealer, notional: float, today: date) -> Excluded | None:
    """Give the first gate that stops this dealer for an order of ``notional`` par on ``today``; ``None`` = may be asked."""
    for name, reason in _stops(dealer, notional, today):
        return Excluded(dealer_id=dealer.dealer_id, gate=name, reason=reason)
    return None


def _stops(dealer: Dealer, notional: float, today: date) -> Iterator[tuple[str, str]]:
    if dealer.status is DealerStatus.SUSPENDED:
        yield "suspended", f"{dealer.name} is suspended."
    if dealer.restricted:
        yield "restricted", f"{dealer.name} is on the restricted list."
    if dealer.due_diligence_expiry is not None and dealer.due_diligence_expiry < today:
        yield "due_diligence", f"Due diligence on {dealer.name} expired on {dealer.due_diligence_expiry.isoformat()}."
    if dealer.credit_limit is not None and notional > dealer.credit_limit:
        yield "credit", f"The order of {notional:,.0f} is above the credit limit of {dealer.credit_limit:,.0f} for {dealer.name}."


def candidate_reason(market: Market, security: Security, dealer: Dealer, now: datetime, within_days: int) -> str | None:
    """Say why a dealer is no candidate for this bond (M-30), or give ``None`` where it is one.

    A candidate quoted the same issuer, or the same sector, scorecard class and maturity bucket, within so many days. A dealer who
    was never asked anything stays: nothing is known against it.
    """
    if dealer.dealer_id not in market.ever_asked:
        return None
    since = now - timedelta(days=within_days)
    for context in market.quoted.get(dealer.dealer_id, ()):
        if context.last_quoted_at < since:
            continue
        similar = (context.sector, context.scorecard_class, context.maturity_bucket)
        if context.issuer_id == security.issuer_id or similar == (
            security.sector,
            security.scorecard_class,
            security.maturity_bucket,
        ):
            return None
    alike = f"sector {security.sector or 'unknown'}, {security.scorecard_class}, {security.maturity_bucket or 'unknown maturity'}"
    return f"{dealer.name} quoted neither this issuer nor a similar bond ({alike}) in the last {within_days} days."
