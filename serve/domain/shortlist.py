"""Who is asked and who is left out, kept for the next order to which the same applies: nothing here hangs on the bond itself."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable
from typing import TypeVar

import msgspec

from serve.domain.eligibility import Excluded
from serve.domain.recommendation import RankedDealer
from serve.domain.selection import Selection

T = TypeVar("T")
# A shortlist of a thousand dealers takes about half a megabyte.
_KEPT = 64


class Shared(list[T]):
    """A list that stands in many answers and is never changed; ``json`` is its encoding once somebody needed it.

    ``recorded_in`` is the first recommendation whose journalled answer holds it whole; ``None`` = none does yet.
    """

    json: bytes | None = None
    recorded_in: str | None = None

    def encoded(self) -> bytes:
        """Give the list as JSON, encoded once."""
        if self.json is None:
            self.json = msgspec.json.encode(self)
        return self.json


class Shortlist(msgspec.Struct, frozen=True, kw_only=True):
    """One choice. ``dealers`` as shown where none has an axe; ``field`` is how many could have been asked.

    ``held`` keeps alive what the key names by identity; ``propensity`` is the chance with which it was made (1 = no chance in it).
    """

    chosen: Selection
    field: int
    dealers: Shared[RankedDealer]
    left_out: Shared[Excluded]
    held: tuple[object, ...]
    propensity: float = 1.0


class Shortlists:
    """The shortlists of one snapshot and one rule book; the oldest make room. ``limits`` are the dealers' credit limits."""

    def __init__(self, limits: Iterable[float | None]) -> None:
        self._limits = sorted(limit for limit in limits if limit is not None)
        self._kept: dict[Hashable, Shortlist] = {}

    def stopped_by_credit(self, quantity: float) -> float | None:
        """Give what tells orders apart by size: ``None`` where every dealer has the credit, else the size that the reasons name."""
        return quantity if bisect_left(self._limits, quantity) else None

    def get(self, key: Hashable) -> Shortlist | None:
        """Give what was kept."""
        return self._kept.get(key)

    def keep(self, key: Hashable, shortlist: Shortlist) -> None:
        """Keep a shortlist."""
        while len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = shortlist
