"""How well a set of priors foretells what came: log scores of answers and quotes, errors of drifts (Gneiting and Raftery 2007)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from flows.backtest.charges import charged_costs
from flows.backtest.history import PastRfq
from flows.bootstrap import Floats
from flows.priors import Priors
from serve.domain.beliefs import Beliefs
from serve.domain.expected_utility import Utility, answer_odds, utility
from serve.domain.market import Security
from serve.domain.quote_odds import QuoteOdds, odds_of

NOW = ""
SEARCHED = ("half_life_days", "leak_half_life_days", "response_prior", "price_prior", "sector_prior")
_FACTORS = (0.5, 0.7, 1.4, 2.0)
# What a quote further off than any that is counted has for a density.
_LEAST_DENSITY = 1e-6


class Foretold(msgspec.Struct, frozen=True):
    """One day by one set of priors, sums and counts: log scores of ``answers`` and ``quotes``, squared errors of ``drifts``, gains
    of the picks over the mean of those asked; half-spreads.
    """

    day: str
    answers: float
    asked: int
    quotes: float
    quoted: int
    drifts: float
    drifted: int
    gain_hs: float
    picks: int


def candidates_of(priors: Priors) -> dict[str, Priors]:
    """Give priors that differ from these in one value each, by name and value."""
    found = {}
    for name in SEARCHED:
        for factor in _FACTORS:
            value = float(f"{getattr(priors, name) * factor:.3g}")
            found[f"{name}={value:g}"] = msgspec.structs.replace(priors, **{name: value})
    return found


def foretell(rfqs: Sequence[PastRfq], securities: Mapping[str, Security], beliefs: Mapping[str, Beliefs]) -> list[Foretold]:
    """Hold what was believed before against what came, day by day; RFQs in bonds or classes not on record do not count."""
    laid_out: dict[tuple[str, str | None], QuoteOdds] = {}
    days: dict[str, Floats] = defaultdict(lambda: np.zeros(8))
    for rfq in rfqs:
        own, bond = beliefs.get(rfq.scorecard_class), securities.get(rfq.security_id)
        if own is None or bond is None or not rfq.half_spread_bps:
            continue
        key = (rfq.scorecard_class, bond.sector)
        if key not in laid_out:
            laid_out[key] = odds_of(own, bond.sector)
        days[rfq.day.isoformat()] += _told(rfq, utility(own, bond.sector, rfq.side, laid_out[key]), bond.sector)
    return [_of_day(day, sums) for day, sums in sorted(days.items())]


def _told(rfq: PastRfq, view: Utility, sector: str | None) -> Floats:
    place = view.beliefs.row
    known = [(place[name], cost) for name, cost in zip(rfq.dealers, rfq.quoted_bps, strict=True) if name in place]
    if not known or not rfq.half_spread_bps:
        return np.zeros(8)
    rows = np.array([row for row, _ in known])
    quotes = np.array([np.nan if cost is None else cost for _, cost in known]) / rfq.half_spread_bps
    came = np.isfinite(quotes)
    chance = np.clip(answer_odds(view, 0 if rfq.sequential else len(rfq.dealers) - 1)[rows], 1e-3, 1 - 1e-3)
    answers = np.log(np.where(came, chance, 1 - chance)).sum()
    drift, drifted = _drift(rfq, view, rows, quotes)
    gain, picked = _gain(rfq, view, rows)
    density = _log_density(view, sector, rows[came], quotes[came])
    return np.array([answers, len(rows), density, came.sum(), drift, drifted, gain, picked])


def _log_density(view: Utility, sector: str | None, rows: Floats, quotes: Floats) -> float:
    """Give the log density of quotes: with an axe as likely as it is believed."""
    beliefs = view.beliefs
    places = rows.astype(np.int64)
    mean, sd, axe = beliefs.price_in(sector).mean[places], beliefs.price_sd[places], view.axe[places]

    def normal(at: Floats) -> Floats:
        return np.asarray(np.exp(-0.5 * ((quotes - at) / sd) ** 2) / (sd * np.sqrt(2 * np.pi)), dtype=np.float64)

    density = (1 - axe) * normal(mean) + axe * normal(mean - beliefs.terms.axe_gain_hs)
    return float(np.log(np.maximum(density, _LEAST_DENSITY)).sum())


def _drift(rfq: PastRfq, view: Utility, rows: Floats, quotes: Floats) -> tuple[float, int]:
    """Give the squared error of the drift as the sum of the losers' leaks; of a trade, the best quote won."""
    if rfq.impact_bps is None or not rfq.half_spread_bps:
        return 0.0, 0
    leaks = view.beliefs.leak.mean[rows.astype(np.int64)]
    won = leaks[int(np.nanargmin(quotes))] if rfq.executed_bps is not None and np.isfinite(quotes).any() else 0.0
    return float((rfq.impact_bps / rfq.half_spread_bps - (leaks.sum() - won)) ** 2), 1


def _gain(rfq: PastRfq, view: Utility, rows: Floats) -> tuple[float, int]:
    costs = charged_costs(rfq)
    if costs is None or len(costs) < 2 or len(rows) < len(costs) or not rfq.half_spread_bps:
        return 0.0, 0
    pick = int(np.argmax(view.alone[rows.astype(np.int64)]))
    return float((costs.mean() - costs[pick]) / rfq.half_spread_bps), 1


def _of_day(day: str, sums: Floats) -> Foretold:
    answers, asked, quotes, quoted, drifts, drifted, gain_hs, picks = sums.tolist()
    return Foretold(day, answers, int(asked), quotes, int(quoted), drifts, int(drifted), gain_hs, int(picks))
