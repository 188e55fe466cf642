"""The charts of a review's page."""

from collections.abc import Sequence

from flows.drawing import COLOURS, MARKS, canvas, dates, styled, svg
from flows.review.observed import FIGURE_OF
from flows.review.review import Band, Month

_PEERS_COLOUR = "#8a949e"


def by_month(months: Sequence[Month], name: str) -> str:
    """Draw the dealer's shares month by month, each beside the median peer's (dashed)."""
    with styled():
        figure, axes = canvas()
        for place, what in enumerate(dict.fromkeys(month.figure for month in months)):
            points = [month for month in months if month.figure == what]
            for values, style in (([point.own for point in points], "-"), ([point.peers for point in points], "--")):
                axes.plot(
                    range(len(points)),
                    [float("nan") if value is None else value * 100 for value in values],
                    style,
                    marker=MARKS[place],
                    color=COLOURS[place],
                    label=f"{FIGURE_OF[what].title}, {name if style == '-' else 'median peer'}",
                )
            dates(axes, [(f"{point.month:%Y-%m}", None) for point in points])
        axes.set_ylabel("%")
        axes.set_ylim(0, 100)
        axes.legend(frameon=False, fontsize=9)
        return svg(figure, "Shares quoted and won, month by month")


def bands(items: Sequence[Band], name: str) -> str:
    """Draw how far quotes lay from the best, the dealer's beside its peers'."""
    with styled():
        figure, axes = canvas(height=3.0)
        places = range(len(items))
        axes.bar([place - 0.2 for place in places], [band.own * 100 for band in items], 0.4, color=COLOURS[0], label=name)
        if all(band.peers is not None for band in items):
            peers = [(band.peers or 0.0) * 100 for band in items]
            axes.bar([place + 0.2 for place in places], peers, 0.4, color=_PEERS_COLOUR, label="peers")
        axes.set_xticks(places, band_names(items))
        axes.set_ylabel("quotes, %")
        axes.legend(frameon=False)
        return svg(figure, "Quotes by distance from the best")


def band_names(items: Sequence[Band]) -> list[str]:
    """Name the bands of distance, bps."""
    names = []
    for before, band in zip([None, *items], items, strict=False):
        if before is None or before.up_to_bps is None:
            names.append("the best")
        elif band.up_to_bps is None:
            names.append(f"over {before.up_to_bps:g} bps")
        else:
            names.append(f"{before.up_to_bps:g} to {band.up_to_bps:g} bps")
    return names
