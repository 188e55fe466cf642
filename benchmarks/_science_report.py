"""Shares of what an oracle gains, with their intervals, as tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_Z = 1.96


def share(utility: Floats, chance: Floats, best: Floats) -> tuple[float, float]:
    """Give (utility - random) / (oracle - random) over worlds, and half its 95 % interval by the jackknife."""
    gained, possible = utility - chance, best - chance
    whole = float(gained.sum() / possible.sum())
    count = len(utility)
    left_out = (gained.sum() - gained) / (possible.sum() - possible)
    return whole, _Z * float(np.sqrt((count - 1) * np.var(left_out))) if count > 1 else float("nan")


def table(title: str, utility: Mapping[str, Floats], checks: Mapping[str, str]) -> str:
    """Lay out one kind of world. Utilities are means per order in half-spreads, by policy and world."""
    chance, best = utility["random"], utility["oracle"]
    lines = [
        f"## {title}",
        "",
        f"{len(chance)} worlds; random costs {-chance.mean():.3f} half-spreads an order, the oracle {-best.mean():.3f}.",
        "",
        "| policy | oracle share | 95 % |",
        "|---|---|---|",
    ]
    for name, figures in utility.items():
        if name not in ("random", "oracle"):
            middle, half = share(figures, chance, best)
            lines.append(f"| {name} | {middle:.3f} | +- {half:.3f} |")
    if checks:
        lines += ["", "| check on expected_utility | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in checks.items()]
    return "\n".join(lines) + "\n"


def page(tables: Sequence[str], settings: str, arguments: Sequence[str], minutes: float) -> str:
    """Write the page that is kept."""
    head = (
        "# The science, in worlds whose truth is known\n\n"
        f"`python -m benchmarks {' '.join(arguments)}`: {settings}; {minutes:.0f} minutes on two shared cores.\n\n"
        "24 dealers, four classes of three sectors. Random and the static lists ask four dealers, seed_v0 the first four of its\n"
        "ranking. The oracle knows every parameter and axe, and asks in parallel, so a whisper may pass 1. Intervals are paired\n"
        "over worlds. Seeds were not used while the models were tuned.\n\n"
    )
    return head + "\n".join(tables)


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
