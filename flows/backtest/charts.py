"""The charts of the back-test's page."""

from collections.abc import Mapping, Sequence

from flows.backtest.costs import ByCount, Expected
from flows.backtest.odds import Calibration
from flows.bootstrap import Estimate
from flows.drawing import COLOURS, MARKS, canvas, dates, styled, svg


def gains(figures: Mapping[str, Estimate]) -> str:
    """Draw each challenger's gain with its interval."""
    with styled():
        figure, axes = canvas(height=0.55 * len(figures) + 1.2)
        for place, item in enumerate(figures.values()):
            if item.value is None:
                continue
            low, high = (item.low, item.high) if item.low is not None and item.high is not None else (item.value, item.value)
            axes.plot([low, high], [place, place], color=COLOURS[place % len(COLOURS)], linewidth=3)
            axes.plot([item.value], [place], MARKS[place % len(MARKS)], color=COLOURS[place % len(COLOURS)], markersize=8)
        axes.axvline(0, color="#1c2733", linewidth=1)
        axes.set_yticks(range(len(figures)), list(figures))
        axes.invert_yaxis()
        axes.set_xlabel("gain over the mean of those asked, bps (95 % interval)")
        return svg(figure, "Gain of each challenger's pick, with intervals")


def cumulative(series: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Draw gains added up over the days."""
    with styled():
        figure, axes = canvas()
        for place, (name, points) in enumerate(series.items()):
            axes.plot(range(len(points)), [value for _, value in points], color=COLOURS[place % len(COLOURS)], label=name)
        dates(axes, next(iter(series.values())))
        axes.axhline(0, color="#1c2733", linewidth=1)
        axes.set_ylabel("gains added up, bps")
        axes.legend(frameon=False)
        return svg(figure, "Gains of each challenger added up day by day")


def reliability(items: Sequence[Calibration]) -> str:
    """Draw chances told against how often they came true."""
    with styled():
        figure, axes = canvas(width=5.2, height=4.6)
        axes.plot([0, 1], [0, 1], color="#8a949e", linewidth=1, linestyle="--", label="as told")
        for place, item in enumerate(items):
            told, seen = [cell.told for cell in item.bins], [cell.seen for cell in item.bins]
            axes.plot(told, seen, marker=MARKS[place % len(MARKS)], color=COLOURS[place % len(COLOURS)], label=item.name)
        axes.set_xlabel("chance to quote, as told")
        axes.set_ylabel("share that quoted")
        axes.legend(frameon=False)
        return svg(figure, "Reliability of the chances to quote")


def by_count(items: Sequence[ByCount]) -> str:
    """Draw the best quote's cost and the drift after it by dealers asked."""
    with styled():
        figure, axes = canvas()
        for place, (label, name) in enumerate((("best quote", "best_quote_bps"), ("impact or drift after", "impact_bps"))):
            known = [(item.dealers, getattr(item, name)) for item in items if getattr(item, name).low is not None]
            x, y = [count for count, _ in known], [found.value for _, found in known]
            spread = [[found.value - found.low for _, found in known], [found.high - found.value for _, found in known]]
            axes.errorbar(x, y, yerr=spread, marker=MARKS[place], color=COLOURS[place], capsize=3, label=label)
        axes.axhline(0, color="#1c2733", linewidth=1)
        axes.set_xlabel("dealers asked")
        axes.set_ylabel("bps, positive = against us")
        axes.legend(frameon=False)
        return svg(figure, "Cost by the number of dealers asked")


def expected(items: Sequence[Expected]) -> str:
    """Draw what was expected before the trade against what came."""
    with styled():
        figure, axes = canvas(width=5.2, height=4.6)
        for place, item in enumerate(items):
            told, came = [cell[0] for cell in item.bins], [cell[1] for cell in item.bins]
            axes.plot(told, came, marker=MARKS[place], color=COLOURS[place], label=item.what)
        top = max((cell[0] for item in items for cell in item.bins), default=1.0)
        axes.plot([0, top], [0, top], color="#8a949e", linewidth=1, linestyle="--", label="as told")
        axes.set_xlabel("expected, bps")
        axes.set_ylabel("came, bps")
        axes.legend(frameon=False)
        return svg(figure, "Expected against realised cost and impact")


def stability(series: Mapping[str, Sequence[tuple[str, float | None]]]) -> str:
    """Draw how alike the ranks of one re-fit and the next are."""
    with styled():
        figure, axes = canvas()
        for place, (name, points) in enumerate(series.items()):
            values = [float("nan") if value is None else value for _, value in points]
            colour, mark = COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)]
            axes.plot(range(len(values)), values, marker=mark, color=colour, label=name)
        dates(axes, next(iter(series.values())))
        axes.set_ylabel("rank correlation with the re-fit before")
        axes.legend(frameon=False)
        return svg(figure, "Stability of ranks from re-fit to re-fit")
