"""Tags and code values of FIX 4.4 that the dealers read and write, and the two ways between text and fields."""

from dataclasses import dataclass
from datetime import UTC, datetime

SEPARATOR = "\x01"

MSG_TYPE = 35
AVG_PX, CL_ORD_ID, CUM_QTY, EXEC_ID = 6, 11, 14, 17
SECURITY_ID_SOURCE, LAST_PX, LAST_QTY, ORDER_ID, ORDER_QTY, ORD_STATUS, ORD_TYPE = 22, 31, 32, 37, 38, 39, 40
PRICE, SECURITY_ID, SIDE, SYMBOL, TEXT, TRANSACT_TIME, VALID_UNTIL = 44, 48, 54, 55, 58, 60, 62
ORD_REJ_REASON, QUOTE_ID, EXPIRE_TIME, QUOTE_REQ_ID = 103, 117, 126, 131
BID_PX, OFFER_PX, BID_SIZE, OFFER_SIZE, NO_RELATED_SYM, EXEC_TYPE, LEAVES_QTY = 132, 133, 134, 135, 146, 150, 151
QUOTE_STATUS, QUOTE_CANCEL_TYPE, PRICE_TYPE, QUOTE_TYPE = 297, 298, 423, 537
REJECT_REASON, QUOTE_RESP_ID, QUOTE_RESP_TYPE = 658, 693, 694
NO_PARTY_IDS, PARTY_ID_SOURCE, PARTY_ID, PARTY_ROLE = 453, 447, 448, 452

QUOTE_REQUEST, QUOTE, QUOTE_RESPONSE, QUOTE_STATUS_REPORT = "R", "S", "AJ", "AI"
QUOTE_REQUEST_REJECT, QUOTE_CANCEL, NEW_ORDER, EXECUTION_REPORT, ORDER_STATUS_REQUEST = "AG", "Z", "D", "8", "H"

BUY, SELL = "1", "2"
PERCENT_OF_PAR = "1"
INDICATIVE, TRADEABLE = "0", "1"
HIT_OR_LIFT, COUNTER, COVER, DONE_AWAY = "1", "2", "4", "5"
PASSED = "11"
UNKNOWN_SYMBOL, LIMIT_EXCEEDED, NO_INTEREST, OTHER_REASON = "1", "3", "10", "99"
CANCEL_BY_QUOTE_ID = "5"
PREVIOUSLY_QUOTED = "D"
NEW_TRADE, REJECTED_ORDER, STATUS_OF_ORDER = "F", "8", "I"
FILLED = "2"


@dataclass(frozen=True, slots=True)
class Group:
    """A repeating group of one entry: the counting tag, and the entry's fields, its delimiter first."""

    counter: int
    fields: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: its type, its fields and its groups, without anything the engine adds."""

    msg_type: str
    fields: tuple[tuple[int, str], ...]
    groups: tuple[Group, ...] = ()


def parse(raw: str) -> dict[int, str]:
    """Give the first value of each tag of a raw message; a field that is not ``number=text`` is passed over."""
    found: dict[int, str] = {}
    for part in raw.split(SEPARATOR):
        tag, equals, value = part.partition("=")
        if equals and tag.isdigit():
            found.setdefault(int(tag), value)
    return found


def timestamp(at: datetime) -> str:
    """Write a UTC timestamp with milliseconds."""
    return at.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def read_timestamp(text: str) -> datetime:
    """Read a UTC timestamp with or without a fraction. Raises ValueError on anything else."""
    pattern = "%Y%m%d-%H:%M:%S.%f" if "." in text else "%Y%m%d-%H:%M:%S"
    return datetime.strptime(text, pattern).replace(tzinfo=UTC)


def plain(value: float) -> str:
    """Write a number as a FIX decimal: no exponent, no needless zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
