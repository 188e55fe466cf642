"""An alarm for dealers whose quotes have changed: their past then weighs little, so that what they quote now is believed sooner."""

import numpy as np

from flows.fit_state import Floats, Knobs, State

_BY_DEALER = ("price_n", "price_sum", "price_squares", "raw_sum", "whisper_n", "whisper_sum")
_BY_SECTOR = ("sector_n", "sector_sum", "sector_raw")


def watch(state: State, n: Floats, missed: Floats, sd: Floats, knobs: Knobs) -> None:
    """Take a day's quotes into two sums per dealer, for worse and for better; one beyond its bound cuts the dealer's past quotes.

    ``missed`` is the sum over ``n`` quotes of how much each cost above what was believed, HS. The sums are Page's CUSUM (1954) of
    the log-likelihood ratio of a mean that has moved by ``alarm_shift_hs`` against the one believed.
    """
    shift = knobs.alarm_shift_hs
    for direction, total in ((shift, state.alarm_up), (-shift, state.alarm_down)):
        np.maximum(total + (direction * missed - 0.5 * n * shift**2) / sd**2, 0.0, out=total)
    alarmed = np.maximum(state.alarm_up, state.alarm_down) > knobs.alarm_bound
    kept = np.where(alarmed, knobs.alarm_keeps, 1.0)
    for name in _BY_DEALER:
        getattr(state, name).__imul__(kept)
    for name in _BY_SECTOR:
        getattr(state, name).__imul__(kept[:, None])
    state.alarm_up[alarmed] = state.alarm_down[alarmed] = 0.0
