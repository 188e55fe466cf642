"""``expected_utility``: what asking is expected to be worth, in basis points, and so how many to ask.

Asking a set S of k dealers costs E[min(q, outside)] + sum of leak x (1 - P(fill) / k), in half-spreads: the best quote that
comes, and the leak of everyone who is told and does not win. The set grows by the dealer that helps most until none helps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from expectations.contracts.vocabulary import Side
from serve.domain.beliefs import Beliefs
from serve.domain.market import Counts, Floats
from serve.domain.quote_odds import QuoteOdds, integral, logistic, odds_of
from serve.domain.terms import Term

TERMS: tuple[Term, ...] = (Term.CLASS_MEAN, Term.RESPONSE, Term.PRICE, Term.SECTOR_PRICE, Term.AXE, Term.LEAK)
# Beyond the best few by their own worth nobody enters a set: their gain could not be larger than a better one's.
_CONTENDERS = 32
_LEAST_GAIN_HS = 1e-6


@dataclass(frozen=True, slots=True)
class Utility:
    """One order's view of a class: ``contributions`` is dealers x ``TERMS`` in HS, ``alone`` their sum: a dealer's worth if
    it alone is asked, against not trading. ``axe`` is each dealer's probability of an axe that suits.
    """

    beliefs: Beliefs
    odds: QuoteOdds
    axe: Floats
    contributions: Floats
    alone: Floats


def utility(beliefs: Beliefs, sector: str | None, side: Side | None, odds: QuoteOdds | None = None) -> Utility:
    """Take every dealer's worth apart; without a side, axes stand at their base rate. ``odds`` are those of the sector.

    The parts are steps from the class's mean dealer to this one, so they add up exactly.
    """
    odds = odds or odds_of(beliefs, sector)
    terms, size = beliefs.terms, len(beliefs.dealer_ids)
    axe = np.full(size, terms.axe_base) if side is None else beliefs.axe_of(sector, side)
    mean = _class_worth(beliefs)
    answers, answers_axed = logistic(odds.logit_plain), logistic(odds.logit_axed)
    plain = answers * odds.worth_plain
    filled = (1 - axe) * answers * odds.plain[:, -1] + axe * answers_axed * odds.axed[:, -1]
    contributions = np.column_stack(
        [
            np.full(size, terms.response * mean),
            (answers - terms.response) * mean,
            answers * (odds.worth_usual - mean),
            answers * (odds.worth_plain - odds.worth_usual),
            axe * (answers_axed * odds.worth_axed - plain),
            -beliefs.leak.mean * (1 - filled),
        ]
    )
    alone = np.zeros(size)
    for column in range(len(TERMS)):
        alone = alone + contributions[:, column]
    return Utility(beliefs, odds, axe, contributions, alone)


def best_set(
    view: Utility, allowed: Sequence[int], most: int, may_add: Callable[[int, list[int]], bool] | None = None
) -> list[int]:
    """Grow the set that is expected to cost least, from the rows ``allowed``; give it in the order in which it grew.

    ``most`` bounds it; ``may_add`` may refuse a row beside those chosen. Somebody is always asked, if anybody may be.
    """
    rows = np.asarray(allowed, dtype=np.int64)
    if len(rows) > _CONTENDERS:
        rows = rows[np.argsort(-view.alone[rows], kind="stable")[:_CONTENDERS]]
    contenders = _contenders(view, rows)
    chosen: list[int] = []
    open_ = np.ones(len(rows), dtype=bool)
    so_far = -np.inf
    while len(chosen) < min(most, len(rows)):
        worth = _worth_with(contenders, chosen)
        worth[~open_] = -np.inf
        best = int(np.argmax(worth))
        if may_add is not None:
            while open_.any() and np.isfinite(worth[best]) and not may_add(int(rows[best]), [int(rows[place]) for place in chosen]):
                worth[best], open_[best] = -np.inf, False
                best = int(np.argmax(worth))
        if not np.isfinite(worth[best]) or (chosen and worth[best] <= so_far + _LEAST_GAIN_HS):
            break
        so_far = float(worth[best])
        chosen.append(best)
        open_[best] = False
    return [int(rows[place]) for place in chosen]


def answer_odds(view: Utility, further: int) -> Floats:
    """Give each dealer's probability of quoting where ``further`` others are asked at once, with an axe as likely as it is."""
    crowd = view.odds.crowd_logit * further
    plain, axed = logistic(view.odds.logit_plain + crowd), logistic(view.odds.logit_axed + crowd)
    return (1 - view.axe) * plain + view.axe * axed


def worth_of(view: Utility, rows: Sequence[int]) -> float:
    """Give what asking these dealers at once is expected to be worth against not trading, in HS."""
    if not rows:
        return 0.0
    worth = _worth_with(_contenders(view, np.asarray(rows, dtype=np.int64)), list(range(len(rows) - 1)))
    return float(worth[len(rows) - 1])


@dataclass(frozen=True, slots=True)
class _Contenders:
    """Dealers that may enter a set: logits of answering, quotes weighed by having no axe or one (x grid), leaks."""

    odds: QuoteOdds
    logit_plain: Floats
    logit_axed: Floats
    plain: Floats
    axed: Floats
    leak: Floats


def _contenders(view: Utility, rows: Counts) -> _Contenders:
    odds, axe = view.odds, view.axe[rows][:, None]
    return _Contenders(
        odds=odds,
        logit_plain=odds.logit_plain[rows],
        logit_axed=odds.logit_axed[rows],
        plain=(1 - axe) * odds.plain[rows],
        axed=axe * odds.axed[rows],
        leak=view.beliefs.leak.mean[rows],
    )


def _worth_with(contenders: _Contenders, chosen: list[int]) -> Floats:
    """Give the worth of the chosen with each further dealer, in HS; one entry per contender."""
    size = len(chosen) + 1
    crowd = contenders.odds.crowd_logit * (size - 1)
    quotes = logistic(contenders.logit_plain + crowd)[:, None] * contenders.plain
    quotes += logistic(contenders.logit_axed + crowd)[:, None] * contenders.axed
    none_of_them = np.prod(1 - quotes[chosen], axis=0) if chosen else 1.0
    answered = 1 - none_of_them * (1 - quotes)
    told = contenders.leak[chosen].sum() + contenders.leak
    worth: Floats = integral(answered, contenders.odds.step) - told * (1 - answered[:, -1] / size)
    return worth


def _class_worth(beliefs: Beliefs) -> float:
    """Give what a quote of the class's mean dealer is expected to save against not trading, in HS."""
    terms = beliefs.terms
    distance = (terms.outside_hs - terms.price_hs) / terms.price_sd_hs
    # E[(z - X)+] of a normal X in closed form.
    below = 0.5 * (1 + math.erf(distance / math.sqrt(2)))
    return terms.price_sd_hs * (distance * below + math.exp(-distance * distance / 2) / math.sqrt(2 * math.pi))
