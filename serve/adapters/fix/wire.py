"""FIX values as text: tags read from a message, numbers and times written without loss, control characters refused."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

SOH = "\x01"


class MalformedError(ValueError):
    """A value that cannot be sent, or a message that makes no sense; the text names the tag and the reason."""


class Wire(msgspec.Struct, frozen=True):
    """A message to send: its type, its body, and the one group (146) that a request has."""

    msg_type: str
    fields: tuple[tuple[int, str], ...]
    group: tuple[tuple[int, str], ...] = ()

    def text(self) -> str:
        """Write the message for a person, without header and trailer."""
        return "|".join(f"{tag}={value}" for tag, value in ((35, self.msg_type), *self.fields, *self.group))


def fields(*pairs: tuple[int, str | None]) -> tuple[tuple[int, str], ...]:
    """Keep the pairs that have a value. Raises MalformedError for a control character, which could smuggle in a field."""
    kept = tuple((tag, value) for tag, value in pairs if value is not None and value != "")
    for tag, value in kept:
        if any(character < " " or character == "\x7f" for character in value):
            msg = f"tag {tag} would hold a control character: {value!r}"
            raise MalformedError(msg)
    return kept


def parse(raw: str) -> dict[int, str]:
    """Read a message into tags; of a repeated tag the first counts. Raises MalformedError for what is not tag=value."""
    found: dict[int, str] = {}
    for part in raw.rstrip(SOH).split(SOH):
        tag, equals, value = part.partition("=")
        if not equals or not tag.isdigit():
            msg = f"{part[:40]!r} is not tag=value"
            raise MalformedError(msg)
        found.setdefault(int(tag), value)
    return found


def decimal_text(value: float) -> str:
    """Write a number as decimals, never with an exponent; 99.9 stays 99.9 and 99.90 becomes the same."""
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(tags: dict[int, str], tag: int) -> float | None:
    """Read a price; None where the tag is absent or zero, which FIX 4.4 venues send for absent. MalformedError below zero."""
    return number(tags, tag) or None


def number(tags: dict[int, str], tag: int) -> float | None:
    """Read a number; None where the tag is absent, and 0 is 0: a size of none. MalformedError below zero."""
    text = tags.get(tag)
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        msg = f"tag {tag} is not a number: {text[:40]!r}"
        raise MalformedError(msg) from error
    if not value.is_finite() or value < 0 or value > Decimal("1e15"):
        msg = f"tag {tag} is not a usable number: {text[:40]!r}"
        raise MalformedError(msg)
    return float(value)


def needed(tags: dict[int, str], tag: int, name: str) -> str:
    """Read a tag that must be there."""
    value = tags.get(tag, "").strip()
    if not value:
        msg = f"tag {tag} ({name}) is missing"
        raise MalformedError(msg)
    return value


def time_text(at: datetime) -> str:
    """Write a time as UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def time(tags: dict[int, str], tag: int) -> datetime | None:
    """Read a UTC time, with or without a fraction; None where absent."""
    text = tags.get(tag)
    if text is None:
        return None
    for shape in _shapes(text):
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    msg = f"tag {tag} is not a UTC time: {text[:40]!r}"
    raise MalformedError(msg)


def _shapes(text: str) -> Iterable[str]:
    return ("%Y%m%d-%H:%M:%S.%f",) if "." in text else ("%Y%m%d-%H:%M:%S", "%Y%m%d-%H:%M")
