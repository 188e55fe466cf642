"""Ranking, tiers and picks: from scores to the dealers to ask."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

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


class Grow(Protocol):
    """How a model that says how many to ask grows a set: see ``expected_utility.best_set``."""

    def __call__(self, allowed: Sequence[int], most: int, may_add: Callable[[int, list[int]], bool] | None = None) -> list[int]:
        """Give the rows chosen, in the order in which the set grew."""
        ...


def select(
    ranked: Sequence[Ranked],
    picks: Sequence[Pick],
    max_dealers: int | None,
    decide: Callable[[Condition], Sequence[Verdict]],
    grow: Grow | None = None,
) -> Selection:
    """Apply pick blocks in turn, then the limit on dealers. ``decide`` gives a condition's verdict for every row.

    With ``grow`` the blocks say who may be asked and how many at the most, and the model says how many of them are.

    Each block takes the best of those still free who fit it; where the limit cuts, earlier blocks keep their dealers. The
    chosen are given by score, so that a whisper starts with the best.
    """
    if grow is not None:
        return _grown(ranked, picks, max_dealers, decide, grow)
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


def _grown(
    ranked: Sequence[Ranked],
    picks: Sequence[Pick],
    max_dealers: int | None,
    decide: Callable[[Condition], Sequence[Verdict]],
    grow: Grow,
) -> Selection:
    blocks = [{dealer.row for dealer in _fitting(pick, ranked, decide)} for pick in picks]
    room = [len(block) if pick.take is None else pick.take for pick, block in zip(picks, blocks, strict=True)]
    most = min(sum(room), len(ranked) if max_dealers is None else max_dealers)
    allowed = [dealer.row for dealer in ranked if any(dealer.row in block for block in blocks)]

    def may_add(row: int, beside: list[int]) -> bool:
        return _seated([*beside, row], blocks, room)

    by_row = {dealer.row: dealer for dealer in ranked}
    chosen = [by_row[row] for row in grow(allowed, most, may_add)]
    rows = {dealer.row for dealer in chosen}
    return Selection(chosen=chosen, beyond_limit=[], passed=[dealer for dealer in ranked if dealer.row not in rows])


def _seated(rows: Sequence[int], blocks: Sequence[set[int]], room: Sequence[int]) -> bool:
    """Say whether every row finds a place in a block that it fits (augmenting paths: an earlier one may move over)."""
    seats: list[list[int]] = [[] for _ in blocks]

    def seat(row: int, tried: set[int]) -> bool:
        for place, block in enumerate(blocks):
            if row not in block or place in tried:
                continue
            tried.add(place)
            if len(seats[place]) < room[place] or any(
                _moves(seats[place], index, seat, tried) for index in range(len(seats[place]))
            ):
                seats[place].append(row)
                return True
        return False

    return all(seat(row, set()) for row in rows)


def _moves(seats: list[int], index: int, seat: Callable[[int, set[int]], bool], tried: set[int]) -> bool:
    if not seat(seats[index], tried):
        return False
    seats.pop(index)
    return True


def _fitting(pick: Pick, free: Sequence[Ranked], decide: Callable[[Condition], Sequence[Verdict]]) -> Iterator[Ranked]:
    verdicts = decide(pick.where) if pick.where is not None else None
    for dealer in free:
        if pick.tier is not None and dealer.tier != pick.tier:
            continue
        if verdicts is None or verdicts[dealer.row] is Verdict.TRUE:
            yield dealer
