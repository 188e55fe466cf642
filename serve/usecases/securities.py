"""Finding a bond by whichever identifier the caller has, with its check digit checked first."""

from collections.abc import Callable, Mapping

from stdnum import cusip, figi, isin

from serve.domain.market import Market, Security
from serve.domain.orders import Order, SecurityIdType
from serve.usecases.refusals import NotThere, Refusal

_CHECKS: Mapping[SecurityIdType, Callable[[str], bool]] = {
    SecurityIdType.CUSIP: cusip.is_valid,
    SecurityIdType.ISIN: isin.is_valid,
    SecurityIdType.FIGI: figi.is_valid,
}

_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def resolve(market: Market, security_id: str, kind: SecurityIdType) -> Security:
    """Give the bond. Raises ``Refusal`` where the identifier is malformed or no bond of the snapshot has it."""
    name = security_id.strip()
    if kind is not SecurityIdType.INTERNAL:
        name = name.upper()
        if not _CHECKS[kind](name):
            raise Refusal(
                "invalid-identifier", f"{security_id!r} is not a valid {kind}: check its length and check digit", "security_id"
            )
    found = _lookup(market, name, kind)
    if found is None:
        detail = f"No security with {kind} {security_id!r} is in snapshot {market.snapshot_id}"
        raise Refusal("unknown-security", detail, "security_id")
    return found


def resolve_any(market: Market, security_id: str) -> Security:
    """Give the bond by any of its identifiers. Raises ``NotThere``."""
    for kind in (SecurityIdType.INTERNAL, SecurityIdType.CUSIP, SecurityIdType.ISIN, SecurityIdType.FIGI):
        found = _lookup(market, security_id, kind)
        if found:
            return found
    raise NotThere("not-found", f"No security {security_id!r} is in snapshot {market.snapshot_id}", "security_id")


def check_order(order: Order, security: Security) -> None:
    """Refuse an order that cannot be meant: of another age, in another currency, or for a bond that has matured."""
    if order.received_at is not None and not _FIRST_YEAR <= order.received_at.year <= _LAST_YEAR:
        detail = f"{order.received_at.isoformat()} is not a time at which a desk gets an order"
        raise Refusal("invalid-request", detail, "received_at")
    if order.currency != security.currency:
        detail = f"The order is in {order.currency}, {security.security_id} is in {security.currency}"
        raise Refusal("currency-mismatch", detail, "currency")
    if order.received_at and security.maturity_date and security.maturity_date <= order.received_at.date():
        detail = f"{security.security_id} matured on {security.maturity_date.isoformat()}"
        raise Refusal("matured-security", detail, "security_id")


def _lookup(market: Market, name: str, kind: SecurityIdType) -> Security | None:
    index = {SecurityIdType.CUSIP: market.by_cusip, SecurityIdType.ISIN: market.by_isin, SecurityIdType.FIGI: market.by_figi}
    key = name if kind is SecurityIdType.INTERNAL else index[kind].get(name)
    return market.securities.get(key) if key else None
