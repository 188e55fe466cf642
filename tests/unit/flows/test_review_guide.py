"""The guide to the review pack: its table is what the figures say of themselves, its limits are those of the code."""

from pathlib import Path

from flows.review.figures import LEAST_ASKED, LEAST_OBSERVED, LEAST_PEERS
from flows.review.observed import FIGURES, LEAST_QUOTES

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "review.md").read_text(encoding="utf-8")


def test_the_table_lists_every_figure_as_the_page_explains_it() -> None:
    table = GUIDE[GUIDE.index("| figure |") :].split("\n\n")[0].splitlines()[2:]
    listed = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in table]
    better = {1: "more", -1: "less"}
    assert listed == [(figure.title, figure.unit, better[figure.better], figure.meaning) for figure in FIGURES]


def test_the_limits_are_those_of_the_code() -> None:
    assert f"from {LEAST_ASKED} requests on, in a figure from {LEAST_OBSERVED} observations on" in GUIDE
    assert f"of fewer than {LEAST_PEERS} peers nothing is shown" in GUIDE
    assert f"at least {LEAST_QUOTES} quoted" in GUIDE
