"""Worlds for closed loops: the same for every policy, the truth told right, and alien where they are meant to be."""

import numpy as np
import pytest

from sim.lab import LAB_CLASSES, Conditions, Lab
from sim.lab_answers import answered, half_spread_bps, true_response

BUSY = Conditions(name="busy", rfqs_per_day=24)


def test_equal_seeds_give_equal_days_whatever_worlds_stand_beside() -> None:
    alone, beside = Lab(BUSY, [11]), Lab(BUSY, [10, 11])
    for number in range(3):
        one, two = alone.day(number), beside.day(number)
        mine = two.world == 1
        assert np.array_equal(one.klass, two.klass[mine])
        assert np.array_equal(one.draws.error, two.draws.error[mine])
        assert np.array_equal(one.axe, two.axe[mine])


def test_more_dealers_asked_answer_less_often_and_by_the_true_chances() -> None:
    lab = Lab(BUSY, list(range(40)))
    day = lab.day(0)
    few, many = np.ones(len(day.world)), np.full(len(day.world), 8.0)
    assert answered(day, many).quoted.mean() < answered(day, few).quoted.mean()
    assert answered(day, few).quoted.mean() == pytest.approx(true_response(day, day.axe, few).mean(), abs=0.01)


def test_axes_stand_at_their_base_rate_and_most_are_told_of() -> None:
    lab = Lab(BUSY, list(range(30)))
    days = [lab.day(number) for number in range(10)]
    assert np.mean([day.axe.mean() for day in days]) == pytest.approx(0.08, abs=0.01)
    told = np.mean([day.told.mean() for day in days])
    assert 0.08 < told < 0.16


def test_a_shift_changes_some_dealers_and_not_others() -> None:
    lab = Lab(Conditions(name="shifts", rfqs_per_day=4, shifts=(5,)), [1, 2, 3])
    before, after = lab.skill_of("response_logit", 4), lab.skill_of("response_logit", 5)
    assert 0.1 < (before != after).mean() < 0.3


def test_in_an_alien_world_dealers_err_together() -> None:
    plain, alien = Lab(BUSY, list(range(20))), Lab(Conditions(name="x", rfqs_per_day=24, alien=True), list(range(20)))
    usual, strange = plain.day(0).draws.error, alien.day(0).draws.error
    assert np.corrcoef(strange[:, 0], strange[:, 1])[0, 1] > 0.15 > abs(np.corrcoef(usual[:, 0], usual[:, 1])[0, 1])


def test_half_spreads_are_those_of_the_class_grown_with_size() -> None:
    day = Lab(BUSY, [5]).day(0)
    investment_grade = day.klass == LAB_CLASSES.index("CORP_IG")
    assert 4 < half_spread_bps(day)[investment_grade].mean() < 8
