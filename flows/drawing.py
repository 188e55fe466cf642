"""Charts as SVG text to stand in a page: no file, no font, no script from elsewhere."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Told apart without colour vision, too (Okabe and Ito 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sotto",
    "font.family": "sans-serif",
    "font.size": 11,
    # Names are texts, never formulas.
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e8ec",
    "axes.axisbelow": True,
}


def styled() -> Any:  # noqa: ANN401 - untyped by the library
    """Give the context in which a chart is drawn and written."""
    return mpl.rc_context(_STYLE)


def canvas(width: float = 7.6, height: float = 3.6) -> tuple[Figure, Any]:
    """Begin a chart: the figure and its axes, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def dates(axes: Any, points: Sequence[tuple[str, object]]) -> None:  # noqa: ANN401 - untyped by the library
    """Name the first, the middle and the last of the points' dates along the axis."""
    shown = sorted({0, len(points) // 2, len(points) - 1})
    axes.set_xticks(shown, [points[place][0] for place in shown])


def svg(figure: Figure, label: str) -> str:
    """Write a chart as an element of a page; ``label`` names it for who cannot see it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    # The picture alone: without the prologue, whose addresses a page has no use for, and with a name for who cannot see it.
    drawn = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return drawn.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
