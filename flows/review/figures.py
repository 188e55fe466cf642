"""The figures of one dealer's review: its own, with intervals, beside what nameless peers show."""

from datetime import timedelta

import duckdb
import numpy as np

from flows.bootstrap import Days, Estimate, floats
from flows.review.observed import FIGURE_OF, FIGURES, Figure, observe
from flows.review.review import About, Axes, Band, Line, Month, OfClass, Peers, Review, Row

# Below these nothing is shown of peers, lest one of them be told: so many peers, each asked and observed so often.
LEAST_PEERS, LEAST_ASKED, LEAST_OBSERVED = 5, 10, 5
_LISTED = 10
# Upper ends of the bands of distances from the best quote, bps.
_BANDS = (0.0, 1.0, 2.0, 5.0, 10.0)


class _Requests:
    """A dealer's requests of a period, as ``observed`` has them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, dealer_id: str) -> None:
        cells = connection.execute("select * from observed where dealer_id = ? order by asked_at, rfq_id", [dealer_id]).fetchnumpy()
        self.days = np.asarray(cells["asked_on"]).astype("datetime64[D]").astype(str)
        self.classes = np.asarray(cells["scorecard_class"], dtype=str)
        self.values = {name: floats(cells[name]) for name in (*_NAMES, "quantity", "executed_quantity")}

    def within(self, scorecard_class: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Say which are of a class, "" = any."""
        return np.asarray((self.classes == scorecard_class) | (scorecard_class == ""))

    def estimates(self, scorecard_class: str) -> dict[str, Estimate]:
        """Estimate every figure for a class."""
        here = self.within(scorecard_class)
        days = Days(self.days[here].tolist())
        return {name: days.mean(self.values[name][here]) for name in _NAMES}


_NAMES = tuple(FIGURE_OF)


def review_of(connection: duckdb.DuckDBPyConnection, about: About) -> Review:
    """Work out the review of a dealer from the marts; without classes where it was not asked on any of the days."""
    dealer_id, first, last = about.dealer_id, about.first, about.last
    observe(connection, first - (last - first) - timedelta(days=1), first - timedelta(days=1), dealer_id=dealer_id)
    before = _Requests(connection, dealer_id)
    observe(connection, first, last)
    own = _Requests(connection, dealer_id)
    peers = _peers(connection, dealer_id)
    names = ["", *sorted(set(own.classes.tolist()))] if len(own.days) else []
    classes = [_of_class(name, own, before, peers.get(name, [])) for name in names]
    ahead, behind = _points(classes)
    return Review(
        about=about,
        classes=classes,
        months=_months(connection, dealer_id),
        bands=_bands(connection, dealer_id),
        unanswered=_lines(connection, dealer_id, "response <> 'QUOTED'", "quantity"),
        trades=_lines(connection, dealer_id, "executed_price is not null", "executed_quantity"),
        axes=_axes(connection, dealer_id),
        ahead=ahead,
        behind=behind,
    )


def _peers(connection: duckdb.DuckDBPyConnection, dealer_id: str) -> dict[str, list[dict[str, float]]]:
    """Give what every other dealer shows, nameless and in no order that tells of them: by class, and under "" over all classes."""
    figures = ", ".join(f"case when count({name}) >= {LEAST_OBSERVED} then avg({name}) end as {name}" for name in _NAMES)
    found = connection.execute(
        f"select coalesce(scorecard_class, ''), {figures} from observed where dealer_id <> ? "
        "group by grouping sets ((dealer_id, scorecard_class), (dealer_id)) "
        f"having count(*) >= {LEAST_ASKED} order by hash(dealer_id)",
        [dealer_id],
    ).fetchall()
    peers: dict[str, list[dict[str, float]]] = {}
    for scorecard_class, *cells in found:
        peers.setdefault(scorecard_class, []).append(dict(zip(_NAMES, cells, strict=True)))
    return peers


def _of_class(name: str, own: _Requests, before: _Requests, peers: list[dict[str, float]]) -> OfClass:
    here = own.within(name)
    now, earlier = own.estimates(name), before.estimates(name)
    rows = []
    for figure in FIGURES:
        others = [peer[figure.name] for peer in peers if peer[figure.name] is not None]
        rows.append(
            Row(
                figure=figure.name,
                own=now[figure.name],
                before=earlier[figure.name],
                peers=peers_of(others),
                rank=_rank(figure, now[figure.name], others),
            )
        )
    return OfClass(
        scorecard_class=name,
        asked=int(here.sum()),
        quantity=float(own.values["quantity"][here].sum()),
        traded_quantity=float(np.nansum(own.values["executed_quantity"][here])),
        rows=rows,
    )


def peers_of(others: list[float]) -> Peers | None:
    """Sum up what peers show; ``None`` where they are too few to be nameless."""
    if len(others) < LEAST_PEERS:
        return None
    low, median, high = (float(value) for value in np.quantile(others, [0.25, 0.5, 0.75]))
    return Peers(median, low, high, len(others))


def _rank(figure: Figure, own: Estimate, others: list[float]) -> int | None:
    if own.value is None or own.n < LEAST_OBSERVED or len(others) < LEAST_PEERS:
        return None
    return 1 + sum(figure.better * other > figure.better * own.value for other in others)


def _points(classes: list[OfClass]) -> tuple[list[str], list[str]]:
    """Say where the dealer's interval leaves out the peers' median, the furthest in middle halves first: ahead, and behind."""
    found: list[tuple[float, str]] = []
    for item in classes:
        for row in item.rows:
            own, peers, figure = row.own, row.peers, FIGURE_OF[row.figure]
            if not item.scorecard_class or peers is None or own.value is None or own.low is None or own.high is None:
                continue
            # An interval of no width says that all days were alike, not that all days will be.
            if own.n >= LEAST_ASKED and own.low < own.high and not own.low <= peers.median <= own.high:
                distance = figure.better * (own.value - peers.median) / max(peers.high - peers.low, 1e-9)
                found.append((distance, _point(item.scorecard_class, figure, own, peers)))
    found.sort(key=lambda point: -abs(point[0]))
    ahead, behind = ([text for distance, text in found if distance * way > 0] for way in (1, -1))
    return ahead[:_LISTED], behind[:_LISTED]


def _point(scorecard_class: str, figure: Figure, own: Estimate, peers: Peers) -> str:
    low, value, high, median = (written(figure, number) for number in (own.low, own.value, own.high, peers.median))
    unit = "%" if figure.unit == "%" else f" {figure.unit}"
    return (
        f"{scorecard_class}, {figure.title}: {value}{unit} ({low} to {high}, {own.n:,} seen); the median of {peers.count} peers is "
        f"{median}{unit}."
    )


def written(figure: Figure, number: float | None) -> str:
    """Write a number of a figure without its unit; a dash for none."""
    if number is None:
        return "-"
    return f"{number * 100:.0f}" if figure.unit == "%" else f"{number:.1f}"


def _months(connection: duckdb.DuckDBPyConnection, dealer_id: str) -> list[Month]:
    found = connection.execute(
        "select cast(date_trunc('month', asked_on) as date) as month, dealer_id = ? as own, avg(answered), "
        f"case when count(won_quoted) >= {LEAST_OBSERVED} then avg(won_quoted) end "
        f"from observed group by month, dealer_id having count(*) >= {LEAST_ASKED} order by month, hash(dealer_id)",
        [dealer_id],
    ).fetchall()
    months = []
    for month in sorted({row[0] for row in found}):
        for place, figure in ((2, "answered"), (3, "won_quoted")):
            own = next((row[place] for row in found if row[0] == month and row[1]), None)
            peers = peers_of([row[place] for row in found if row[0] == month and not row[1] and row[place] is not None])
            months.append(Month(month, figure, own, peers.median if peers else None))
    return months


def _bands(connection: duckdb.DuckDBPyConnection, dealer_id: str) -> list[Band]:
    """Share the quotes out among bands of distance from the best; empty where the dealer has none to share out."""
    band = " ".join(f"when behind <= {top} then {place}" for place, top in enumerate(_BANDS))
    found = connection.execute(
        f"select dealer_id = ?, case {band} else {len(_BANDS)} end, count(*) from observed where behind is not null group by all",
        [dealer_id],
    ).fetchall()
    counts = {(own, place): count for own, place, count in found}
    total = {own: sum(count for (whose, _), count in counts.items() if whose == own) for own in (True, False)}
    if not total[True]:
        return []
    peers = connection.execute(
        "select count(distinct dealer_id) from observed where behind is not null and dealer_id <> ?", [dealer_id]
    ).fetchall()[0][0]
    return [
        Band(
            top,
            counts.get((True, place), 0) / total[True],
            counts.get((False, place), 0) / total[False] if peers >= LEAST_PEERS else None,
        )
        for place, top in enumerate([*_BANDS, None])
    ]


def _lines(connection: duckdb.DuckDBPyConnection, dealer_id: str, condition: str, size: str) -> list[Line]:
    """List the largest of the dealer's own requests of a kind."""
    found = connection.execute(
        "select asked_on, rfq_id, concat_ws(' ', issuer_name, case when coupon > 0 then format('{:g} %', coupon) end, "
        "strftime(maturity_date, '%Y-%m'), '(' || security_id || ')') as bond, observed.scorecard_class, client_side, "
        f"{size} as quantity, response, executed_price as price "
        "from observed left join marts.dim_securities using (security_id) "
        f"where dealer_id = ? and {condition} order by {size} desc, asked_at, rfq_id limit {_LISTED}",
        [dealer_id],
    )
    names = [column[0] for column in found.description]
    return [Line(**dict(zip(names, row, strict=True))) for row in found.fetchall()]


def _axes(connection: duckdb.DuckDBPyConnection, dealer_id: str) -> Axes:
    advertised = connection.execute("select count(*) from marts.fct_dealer_axes where dealer_id = ?", [dealer_id]).fetchall()[0][0]
    records = connection.execute(
        "select dealer_id = ?, axes_tested, axes_came_true, came_true_share from marts.fct_dealer_axe_record", [dealer_id]
    ).fetchall()
    own = next((row for row in records if row[0]), (True, 0, 0, None))
    shares = [share for mine, tested, _, share in records if not mine and share is not None and tested >= LEAST_OBSERVED]
    return Axes(advertised=advertised, tested=own[1], came_true=own[2], peers=peers_of(shares))
