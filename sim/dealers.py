"""The dealers: who they are, and how each truly behaves per scorecard class before and after the market's shift."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import DealerStatus
from sim.identifiers import lei_of
from sim.names import DEALERS
from sim.randomness import stream
from sim.traits import (
    AXE_HALF_LIFE_DAYS,
    CLASSES,
    FAKE_BETA,
    FAKE_SCALE,
    LATENCY_SIGMA,
    LEAK_BETA,
    NON_SPECIALISTS,
    QUOTE_SD,
)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

REGIMES = 2
# Share of dealer and class pairs whose behaviour is drawn afresh when the market shifts.
_SHIFTED_SHARE = 0.2
# What a non-specialist lacks: logit of a response, half-spreads of price.
_OUTSIDER_LOGIT, _OUTSIDER_COST = -0.8, 0.10
# Desks of one house mostly leak alike; this share of classes goes its own way.
_OWN_LEAK_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Dealer:
    """A dealer as the firm's own records have it."""

    dealer_id: str
    name: str
    lei: str
    specialties: tuple[str, ...]
    status: str
    agreements: str
    due_diligence_expiry: date
    credit_limit: float
    restricted: bool
    fix_session: str
    party_id: str
    contacts: str


@dataclass(frozen=True, slots=True)
class Skill:
    """True behaviour, by regime x dealer x class unless said otherwise.

    ``response_logit`` is for a panel of four and a usual size; ``cost_hs`` the mean of quotes in half-spreads from mid (less is
    better for the client), ``cost_sd`` their spread; ``axe_gain_hs`` what an axe takes off; ``leak`` the probability that a
    lost RFQ leaks. By dealer: ``fake`` (probability to advertise without an axe), ``axe_half_life_days``, ``sigma`` of latency,
    ``firm`` and ``full_size`` probabilities. By dealer x class: ``specialist``, ``reach`` (how often desks ask).
    """

    specialist: Flags
    reach: Floats
    response_logit: Floats
    cost_hs: Floats
    cost_sd: Floats
    axe_gain_hs: Floats
    latency_s: Floats
    leak: Floats
    sigma: Floats
    firm: Floats
    full_size: Floats
    fake: Floats
    axe_half_life_days: Floats


def logit(probability: Floats) -> Floats:
    """Give ln(p / (1 - p))."""
    return np.asarray(np.log(probability / (1 - probability)), dtype=np.float64)


def _by_class(rng: np.random.Generator, dealers: int, low: list[float], high: list[float]) -> Floats:
    return np.asarray(rng.uniform(low, high, (dealers, len(CLASSES))), dtype=np.float64)


def _specialists(rng: np.random.Generator, dealers: int) -> Flags:
    flags = np.ones((dealers, len(CLASSES)), dtype=np.bool_)
    outsiders = round(NON_SPECIALISTS * dealers)
    for column in range(len(CLASSES)):
        flags[rng.permutation(dealers)[:outsiders], column] = False
    return flags


def _draw_regime(rng: np.random.Generator, specialist: Flags) -> dict[str, Floats]:
    dealers, classes = specialist.shape
    outsider = ~specialist
    quality = rng.normal(0, 0.06, (dealers, 1))
    response = _by_class(rng, dealers, [t.response[0] for t in CLASSES], [t.response[1] for t in CLASSES])
    return {
        "response_logit": logit(response) + 0.25 + _OUTSIDER_LOGIT * outsider,
        "cost_hs": 0.72 + quality + rng.normal(0, 0.10, (dealers, classes)) + _OUTSIDER_COST * outsider,
        "cost_sd": rng.uniform(*QUOTE_SD, (dealers, classes)),
        "axe_gain_hs": rng.uniform(0.25, 0.5, (dealers, classes)),
        "latency_s": _by_class(rng, dealers, [t.latency_s[0] for t in CLASSES], [t.latency_s[1] for t in CLASSES]),
        "leak": np.where(
            rng.random((dealers, classes)) < _OWN_LEAK_SHARE,
            rng.beta(*LEAK_BETA, (dealers, classes)),
            rng.beta(*LEAK_BETA, (dealers, 1)),
        ),
    }


def draw_skill(seed: int, dealers: int, regimes: int = REGIMES) -> Skill:
    """Draw how ``dealers`` dealers behave in each regime; from one to the next some are drawn afresh."""
    rng = stream(seed, "skill")
    specialist = _specialists(rng, dealers)
    course = [_draw_regime(rng, specialist)]
    for _ in range(regimes - 1):
        after, before = _draw_regime(rng, specialist), course[-1]
        moved = rng.random(specialist.shape) < _SHIFTED_SHARE
        course.append({name: np.where(moved, after[name], before[name]) for name in before})
    return Skill(
        specialist=specialist,
        reach=np.exp(rng.normal(0, 0.45, specialist.shape) + 0.5 * specialist + rng.normal(0, 0.3, (dealers, 1))),
        sigma=rng.uniform(*LATENCY_SIGMA, dealers),
        firm=rng.uniform(0.8, 1.0, dealers),
        full_size=rng.uniform(0.78, 0.97, dealers),
        fake=FAKE_SCALE * rng.beta(*FAKE_BETA, dealers),
        axe_half_life_days=rng.uniform(*AXE_HALF_LIFE_DAYS, dealers),
        **{name: np.stack([regime[name] for regime in course]) for name in course[0]},
    )


def draw_dealers(seed: int, end: date, skill: Skill) -> list[Dealer]:
    """Draw the firm's records of its dealers; a few may not be asked, each for another reason."""
    rng = stream(seed, "dealers")
    count = len(skill.sigma)
    # The records' trouble falls on dealers in the middle of the list, so that no class loses its best ones.
    suspended, restricted, lapsed, poor = (int(index) for index in rng.permutation(count)[:4])
    dealers = []
    for index in range(count):
        code, name = _name_of(index)
        reviewed = int(rng.integers(60, 900))
        dealers.append(
            Dealer(
                dealer_id=code,
                name=name,
                lei=lei_of(rng),
                specialties=_specialties(skill.specialist[index]),
                status=DealerStatus.SUSPENDED if index == suspended else DealerStatus.ACTIVE,
                agreements="MSFTA" if rng.random() < 0.3 else "ISDA;GMRA",
                due_diligence_expiry=end + timedelta(days=-20 if index == lapsed else reviewed),
                credit_limit=1_000_000.0 if index == poor else float(rng.integers(5, 40)) * 1e7,
                restricted=index == restricted,
                fix_session=f"{code}FIX",
                party_id=code[:4] + str(100 + index),
                contacts=f"credit desk <credit@{code.lower()}.example>;munis <munis@{code.lower()}.example>",
            )
        )
    return dealers


def _name_of(index: int) -> tuple[str, str]:
    code, name = DEALERS[index % len(DEALERS)]
    again = index // len(DEALERS)
    return (code, name) if not again else (f"{code}{again + 1}", f"{name} {again + 1}")


def _specialties(flags: Flags) -> tuple[str, ...]:
    classes: dict[str, None] = {}
    for flag, traits in zip(flags, CLASSES, strict=True):
        if flag:
            classes[str(traits.asset_class)] = None
    return tuple(classes)
