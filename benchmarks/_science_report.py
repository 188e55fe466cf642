"""Shares of what an oracle gains, with their intervals, as tables."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_HEAD = """# The science, in worlds whose truth is known

`python -m benchmarks {command}`: {settings};
{minutes:.0f} minutes on two shared cores. Written by the command; what follows from it is said in
[the guide](../../docs/guides/scoring.md#how-we-know).

24 dealers, four classes of three sectors, axes per sector and side. Random and the static lists ask four dealers, seed_v0 the
first four of its ranking. The oracle knows every parameter and axe, and asks in parallel, so a whisper may pass 1. Intervals
are paired over worlds (jackknife). Every evening each policy's own log goes through the compiled dbt models and the fits. Seeds
were not used while the models were tuned.

These worlds are not those that the targets were taken from. What the calibration leaves open was set here: how far dealers'
mean quotes lie apart (2.5 times the vendor files', so that a static list per class gains somewhat more than half), the noise of
the mid over half an hour (0.25 of a day's volatility), and 1.5 half-spreads for not trading.

"""

Floats = npt.NDArray[np.float64]
_Z = 1.96
# Oracle shares that are good, and moonshots, by policy and kind of world.
TARGETS: dict[str, dict[str, tuple[float, float]]] = {
    "expected_utility": {
        "busy": (0.92, 0.95), "sparse": (0.87, 0.93), "shifts": (0.89, 0.94), "hard": (0.80, 0.90), "misspecified": (0.85, 0.92),
    },
    "expected_utility, whisper": {"busy": (0.98, 1.04), "sparse": (0.95, 1.04), "shifts": (0.97, 1.04), "hard": (0.90, 1.04)},
    "scorecard": {
        "busy": (0.86, 0.90), "sparse": (0.81, 0.86), "shifts": (0.80, 0.85), "hard": (0.72, 0.80), "misspecified": (0.82, 0.86),
    },
    "all parameters known, axes inferred": {},
}  # fmt: skip


def share(utility: Floats, chance: Floats, best: Floats) -> tuple[float, float]:
    """Give (utility - random) / (oracle - random) over worlds, and half its 95 % interval by the jackknife."""
    gained, possible = utility - chance, best - chance
    whole = float(gained.sum() / possible.sum())
    count = len(utility)
    left_out = (gained.sum() - gained) / (possible.sum() - possible)
    return whole, _Z * float(np.sqrt((count - 1) * np.var(left_out))) if count > 1 else float("nan")


class Compared(NamedTuple):
    """One kind of world: its table, and each policy's share with half its interval."""

    title: str
    text: str
    shares: dict[str, tuple[float, float]] = {}  # noqa: RUF012 - never changed


def compared(title: str, utility: Mapping[str, Floats], checks: Mapping[str, str]) -> Compared:
    """Lay out one kind of world. Utilities are means per order in half-spreads, by policy and world."""
    chance, best = utility["random"], utility["oracle"]
    shares = {name: share(cells, chance, best) for name, cells in utility.items() if name not in ("random", "oracle")}
    lines = [
        f"## {title}",
        "",
        f"{len(chance)} worlds; random costs {-chance.mean():.3f} half-spreads an order, the oracle {-best.mean():.3f}.",
        "",
        "| policy | oracle share | 95 % |",
        "|---|---|---|",
        *(f"| {name} | {middle:.3f} | +- {half:.3f} |" for name, (middle, half) in shares.items()),
    ]
    if checks:
        lines += ["", "| check on expected_utility | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in checks.items()]
    return Compared(title, "\n".join(lines) + "\n", shares)


def against_targets(kinds: Sequence[Compared]) -> str:
    """Hold the shares against what was set for them: a policy per row, a kind of world per column."""
    lines = [
        "## Against the targets",
        "",
        f"| policy | {' | '.join(kind.title for kind in kinds)} |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    for name, targets in TARGETS.items():
        cells = [_against(kind.shares[name], targets.get(kind.title)) for kind in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _against(reached: tuple[float, float], target: tuple[float, float] | None) -> str:
    middle, half = reached
    told = f"{middle:.3f} +- {half:.3f}"
    if target is None:
        return told
    good, best = target
    if middle >= best:
        return f"{told} (moonshot {best:.2f}: reached)"
    if middle >= good:
        return f"{told} (good {good:.2f}: reached)"
    return f"{told} (good {good:.2f}: {'within the interval' if middle + half >= good else 'missed'})"


def page(pieces: Sequence[Compared], settings: str, arguments: Sequence[str], minutes: float) -> str:
    """Write the page that is kept."""
    head = _HEAD.format(command=" ".join(arguments), settings=settings, minutes=minutes)
    kinds = [piece for piece in pieces if all(name in piece.shares for name in TARGETS)]
    return head + "\n".join([against_targets(kinds), *(piece.text for piece in pieces)])


def calibration(predicted: Floats, happened: Floats, bins: int = 10) -> tuple[float, float, float]:
    """Give the Brier score, that of the base rate, and the expected calibration error over bins of equal counts."""
    brier = float(((predicted - happened) ** 2).mean())
    base = float(((happened.mean() - happened) ** 2).mean())
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, bins)
    error = sum(len(part) * abs(predicted[part].mean() - happened[part].mean()) for part in parts) / len(predicted)
    return brier, base, float(error)


def area_under_curve(scores: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Give the chance that a positive scores above a negative (ties count half); NaN without both."""
    above, below = scores[positive], scores[~positive]
    if not len(above) or not len(below):
        return float("nan")
    return float((np.greater.outer(above, below) + 0.5 * np.equal.outer(above, below)).mean())
