"""The guide to scoring: its examples are accepted, its arithmetic is the code's."""

import re

import numpy as np
import pytest
import yaml

from serve.adapters.rules_actions import score
from serve.domain.beliefs import Beliefs, ClassTerms, Figure
from serve.domain.expected_utility import utility
from serve.domain.scorecard import WEIGHTS
from serve.domain.spec import MODEL_NAMES
from tests.unit.recommend.cases import CONFIG

GUIDE = (CONFIG.parent / "docs" / "guides" / "scoring.md").read_text()
SCORES = [
    *re.findall(r"```yaml\nscore: (.*)\n```", GUIDE),
    *re.findall(r"`score: (\{model: (?:scorecard|expected_utility)\})`", GUIDE),
]


@pytest.mark.parametrize("example", SCORES)
def test_every_score_in_the_guide_is_accepted(example: str) -> None:
    assert score(yaml.compose(example), {}).model in MODEL_NAMES


def test_the_guide_has_its_examples_and_the_shipped_weights() -> None:
    assert len(SCORES) >= 3
    assert "points = 40 x response + 40 x (1 - mean quote in HS) + 20 x (1 - leak) + 45 x axe" in GUIDE
    assert [weight for _, weight in WEIGHTS] == [0.40, 0.40, 0.20, 0.45]


def test_the_worked_example_of_expected_utility_is_what_the_code_gives() -> None:
    def figure(mean: float) -> Figure:
        return Figure(np.array([mean]), np.array([40.0]), np.array([mean]), np.array([mean]))

    terms = ClassTerms(
        scorecard_class="X", half_spread_bps=6.0, response=0.8, price_hs=0.7, price_sd_hs=0.41, leak_hs=0.07, axe_base=0.0
    )
    rest = (figure(0.0), figure(0.9), figure(0.6), figure(0.05))
    beliefs = Beliefs(
        terms, ("D",), figure(0.9), figure(0.6), np.array([0.41]), figure(0.05), *rest, sector_prices={"ENERGY": figure(0.55)}
    )
    view = utility(beliefs, "ENERGY", None)
    table = re.findall(r"^\| `?(\w+)`? \|[^|]*\| (-?\d\.\d{3}) \| \**(-?\d\.\d{2})\** \|$", GUIDE, re.MULTILINE)
    given = [*view.contributions[0], view.alone[0]]
    assert [row[0] for row in table] == ["class_mean", "response", "quoted_price", "sector_price", "axe", "leak", "score"]
    assert [float(row[1]) for row in table] == [pytest.approx(part, abs=6e-4) for part in given]
    assert [float(row[2]) for row in table] == [pytest.approx(6 * part, abs=6e-3) for part in given]
