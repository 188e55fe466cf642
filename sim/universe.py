"""The securities: who issued them, when they mature, how they are rated and how often they trade."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import AssetClass, CorporateClass, Rating
from sim.identifiers import cusip_of, figi_of, isin_of, issuer_base
from sim.names import ISSUER_ROOTS, SECTORS, issuer_name
from sim.randomness import stream
from sim.ratings import Ratings, draw_ratings
from sim.traits import CLASSES, TOP_SHARE_OF_BONDS, TOP_SHARE_OF_TRADES, ClassTraits

Floats = npt.NDArray[np.float64]

_ZIPF_EXPONENT = 3.0
_BONDS_PER_ISSUER = 4
# Bonds of the tail that nobody touches in the last days; some of them are corporates of about seven years.
_QUIET_SHARE = 0.05
_SEVEN_YEAR_BONDS = 4
_QUIET_DAYS = (9, 26)


@dataclass(frozen=True, slots=True)
class Security:
    """One bond with its hidden traits.

    ``half_spread_bps`` is that of a round lot; ``popularity`` its share of the market's prints; ``quiet_days`` the calendar
    days before the end in which neither a print nor an RFQ touches it; ``start_price`` the mid on the first day.
    """

    security_id: str
    cusip: str
    isin: str
    figi: str
    scorecard_class: str
    asset_class: str
    issuer_id: str
    issuer_name: str
    sector: str
    currency: str
    coupon: float
    issue_date: date
    maturity_date: date
    ratings: Ratings
    amount_outstanding: float
    half_spread_bps: float
    popularity: float
    quiet_days: int
    start_price: float


def zipf_weights(count: int) -> Floats:
    """Give falling shares, summing to 1, whose top 2 % hold 25 %: a Zipf-Mandelbrot law with the offset solved for."""
    ranks = np.arange(count, dtype=np.float64)
    top = max(1, round(TOP_SHARE_OF_BONDS * count))
    low, high = 0.05, 10.0 * count
    for _ in range(80):
        offset = (low * high) ** 0.5
        weights = (ranks + offset) ** -_ZIPF_EXPONENT
        if weights[:top].sum() / weights.sum() > TOP_SHARE_OF_TRADES:
            low = offset
        else:
            high = offset
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _counts(securities: int) -> list[int]:
    counts = [max(1, round(traits.share * securities)) for traits in CLASSES]
    counts[0] += securities - sum(counts)
    return counts


def build_universe(seed: int, end: date, securities: int) -> list[Security]:
    """Draw the universe as it stands on ``end``."""
    rng = stream(seed, "universe")
    plan = [traits for traits, count in zip(CLASSES, _counts(securities), strict=True) for _ in range(count)]
    appeal = np.array([traits.popularity for traits in plan]) + rng.normal(0, 1, len(plan))
    seven_years = _seven_year_places(plan)
    ranks = np.empty(len(plan), dtype=np.int64)
    appeal[seven_years] = np.quantile(appeal, 0.25) - 0.001 * np.arange(len(seven_years))
    ranks[np.argsort(-appeal, kind="stable")] = np.arange(len(plan))
    weights = zipf_weights(len(plan))[ranks]
    quiet = _quiet_days(rng, ranks, seven_years)
    issuers = _Issuers(rng)
    bonds = []
    for place, traits in enumerate(plan):
        depth = 1 - ranks[place] / len(plan)
        bond = _draw_bond(rng, issuers, traits, end, place=place, depth=float(depth), seven_year=place in seven_years)
        bonds.append(_finish(bond, float(weights[place]), int(quiet[place])))
    return bonds


def _seven_year_places(plan: list[ClassTraits]) -> list[int]:
    corporate = [place for place, traits in enumerate(plan) if traits.scorecard_class == CorporateClass.INVESTMENT_GRADE]
    step = max(1, len(corporate) // _SEVEN_YEAR_BONDS)
    return corporate[::step][:_SEVEN_YEAR_BONDS]


def _quiet_days(rng: np.random.Generator, ranks: npt.NDArray[np.int64], always: list[int]) -> npt.NDArray[np.int64]:
    tail = ranks > len(ranks) // 2
    chosen = tail & (rng.random(len(ranks)) < 2 * _QUIET_SHARE)
    chosen[always] = True
    return np.where(chosen, rng.integers(*_QUIET_DAYS, len(ranks)), 0)


class _Issuers:
    """Issuers handed out so that each class has some with many bonds and some with one."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._open: dict[str, list[tuple[str, str, str, str]]] = {}
        self._issues: dict[str, int] = {}

    def next(self, traits: ClassTraits, *, large: bool) -> tuple[str, str, str, str, int]:
        """Give issuer id, name, sector and CUSIP base of the next bond's issuer, and the issue's number.

        ``large`` asks for the class's first issuer, the one with the most bonds.
        """
        pool = self._open.setdefault(traits.scorecard_class, [])
        fresh = not pool or (not large and self._rng.random() < 1 / _BONDS_PER_ISSUER)
        pick = int(len(pool) * self._rng.random() ** 2)
        if (fresh and traits.asset_class != AssetClass.GOVT) or not pool:
            pool.append(self._new(traits))
            pick = len(pool) - 1
        issuer = pool[0 if large else pick]
        issue = self._issues.get(issuer[0], 0)
        self._issues[issuer[0]] = issue + 1
        return *issuer, issue

    def _new(self, traits: ClassTraits) -> tuple[str, str, str, str]:
        number = len(self._issues)
        sectors = SECTORS[traits.asset_class]
        sector = sectors[0] if number == 0 else sectors[int(self._rng.integers(len(sectors)))]
        root = ISSUER_ROOTS[number % len(ISSUER_ROOTS)]
        base = issuer_base(self._rng)
        issuer = f"ISS{number + 1:04d}"
        self._issues[issuer] = 0
        return issuer, issuer_name(root, traits.asset_class, sector, number // len(ISSUER_ROOTS)), sector, base


def _draw_bond(
    rng: np.random.Generator, issuers: _Issuers, traits: ClassTraits, end: date, *, place: int, depth: float, seven_year: bool
) -> Security:
    issuer_id, name, sector, base, issue = issuers.next(traits, large=seven_year)
    span = np.log(np.array(traits.years))
    years = float(np.exp(rng.uniform(*span)))
    age = float(rng.uniform(0.2, 8))
    rank = int(rng.choice([Rating.BBB_MINUS, Rating.BBB, Rating.BBB_PLUS])) if seven_year else None
    amount = float(np.exp(np.interp(depth + rng.normal(0, 0.15), [0, 1], np.log(traits.amount))))
    if seven_year:
        years, age, amount = float(rng.uniform(6.7, 7.3)), float(rng.uniform(2, 3.2)), float(rng.uniform(6e8, 1.1e9))
    national = cusip_of(base, issue)
    abroad = traits.asset_class == AssetClass.EM and rng.random() < 0.6
    spread = float(rng.uniform(*traits.half_spread_bps))
    return Security(
        security_id=f"SEC{place + 1:05d}",
        cusip="" if abroad else national,
        isin=isin_of("XS", f"{place + 200_000_000:09d}") if abroad else isin_of("US", national),
        figi=figi_of(rng),
        scorecard_class=str(traits.scorecard_class),
        asset_class=str(traits.asset_class),
        issuer_id=issuer_id,
        issuer_name=name,
        sector=sector,
        currency="USD",
        coupon=round(float(rng.uniform(2, 8)) * 8) / 8,
        issue_date=end - timedelta(days=round(age * 365.25)),
        maturity_date=end + timedelta(days=round(years * 365.25)),
        ratings=draw_ratings(rng, traits.scorecard_class, rank),
        amount_outstanding=max(1e6, round(amount, -6)),
        half_spread_bps=round(spread * (1.15 - 0.3 * depth), 3),
        popularity=0.0,
        quiet_days=0,
        start_price=round(float(rng.uniform(*traits.price)), 3),
    )


def _finish(bond: Security, popularity: float, quiet_days: int) -> Security:
    return replace(bond, popularity=popularity, quiet_days=quiet_days)
