"""Ratings by name and by rank, on the one ordinal scale."""

from collections.abc import Mapping

from expectations.contracts.vocabulary import Rating

CONSTANTS: Mapping[str, int] = {rating.name: int(rating) for rating in Rating}


def name_of(rank: int | None) -> str | None:
    """Give a rank's name (``BBB_MINUS``), or ``None`` where the bond is not rated."""
    return None if rank is None else Rating(rank).name


def spoken(rank: int | None) -> str:
    """Give a rank as people write it: ``BBB-``, ``AA+``, ``not rated``."""
    if rank is None:
        return "not rated"
    return Rating(rank).name.replace("_PLUS", "+").replace("_MINUS", "-")
