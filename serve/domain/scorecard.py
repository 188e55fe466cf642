"""``scorecard``: a weighted sum that a trader can read, of figures that mean something.

100 x (0.40 x response + 0.40 x (1 - quoted cost in half-spreads) + 0.20 x (1 - leak)) + 45 x axe, in points. Every quote
counts, won or lost; leak is the drift after RFQs that the dealer lost, over what a leak costs; the axe's part is the gain
that this dealer's advertisements brought, where it advertises now.
"""

from dataclasses import dataclass

import numpy as np

from expectations.contracts.vocabulary import Side
from serve.domain.beliefs import Beliefs
from serve.domain.market import Floats
from serve.domain.terms import Term

TERMS: tuple[Term, ...] = (Term.RESPONSE, Term.PRICE, Term.LEAK, Term.AXE)
WEIGHTS: tuple[tuple[Term, float], ...] = ((Term.RESPONSE, 0.40), (Term.PRICE, 0.40), (Term.LEAK, 0.20), (Term.AXE, 0.45))
POINTS = 100.0
# How many to ask: a leak that costs little lets more in.
_CHEAP_LEAK_HS, _MANY, _FEW = 0.25, 6, 3


@dataclass(frozen=True, slots=True)
class Card:
    """Component scores (dealers x ``TERMS``) and their sum in points."""

    beliefs: Beliefs
    scores: Floats
    contributions: Floats
    total: Floats


def card(beliefs: Beliefs, sector: str | None, side: Side | None, weights: tuple[tuple[Term, float], ...] = WEIGHTS) -> Card:
    """Add up every dealer's points; without a side nobody counts as advertising."""
    told = np.zeros(len(beliefs.dealer_ids)) if side is None else beliefs.told_of(sector, side)
    scores = np.column_stack(
        [
            beliefs.card_response.mean,
            1 - beliefs.card_price_in(sector).mean,
            1 - beliefs.card_leak.mean,
            told * beliefs.axe_gain.mean,
        ]
    )
    contributions = scores * np.array([POINTS * weight for _, weight in weights])
    total = np.zeros(len(scores))
    for column in range(contributions.shape[1]):
        total = total + contributions[:, column]
    return Card(beliefs, scores, contributions, total)


def usual_count(beliefs: Beliefs) -> int:
    """Give how many to ask where the rule leaves it open: six where leaks are cheap, else three."""
    return _MANY if beliefs.terms.impact_hs <= _CHEAP_LEAK_HS else _FEW
