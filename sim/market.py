"""The whole market in memory: everything that happened, true and hidden, before any vendor writes it down."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
import numpy.typing as npt

from sim.axes import Axes, draw_axes
from sim.calendar import DAY_MS, Period, business_days, midnight_ms
from sim.dealers import REGIMES, Dealer, Skill, draw_dealers, draw_skill
from sim.errors import SimulationError
from sim.estranged import WINNERS_LEAK
from sim.leaks import Impacts, draw_impacts
from sim.prints import Prints, draw_prints
from sim.references import ReferenceSet, build_references
from sim.rfqs import PANEL, Demand, Enquiries, draw_demand, run_enquiries
from sim.timeline import Timeline, value_all
from sim.traits import CLASSES, RFQS_PER_DAY
from sim.universe import Security, build_universe

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# The market shifts at this share of the period; stress lasts some days, well before the shift.
_SHIFT_AT = 0.6
_STRESS_FROM, _STRESS_SHARE, _STRESS_DAYS_AT_MOST = 0.35, 0.06, 8
_MOST_DAYS, _MOST_SECURITIES, _MOST_DEALERS = 3660, 20_000, 500


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is asked of the simulation; equal sizes, seed and end give equal bytes.

    ``misspecified`` turns on what the models do not assume (``estranged``).
    """

    seed: int
    days: int
    end: date
    securities: int
    dealers: int
    rfqs_per_day: float = RFQS_PER_DAY
    misspecified: bool = False

    def __post_init__(self) -> None:
        bounds = (
            ("days", self.days, 1, _MOST_DAYS),
            ("securities", self.securities, 2 * len(CLASSES), _MOST_SECURITIES),
            ("dealers", self.dealers, PANEL, _MOST_DEALERS),
            ("rfqs_per_day", self.rfqs_per_day, 0.1, 100_000),
            ("seed", self.seed, 0, 2**32 - 1),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                message = f"{name} is {value}: give a number from {low} to {high}"
                raise SimulationError(message)
        try:
            date.fromordinal(self.end.toordinal() - self.days)
        except ValueError as error:
            message = f"{self.days} days before {self.end} is not a date: give a later end or fewer days"
            raise SimulationError(message) from error

    @property
    def end_ms(self) -> int:
        """The last millisecond of the last day, UTC."""
        last = datetime.combine(self.end, time(0), tzinfo=UTC)
        return int(last.timestamp()) * 1000 + DAY_MS - 1


@dataclass(frozen=True, slots=True)
class Market:
    """All that happened between the first and the last day."""

    sizes: Sizes
    bonds: list[Security]
    dealers: list[Dealer]
    skill: Skill
    period: Period
    axes: Axes
    enquiries: Enquiries
    impacts: Impacts
    prints: Prints
    timeline: Timeline
    references: ReferenceSet

    @property
    def midnights(self) -> Ints:
        """The start of each trading day, in ms."""
        return self.period.midnights

    @property
    def demand(self) -> Demand:
        """What the desk wanted."""
        return self.enquiries.demand


def _regimes(days: int) -> tuple[Ints, Flags]:
    day = np.arange(days)
    regime = np.where(day >= _SHIFT_AT * days, REGIMES - 1, 0)
    length = min(_STRESS_DAYS_AT_MOST, round(_STRESS_SHARE * days))
    first = int(_STRESS_FROM * days)
    return regime.astype(np.int64), (day >= first) & (day < first + length)


def build_market(sizes: Sizes) -> Market:
    """Let the market happen."""
    seed, strange = sizes.seed, sizes.misspecified
    midnights = midnight_ms(business_days(sizes.end, sizes.days))
    period = Period(midnights, *_regimes(len(midnights)), sizes.end_ms)
    bonds = build_universe(seed, sizes.end, sizes.securities)
    skill = draw_skill(seed, sizes.dealers)
    axes = draw_axes(seed, bonds, skill, (int(midnights[0]), sizes.end_ms), seasonal=strange)
    demand = draw_demand(seed, bonds, period, sizes.rfqs_per_day)
    enquiries = run_enquiries(seed, bonds, skill, axes, demand, strange=strange)
    impacts = draw_impacts(seed, bonds, skill, enquiries, winners_leak=WINNERS_LEAK if strange else 0.0)
    prints = draw_prints(seed, bonds, period)
    timeline = value_all(seed, bonds, period, (demand, impacts), prints)
    return Market(
        sizes=sizes,
        bonds=bonds,
        dealers=draw_dealers(seed, sizes.end, skill),
        skill=skill,
        period=period,
        axes=axes,
        enquiries=enquiries,
        impacts=impacts,
        prints=prints,
        timeline=timeline,
        references=build_references(seed, bonds, period, (demand, impacts), timeline),
    )
