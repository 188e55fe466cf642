"""What is believed of every dealer of one scorecard class: fitted figures, a row per dealer, ready for arithmetic.

Costs are in half-spreads (HS) of the class from the arrival mid, positive = against us. A dealer without history has the class's
own figures and a count of zero: the prior ranks it, it is not lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from expectations.contracts.vocabulary import Side

Floats = NDArray[np.float64]

# Of what stands in the snapshot where a class has no figures at all: a specialist's response, a middling quote.
_NO_RESPONSE, _NO_PRICE_HS, _NO_SD_HS, _NO_LEAK_HS = 0.7, 0.7, 0.41, 0.07


class ClassTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a whole class. ``half_spread_bps`` turns HS into bps of price; ``None`` = not known, and bps are not either.

    ``outside_hs`` is what not trading costs; ``crowd_logit`` what each further dealer asked at once adds to the logit of a
    response; ``axe_gain_hs`` and ``axe_logit`` what an axe takes off the price and adds to that logit; ``axe_base`` how often a
    dealer has one; ``impact_hs`` what one leak costs; ``fade`` the chance that a quote dies while one further dealer is asked;
    ``premium_hs`` how much wider dealers quote to a whisper.
    """

    scorecard_class: str
    half_spread_bps: float | None
    outside_hs: float = 1.5
    response: float = _NO_RESPONSE
    price_hs: float = _NO_PRICE_HS
    price_sd_hs: float = _NO_SD_HS
    leak_hs: float = _NO_LEAK_HS
    crowd_logit: float = -0.15
    axe_gain_hs: float = 0.35
    axe_logit: float = 1.0
    axe_base: float = 0.08
    impact_hs: float = 0.7
    fade: float = 0.0
    fade_n: int = 0
    premium_hs: float = 0.0
    premium_n: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One fitted figure of every dealer: shrunk mean, observations behind it, and its 95 % interval."""

    mean: Floats
    n: Floats
    low: Floats
    high: Floats

    def take(self, rows: Floats, fill: float) -> "Figure":
        """Give the figure for other rows; -1 = nothing is known, ``fill`` stands in with no observations."""
        known = rows >= 0
        picked = np.where(known, rows, 0).astype(np.int64)

        def spread(source: Floats, stand_in: float) -> Floats:
            return np.where(known, source[picked], stand_in) if len(source) else np.full(len(rows), stand_in)

        return Figure(spread(self.mean, fill), spread(self.n, 0.0), spread(self.low, np.nan), spread(self.high, np.nan))


@dataclass(frozen=True, slots=True)
class Beliefs:
    """One class. ``response`` is the probability to quote when asked alone and without an axe; ``price`` the mean quote in HS
    without an axe; ``leak`` what losing costs us in HS. ``axes`` is the probability of an axe on the side that suits, and
    ``advertised`` whether one is told of, by sector and our side; ``axe_gain`` the HS gained when the dealer advertised.
    ``sector_prices`` and ``sector_card_prices`` are ``price`` and ``card_price`` in each sector, where there are several.
    """

    terms: ClassTerms
    dealer_ids: tuple[str, ...]
    response: Figure
    price: Figure
    price_sd: Floats
    leak: Figure
    axe_gain: Figure
    card_response: Figure
    card_price: Figure
    card_leak: Figure
    axes: Mapping[tuple[str, Side], Floats] = field(default_factory=dict)
    advertised: Mapping[tuple[str, Side], Floats] = field(default_factory=dict)
    sector_prices: Mapping[str, Figure] = field(default_factory=dict)
    sector_card_prices: Mapping[str, Figure] = field(default_factory=dict)
    row: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", {dealer_id: index for index, dealer_id in enumerate(self.dealer_ids)})

    def price_in(self, sector: str | None) -> Figure:
        """Give each dealer's mean quote in a sector; where nobody quoted in it, that of the class."""
        return self.sector_prices.get(sector or "", self.price)

    def card_price_in(self, sector: str | None) -> Figure:
        """Give the same as the scorecard counts it: as quoted, axes and all."""
        return self.sector_card_prices.get(sector or "", self.card_price)

    def axe_of(self, sector: str | None, side: Side) -> Floats:
        """Give each dealer's probability of an axe that suits us; the base rate where nothing was ever seen."""
        known = self.axes.get((sector or "", side))
        return np.full(len(self.dealer_ids), self.terms.axe_base) if known is None else known

    def told_of(self, sector: str | None, side: Side) -> Floats:
        """Give 1.0 where a dealer advertises an axe that suits us, else 0.0."""
        known = self.advertised.get((sector or "", side))
        return np.zeros(len(self.dealer_ids)) if known is None else known


def unknown(terms: ClassTerms, dealer_ids: tuple[str, ...]) -> Beliefs:
    """Give the class's own figures for dealers of whom nothing is known."""
    nothing = np.empty(0)
    empty = Figure(nothing, nothing, nothing, nothing)
    none = Beliefs(terms, (), empty, empty, nothing, empty, empty, empty, empty, empty)
    return covering_beliefs(none, dealer_ids)


def covering_beliefs(beliefs: Beliefs, dealer_ids: tuple[str, ...]) -> Beliefs:
    """Give beliefs with a row for each of ``dealer_ids``; who is missing has the class's figures and no observations."""
    if beliefs.dealer_ids == dealer_ids:
        return beliefs
    terms = beliefs.terms
    rows = np.array([beliefs.row.get(dealer_id, -1) for dealer_id in dealer_ids], dtype=np.float64)
    known = rows >= 0
    picked = np.where(known, rows, 0).astype(np.int64)

    def spread(source: Floats, fill: float) -> Floats:
        return np.where(known, source[picked], fill) if len(source) else np.full(len(rows), fill)

    def by_sector(figures: Mapping[str, Figure]) -> Mapping[str, Figure]:
        return {sector: figure.take(rows, terms.price_hs) for sector, figure in figures.items()}

    return replace(
        beliefs,
        dealer_ids=dealer_ids,
        response=beliefs.response.take(rows, terms.response),
        price=beliefs.price.take(rows, terms.price_hs),
        price_sd=spread(beliefs.price_sd, terms.price_sd_hs),
        leak=beliefs.leak.take(rows, terms.leak_hs),
        axe_gain=beliefs.axe_gain.take(rows, terms.axe_gain_hs),
        card_response=beliefs.card_response.take(rows, terms.response),
        card_price=beliefs.card_price.take(rows, terms.price_hs),
        card_leak=beliefs.card_leak.take(rows, terms.leak_hs / terms.impact_hs if terms.impact_hs else 0.1),
        axes={cell: spread(figures, terms.axe_base) for cell, figures in beliefs.axes.items()},
        advertised={cell: spread(figures, 0.0) for cell, figures in beliefs.advertised.items()},
        sector_prices=by_sector(beliefs.sector_prices),
        sector_card_prices=by_sector(beliefs.sector_card_prices),
    )
