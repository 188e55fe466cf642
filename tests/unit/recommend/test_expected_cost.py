"""What one list of dealers is expected to cost beside another, and overrides by reason."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest

from serve.domain.expected_cost import Pair, cost_difference
from serve.domain.market import COLUMN, Scorecards
from tests.unit.recommend.cases import market

CARDS = market().scorecards["CORP_IG", 90, 0]
GAIN, FILL = COLUMN["price_improvement"], COLUMN["fill_rate"]  # type: ignore[index]


def cards(**gains: float | None) -> Scorecards:
    """The class with these gains (bps), each within 0.98 of it, and a fill rate of one half for everybody."""
    raw, low, high = CARDS.raw.copy(), CARDS.low.copy(), CARDS.high.copy()
    raw[:, FILL] = 0.5
    for name, gain in gains.items():
        row = CARDS.row[name]
        raw[row, GAIN] = math.nan if gain is None else gain
        low[row, GAIN], high[row, GAIN] = (math.nan, math.nan) if gain is None else (gain - 0.98, gain + 0.98)
    fields = {name: getattr(CARDS, name) for name in Scorecards.__dataclass_fields__ if name != "row"}
    return Scorecards(**{**fields, "raw": raw, "low": low, "high": high})


def pair(first: str, second: str, **gains: Any) -> Pair:
    return Pair(snapshot_id="s", cards=cards(**gains), first=list(first), second=list(second))


def test_dearer_list_costs_more_by_the_difference_of_its_mean_gain() -> None:
    found = cost_difference([pair("AC", "BD", A=3.0, C=1.0, B=1.0, D=0.0)])
    assert found.bps == pytest.approx(1.5)
    # Four dealers with weight 1/2 each and a standard error of 0.5: 1.96 x sqrt(4 x 0.25 x 0.25).
    assert found.high is not None
    assert found.high - 1.5 == pytest.approx(1.96 * 0.5)
    assert found.verdict == "costs more"


def test_dealer_in_both_lists_counts_only_with_the_shift_of_its_weight() -> None:
    same = cost_difference([pair("AC", "CA", A=3.0, C=1.0)])
    assert (same.bps, same.low, same.high, same.verdict) == (0.0, 0.0, 0.0, "tie")
    shorter = cost_difference([pair("AC", "A", A=3.0, C=1.0)])
    assert shorter.bps == pytest.approx(-1.0)
    assert shorter.low == pytest.approx(-1.0 - 1.96 * math.sqrt(2 * (0.5 * 0.5) ** 2))


def test_more_orders_of_the_same_dealers_do_not_narrow_the_interval() -> None:
    one, many = (cost_difference([pair("A", "B", A=3.0, B=1.0)] * count) for count in (1, 50))
    assert (one.low, one.high) == pytest.approx((many.low, many.high))
    assert (one.orders, many.orders) == (1, 50)


def test_other_snapshot_is_other_evidence() -> None:
    first = pair("A", "B", A=3.0, B=1.0)
    second = msgspec.structs.replace(first, snapshot_id="t")
    both, one = cost_difference([first, second]), cost_difference([first])
    assert both.high is not None
    assert one.high is not None
    assert both.high - 2.0 == pytest.approx((one.high - 2.0) / math.sqrt(2))


def test_fill_rates_weigh_who_is_likely_to_be_traded_with() -> None:
    weighed = pair("AB", "A", A=3.0, B=1.0)
    weighed.cards.raw[weighed.cards.row["A"], FILL] = 0.9
    weighed.cards.raw[weighed.cards.row["B"], FILL] = 0.1
    assert cost_difference([weighed]).bps == pytest.approx(-(3.0 - (0.9 * 3.0 + 0.1 * 1.0)))


def test_dealer_without_a_figure_counts_with_the_class_mean_and_spread() -> None:
    gains = dict.fromkeys(CARDS.dealer_ids, 2.0) | {"A": 6.0, "B": None}
    found = cost_difference([pair("A", "B", **gains)])
    assert found.bps == pytest.approx(6.0 - np.mean([6.0] + [2.0] * 6))
    assert found.high is not None
    assert found.bps is not None
    assert found.high - found.bps > 1.96 * 0.5


def test_orders_without_any_figure_or_with_an_empty_list_are_counted_apart() -> None:
    nothing = pair("A", "B", **dict.fromkeys(CARDS.dealer_ids))
    found = cost_difference([nothing, pair("A", "")])
    assert (found.bps, found.orders, found.unknown, found.verdict) == (None, 0, 2, "unknown")
    assert cost_difference([]).bps is None
