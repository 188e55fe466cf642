"""What losing costs, dealer by dealer: the drift after an RFQ, regressed on who was asked and did not win."""

from dataclasses import dataclass

import numpy as np

from flows.fit_state import Floats, Knobs, State

_Z = 1.96
_LEAST_VARIANCE = 0.005
_LEAST_SPREAD = 1e-4


@dataclass(frozen=True, slots=True)
class Leaks:
    """Half-spreads per RFQ lost, never negative; ``class_mean`` by group; ``n`` is RFQs lost whose drift is known."""

    class_mean: Floats
    mean: Floats
    n: Floats
    low: Floats
    high: Floats


def leaks_of(state: State, knobs: Knobs) -> Leaks:
    """Solve drift = intercept + sum of the losers' leaks by ridge regression towards the class's mean leak, which is estimated too.

    The intercept is what trading itself does to the mid; it is held near zero, or it would swallow what all dealers do alike.
    A dealer's other classes do not come in: pooling them over a house made no difference in closed loops.
    """
    noise = _noise(state)
    lost = np.einsum("gdd->gd", state.lost)
    system = _system(state, noise, knobs)
    right = np.concatenate([state.rfq_drift[:, None], state.drift], axis=1) / noise[:, None]
    start_spread = np.full(len(noise), knobs.leak_spread * knobs.leak_start_hs / knobs.leak_propensity) ** 2
    _, class_mean, _ = _ridge(system, right, start_spread, knobs)
    # How far dealers differ grows with what a leak costs, and that is known only now.
    spread = (knobs.leak_spread * class_mean / knobs.leak_propensity) ** 2 + _LEAST_SPREAD
    solved = _ridge(system, right, spread, knobs)
    class_mean = solved[1]
    mean, variance = _skewed(solved, spread, knobs)
    half = _Z * np.sqrt(variance)
    return Leaks(class_mean, np.maximum(mean, 0.0), lost, np.maximum(mean - half, 0.0), np.maximum(mean + half, 0.0))


def _noise(state: State) -> Floats:
    n = np.maximum(state.rfqs, 1e-9)
    return np.asarray(np.maximum((state.rfq_squares - state.rfq_drift**2 / n) / n, _LEAST_VARIANCE), dtype=np.float64)


def _system(state: State, noise: Floats, knobs: Knobs) -> Floats:
    groups, dealers = state.drift.shape
    system = np.zeros((groups, dealers + 1, dealers + 1))
    system[:, 0, 0] = state.rfqs / noise + 1 / knobs.intercept_sd**2
    system[:, 0, 1:] = system[:, 1:, 0] = np.einsum("gdd->gd", state.lost) / noise[:, None]
    system[:, 1:, 1:] = state.lost / noise[:, None, None]
    return system


def _ridge(system: Floats, right: Floats, spread: Floats, knobs: Knobs) -> tuple[Floats, Floats, Floats]:
    """Give the leaks, the class's mean, and the leaks' variances, for a prior variance by group."""
    own = system.copy()
    inside = np.arange(1, system.shape[1])
    own[:, inside, inside] += 1 / spread[:, None]
    inverse = np.linalg.inv(own)
    start = np.einsum("gij,gj->gi", inverse, right)[:, 1:]
    # How the answer moves with the class's mean; what is left of one is what the data say of it.
    moved = inverse[:, 1:, 1:].sum(-1) / spread[:, None]
    prior = 1 / knobs.leak_start_sd**2
    class_mean = (start.sum(-1) / spread + prior * knobs.leak_start_hs) / ((1 - moved).sum(-1) / spread + prior)
    class_mean = np.maximum(class_mean, 0.0)
    return start + moved * class_mean[:, None], class_mean, np.einsum("gdd->gd", inverse)[:, 1:]


def _skewed(solved: tuple[Floats, Floats, Floats], spread: Floats, knobs: Knobs) -> tuple[Floats, Floats]:
    """Put a skewed prior in the place of the normal one: most dealers hardly leak, and a few leak much.

    In propensities: a leak over what one costs in the class. Gives means and variances in half-spreads, never below zero.
    """
    mean, class_mean, variance = solved
    cost = (class_mean / knobs.leak_propensity + 1e-3)[:, None]
    told = np.maximum(spread[:, None] / variance - 1, 1e-6)
    # What the data alone say, and how sure they are.
    alone = (class_mean[:, None] + (mean - class_mean[:, None]) * (1 + told) / told) / cost
    sure = told * cost**2 / spread[:, None]
    points = _prior_points(knobs)
    fit = -0.5 * sure[..., None] * (points - alone[..., None]) ** 2
    likely = np.exp(fit - fit.max(-1, keepdims=True))
    likely /= likely.sum(-1, keepdims=True)
    best = (likely * points).sum(-1)
    left = (likely * (points - best[..., None]) ** 2).sum(-1)
    return best * cost, left * cost**2


def _prior_points(knobs: Knobs, count: int = 80) -> Floats:
    """Give points of equal weight under the Beta prior of propensities."""
    fine = (np.arange(20_000) + 0.5) / 20_000
    below, above = knobs.leak_beta
    mass = np.cumsum(fine ** (below - 1) * (1 - fine) ** (above - 1))
    return np.asarray(np.interp((np.arange(count) + 0.5) / count, mass / mass[-1], fine), dtype=np.float64)
