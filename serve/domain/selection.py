"""Ranking, tiers and picks: from scores to the dealers to ask."""

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from serve.domain.rules import Pick, Verdict

DEFAULT_TIERS = "default"


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A dealer in its place among those who may be asked. ``row`` is its row in the scorecards; ``place`` counts from 1."""

    dealer_id: str
    row: int
    place: int
    score: float
    tier: int | None


def cut_points(tiers: Mapping[str, tuple[float, ...]], scorecard_class: str, asset_class: str) -> tuple[float, ...]:
    """Give the tier boundaries: the scorecard class's own, else the asset class's, else the default's."""
    return next(tiers[key] for key in (scorecard_class, asset_class, DEFAULT_TIERS) if key in tiers)


def tier_of(rank_share: float, cuts: Sequence[float]) -> int | None:
    """Give the tier for a place by default composite, as a share of the class's dealers; ``None`` without a place (NaN)."""
    return None if math.isnan(rank_share) else 1 + sum(rank_share > cut for cut in cuts)


def rank(scored: Sequence[tuple[str, int, float, int | None]]) -> list[Ranked]:
    """Rank (dealer id, row, score, tier) by score, best first; equal scores by dealer id."""
    ordered = sorted(scored, key=lambda item: (-item[2], item[0]))
    return [
        Ranked(dealer_id=dealer_id, row=row, place=place, score=score, tier=tier)
        for place, (dealer_id, row, score, tier) in enumerate(ordered, start=1)
    ]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """``chosen`` best first; ``beyond_limit`` were picked and cut by the limit on dealers; ``passed`` were not picked."""

    chosen: list[Ranked]
    beyond_limit: list[Ranked]
    passed: list[Ranked]


def select(
    ranked: Sequence[Ranked], picks: Sequence[Pick], max_dealers: int | None, values_of: Callable[[Ranked], Mapping[str, object]]
) -> Selection:
    """Apply pick blocks in turn, then the limit on dealers.

    Each block takes the best of those still free who fit it; where the limit cuts, earlier blocks keep their dealers. The
    chosen are given by score, so that a whisper starts with the best.
    """
    taken: list[Ranked] = []
    free = list(ranked)
    for pick in picks:
        fitting = [dealer for dealer in free if _fits(pick, dealer, values_of)]
        block = fitting if pick.take is None else fitting[: pick.take]
        taken += block
        free = [dealer for dealer in free if dealer not in block]
    limit = len(taken) if max_dealers is None else max_dealers
    in_place = sorted(taken[:limit], key=lambda dealer: dealer.place)
    return Selection(chosen=in_place, beyond_limit=taken[limit:], passed=free)


def _fits(pick: Pick, dealer: Ranked, values_of: Callable[[Ranked], Mapping[str, object]]) -> bool:
    if pick.tier is not None and dealer.tier != pick.tier:
        return False
    return pick.where is None or pick.where.evaluate(values_of(dealer)) is Verdict.TRUE
