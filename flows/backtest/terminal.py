"""The back-test as tables on the terminal."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from flows.backtest.report import Report
from flows.standalone import shown


def listed(weights: Mapping[str, float]) -> str:
    """Write weights in a line."""
    return ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())


def tables(report: Report) -> Iterator[Table]:
    """Give the tables to print: picks, who beats whom, chances, and what lists left to chance say."""
    yield _picks(report)
    yield _versus(report)
    yield _ranks(report)
    if report.calibration:
        yield _chances(report)
    if report.proposals:
        yield _proposals(report)
    if report.prior_proposals:
        yield _priors(report)
    if any(item.refused is None for item in report.off_policy):
        yield _off_policy(report)


def summary(report: Report) -> str:
    """Say in a line what was walked through."""
    counted, span = report.counted, report.span
    return (
        f"{span.first} to {span.last}, re-fit every {span.every_days} days: {counted.compared:,} of {counted.rfqs:,} RFQs compared "
        f"on {counted.days} days; left out: {counted.unknown_bond} in bonds not on record before, {counted.one_dealer} to one "
        f"dealer, {counted.nobody_quoted} without a quote"
    )


def _picks(report: Report) -> Table:
    table = Table("the pick", "gain, bps", "best, %", "by lot, %", "most picked")
    for item in report.uplift:
        table.add_row(
            item.name,
            shown(item.gain_bps, sign="+"),
            shown(item.best_share, 1, 100),
            "-" if item.best_share_random.value is None else f"{item.best_share_random.value:.1%}".rstrip("%"),
            "-" if item.top_share is None else f"{item.top_dealer} {item.top_share:.0%}",
        )
    return table


def _ranks(report: Report) -> Table:
    table = Table("ranks", "foretold", "stable", "gain, half-spreads")
    gains = {item.name: item.gain_hs for item in report.uplift}
    for item in report.ranks:
        stability = "-" if item.stability is None else f"{item.stability:.2f}"
        table.add_row(item.name, shown(item.forecast), stability, shown(gains[item.name], sign="+"))
    return table


def _versus(report: Report) -> Table:
    table = Table("held against each other", "gain of the first, bps", "better")
    for item in report.versus:
        table.add_row(f"{item.first} / {item.second}", shown(item.gain_bps, 3, sign="+"), item.verdict)
    return table


def _chances(report: Report) -> Table:
    table = Table("chance to quote", "Brier", "of the class's share", "calibration error")
    for item in report.calibration:
        table.add_row(item.name, shown(item.brier, 3), shown(item.brier_base, 3), shown(item.ece, 3))
    return table


def _proposals(report: Report) -> Table:
    table = Table("weights proposed", "now", "proposed", "gain on unseen days, half-spreads", "verdict")
    for item in report.proposals:
        weights = map(listed, (item.weights_now, item.weights))
        table.add_row(item.name, *weights, shown(item.test_gain_hs, 3, sign="+"), item.verdict)
    return table


def prior_rows(report: Report) -> list[tuple[str, ...]]:
    """Give a row per prior: name, now, proposed, what it foretells better on unseen days, gain of its picks there, verdict."""
    return [
        (
            item.name,
            f"{item.now:g}",
            f"{item.value:g}",
            f"{shown(item.test, 5, sign='+')} ({item.measure})",
            shown(item.test_gain_hs, 4, sign="+"),
            item.verdict,
        )
        for item in report.prior_proposals
    ]


PRIOR_HEADS = ("prior", "now", "proposed", "foretells better on unseen days", "its picks' gain there, half-spreads", "verdict")


def _priors(report: Report) -> Table:
    table = Table(*PRIOR_HEADS)
    for row in prior_rows(report):
        table.add_row(*row)
    return table


def _off_policy(report: Report) -> Table:
    table = Table("had it chosen the lists", "SNIPS, bps", "doubly robust, bps", "as it was, bps", "effective RFQs")
    for item in report.off_policy:
        if item.snips_bps and item.robust_bps and item.logged_bps:
            figures = (shown(item.snips_bps), shown(item.robust_bps), shown(item.logged_bps))
            table.add_row(item.name, *figures, f"{item.effective_n:.0f} of {item.n}")
        else:
            table.add_row(item.name, "-", "-", "-", item.refused or "-")
    return table
