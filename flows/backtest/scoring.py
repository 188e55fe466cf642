"""Past RFQs scored by the market of before: whom each challenger would have put first among those who were asked."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from expectations.contracts.vocabulary import Side
from flows.backtest.foretelling import Foretold
from flows.backtest.history import PastRfq
from flows.refused import Refused
from serve.domain.advise import Desk, weigh
from serve.domain.case import Case
from serve.domain.expected_utility import utility, worth_of
from serve.domain.market import Market
from serve.domain.models import answer_chance
from serve.domain.orders import Order, SecurityIdType
from serve.domain.rules import RuleFailed
from serve.domain.rules_bench import Bench

HISTORY = "history_mean"
_LONGEST_ID = 64
# A dealer that was not on record at the re-fit has no chance to hold against what came.
_NEVER_SEEN = -1.0
# ... and no score: it comes last, whatever the weights.
_LAST = -1e9


class View(msgspec.Struct, frozen=True):
    """What one challenger made of one RFQ: its first among those asked (``None`` = it knows none of them), the chance it gave
    each of them to quote, and the list that it would have asked itself. Where the list was left to chance, ``worth_asked`` and
    ``worth_own`` are what asking the logged list and its own is expected to be worth (bps against not trading, leaks included).
    ``parts`` are what the score of each dealer asked adds up from, in the order of the model's weights.
    """

    pick: str | None
    chances: list[float]
    asks: list[str]
    worth_asked: float = 0.0
    worth_own: float = 0.0
    parts: list[list[float]] = []


class ScoredRfq(msgspec.Struct, frozen=True, kw_only=True):
    """One RFQ with every challenger's view; ``expected_*`` are the desk's pre-trade figures, bps, ``None`` = not known."""

    rfq: PastRfq
    views: dict[str, View]
    expected_cost_bps: float | None
    expected_impact_bps: float | None


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """One walk: ``standings`` hold each challenger's score of every dealer by class as of the start (higher is better);
    ``unknown`` counts RFQs in bonds that were not on record then; ``foretold`` is how each set of priors did that was tried.
    """

    since: str
    until: str
    rfqs: list[ScoredRfq]
    standings: dict[str, dict[str, dict[str, float]]]
    unknown: int
    foretold: dict[str, list[Foretold]] = {}


def score_rfqs(
    rfqs: Sequence[PastRfq], market: Market, challengers: Mapping[str, Desk], means: Mapping[str, Mapping[str, float]]
) -> tuple[list[ScoredRfq], int]:
    """Score every RFQ whose bond the market knows; give them and how many it does not know.

    Raises Refused where a rule book cannot be evaluated on an order.
    """
    scored, unknown = [], 0
    for rfq in rfqs:
        if rfq.security_id in market.securities:
            scored.append(_scored(rfq, market, challengers, means.get(rfq.scorecard_class, {})))
        else:
            unknown += 1
    return scored, unknown


def standings_of(
    market: Market, challengers: Mapping[str, Desk], means: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, dict[str, float]]]:
    """Give every dealer's score by challenger and class, without an order."""
    classes = {(cards.scorecard_class, cards.asset_class) for cards in market.scorecards.values()}
    found: dict[str, dict[str, dict[str, float]]] = {HISTORY: {}}
    for name, desk in challengers.items():
        bench, spec = Bench.of(market, desk.book), desk.book.default.score
        found[name] = {}
        for card_class, asset_class in sorted(classes):
            standing = bench.standing(card_class, asset_class, spec)
            found[name][card_class] = dict(zip(standing.cards.dealer_ids, standing.rating.total.tolist(), strict=True))
    found[HISTORY] = {name: {dealer: -cost for dealer, cost in costs.items()} for name, costs in means.items()}
    return found


def _scored(rfq: PastRfq, market: Market, challengers: Mapping[str, Desk], means: Mapping[str, float]) -> ScoredRfq:
    order = _order(rfq, market)
    views, cost, impact = {HISTORY: _by_history(rfq, means)}, None, None
    for name, desk in challengers.items():
        try:
            case = weigh(order, market.securities[rfq.security_id], market, desk)
            views[name] = _view(case, rfq)
        except RuleFailed as error:
            raise Refused([f"{name}: RFQ {rfq.rfq_id}: {error}"]) from error
        cost, impact = case.view.expected_cost_bps, case.view.expected_impact_bps
    return ScoredRfq(rfq=rfq, views=views, expected_cost_bps=cost, expected_impact_bps=impact)


def _order(rfq: PastRfq, market: Market) -> Order:
    return Order(
        order_id=rfq.rfq_id[:_LONGEST_ID],
        security_id=rfq.security_id[:_LONGEST_ID],
        security_id_type=SecurityIdType.INTERNAL,
        side=Side(rfq.side),
        quantity=rfq.quantity,
        currency=market.securities[rfq.security_id].currency,
        received_at=rfq.arrived_at,
    )


def _view(case: Case, rfq: PastRfq) -> View:
    rows = [case.standing.cards.row.get(dealer, -1) for dealer in rfq.dealers]
    place = {row: rank for rank, row in enumerate(case.standing.by_score)}
    known = [(place[row], dealer) for row, dealer in zip(rows, rfq.dealers, strict=True) if row >= 0]
    odds = answer_chance(case.standing.rating, 0 if rfq.sequential else len(rows) - 1)
    chosen = case.shortlist().chosen.chosen
    never = [_LAST] * case.standing.rating.contributions.shape[1]
    asked_worth, own_worth = _worth(case, rfq, [row for row in rows if row >= 0], [ranked.row for ranked in chosen])
    return View(
        pick=min(known)[1] if known else None,
        chances=[round(float(odds[row]), 6) if row >= 0 else _NEVER_SEEN for row in rows],
        asks=[ranked.dealer_id for ranked in chosen],
        worth_asked=asked_worth,
        worth_own=own_worth,
        parts=[case.standing.rating.contributions[row].tolist() if row >= 0 else never for row in rows],
    )


def _worth(case: Case, rfq: PastRfq, asked: list[int], own: list[int]) -> tuple[float, float]:
    """Say what the fitted beliefs expect of two lists; zeros where nothing was left to chance, since nobody asks then."""
    if rfq.propensity is None or rfq.propensity >= 1:
        return 0.0, 0.0
    view = utility(case.standing.beliefs, case.security.sector, rfq.side)
    half_spread = rfq.half_spread_bps or 1.0
    return half_spread * worth_of(view, asked), half_spread * worth_of(view, own)


def _by_history(rfq: PastRfq, means: Mapping[str, float]) -> View:
    """Rank by the plain mean of past costs; who has none stands at the mean of the others."""
    middle = float(np.mean(list(means.values()))) if means else 0.0
    ranked = sorted((means.get(dealer, middle), dealer) for dealer in rfq.dealers)
    return View(pick=ranked[0][1] if means else None, chances=[], asks=[dealer for _, dealer in ranked])
