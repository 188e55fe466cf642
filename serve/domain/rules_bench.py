"""The dealers of one snapshot as one rule book sees them: scores, tiers and conditions on dealers, worked out once.

A condition that names nothing of the order is decided when the snapshot or the book changes (``warm``); one that does is decided
once per distinct value of what it names. A request only looks up.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from serve.domain.beliefs import Beliefs, ClassTerms, unknown
from serve.domain.eligibility import Excluded, gate
from serve.domain.market import COLUMN, METRICS, Market, Scorecards
from serve.domain.models import Context, Rating, hangs_on_order, rate
from serve.domain.quote_odds import QuoteOdds, odds_of
from serve.domain.rules import Condition, Rule, RuleBook, RuleFailed, Verdict
from serve.domain.rules_logic import Among, possible
from serve.domain.scoring import covering
from serve.domain.selection import cut_points, tier_of
from serve.domain.shortlist import Shortlists
from serve.domain.spec import EXPECTED_UTILITY, ScoreSpec

_KEPT_BENCHES, _KEPT_ANSWERS = 4, 512
_SAME_IN_EVERY_CLASS = frozenset({"dealer.id", "dealer.specialties"})
_UNKNOWN = object()

Verdicts = tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One class's dealers scored by one specification; ``tiers`` and ``facts`` by row, ``by_score`` rows, best first.

    ``rating`` is for the class as a whole; where a model looks at the order, ``for_order`` gives the standing for it.
    """

    cards: Scorecards
    beliefs: Beliefs
    spec: ScoreSpec
    rating: Rating
    tiers: tuple[int | None, ...]
    by_score: tuple[int, ...]
    facts: tuple[Mapping[str, object], ...]
    laid_out: dict[tuple[str | None, float], QuoteOdds] = field(default_factory=dict, repr=False)

    def odds(self, sector: str | None, *, premium_hs: float = 0.0) -> QuoteOdds:
        """Give the odds of quotes in a sector, laid out once; sectors without figures of their own share one."""
        key = (sector if (sector or "") in self.beliefs.sector_prices else None, premium_hs)
        known = self.laid_out.get(key)
        if known is None:
            known = self.laid_out[key] = odds_of(self.beliefs, key[0], premium_hs)
        return known

    def for_order(self, context: Context) -> "Standing":
        """Give the standing as this order has it: the same dealers and facts, scored for its sector, side and size."""
        if not hangs_on_order(self.spec):
            return self
        odds = self.odds(context.sector) if self.spec.model == EXPECTED_UTILITY else None
        rating = rate(self.spec, self.cards, self.beliefs, context, odds)
        return replace(self, rating=rating, by_score=_best_first(rating))


class Bench:
    """Use ``Bench.of``: the same snapshot and book give the same bench."""

    def __init__(self, market: Market, book: RuleBook) -> None:
        self._market, self._book = market, book
        self._dealer_ids = tuple(sorted(market.dealers))
        self._standings: dict[tuple[str, str, ScoreSpec], Standing] = {}
        self._decided: dict[tuple[object, ...], Verdicts] = {}
        self._by_order: OrderedDict[tuple[object, ...], Verdicts] = OrderedDict()
        self._stops: tuple[date, tuple[Excluded | None, ...]] | None = None
        self.shortlists = Shortlists(dealer.credit_limit for dealer in market.dealers.values())

    @classmethod
    def of(cls, market: Market, book: RuleBook) -> "Bench":
        """Give the bench of a snapshot and a book; it is kept with the snapshot."""
        memo, key = market.memo, id(book)
        bench = memo.get(key)
        if not isinstance(bench, Bench) or bench._book is not book:
            bench = cls(market, book)
            while len(memo) >= _KEPT_BENCHES:
                memo.pop(next(iter(memo)), None)
            memo[key] = bench
        elif next(reversed(memo), key) != key:
            # Moved to the end: the one that was used most lately is the last to go.
            memo.pop(key, None)
            memo[key] = bench
        return bench

    def warm(self, pause: Callable[[], None] = lambda: None) -> int:
        """Decide every condition that hangs on dealers alone, for the classes that its rule is for; give how many were.

        ``pause`` is called between two conditions, so that whoever waits for the processor gets it.
        """
        decided = 0
        default = self._book.default.score
        wanted = (default.window_days, default.half_life_days)
        for cards in [cards for (_, *span), cards in self._market.scorecards.items() if tuple(span) == wanted]:
            self._lay_out(self.standing(cards.scorecard_class, cards.asset_class, self._book.default.score), pause)
            for condition, spec in self._conditions(cards):
                decided += self._decide_early(condition, self.standing(cards.scorecard_class, cards.asset_class, spec))
                pause()
        return decided

    def standing(self, scorecard_class: str, asset_class: str, spec: ScoreSpec) -> Standing:
        """Give a class's dealers, every dealer on record among them, scored and in tiers."""
        key = (scorecard_class, asset_class, spec)
        known = self._standings.get(key)
        if known is None:
            known = self._standings[key] = self._stood(*key)
        return known

    def verdicts(self, condition: Condition, standing: Standing, order_values: Mapping[str, object]) -> Verdicts:
        """Decide a condition for every dealer, by row. Raises ``RuleFailed``."""
        named = _of_order(condition)
        key = (condition, *_scope(condition, standing), *(order_values.get(name, _UNKNOWN) for name in named))
        kept = self._by_order if named else self._decided
        known = kept.get(key)
        if known is None:
            asked = {name: order_values[name] for name in named if name in order_values}
            known = kept[key] = tuple(condition.evaluate({**asked, **facts}) for facts in standing.facts)
            while len(self._by_order) > _KEPT_ANSWERS:
                self._by_order.popitem(last=False)
        return known

    def stops(self, today: date) -> tuple[Excluded | None, ...]:
        """Give the gate that stops each dealer whatever the order's size, by row."""
        if self._stops is None or self._stops[0] != today:
            dealers = self._market.dealers
            self._stops = (today, tuple(gate(dealers[name], 0.0, today) for name in self._dealer_ids))
        return self._stops[1]

    def _stood(self, scorecard_class: str, asset_class: str, spec: ScoreSpec) -> Standing:
        wanted = (scorecard_class, spec.window_days, spec.half_life_days)
        cards = covering(self._market.scorecards.get(wanted), wanted, self._dealer_ids)
        beliefs = self._market.beliefs.get(scorecard_class)
        if beliefs is None:
            beliefs = unknown(ClassTerms(scorecard_class=scorecard_class, half_spread_bps=None), self._dealer_ids)
        rating = rate(spec, cards, beliefs)
        cuts = cut_points(self._book.tiers, scorecard_class, asset_class)
        tiers = tuple(tier_of(float(share), cuts) for share in cards.rank_share)
        totals = rating.total.tolist()
        facts = tuple(self._facts(cards, row, tiers[row], totals[row]) for row in range(len(totals)))
        return Standing(cards, beliefs, spec, rating, tiers, _best_first(rating), facts)

    def _facts(self, cards: Scorecards, row: int, tier: int | None, total: float) -> Mapping[str, object]:
        dealer = self._market.dealers[cards.dealer_ids[row]]
        facts: dict[str, object] = {
            "dealer.id": dealer.dealer_id,
            "dealer.specialties": list(dealer.specialties),
            "dealer.score": total,
            "dealer.rfqs_asked": int(cards.asked[row]),
        }
        if tier is not None:
            facts |= {"dealer.tier": tier, "dealer.composite": float(cards.composite[row])}
        return facts | {f"dealer.scores.{metric}": float(cards.score[row, COLUMN[metric]]) for metric in METRICS}

    def _conditions(self, cards: Scorecards) -> Iterator[tuple[Condition, ScoreSpec]]:
        default = self._book.default
        yield from ((pick.where, default.score) for pick in default.pick if pick.where)
        for rule in (*self._book.selects, *self._book.constrains):
            if _for_class(rule, cards):
                spec = rule.score or default.score
                yield from ((pick.where, spec) for pick in rule.pick or () if pick.where)
                if rule.exclude and rule.exclude.where:
                    yield rule.exclude.where, spec

    def _lay_out(self, standing: Standing, pause: Callable[[], None]) -> None:
        if standing.spec.model == EXPECTED_UTILITY:
            for sector in (None, *standing.beliefs.sector_prices):
                standing.odds(sector)
                pause()

    def _decide_early(self, condition: Condition, standing: Standing) -> int:
        if _of_order(condition):
            return 0
        try:
            return len(self.verdicts(condition, standing, {}))
        except RuleFailed:
            # The request that needs it will say so, with the order at hand.
            return 0


def _best_first(rating: Rating) -> tuple[int, ...]:
    # Rows stand by dealer id, and the sort is stable: equal scores stay in the order of ids.
    return tuple(np.argsort(-rating.total, kind="stable").tolist())


def _of_order(condition: Condition) -> Sequence[str]:
    return [name for name in condition.names if not name.startswith("dealer.")]


def _scope(condition: Condition, standing: Standing) -> tuple[object, ...]:
    of_dealer = {name for name in condition.names if name.startswith("dealer.")}
    if of_dealer <= _SAME_IN_EVERY_CLASS:
        return ()
    cards = standing.cards
    span = (cards.window_days, cards.half_life_days)
    return (cards.scorecard_class, cards.asset_class, standing.spec if "dealer.score" in of_dealer else span)


def _for_class(rule: Rule, cards: Scorecards) -> bool:
    named = {"order.asset_class": cards.asset_class, "order.scorecard_class": cards.scorecard_class}
    bounds = {name: Among(frozenset({word})) for name, word in named.items()}
    return bool(possible(rule.when.cases, bounds))
