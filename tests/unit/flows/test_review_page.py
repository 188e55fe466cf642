"""The review's page, of figures made up: what it says where there is little, and that a name is a text wherever it stands."""

from datetime import UTC, date, datetime

from flows.bootstrap import Estimate
from flows.review.observed import FIGURES
from flows.review.page import page_of
from flows.review.review import About, Axes, Band, Line, Month, OfClass, Peers, Review, Row

NAME = "Smith & <b>Sons</b> $x_1$"
KNOWN, UNKNOWN = Estimate(0.5, 0.25, 0.75, 12, 6), Estimate(None, None, None, 0, 0)


def review(*, peers: Peers | None = None, own: Estimate = KNOWN, bands: list[Band] | None = None) -> Review:
    """Make a review of one class; without peers unless they are given."""
    rank = 3 if peers else None
    rows = [Row(figure=figure.name, own=own, before=UNKNOWN, peers=peers, rank=rank) for figure in FIGURES]
    classes = [OfClass(scorecard_class=name, asked=12, quantity=3e6, traded_quantity=1e6, rows=rows) for name in ("", "MUNI")]
    line = Line(
        asked_on=date(2026, 3, 2),
        rfq_id="R1",
        bond=NAME,
        scorecard_class="MUNI",
        client_side="BUY",
        quantity=1e6,
        response="QUOTED",
    )
    return Review(
        about=About(
            dealer_id="SMITH",
            name=NAME,
            first=date(2026, 3, 1),
            last=date(2026, 3, 31),
            snapshot_id="S",
            as_of=datetime(2026, 4, 1, tzinfo=UTC),
        ),
        classes=classes,
        months=[Month(date(2026, 3, 1), "answered", 0.5, None)],
        bands=bands if bands is not None else [Band(0.0, 0.5, 0.25), Band(1.0, 0.25, 0.25), Band(None, 0.25, 0.5)],
        unanswered=[],
        trades=[line],
        axes=Axes(advertised=2, tested=0, came_true=0, peers=None),
        ahead=[f"MUNI: {NAME}"],
        behind=[],
    )


def test_a_name_is_a_text_wherever_it_stands() -> None:
    page = page_of(review())
    assert "<b>" not in page
    # The title twice, the first sentence, a point, a bond and the legends of both charts.
    assert page.count("Smith &amp; &lt;b&gt;Sons&lt;/b&gt; $x_1$") == 7


def test_without_peers_their_columns_hold_dashes_and_nothing_is_ranked() -> None:
    page = page_of(review())
    assert "<td>50 [25, 75]</td><td>12</td><td>-</td><td>-</td><td>-</td><td>-</td>" in page
    with_peers = page_of(review(peers=Peers(0.4, 0.3, 0.6, 9)))
    assert "<td>50 [25, 75]</td><td>12</td><td>-</td><td>40</td><td>30 to 60</td><td>3 of 10</td>" in with_peers


def test_what_is_not_known_is_a_dash_and_what_is_not_there_is_said() -> None:
    page = page_of(review(own=UNKNOWN, bands=[]))
    assert "<td>-</td><td>0</td>" in page
    assert "Distance from the best quote" not in page
    assert "Nothing stands out." in page
    assert "it was not asked after advertising" in page
    assert "<p>None.</p>" in page


def test_bands_are_named_by_where_they_end() -> None:
    page = page_of(review())
    for name in ("the best", "0 to 1 bps", "over 1 bps"):
        assert f"<td>{name}</td>" in page
