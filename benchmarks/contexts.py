"""What finer contexts add to a dealer's price: sector, maturity, size, issuer, volatility, walked through month by month.

    python -m benchmarks contexts [--days N]

Each quote is foretold by the dealer's mean in its class, and by that mean shrunk further in each context with the fits' own
formulas; the pick is the lowest of those asked. On a simulated market, whose dealers have no such contexts, the question is what
looking for one costs; on the New York Fed's trades (SOTTO_NYFED_TSY) what it gains. An interval that holds zero is a tie.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.treasuries import landed
from expectations.contracts.home import Home
from flows import deliveries
from flows.backtest.history import PastRfq, read_rfqs
from flows.backtest.past import Past
from flows.backtest.plan import receipts_of
from flows.bootstrap import Days, Estimate
from flows.fit_dealers import class_wide, day_weight, nested
from flows.fit_state import Knobs
from flows.landing import Landing
from flows.settings import FlowSettings
from flows.sources.registry import pull
from flows.standalone import shown
from sim.simulate import simulate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MONTH, _FIRST = 30, 90
_NONE = "none: the class alone"
CONTEXTS = {
    "sector": "coalesce(sector, '')",
    "maturity": "coalesce(maturity_bucket, '')",
    "sector and maturity": "coalesce(sector, '') || coalesce(maturity_bucket, '')",
    "size": "case when quantity < 1e6 then 'ODD' when quantity <= 5e6 then 'ROUND' else 'BLOCK' end",
    "issuer": "coalesce(issuer_id, '')",
    "volatility": "coalesce(volatility_regime, '')",
}
_QUOTES = f"""
select
    responses.rfq_id, responses.dealer_id, responses.scorecard_class, responses.asked_on, quotes.quote_cost_hs,
    {
    ", ".join(
        f'{sql.replace("sector", "responses.sector").replace("maturity_", "responses.maturity_")} as "{name}"'
        for name, sql in CONTEXTS.items()
    )
}
from intermediate.int_rfq_responses as responses
inner join intermediate.int_quotes_in_half_spreads as quotes using (rfq_id, dealer_id)
left join intermediate.int_class_regimes as regimes
    on responses.scorecard_class = regimes.scorecard_class and responses.asked_on = regimes.priced_on
where quotes.quote_cost_hs is not null
order by responses.asked_on, responses.rfq_id, responses.dealer_id
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the contexts on a simulated market, and on the Fed's trades where they are at hand; print a table of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks contexts")
    parser.add_argument("--days", type=int, default=360, help="days of the simulated market (default 360)")
    days = parser.parse_args([] if arguments is None else arguments).days
    with tempfile.TemporaryDirectory() as folder:
        _print(f"simulated, {days} days, half-spreads", _simulated(Path(folder), days))
    release = os.environ.get("SOTTO_NYFED_TSY")
    if release:
        with tempfile.TemporaryDirectory() as folder:
            settings = FlowSettings(home=Path(folder) / "home")
            sources = landed(settings, release, Path(folder) / "sources.yml")
            _print("the New York Fed's trades, bps", _compare(settings, str(sources), date(2012, 6, 30)))


def _simulated(folder: Path, days: int) -> dict[str, Estimate]:
    last = date(2026, 6, 30)
    simulate(folder / "market", days, 11, last, securities=300)
    settings = FlowSettings(home=folder / "home")
    now = datetime.now(UTC) - timedelta(seconds=1)
    for source in deliveries.sources_of(settings, folder / "market"):
        deliveries.land_new(Landing(settings.state), pull(source), now=now, not_after=now)
    return _compare(settings, str(folder / "market"), last)


def _compare(settings: FlowSettings, sources: str, last: date) -> dict[str, Estimate]:
    """Give the gain of the pick, and what each context adds to it, in half-spreads; months are foretold in turn."""
    until = _midnight(last + timedelta(days=1))
    past = Past(settings, Home(settings.home / "scratch"), receipts_of(settings, sources))
    with past.at(until) as connection:
        quotes = Quotes.read(connection)
        begin = quotes.first + timedelta(days=_FIRST)
        rfqs = [
            rfq for rfq in read_rfqs(connection, _midnight(begin), until) if sum(cost is not None for cost in rfq.quoted_bps) > 1
        ]
    days = Days([rfq.day.isoformat() for rfq in rfqs])
    gains = {name: np.full(len(rfqs), np.nan) for name in (_NONE, *CONTEXTS)}
    for since, to in _months(begin, last):
        month = [(place, rfq) for place, rfq in enumerate(rfqs) if since <= rfq.day < to]
        for name, gained in gains.items():
            told = quotes.foretold(None if name == _NONE else name, since)
            for place, rfq in month:
                gained[place] = _gain(rfq, told)
    alone = gains[_NONE]
    return {_NONE: days.mean(alone)} | {f"{name}, over the class alone": days.mean(gains[name] - alone) for name in CONTEXTS}


def _gain(rfq: PastRfq, told: "Foretold") -> float:
    """Give how much less the lowest foretold cost than the mean of those who quoted, half-spreads."""
    known = [(told.of(rfq, dealer), cost) for dealer, cost in zip(rfq.dealers, rfq.quoted_bps, strict=True) if cost is not None]
    costs = [cost for _, cost in known]
    pick = min(known, key=lambda pair: pair[0])[1]
    return float(np.mean(costs) - pick) / (rfq.half_spread_bps or 1.0)


@dataclass(frozen=True)
class Foretold:
    """Mean quotes, class x context x dealer, and the places of names in them."""

    means: Floats
    classes: dict[str, int]
    dealers: dict[str, int]
    context_of: dict[str, int]

    def of(self, rfq: PastRfq, dealer: str) -> float:
        """Give what is foretold of one dealer in one RFQ."""
        return float(self.means[self.classes[rfq.scorecard_class], self.context_of[rfq.rfq_id], self.dealers[dealer]])


@dataclass(frozen=True)
class Quotes:
    """Every quote in half-spreads, in order of days."""

    rfq: npt.NDArray[np.object_]
    day: Ints
    cost: Floats
    klass: Ints
    dealer: Ints
    classes: dict[str, int]
    dealers: dict[str, int]
    contexts: dict[str, npt.NDArray[np.object_]]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> "Quotes":
        """Read them all."""
        cells = connection.execute(_QUOTES).fetchnumpy()
        classes, klass = np.unique(cells["scorecard_class"].astype(str), return_inverse=True)
        dealers, dealer = np.unique(cells["dealer_id"].astype(str), return_inverse=True)
        return cls(
            rfq=cells["rfq_id"],
            day=cells["asked_on"].astype("datetime64[D]").astype(np.int64),
            cost=np.ma.filled(cells["quote_cost_hs"], np.nan).astype(np.float64),
            klass=klass,
            dealer=dealer,
            classes={str(name): place for place, name in enumerate(classes)},
            dealers={str(name): place for place, name in enumerate(dealers)},
            contexts={name: cells[name] for name in CONTEXTS},
        )

    @property
    def first(self) -> date:
        """The first day."""
        return date.fromordinal(date(1970, 1, 1).toordinal() + int(self.day[0]))

    def foretold(self, context: str | None, at: date) -> Foretold:
        """Fit on what came before a day."""
        knobs = Knobs() if context else replace(Knobs(), sector_prior=1e9)
        names = np.full(len(self.rfq), "") if context is None else self.contexts[context].astype(str)
        listed, place = np.unique(names, return_inverse=True)
        shape = (len(self.classes), len(listed), len(self.dealers))
        today = at.toordinal() - date(1970, 1, 1).toordinal()
        n, total, squares = self._sums(shape, place, today, knobs)
        whole, sums = n.sum(1), total.sum(1)
        _, mean = class_wide(whole, sums, knobs)
        spread = np.maximum(squares.sum(1) - 2 * mean * sums + whole * mean**2, 0.0)
        sd = np.sqrt((knobs.sd_prior * knobs.sd_start_hs**2 + spread) / (knobs.sd_prior + whole))
        means = nested(mean, n, total, sd, knobs)
        return Foretold(means, self.classes, self.dealers, dict(zip(self.rfq.tolist(), place.tolist(), strict=True)))

    def _sums(self, shape: tuple[int, int, int], place: Ints, today: int, knobs: Knobs) -> tuple[Floats, Floats, Floats]:
        """Add up quotes by class, context and dealer: with decay, and those of one day for fewer."""
        before = self.day < today
        cell = np.ravel_multi_index((self.klass, place, self.dealer), shape)[before]
        back = np.unique(cell * 100_000 + self.day[before], return_inverse=True)[1]
        weight = day_weight(np.bincount(back).astype(np.float64), knobs)[back]
        weight = weight * 0.5 ** ((today - self.day[before]) / knobs.half_life_days)
        size, cost = int(np.prod(shape)), self.cost[before]
        parts = (np.ones_like(cost), cost, cost**2)
        n, total, squares = (np.bincount(cell, weight * part, size).astype(np.float64).reshape(shape) for part in parts)
        return n, total, squares


def _months(begin: date, last: date) -> Iterator[tuple[date, date]]:
    while begin <= last:
        yield begin, begin + timedelta(days=_MONTH)
        begin += timedelta(days=_MONTH)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _print(title: str, found: dict[str, Estimate]) -> None:
    table = Table(title, "gain of the pick, half-spreads", "RFQs")
    for name, gain in found.items():
        table.add_row(name, shown(gain, 4, sign="+"), f"{gain.n:,}")
    Console(width=120).print(table)
