"""Agency ratings: three that mostly agree, sometimes split, never so that the scorecard class changes."""

from dataclasses import dataclass

import numpy as np

from expectations.contracts.vocabulary import LOWEST_INVESTMENT_GRADE, AssetClass, CorporateClass, Rating

_MOODYS = {
    22: "Aaa", 21: "Aa1", 20: "Aa2", 19: "Aa3", 18: "A1", 17: "A2", 16: "A3", 15: "Baa1", 14: "Baa2", 13: "Baa3", 12: "Ba1",
    11: "Ba2", 10: "Ba3", 9: "B1", 8: "B2", 7: "B3", 6: "Caa1", 5: "Caa2", 4: "Caa3", 3: "Ca", 2: "C", 1: "C",
}  # fmt: skip

_SPLIT_SHARE = 0.18
_THIRD_AGENCY_SHARE = 0.7

# Lowest and highest rating drawn, inclusive; classes that are not here are rated like their issuer.
_RANGES: dict[str, tuple[Rating, Rating]] = {
    CorporateClass.INVESTMENT_GRADE: (Rating.BBB_MINUS, Rating.AA),
    CorporateClass.HIGH_YIELD: (Rating.CCC_PLUS, Rating.BB_PLUS),
    AssetClass.MUNI: (Rating.BBB, Rating.AAA),
    AssetClass.STRUCTURED: (Rating.BB, Rating.AAA),
    AssetClass.GOVT: (Rating.AA_PLUS, Rating.AA_PLUS),
    AssetClass.EM: (Rating.B, Rating.A_MINUS),
}
_UNRATED_SHARE: dict[str, float] = {CorporateClass.NOT_RATED: 1.0, AssetClass.MUNI: 0.35, AssetClass.STRUCTURED: 0.25}


@dataclass(frozen=True, slots=True)
class Ratings:
    """The texts of three agencies; empty = that agency does not rate the bond. ``rank`` is the composite, ``None`` unrated."""

    sp: str
    moodys: str
    fitch: str
    rank: int | None


def letters(rank: int) -> str:
    """Write a rating as S&P and Fitch do."""
    return Rating(rank).name.replace("_PLUS", "+").replace("_MINUS", "-")


def composite(ranks: list[int]) -> int:
    """Give the middle of three ratings, the lower of two, or the only one."""
    ordered = sorted(ranks)
    return ordered[1] if len(ordered) == 3 else ordered[0]


def _same_grade(left: int, right: int) -> bool:
    return (left >= LOWEST_INVESTMENT_GRADE) == (right >= LOWEST_INVESTMENT_GRADE)


def draw_ratings(rng: np.random.Generator, scorecard_class: str, base: int | None = None) -> Ratings:
    """Draw a bond's ratings; ``base`` fixes the rating before any split."""
    unrated = rng.random() < _UNRATED_SHARE.get(scorecard_class, 0.0)
    low, high = _RANGES.get(scorecard_class, (Rating.B, Rating.AA))
    drawn = int(rng.integers(low, high + 1))
    splits = rng.choice([-1, 0, 1], size=2, p=[_SPLIT_SHARE / 2, 1 - _SPLIT_SHARE, _SPLIT_SHARE / 2])
    third = rng.random() < _THIRD_AGENCY_SHARE
    says_so = rng.random() < 0.5
    if unrated and base is None:
        return Ratings("NR" if says_so else "", "", "", None)
    rank = drawn if base is None else base
    agencies = [rank, int(np.clip(rank + splits[0], 1, 22)), *([int(np.clip(rank + splits[1], 1, 22))] if third else [])]
    if not _same_grade(composite(agencies), rank):
        agencies = [rank] * len(agencies)
    return Ratings(letters(agencies[0]), _MOODYS[agencies[1]], letters(agencies[2]) if third else "", composite(agencies))
