"""Whom to whisper to next, and when to stop: Weitzman's search (1979) with leaks as its price.

Everyone asked but the winner leaks. So a dealer is worth asking up to its reservation price z, where
p E[(z - q)+] = leak + delay; less its leak, which it does not cost if it wins, z is the level that ranks dealers, lowest
first. With a quote in hand the next is asked only where
p E[(best + leak_next - q)+] > leak_next + delay + P(fade) x what its loss costs,
``best`` being the quote less the leak of who gave it. Everything in half-spreads from the mid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from serve.domain.beliefs import ClassTerms
from serve.domain.expected_utility import Utility
from serve.domain.market import Floats
from serve.domain.quote_odds import logistic

# The price of time, in half-spreads a step.
DELAY_HS = 0.01
# Above this impact of a leak a whisper is the better way to ask, as long as quotes stay and dealers do not quote wider to it.
WHISPER_ABOVE_IMPACT = 0.2
FADE_LIMIT, PREMIUM_LIMIT_HS = 0.12, 0.06


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One dealer in a whisper. A quote in hand that costs less than ``stop_below`` ends the asking before this dealer is asked.

    ``level`` is the reservation price less the leak; ``leak`` what losing costs. Half-spreads of the order, from the arrival mid.
    """

    row: int
    level: float
    leak: float
    stop_below: float


@dataclass(frozen=True, slots=True)
class Saving:
    """What a dealer's quote is expected to save against each price of the grid, by dealer: p E[(x - q)+], in half-spreads."""

    grid: Floats
    by_row: Floats

    def at(self, row: int, price: float) -> float:
        """Give the saving against one price; beyond the grid it grows by the chance of an answer."""
        return float(np.interp(price, self.grid, self.by_row[row]))


def savings(view: Utility, rows: Sequence[int]) -> Saving:
    """Work out what each of the dealers is expected to save when asked alone."""
    places, odds = np.asarray(rows, dtype=np.int64), view.odds
    axe = view.axe[places][:, None]
    quotes = (1 - axe) * logistic(odds.logit_plain[places])[:, None] * odds.plain[places]
    quotes += axe * logistic(odds.logit_axed[places])[:, None] * odds.axed[places]
    areas = 0.5 * (quotes[:, 1:] + quotes[:, :-1]) * odds.step
    return Saving(odds.grid, np.concatenate([np.zeros((len(places), 1)), np.cumsum(areas, axis=1)], axis=1))


def course(view: Utility, rows: Sequence[int], most: int, *, fade: float | None = None, all_of_them: bool = False) -> list[Step]:
    """Put dealers in the order of asking, each with the cost at which a quote in hand ends it. ``view`` has the premium in it.

    ``fade`` is the chance that the quote in hand dies while one dealer is asked; ``None`` = as fitted for the class.
    Whoever is not worth asking even with nothing in hand is left out, unless ``all_of_them``; of the others the first
    ``most`` are given.
    """
    saving, leak = savings(view, rows), view.beliefs.leak.mean[np.asarray(rows, dtype=np.int64)]
    terms = view.beliefs.terms
    levels = [_reached(saving, place, cost + DELAY_HS) - cost for place, cost in enumerate(leak.tolist())]
    order = sorted(range(len(levels)), key=lambda place: levels[place])
    chance = terms.fade if fade is None else fade
    steps: list[Step] = []
    for place in order:
        if len(steps) == most:
            break
        if steps and not all_of_them and saving.at(place, terms.outside_hs) <= leak[place] + DELAY_HS:
            continue
        steps.append(
            Step(
                row=int(rows[place]),
                level=levels[place],
                leak=float(leak[place]),
                stop_below=_stop_below(saving, place, float(leak[place]), chance, terms),
            )
        )
    return steps


def asks_on(best_hs: float | None, leak_of_best_hs: float, following: Step) -> bool:
    """Say whether the next dealer is asked. ``best_hs`` is the best quote in hand, ``None`` = none."""
    return best_hs is None or best_hs - leak_of_best_hs > following.stop_below


def _reached(saving: Saving, place: int, cost: float) -> float:
    """Give the price at which the expected saving pays for the cost; the grid's end where it never does."""
    worth = saving.by_row[place]
    return float(np.interp(cost, worth, saving.grid)) if cost < worth[-1] else float(saving.grid[-1])


def _stop_below(saving: Saving, place: int, leak: float, fade: float, terms: ClassTerms) -> float:
    """Solve for the quote in hand at which asking this dealer just pays.

    A quote that fades is made good by this dealer's answer at the most, so its loss costs what not trading costs less that.
    """
    grid = saving.grid
    gain = np.interp(grid + leak, grid, saving.by_row[place])
    fallback = terms.outside_hs - saving.by_row[place][-1]
    loss = fade * np.maximum(fallback - grid, 0.0)
    worth = gain - leak - DELAY_HS - loss
    paying = np.flatnonzero(worth > 0)
    if not len(paying):
        return float(grid[-1])
    first = int(paying[0])
    if first == 0:
        return float(grid[0])
    return float(np.interp(0.0, worth[first - 1 : first + 1], grid[first - 1 : first + 1]))


def whisper_pays(terms: ClassTerms) -> tuple[bool, str]:
    """Say whether to whisper where a rule leaves the mode open, and why."""
    figures = f"a leak costs {terms.impact_hs:.2f} half-spreads in {terms.scorecard_class}"
    if terms.impact_hs <= WHISPER_ABOVE_IMPACT:
        return False, f"{figures}, not above {WHISPER_ABOVE_IMPACT:g}, so all are asked at once"
    if terms.fade > FADE_LIMIT:
        return False, f"{figures}, but {terms.fade:.0%} of quotes die while one more dealer is asked, so all are asked at once"
    if terms.premium_hs > PREMIUM_LIMIT_HS:
        return (
            False,
            f"{figures}, but dealers quote {terms.premium_hs:.2f} half-spreads wider to a whisper, so all are asked at once",
        )
    return True, f"{figures}, above {WHISPER_ABOVE_IMPACT:g}, and quotes stay alive, so one dealer is asked after the other"
