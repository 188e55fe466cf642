"""What would come back in a world for closed loops, and the truth about how likely it is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.behaviour import QUOTES, SILENT, Asked, answers_to, response_probability, size_growth
from sim.lab import HALF_SPREAD_BPS, TIMEOUT_S, UNFILLED_HS, LabDay

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answered:
    """What would come back if a panel of this size were asked: orders x dealers. ``worth_hs`` counts the part not quoted too."""

    quoted: Flags
    silent: Flags
    latency_s: Floats
    cost_hs: Floats
    size_ratio: Floats
    worth_hs: Floats


def answered(day: LabDay, panel: Floats, premium_hs: float = 0.0) -> Answered:
    """Let every dealer answer as if it were one of ``panel`` (per order) asked at once."""
    fields = {name: getattr(day.asked, name) for name in Asked.__dataclass_fields__}
    asked = Asked(**{**fields, "panel": np.broadcast_to(panel[:, None], day.axe.shape)})
    back = answers_to(asked, day.draws)
    late = back.latency_s > TIMEOUT_S[day.klass][:, None]
    cost = back.cost_hs + premium_hs
    return Answered(
        quoted=(back.refusal == QUOTES) & ~late,
        silent=(back.refusal == SILENT) | late,
        latency_s=back.latency_s,
        cost_hs=cost,
        size_ratio=back.size_ratio,
        worth_hs=cost + UNFILLED_HS * (1 - back.size_ratio),
    )


def true_response(day: LabDay, axe: Floats, panel: Floats) -> Floats:
    """Give the true chance of a quote in time, orders x dealers, for a given state of axes."""
    fields = {name: getattr(day.asked, name) for name in Asked.__dataclass_fields__}
    asked = Asked(**{**fields, "axe": axe, "panel": np.broadcast_to(panel[:, None], axe.shape)})
    return np.asarray(response_probability(asked) * day.in_time, dtype=np.float64)


def half_spread_bps(day: LabDay) -> Floats:
    """Give each order's half-spread in bps of price."""
    return np.asarray(HALF_SPREAD_BPS[day.klass] * size_growth(day.relative_size), dtype=np.float64)
