"""What a client asks for, read out of a QuoteRequest."""

from dataclasses import dataclass
from datetime import datetime

from sim.fix import fields as tags


class RefusedError(ValueError):
    """A request that cannot be priced; ``reason`` is the code for 658 (QuoteRequestRejectReason)."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One QuoteRequest. ``direction`` +1 = the client buys; ``quantity`` par; times are the desk's; ``expires`` None = never."""

    quote_req_id: str
    identifier: str
    id_source: str
    direction: int
    quantity: float
    asked_at: datetime
    expires: datetime | None

    @property
    def side(self) -> str:
        """The client's side as FIX has it."""
        return tags.BUY if self.direction > 0 else tags.SELL


def _number(message: dict[int, str], tag: int) -> float:
    try:
        value = float(message[tag])
    except ValueError as error:
        raise RefusedError(tags.OTHER_REASON, f"tag {tag} is not a number") from error
    if not 0 < value < 1e13:
        raise RefusedError(tags.OTHER_REASON, f"tag {tag} must be positive")
    return value


def _time(message: dict[int, str], tag: int) -> datetime:
    try:
        return tags.read_timestamp(message[tag])
    except ValueError as error:
        raise RefusedError(tags.OTHER_REASON, f"tag {tag} is not a UTC timestamp") from error


def read_inquiry(message: dict[int, str]) -> Inquiry:
    """Read a QuoteRequest for one security. Raises RefusedError, with the code to send back, on anything that cannot be priced."""
    needed = (tags.QUOTE_REQ_ID, tags.NO_RELATED_SYM, tags.SIDE, tags.ORDER_QTY, tags.TRANSACT_TIME)
    missing = [str(tag) for tag in needed if not message.get(tag)]
    identifier = message.get(tags.SECURITY_ID) or message.get(tags.SYMBOL, "")
    if missing or not identifier:
        raise RefusedError(tags.OTHER_REASON, f"missing tag {', '.join(missing) or tags.SECURITY_ID}")
    if message[tags.NO_RELATED_SYM] != "1":
        raise RefusedError(tags.OTHER_REASON, "one security per request")
    if message[tags.SIDE] not in {tags.BUY, tags.SELL}:
        raise RefusedError(tags.OTHER_REASON, "tag 54 must be 1 or 2")
    return Inquiry(
        quote_req_id=message[tags.QUOTE_REQ_ID],
        identifier=identifier,
        id_source=message.get(tags.SECURITY_ID_SOURCE, ""),
        direction=1 if message[tags.SIDE] == tags.BUY else -1,
        quantity=_number(message, tags.ORDER_QTY),
        asked_at=_time(message, tags.TRANSACT_TIME),
        expires=_time(message, tags.EXPIRE_TIME) if message.get(tags.EXPIRE_TIME) else None,
    )
