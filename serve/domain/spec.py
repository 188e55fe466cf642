"""What to score by: a model, and what it may be told. Everything that a rule book may get wrong is refused here."""

import difflib
import math
from collections.abc import Iterable, Mapping

import msgspec

from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS, HALF_LIVES_DAYS, WINDOWS_DAYS
from expectations.contracts.vocabulary import Metric
from serve.domain import scorecard
from serve.domain.market import METRICS
from serve.domain.terms import Term

SEED, SCORECARD, EXPECTED_UTILITY = "seed_v0", "scorecard", "expected_utility"
MODEL_NAMES = (SEED, SCORECARD, EXPECTED_UTILITY)
WEIGHTS_TOLERANCE = 1e-9
# The scorecard's axe is a bonus on top of the weights that add up to 1.
_BONUS = Term.AXE


class ScoringError(ValueError):
    """A model, window or set of weights that cannot be used; the message says which and what to write instead."""


class ScoreSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to score by. ``weights`` stand in the order in which contributions are added; ``expected_utility`` has none.

    ``window_days`` is that of the scorecards: ``seed_v0`` scores by them, and tiers come from them whatever the model.
    ``half_life_days`` = 0: every observation of the window weighs the same.
    """

    model: str
    window_days: int
    weights: tuple[tuple[str, float], ...]
    half_life_days: int = 0

    @property
    def metrics(self) -> tuple[tuple[Metric, float], ...]:
        """The weights of ``seed_v0``, by metric."""
        return tuple((Metric(name), weight) for name, weight in self.weights)


def spec_of(
    model: str,
    window_days: int | None = None,
    weights: Mapping[str, float] | None = None,
    *,
    half_life_days: int = 0,
    renormalise: bool = False,
) -> ScoreSpec:
    """Check a model, window, half-life and weights. Raises ``ScoringError`` naming what is wrong and the nearest valid choice.

    ``seed_v0`` needs a window and weights; ``scorecard`` may have weights of its own; ``expected_utility`` takes none. The fitted
    models forget at their own pace: a window or half-life there is that of the scorecards behind tiers.
    """
    if model not in MODEL_NAMES:
        raise ScoringError(f"unknown model {model!r}{_nearest(model, MODEL_NAMES)}; there are: {', '.join(MODEL_NAMES)}")
    if window_days is not None and window_days not in WINDOWS_DAYS:
        raise ScoringError(f"window {window_days}d is not kept; use one of {_kept(WINDOWS_DAYS)}")
    if half_life_days not in HALF_LIVES_DAYS:
        raise ScoringError(f"half_life {half_life_days}d is not kept; use one of {_kept(HALF_LIVES_DAYS)}, or leave it out")
    window = DEFAULT_WINDOW_DAYS if window_days is None else window_days
    if model == EXPECTED_UTILITY:
        if weights is not None or renormalise:
            raise ScoringError("weights have no place in expected_utility: its parts are in basis points already; leave them out")
        listed: tuple[tuple[str, float], ...] = ()
    elif model == SCORECARD:
        listed = _scorecard_weights(weights, renormalise=renormalise)
    else:
        if window_days is None:
            raise ScoringError(f"window is missing; seed_v0 needs one of {_kept(WINDOWS_DAYS)}")
        listed = _checked(weights or {}, METRICS, "metric", renormalise=renormalise)
    return ScoreSpec(model=model, window_days=window, weights=listed, half_life_days=half_life_days)


def _kept(days: Iterable[int]) -> str:
    return ", ".join(f"{count}d" for count in days if count)


def _scorecard_weights(weights: Mapping[str, float] | None, *, renormalise: bool) -> tuple[tuple[str, float], ...]:
    if weights is None:
        return scorecard.WEIGHTS
    bonus = weights.get(_BONUS, dict(scorecard.WEIGHTS)[_BONUS])
    if not 0 <= bonus < math.inf:
        raise ScoringError(f"the weight of {_BONUS} must not be below 0, not {bonus}")
    names = [term for term in scorecard.TERMS if term is not _BONUS]
    own = _checked({name: weight for name, weight in weights.items() if name != _BONUS}, names, "part", renormalise=renormalise)
    given = dict(own)
    # In the order of the model's own parts, so that two books that say the same add up the same.
    return (*((name, given.get(name, 0.0)) for name in names), (_BONUS, bonus))


def _checked(weights: Mapping[str, float], names: Iterable[str], what: str, *, renormalise: bool) -> tuple[tuple[str, float], ...]:
    listed = [str(name) for name in names]
    if not weights:
        raise ScoringError(f"weights are empty; name at least one {what}")
    for name, weight in weights.items():
        if name not in listed:
            raise ScoringError(f"unknown {what} {name!r}{_nearest(name, listed)}; there are: {', '.join(listed)}")
        if not 0 < weight < math.inf:
            raise ScoringError(f"the weight of {name} must be above 0, not {weight}")
    total = math.fsum(weights.values())
    if abs(total - 1) > WEIGHTS_TOLERANCE and not renormalise:
        raise ScoringError(f"weights add up to {total:.4g}, not 1; correct them or say 'renormalise: true'")
    divisor = total if renormalise else 1.0
    return tuple((name, weight / divisor) for name, weight in weights.items())


def _nearest(name: str, choices: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(choices), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
