"""The scoring models behind one interface: ``seed_v0``, ``scorecard`` and ``expected_utility``.

``rate`` scores every dealer of a class, for an order or (without one) for the class as a whole; whatever the model, a
dealer's score is the sum of the contributions of its parts, added from left to right.
"""

from dataclasses import dataclass

import numpy as np

from expectations.contracts.vocabulary import METRIC_UNITS, Metric, Side
from serve.domain import scorecard
from serve.domain.beliefs import Beliefs, Figure
from serve.domain.expected_utility import TERMS, Utility, answer_odds, utility
from serve.domain.market import COLUMN, Floats, Scorecards
from serve.domain.quote_odds import QuoteOdds
from serve.domain.scoring import Component, Scores, known, score
from serve.domain.spec import EXPECTED_UTILITY, SCORECARD, SEED, ScoreSpec
from serve.domain.terms import TERM_UNITS, Term

# Below so many lost RFQs whose drift is known, a dealer's leak is not shown.
LEAST_LOSSES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What of an order bears on a score. ``half_spread_bps`` is for the order's size; ``None`` = not known."""

    sector: str | None
    side: Side
    half_spread_bps: float | None


@dataclass(frozen=True, slots=True)
class Rating:
    """Every dealer's score, by row, with what it is made of. ``unit`` is that of the score and of each contribution.

    ``view`` is there for ``expected_utility``, ``card`` for ``scorecard``; ``sector`` is the order's, ``None`` = all of the class.
    """

    spec: ScoreSpec
    cards: Scorecards
    beliefs: Beliefs
    contributions: Floats
    total: Floats
    unit: str
    view: Utility | None = None
    card: scorecard.Card | None = None
    sector: str | None = None


def hangs_on_order(spec: ScoreSpec) -> bool:
    """Say whether a model's scores differ between two orders of one class."""
    return spec.model != SEED


def rate(
    spec: ScoreSpec, cards: Scorecards, beliefs: Beliefs, context: Context | None = None, odds: QuoteOdds | None = None
) -> Rating:
    """Score every dealer by the model that ``spec`` names. ``cards`` and ``beliefs`` have the same dealers in the same order.

    ``expected_utility`` is in bps of price where the half-spread is known, else in half-spreads; ``scorecard`` is in points.
    """
    sector, side = (context.sector, context.side) if context else (None, None)
    if spec.model == SCORECARD:
        made = scorecard.card(beliefs, sector, side, tuple((Term(name), weight) for name, weight in spec.weights))
        return Rating(spec, cards, beliefs, made.contributions, made.total, "points", card=made, sector=sector)
    if spec.model == EXPECTED_UTILITY:
        view = utility(beliefs, sector, side, odds)
        spread = context.half_spread_bps if context else beliefs.terms.half_spread_bps
        contributions = view.contributions * (spread or 1.0)
        total = np.zeros(len(contributions))
        for column in range(len(TERMS)):
            total = total + contributions[:, column]
        unit = "bps" if spread else "half-spreads"
        return Rating(spec, cards, beliefs, contributions, total, unit, view=view, sector=sector)
    scores: Scores = score(cards, spec)
    return Rating(spec, cards, beliefs, scores.contributions, scores.total, "score")


def answer_chance(rating: Rating, further: int) -> Floats:
    """Give each dealer's probability of quoting, by row, where ``further`` others are asked at once.

    Only ``expected_utility`` knows of crowds and axes; the others say what share of their RFQs dealers quoted.
    """
    if rating.view is not None:
        return answer_odds(rating.view, further)
    if rating.card is not None:
        return rating.beliefs.card_response.mean
    shares: Floats = rating.cards.score[:, COLUMN[Metric.RESPONSE_RATE]]
    return shares


def parts(rating: Rating, row: int) -> list[Component]:
    """Take one dealer's score apart. Where a sector has no figures of its own, there is no part of it to show."""
    if rating.view is not None:
        own = (rating.sector or "") in rating.beliefs.sector_prices
        shown = [(place, term) for place, term in enumerate(TERMS) if own or term is not Term.SECTOR_PRICE]
        return [_term(rating, term, row, place, 1.0) for place, term in shown]
    if rating.card is not None:
        weights = dict(rating.spec.weights)
        return [
            _term(rating, term, row, place, scorecard.POINTS * weights[term])
            for place, term in enumerate(scorecard.TERMS)
            if term in weights
        ]
    cards = rating.cards
    return [
        Component(
            metric=metric,
            raw=known(cards.raw[row, COLUMN[metric]]),
            unit=METRIC_UNITS[metric],
            n=int(cards.n[row, COLUMN[metric]]),
            score=float(cards.score[row, COLUMN[metric]]),
            weight=weight,
            contribution=float(rating.contributions[row, place]),
            low=known(cards.low[row, COLUMN[metric]]),
            high=known(cards.high[row, COLUMN[metric]]),
        )
        for place, (metric, weight) in enumerate(rating.spec.metrics)
    ]


def _term(rating: Rating, term: Term, row: int, place: int, weight: float) -> Component:
    """Show one part of a fitted score; ``score`` is the contribution before its weight.

    A leak seen on few losses names nobody: its figure is withheld, and what it contributes is mostly the prior.
    """
    figure = _figure(rating, term, row)
    withheld = term is Term.LEAK and figure.n[0] < LEAST_LOSSES
    contribution = float(rating.contributions[row, place])
    return Component(
        metric=term,
        raw=None if withheld else known(figure.mean[0]),
        unit=TERM_UNITS[term],
        n=int(figure.n[0]),
        score=contribution / weight if weight else 0.0,
        weight=weight,
        contribution=contribution,
        low=None if withheld else known(figure.low[0]),
        high=None if withheld else known(figure.high[0]),
    )


def _figure(rating: Rating, term: Term, row: int) -> Figure:
    """Give the figure behind one part, of one dealer."""
    beliefs, view, card = rating.beliefs, rating.view, rating.card
    of_card = card is not None
    one = np.array([float(row)])
    fitted = {
        Term.RESPONSE: beliefs.card_response if of_card else beliefs.response,
        Term.PRICE: beliefs.card_price_in(rating.sector) if of_card else beliefs.price,
        Term.SECTOR_PRICE: beliefs.price_in(rating.sector),
        Term.LEAK: beliefs.card_leak if of_card else beliefs.leak,
    }
    if term in fitted:
        return fitted[term].take(one, np.nan)
    unknown = np.array([np.nan])
    if term is Term.CLASS_MEAN:
        return Figure(rating.contributions[row : row + 1, 0], np.array([beliefs.response.n.sum()]), unknown, unknown)
    if card is not None:
        return beliefs.axe_gain.take(one, np.nan)
    axe = view.axe[row : row + 1] if view is not None else unknown
    return Figure(axe, beliefs.axe_gain.n[row : row + 1], unknown, unknown)
