"""A market in which dealers behave as no model assumes: the vendors' files of it, and that the usual one is left as it was."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from sim.errors import SimulationError
from sim.fix.dealer_book import DealerBook
from sim.fix.fills import FillBook
from sim.market import Sizes, build_market
from sim.simulate import WORLDS, simulate
from sim.world import load_world
from tests.unit.sim.conftest import END
from tests.unit.sim.test_dealer_book import NOON, _request

SIZES = Sizes(seed=3, days=120, end=END, securities=60, dealers=16, rfqs_per_day=60)


@pytest.fixture(scope="module")
def usual():
    return build_market(SIZES)


@pytest.fixture(scope="module")
def strange():
    return build_market(replace(SIZES, misspecified=True))


def _residuals(market):
    """Give quote errors by RFQ and place, in standard deviations of the dealer's own; places not asked are NaN."""
    own, demand, skill = market.enquiries, market.demand, market.skill
    at = (demand.regime[:, None], own.dealer, demand.class_index[:, None])
    stretched = np.where(demand.stress[:, None] > 0, 1.7, 1.0)
    cost = own.answers.cost_hs / stretched + skill.axe_gain_hs[at] * own.axe
    return np.where(own.asked, (cost - skill.cost_hs[at]) / skill.cost_sd[at], np.nan)


def test_quotes_of_one_rfq_err_together_and_with_heavier_tails(usual, strange):
    def alike(market):
        errors = _residuals(market)[:, :2]
        both = np.isfinite(errors).all(1)
        return np.corrcoef(errors[both].T)[0, 1]

    assert abs(alike(usual)) < 0.08
    assert alike(strange) > 0.25


def test_winners_leak_too(usual, strange):
    def leaks_of_winners(market):
        own = market.enquiries
        won = np.flatnonzero(own.winner >= 0)
        return market.impacts.leaked[won, own.winner[won]].mean()

    assert leaks_of_winners(usual) == 0
    assert 0.02 < leaks_of_winners(strange) < 0.12


def test_axes_come_in_waves_of_three_weeks(usual, strange):
    def swing(market):
        days = (market.axes.begins[market.axes.real] - market.midnights[0]) / 86_400_000
        return abs(np.exp(2j * np.pi * days / 21).mean())

    assert swing(usual) < 0.15
    assert swing(strange) > 0.3


def test_fewer_answer_where_all_quotes_lie_far_off_the_usual(strange):
    own = strange.enquiries
    shock = np.abs(np.nanmean(_residuals(strange), axis=1))
    share = own.quoted.sum(1) / own.asked.sum(1)
    calm, moved = np.quantile(shock, [0.33, 0.67])
    assert share[shock < calm].mean() > share[shock > moved].mean() + 0.03


def test_the_world_says_what_it_is_and_its_dealers_answer_over_fix_alike(tmp_path):
    made = simulate(tmp_path / "odd", 10, 5, END, securities=60, dealers=12, world="misspecified")
    world = load_world(made.truth)
    assert world.misspecified
    bond = next(bond for bond in world.bonds if bond.scorecard_class == "CORP_IG")

    def answers(told):
        books = [DealerBook(told, dealer, FillBook(), {}, "test") for dealer in told.dealers]
        return [[(due.at, due.message) for due in book.handle(_request(bond), NOON)] for book in books]

    assert answers(world) == answers(world)
    assert answers(world) != answers(msgspec.structs.replace(world, misspecified=False))


def test_a_world_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(SimulationError, match="usual, misspecified") as caught:
        simulate(tmp_path / "a", 10, 1, END, securities=60, dealers=12, world="strange")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a").exists()
    assert WORLDS == ("usual", "misspecified")
