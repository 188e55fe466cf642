"""Which worlds and which policies are compared."""

from dataclasses import replace

import numpy as np

from benchmarks._science_policies import EVERYTHING, Policy
from flows.fit_state import Knobs
from flows.priors import Priors
from serve.domain.beliefs import Beliefs
from sim.lab import Conditions

_OWN = Knobs()
_CARD = Priors().of_card
# Days on which a fifth of dealers and classes change: two within the loop.
_SHIFTS = (98, 114)

CONDITIONS = (
    Conditions(name="busy", rfqs_per_day=24),
    Conditions(name="sparse", rfqs_per_day=4),
    Conditions(name="shifts", rfqs_per_day=24, shifts=_SHIFTS),
    Conditions(name="hard", rfqs_per_day=4, shifts=_SHIFTS, leak_scale=2.0),
    Conditions(name="misspecified", rfqs_per_day=24, alien=True),
)

_YARDSTICKS = (Policy(name="random", kind="random"), Policy(name="oracle", kind="oracle"))
POLICIES = (
    *_YARDSTICKS,
    Policy(name="static list", kind="static"),
    Policy(name="static list per class", kind="static_class"),
    Policy(name="seed_v0", kind="seed"),
    Policy(name="scorecard", kind="scorecard", knobs=_CARD),
    Policy(name="expected_utility", kind="utility", knobs=_OWN),
    Policy(name="expected_utility, exploring", kind="explore", knobs=_OWN),
    Policy(name="expected_utility, whisper", kind="whisper", knobs=_OWN),
    Policy(name="whisper, quotes fade 20 % a step", kind="whisper", knobs=_OWN, fade=0.2),
    Policy(name="whisper, quotes 0.1 HS wider", kind="whisper", knobs=_OWN, premium=0.1),
    Policy(name="all parameters known, axes inferred", kind="utility", knobs=_OWN, knows=EVERYTHING),
)


def _plain_price(beliefs: Beliefs) -> Beliefs:
    same = np.full_like(beliefs.price.mean, beliefs.terms.price_hs)
    price = replace(beliefs.price, mean=same)
    return replace(beliefs, price=price, sector_prices={}, price_sd=np.full_like(same, beliefs.price_sd.mean()))


def _plain_response(beliefs: Beliefs) -> Beliefs:
    same = np.full_like(beliefs.response.mean, beliefs.terms.response)
    return replace(beliefs, response=replace(beliefs.response, mean=same))


def _plain_leak(beliefs: Beliefs) -> Beliefs:
    same = np.full_like(beliefs.leak.mean, beliefs.terms.leak_hs)
    return replace(beliefs, leak=replace(beliefs.leak, mean=same))


def _no_axes(beliefs: Beliefs) -> Beliefs:
    return replace(beliefs, axes={})


ABLATIONS = (
    *_YARDSTICKS,
    Policy(name="expected_utility", kind="utility", knobs=_OWN),
    Policy(name="no price of its own", kind="utility", knobs=_OWN, tweak=_plain_price),
    Policy(name="no response of its own", kind="utility", knobs=_OWN, tweak=_plain_response),
    Policy(name="no leak of its own", kind="utility", knobs=_OWN, tweak=_plain_leak),
    Policy(name="no axes", kind="utility", knobs=_OWN, tweak=_no_axes),
    Policy(name="four by their own worth, no set", kind="utility", knobs=_OWN, take=4),
    Policy(name="no sectors within a class", kind="utility", knobs=replace(_OWN, sector_prior=1e9)),
    Policy(name="no alarm", kind="utility", knobs=replace(_OWN, alarm_bound=float("inf"))),
    Policy(name="half the shrinkage", kind="utility", knobs=replace(_OWN, response_prior=8.0, price_prior=1.25)),
    *(
        Policy(name=f"true {part}, the rest learnt", kind="utility", knobs=_OWN, knows=frozenset({part}))
        for part in sorted(EVERYTHING)
    ),
)
