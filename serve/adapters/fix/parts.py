"""Parts that several messages from dealers have: sizes, firmness, the instrument, the kind of price."""

from typing import TypedDict

from expectations.contracts.vocabulary import Side
from serve.adapters.fix.venue import Perspective, Venue
from serve.adapters.fix.wire import MalformedError, number

_FIRM = {"0": False, "1": True, "2": True, "3": True}


def par(tags: dict[int, str], tag: int, venue: Venue) -> float | None:
    """Read a quantity as par; None where it is absent."""
    value = number(tags, tag)
    return None if value is None else value * venue.quote_quantity_unit


def is_firm(tags: dict[int, str], venue: Venue) -> bool:
    """Say whether a quote is firm. Raises MalformedError for a type of its own."""
    kind = tags.get(537)
    if kind is None:
        return venue.firm_when_silent
    if kind not in _FIRM:
        msg = f"QuoteType (537) is {kind[:10]!r}, not one of 0 to 3"
        raise MalformedError(msg)
    return _FIRM[kind]


class About(TypedDict):
    """What a message says it is about; None or nothing where it does not say."""

    our_side: Side | None
    security_ids: tuple[str, ...]
    currency: str | None


def instrument(tags: dict[int, str], whose: Perspective) -> About:
    """Read what a message is about; ``whose`` side 54 gives. A report takes it from our order, so it is that of our requests."""
    side = tags.get(54)
    ours = Side.BUY if (side == "1") is (whose is Perspective.CLIENT) else Side.SELL
    return About(
        our_side=ours if side in {"1", "2"} else None,
        security_ids=(tags[48],) if tags.get(48) else (),
        currency=tags.get(15),
    )


def percent_of_par(tags: dict[int, str]) -> None:
    """Raise MalformedError for a price that is no percentage of par."""
    kind = tags.get(423, "1")
    if kind != "1":
        msg = f"PriceType (423) is {kind[:10]}, only percent of par (1) can be compared"
        raise MalformedError(msg)
