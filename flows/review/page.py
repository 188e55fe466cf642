"""The review as one page that needs nothing from elsewhere: tables, charts, and what each figure means."""

from collections.abc import Iterable, Sequence
from html import escape

from flows.review import charts
from flows.review.figures import LEAST_ASKED, LEAST_OBSERVED, LEAST_PEERS, written
from flows.review.observed import FIGURE_OF, FIGURES, LEAST_QUOTES, Figure
from flows.review.review import Band, Line, OfClass, Peers, Review
from flows.standalone import page, paragraph, section, table

_PEERS = (
    f"Peers are the other dealers asked at least {LEAST_ASKED} times in the class on these days, without their names, and each "
    f"figure counts those seen at least {LEAST_OBSERVED} times: the median over them, and where the middle half of them lies. Of "
    f"fewer than {LEAST_PEERS} nothing is shown. Intervals in brackets are 95 %, from drawing whole days; the days before are as "
    "many, just before these."
)
_POINTS = (
    "Where the dealer's interval leaves out the median of its peers, the furthest first. Of twenty figures one lies outside by "
    "chance: what the days before show too is worth more."
)
_DISTANCES = (
    f"How far quotes lay from the best of their RFQ, where at least {LEAST_QUOTES} quoted. Whose quote was the best is not told."
)
_ALL = "Requests of all classes together: dealers asked for other bonds are measured by other bonds. Fairer is class by class."
_TRADES = "With us on its other side: BUY = we bought."
_MONTHS = f"Months with at least {LEAST_ASKED} requests."
_MORE = {1: "more is better", -1: "less is better"}


def page_of(review: Review) -> str:
    """Write the page."""
    about = review.about
    return page(f"{about.name}: review of {about.first} to {about.last}", _parts(review))


def _parts(review: Review) -> Iterable[str]:
    about, all_classes = review.about, review.classes[0]
    asked, quantity, traded = all_classes.asked, all_classes.quantity, all_classes.traded_quantity
    yield paragraph(
        f"{about.name} ({about.dealer_id}) was asked for {asked:,} prices, {_par(quantity)} of par, and traded {_par(traded)}. "
        f"From snapshot {about.snapshot_id}, what had happened by {about.as_of:%Y-%m-%d %H:%M} UTC. For the conversation with this "
        "dealer: its own requests, and peers without names."
    )
    yield section(
        "To talk about", _POINTS, _points("Better than the median peer", review.ahead) + _points("Not as good", review.behind)
    )
    yield section("All classes", f"{_ALL} {_PEERS}", _figures(all_classes))
    if review.months:
        yield section("Month by month", _MONTHS, charts.by_month(review.months, about.name))
    for item in review.classes[1:]:
        told = f"{item.asked:,} requests, {_par(item.quantity)} of par, of which {_par(item.traded_quantity)} traded."
        yield section(item.scorecard_class, told, _figures(item))
    if review.bands:
        yield section("Distance from the best quote", _DISTANCES, charts.bands(review.bands, about.name) + _bands(review.bands))
    yield section("Advertised axes", "", paragraph(_axes(review)))
    yield section("Largest trades", _TRADES, _lines(review.trades, "price"))
    yield section("Largest requests without a quote", "", _lines(review.unanswered, "answer"))
    yield section(
        "What each figure means",
        "",
        table(("figure", "unit", "", "meaning"), [(item.title, item.unit, _MORE[item.better], item.meaning) for item in FIGURES]),
    )


def _points(title: str, points: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(point)}</li>" for point in points)
    return f"<h3>{title}</h3>\n" + (f"<ul>{listed}</ul>\n" if points else paragraph("Nothing stands out."))


def _figures(item: OfClass) -> str:
    rows = []
    for row in item.rows:
        figure = FIGURE_OF[row.figure]
        rank = f"{row.rank} of {row.peers.count + 1}" if row.rank is not None and row.peers is not None else "-"
        rows.append(
            (
                f"{figure.title}, {figure.unit}",
                _with_interval(figure, row.own.value, row.own.low, row.own.high),
                f"{row.own.n:,}",
                written(figure, row.before.value),
                *_of_peers(figure, row.peers),
                rank,
            )
        )
    return table(("", "this dealer", "seen", "days before", "median peer", "middle half", "rank"), rows)


def _with_interval(figure: Figure, value: float | None, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return written(figure, value)
    return f"{written(figure, value)} [{written(figure, low)}, {written(figure, high)}]"


def _of_peers(figure: Figure, peers: Peers | None) -> tuple[str, str]:
    if peers is None:
        return "-", "-"
    return written(figure, peers.median), f"{written(figure, peers.low)} to {written(figure, peers.high)}"


def _bands(bands: Sequence[Band]) -> str:
    rows = [
        (name, f"{band.own:.0%}", "-" if band.peers is None else f"{band.peers:.0%}")
        for name, band in zip(charts.band_names(bands), bands, strict=True)
    ]
    return table(("", "this dealer's quotes", "peers' quotes"), rows)


def _axes(review: Review) -> str:
    axes = review.axes
    now = f"{axes.advertised:,} advertised now."
    if not axes.tested:
        return f"{now} In half a year it was not asked after advertising."
    peers = f" For the median of {axes.peers.count} peers {axes.peers.median:.0%} did." if axes.peers else ""
    return (
        f"{now} In the half year up to the snapshot it was asked {axes.tested:,} times after advertising, and {axes.came_true:,} "
        f"({axes.came_true / axes.tested:.0%}) came true.{peers}"
    )


def _lines(lines: Sequence[Line], last: str) -> str:
    if not lines:
        return paragraph("None.")
    rows = [
        (
            f"{line.asked_on}",
            line.bond,
            line.scorecard_class,
            line.client_side,
            f"{line.quantity:,.0f}",
            line.response if line.price is None else f"{line.price:.4f}",
            line.rfq_id,
        )
        for line in lines
    ]
    return table(("day", "bond", "class", "we", "par", last, "RFQ"), rows)


def _par(quantity: float) -> str:
    return f"{quantity / 1e6:,.1f} million"
