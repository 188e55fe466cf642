"""Weights proposed from history: found where they help, a tie where they do not, and a draft that is a good rule book."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from flows.backtest.calibrate import HELD, Proposal, propose
from flows.backtest.challengers import SEED_WEIGHTS, challengers_of
from flows.backtest.scoring import Period, ScoredRfq, View
from flows.settings import FlowSettings
from serve.adapters.rules import check_rules
from tests.unit.flows.backtest.cases import rfq

BOOK = Path("config/rules.yml").read_text(encoding="utf-8")


def proposed(telling: int | None) -> Proposal:
    """Search on a history in which one part of the score (by place; ``None`` = no part) tells which dealer is cheap."""
    rng = np.random.default_rng(5)
    weights = np.array(list(SEED_WEIGHTS.values()))
    items = []
    for day in range(90):
        parts, costs = rng.normal(0, 1, (4, len(weights))), rng.normal(8, 4, 4)
        if telling is not None:
            costs = 8 - 4 * parts[:, telling]
        names = dict(zip("ABCD", costs.tolist(), strict=True))
        view = View("A", [], [], parts=(parts * weights).tolist())
        items.append(ScoredRfq(rfq=rfq(names, day=day), views={"seed_v0": view}, expected_cost_bps=None, expected_impact_bps=None))
    period = Period(since=str(date(2025, 6, 2)), until=str(date(2025, 9, 1)), rfqs=items, standings={}, unknown=0)
    (found,) = propose(challengers_of(FlowSettings(), ["seed_v0"], []), [period], BOOK)
    return found


def test_the_part_that_tells_gets_more_weight_and_the_gain_holds_on_unseen_days() -> None:
    found = proposed(1)
    assert found.weights["price_improvement"] > SEED_WEIGHTS["price_improvement"]
    assert found.verdict == "better"
    assert sum(found.weights.values()) == pytest.approx(1.0)


def test_where_no_part_tells_what_was_learnt_is_a_tie() -> None:
    assert proposed(None).verdict == "tie"


def test_the_weight_of_the_leak_is_never_searched_away() -> None:
    found = proposed(1)
    assert found.weights != found.weights_now
    assert {name: found.weights[name] for name in HELD & found.weights.keys()} == {"information_leakage": 0.20}


def test_the_draft_is_a_good_rule_book_that_differs_in_the_score_alone(tmp_path: Path) -> None:
    found = proposed(1)
    draft = tmp_path / "draft.yml"
    draft.write_text(found.draft, encoding="utf-8")
    assert check_rules(draft) == []
    before, after = BOOK.splitlines(), found.draft.splitlines()
    assert [line for line in before if line not in after] == [line for line in before if line.startswith("  score:")]
