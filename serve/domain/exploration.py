"""Exploration: now and then, in a small and liquid order, one more dealer is asked, drawn by how good it may be (Thompson).

Off unless the desk turns it on. What is drawn hangs on the recommendation's identifier and the desk's seed alone, so a replay draws
the same; the chance of the list as chosen is logged with it, for off-policy estimates.
"""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np

from serve.domain.expected_utility import Utility
from serve.domain.market import Floats

_DRAWS = 256
LARGEST_SHARE = 0.10


class Exploration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the desk allows. ``share`` of the orders that qualify (0 = off, at the most 0.10); ``max_quantity`` par."""

    share: float = 0.0
    max_quantity: float = 1_000_000.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= LARGEST_SHARE:
            raise ValueError(f"share: must be from 0 to {LARGEST_SHARE:g}, not {self.share}")
        if not self.max_quantity > 0:
            raise ValueError(f"max_quantity: must be above 0, not {self.max_quantity}")


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """The list to ask, and the chance with which it was chosen. ``added`` is the row drawn, ``None`` = none was."""

    rows: list[int]
    propensity: float
    added: int | None


def explore(view: Utility, chosen: Sequence[int], allowed: Sequence[int], rules: Exploration, key: str) -> Explored:
    """Perhaps put a drawn dealer in the place of the last one chosen; ``key`` is the recommendation's identifier.

    The chance of each dealer is counted over many draws of everybody's worth; nobody of whom all is known is ever drawn twice.
    """
    free = [row for row in allowed if row not in set(chosen)]
    if rules.share == 0 or len(chosen) < 2 or not free:
        return Explored(rows=list(chosen), propensity=1.0, added=None)
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{rules.seed}:{key}".encode()).digest()[:8]))
    if rng.random() >= rules.share:
        return Explored(rows=list(chosen), propensity=1.0 - rules.share, added=None)
    counts = _drawn_first(view, free, rng)
    place = int(rng.choice(len(free), p=counts))
    return Explored(rows=[*chosen[:-1], free[place]], propensity=rules.share * float(counts[place]), added=free[place])


def _drawn_first(view: Utility, rows: Sequence[int], rng: np.random.Generator) -> Floats:
    """Give each dealer's chance to come out best when worths are drawn as they are believed."""
    places = np.asarray(rows, dtype=np.int64)
    beliefs = view.beliefs
    doubt = beliefs.price_sd[places] / np.sqrt(beliefs.price.n[places] + 1)
    drawn = view.alone[places] + doubt * rng.standard_normal((_DRAWS, len(places)))
    best = np.bincount(drawn.argmax(axis=1), minlength=len(places)).astype(np.float64)
    # Everybody keeps a small chance, or estimates from the log would have nothing to go by.
    best += 1.0
    return np.asarray(best / best.sum(), dtype=np.float64)
