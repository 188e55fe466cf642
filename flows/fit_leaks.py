"""What losing costs, dealer by dealer: the drift after an RFQ, regressed on who was asked and did not win."""

from dataclasses import dataclass

import numpy as np

from flows.fit_state import Floats, Knobs, State

_Z = 1.96
_LEAST_VARIANCE = 0.05


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
    """
    groups, dealers = state.drift.shape
    n = np.maximum(state.rfqs, 1e-9)
    noise = np.maximum((state.rfq_squares - state.rfq_drift**2 / n) / n, _LEAST_VARIANCE)
    lost = np.einsum("gdd->gd", state.lost)
    system = np.zeros((groups, dealers + 1, dealers + 1))
    system[:, 0, 0] = state.rfqs / noise + 1 / knobs.intercept_sd**2
    system[:, 0, 1:] = system[:, 1:, 0] = lost / noise[:, None]
    system[:, 1:, 1:] = state.lost / noise[:, None, None]
    spread = knobs.leak_spread_hs**2
    inside = np.arange(1, dealers + 1)
    system[:, inside, inside] += 1 / spread
    inverse = np.linalg.inv(system)
    right = np.concatenate([state.rfq_drift[:, None], state.drift], axis=1) / noise[:, None]
    # The class's mean: how the answer moves with its prior, against how sure the prior is.
    moved = inverse[:, 1:, 1:].sum(-1) / spread
    start = np.einsum("gij,gj->gi", inverse, right)[:, 1:]
    information = (1 - moved).sum(-1) / spread
    score = start.sum(-1) / spread
    own = 1 / knobs.leak_start_sd**2
    class_mean = (score + own * knobs.leak_start_hs) / (information + own)
    class_mean = np.maximum(class_mean, 0.0)
    mean = start + moved * class_mean[:, None]
    half = _Z * np.sqrt(np.einsum("gdd->gd", inverse)[:, 1:])
    return Leaks(class_mean, np.maximum(mean, 0.0), lost, np.maximum(mean - half, 0.0), np.maximum(mean + half, 0.0))
