"""What a review tells of one dealer: its own figures and requests; of its peers a median and a middle half, and no names."""

from datetime import date, datetime

import msgspec

from flows.bootstrap import Estimate


class Peers(msgspec.Struct, frozen=True):
    """What the peers show of a figure: its median over them, the middle half, how many they are."""

    median: float
    low: float
    high: float
    count: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: the dealer's own over the period and over the one before, the peers', and its rank (1 = best of peers + 1).

    ``peers`` is ``None`` where too few stand for it, ``rank`` where the dealer itself was observed too seldom as well.
    """

    figure: str
    own: Estimate
    before: Estimate
    peers: Peers | None
    rank: int | None


class OfClass(msgspec.Struct, frozen=True, kw_only=True):
    """A scorecard class ("" = all): requests, par asked and par traded, and the figures."""

    scorecard_class: str
    asked: int
    quantity: float
    traded_quantity: float
    rows: list[Row]


class Month(msgspec.Struct, frozen=True):
    """A month's own figure and the peers' median; ``None`` = too few requests, or peers."""

    month: date
    figure: str
    own: float | None
    peers: float | None


class Band(msgspec.Struct, frozen=True):
    """Quotes up to a distance from the best, bps (``None`` = any further): shares of the dealer's own and of the peers'."""

    up_to_bps: float | None
    own: float
    peers: float | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One of the dealer's own requests. ``price`` is what it traded at; ``None`` = it did not."""

    asked_on: date
    rfq_id: str
    bond: str
    scorecard_class: str
    client_side: str
    quantity: float
    response: str
    price: float | None = None


class Axes(msgspec.Struct, frozen=True, kw_only=True):
    """Interests advertised now, and how often those of half a year came true when the dealer was asked."""

    advertised: int
    tested: int
    came_true: int
    peers: Peers | None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a review is of, its days (both included), and the snapshot whose marts it was made from. Times are UTC."""

    dealer_id: str
    name: str
    first: date
    last: date
    snapshot_id: str
    as_of: datetime


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to say about one dealer. ``ahead`` and ``behind``: where its interval leaves out the peers' median."""

    about: About
    classes: list[OfClass]
    months: list[Month]
    bands: list[Band]
    unanswered: list[Line]
    trades: list[Line]
    axes: Axes
    ahead: list[str]
    behind: list[str]
