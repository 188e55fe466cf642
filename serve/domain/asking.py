"""How the chosen are asked: at once or in turn where the rules leave it open, in which turn, and when a quote in hand is enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from expectations.contracts.journal import WhisperLevel
from serve.domain.beliefs import Beliefs
from serve.domain.expected_utility import Utility, best_set, utility
from serve.domain.models import Context
from serve.domain.orders import Mode, Plan
from serve.domain.quote_odds import QuoteOdds
from serve.domain.whisper import course, whisper_pays


@dataclass(frozen=True, slots=True)
class Whispered:
    """A class as a whisper meets it: quotes wider by the premium that dealers take for being asked alone."""

    view: Utility
    context: Context

    @classmethod
    def of(cls, beliefs: Beliefs, context: Context, odds: QuoteOdds) -> "Whispered":
        """Look at one order's dealers as those of a whisper; ``odds`` have the premium in them."""
        return cls(utility(beliefs, context.sector, context.side, odds), context)

    def in_turn(self, allowed: Sequence[int], most: int, may_add: Callable[[int, list[int]], bool] | None = None) -> list[int]:
        """Give whom to ask, in turn: by reservation price, no more than ``most``."""
        turn: list[int] = []
        for step in course(self.view, allowed, len(allowed)):
            if len(turn) < most and (may_add is None or may_add(step.row, turn)):
                turn.append(step.row)
        return turn

    def levels(self, rows: Sequence[int]) -> tuple[WhisperLevel, ...]:
        """Give for each dealer when it is no longer worth asking, in bps; empty where the half-spread is not known."""
        spread = self.context.half_spread_bps
        if not spread or not rows:
            return ()
        names, steps = (
            self.view.beliefs.dealer_ids,
            {step.row: step for step in course(self.view, rows, len(rows), all_of_them=True)},
        )
        return tuple(
            WhisperLevel(dealer_id=names[row], stop_below_bps=steps[row].stop_below * spread, leak_bps=steps[row].leak * spread)
            for row in rows
        )


def settled(plan: Plan, beliefs: Beliefs) -> tuple[Plan, str]:
    """Settle a mode that the rules leave open; give the plan, and why in a sentence."""
    pays, why = whisper_pays(beliefs.terms)
    return replace(plan, mode=Mode.SEQUENTIAL if pays else Mode.PARALLEL), f"The rules leave open how to ask: {why}."


def grower(view: Utility | None, whispered: Whispered | None) -> Callable[..., list[int]] | None:
    """Give how ``expected_utility`` says how many to ask; ``None`` for a model that does not."""
    if view is None:
        return None
    return whispered.in_turn if whispered else partial(best_set, view)
