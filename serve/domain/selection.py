"""Ranking, tiers and picks: from scores to the dealers to ask."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from serve.domain.rules import Condition, Pick, Verdict

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


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """``chosen`` best first; ``beyond_limit`` were picked and cut by the limit on dealers; ``passed`` were not picked."""

    chosen: list[Ranked]
    beyond_limit: list[Ranked]
    passed: list[Ranked]


def select(
    ranked: Sequence[Ranked], picks: Sequence[Pick], max_dealers: int | None, decide: Callable[[Condition], Sequence[Verdict]]
) -> Selection:
    """Apply pick blocks in turn, then the limit on dealers. ``decide`` gives a condition's verdict for every row.

    Each block takes the best of those still free who fit it; where the limit cuts, earlier blocks keep their dealers. The
    chosen are given by score, so that a whisper starts with the best.
    """
    taken: list[Ranked] = []
    free = list(ranked)
    for pick in picks:
        fitting = list(islice(_fitting(pick, free, decide), pick.take))
        taken += fitting
        rows = {dealer.row for dealer in fitting}
        free = [dealer for dealer in free if dealer.row not in rows]
    limit = len(taken) if max_dealers is None else max_dealers
    in_place = sorted(taken[:limit], key=lambda dealer: dealer.place)
    return Selection(chosen=in_place, beyond_limit=taken[limit:], passed=free)


def _fitting(pick: Pick, free: Sequence[Ranked], decide: Callable[[Condition], Sequence[Verdict]]) -> Iterator[Ranked]:
    verdicts = decide(pick.where) if pick.where is not None else None
    for dealer in free:
        if pick.tier is not None and dealer.tier != pick.tier:
            continue
        if verdicts is None or verdicts[dealer.row] is Verdict.TRUE:
            yield dealer
