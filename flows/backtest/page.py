"""The back-test as one page that needs nothing from elsewhere: tables, charts as SVG, and what each figure means."""

from collections.abc import Iterable

from flows.backtest import charts
from flows.backtest.report import Report
from flows.backtest.terminal import PRIOR_HEADS, listed, prior_rows, summary
from flows.standalone import page, paragraph, section, shown, table

_SCORED = (
    "Every RFQ is scored by what was known at the re-fit before it, with the code that the desk runs. Intervals are 95 %, from "
    "drawing whole days; a difference whose interval holds zero is a tie."
)
_PICKS = (
    "The gain is what the mean of those asked cost less what the pick cost, at the same moment in the same bond: positive = the "
    "pick was better. Only dealers who were asked can be held against each other, so a model that would have asked somebody else "
    "gets no credit for it, and leaks are not in it."
)
_RANKS = (
    "Foretold: rank correlation of the scores on the first day with what each dealer then cost more than those it was asked with. "
    "Stable: rank correlation of one re-fit's scores with the next's. Stable ranks that foretell nothing are worth nothing."
)
_CHANCES = "How often dealers quoted that were given such a chance. On the dashed line, chances are what they say."
_COUNTS = (
    "RFQs to many dealers differ from RFQs to few in more than the count: large orders in illiquid bonds are often shown to fewer. "
    "This is what was, not what would be if more were asked."
)
_EXPECTED = "Pre-trade figures of the re-fit before, against executions. A slope of 1 = each basis point expected came."
_PROPOSED = (
    "Searched on the first two thirds of the days, told on the last third; the weight of the leak is left as it is, since leaks do "
    "not show in quotes. Nothing has changed: hand the draft in, and another person approves it or not."
)
_PRIORS = (
    "Each searched by itself on the first two thirds of the days. What is better on the last third stands in the draft of "
    "priors.yml; nothing has changed until somebody puts it into the configuration."
)
_OFF_POLICY = (
    "What the best quote would have gained over not trading had a challenger chosen the lists, from RFQs whose list was left to "
    "chance and whose chance is logged."
)


def page_of(report: Report) -> str:
    """Write the page."""
    first = [paragraph(f"{summary(report)}."), paragraph(f"{_SCORED} {report.unquoted_rule}")]
    return page(f"Back-test {report.span.first} to {report.span.last}", [*first, *_sections(report)])


def _sections(report: Report) -> Iterable[str]:
    yield section("What is compared", "", table(("name", "what it is"), report.challengers.items()))
    yield section("Did the pick beat those it was asked with?", _PICKS, _picks(report))
    yield charts.gains({item.name: item.gain_bps for item in report.uplift})
    yield section("Held against each other", "", _versus(report))
    yield section("Gains over time", "", charts.cumulative(report.cumulative_gain_bps))
    yield section("By class, bps", "", _classes(report))
    yield section("Ranks", _RANKS, _ranks(report))
    if any(item.stability_by_refit for item in report.ranks):
        yield charts.stability({item.name: item.stability_by_refit for item in report.ranks})
    if report.calibration:
        yield section("Chances to quote", _CHANCES, _chances(report) + charts.reliability(report.calibration))
    yield section("Cost by dealers asked", _COUNTS, _counts(report) + charts.by_count(report.by_count))
    if report.expected:
        yield section("Expected and realised", _EXPECTED, _expected(report) + charts.expected(report.expected))
    if report.proposals:
        yield section("Weights proposed", _PROPOSED, _proposals(report))
    if report.prior_proposals:
        yield section("Priors proposed", _PRIORS, table(PRIOR_HEADS, prior_rows(report)))
    if report.off_policy:
        yield section("Had it chosen the lists", _OFF_POLICY, _off_policy(report))


def _picks(report: Report) -> str:
    heads = ("", "gain, bps", "gain, half-spreads", "best, %", "by lot, %", "pick quoted, %", "most picked")
    rows = [
        (
            item.name,
            shown(item.gain_bps, sign="+"),
            shown(item.gain_hs, sign="+"),
            shown(item.best_share, 1, 100),
            shown(item.best_share_random, 1, 100),
            shown(item.quoted_share, 1, 100),
            "-" if item.top_share is None else f"{item.top_dealer}, {item.top_share:.0%} of picks",
        )
        for item in report.uplift
    ]
    return table(heads, rows)


def _versus(report: Report) -> str:
    rows = [(item.first, item.second, shown(item.gain_bps, 3, sign="+"), item.verdict) for item in report.versus]
    return table(("first", "second", "gain of the first over the second, bps", "better"), rows)


def _classes(report: Report) -> str:
    names = [item.name for item in report.uplift]
    rows = [
        (label, str(max(found[name].n for name in names)), *(shown(found[name], sign="+") for name in names))
        for label, found in report.by_class.items()
    ]
    return table(("class", "RFQs", *names), rows)


def _ranks(report: Report) -> str:
    rows = [
        (item.name, shown(item.forecast), "-" if item.stability is None else f"{item.stability:.2f}", str(item.forecast.n))
        for item in report.ranks
    ]
    return table(("", "foretold", "stable", "quotes"), rows)


def _chances(report: Report) -> str:
    rows = [
        (item.name, shown(item.brier, 3), shown(item.brier_base, 3), shown(item.ece, 3), f"{item.brier.n:,}")
        for item in report.calibration
    ]
    return table(("", "Brier", "Brier of the class's share", "calibration error", "dealers asked"), rows)


def _counts(report: Report) -> str:
    rows = [
        (
            str(item.dealers),
            str(item.quoted_share.n),
            shown(item.best_quote_bps),
            shown(item.impact_bps),
            shown(item.quoted_share, 1, 100),
        )
        for item in report.by_count
    ]
    return table(("dealers asked", "RFQs", "best quote, bps", "impact or drift after, bps", "somebody quoted, %"), rows)


def _expected(report: Report) -> str:
    rows = [
        (
            item.what,
            shown(item.expected_bps),
            shown(item.came_bps),
            shown(item.difference_bps),
            shown(item.slope),
            str(item.expected_bps.n),
        )
        for item in report.expected
    ]
    return table(("", "expected, bps", "came, bps", "came less expected, bps", "slope", "executions"), rows)


def _proposals(report: Report) -> str:
    rows = []
    for item in report.proposals:
        gains = (shown(found, 3, sign="+") for found in (item.train_gain_hs, item.test_gain_hs))
        rows.append((item.name, listed(item.weights_now), listed(item.weights), *gains, item.verdict))
    return table(("", "now", "proposed", f"gain before {report.proposals[0].searched_to}", "gain from it on", "verdict"), rows)


def _off_policy(report: Report) -> str:
    rows = []
    for item in report.off_policy:
        if item.snips_bps and item.robust_bps and item.logged_bps:
            told = (shown(item.snips_bps), shown(item.robust_bps), shown(item.logged_bps))
            rows.append((item.name, *told, f"{item.effective_n:.0f} of {item.n}"))
        else:
            rows.append((item.name, "no answer", "", "", item.refused or ""))
    return table(("", "SNIPS, bps", "doubly robust, bps", "as it was, bps", "effective RFQs"), rows)
