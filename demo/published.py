"""What the published snapshot says, as the demo shows it."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from expectations.contracts.home import Home

_THIN_CORPORATES = """
with bonds as (
    select
        s.security_id, s.cusip, s.issuer_id, s.issuer_name, s.sector, s.scorecard_class, s.maturity_bucket, s.coupon,
        s.maturity_date, l.days_since_last_trade
    from dim_securities as s
    inner join fct_security_liquidity as l using (security_id)
    where
        s.asset_class = 'CORP'
        and date_diff('day', cast(l.as_of as date), s.maturity_date) / 365.25 between 6.5 and 7.5
        and l.days_since_last_trade > 7
        and l.mid is not null
        and s.amount_outstanding >= 250e6
),
known as (
    select bonds.security_id, count(distinct a.dealer_id) as dealers
    from bonds
    inner join fct_dealer_affinity as a
        on
            a.issuer_id = bonds.issuer_id
            or (a.sector = bonds.sector and a.scorecard_class = bonds.scorecard_class and a.maturity_bucket = bonds.maturity_bucket)
    group by bonds.security_id
)
select bonds.security_id, cusip, issuer_name, coupon, maturity_date, days_since_last_trade, scorecard_class, dealers
from bonds
inner join known using (security_id)
where dealers >= 15
order by scorecard_class <> 'CORP_IG', days_since_last_trade desc, security_id
"""

_SCORES = """
select
    dealer_id, rfqs_asked, rfqs_won, fill_rate, price_improvement, price_improvement_n, information_leakage,
    information_leakage_n, response_speed, composite, composite_rank, tier
from fct_dealer_scorecards
where scorecard_class = ? and window_days = 90 and half_life_days = 0
order by composite_rank, dealer_id
"""


class ThinBond(msgspec.Struct, frozen=True):
    """A corporate with about seven years to go that has not traded for over a week; ``dealers`` = who quoted it or its like."""

    security_id: str
    cusip: str | None
    issuer_name: str | None
    coupon: float | None
    maturity_date: date
    days_since_last_trade: float
    scorecard_class: str
    dealers: int

    @property
    def title(self) -> str:
        """The bond as a trader would call it."""
        coupon = f"{self.coupon:g} % " if self.coupon is not None else ""
        return f"{self.issuer_name or self.security_id} {coupon}{self.maturity_date:%Y-%m}"


def thin_corporates(home: Home, snapshot_id: str) -> list[ThinBond]:
    """Find the bonds of M-30: about seven years, quiet for over a week, their like quoted by fifteen dealers or more."""
    return [ThinBond(**row) for row in _rows(home, snapshot_id, _THIN_CORPORATES, [])]


def scores(home: Home, snapshot_id: str, scorecard_class: str) -> dict[str, dict[str, Any]]:
    """Give each dealer's scorecard of the class over ninety days, best first."""
    return {row["dealer_id"]: row for row in _rows(home, snapshot_id, _SCORES, [scorecard_class])}


def _rows(home: Home, snapshot_id: str, query: str, values: list[object]) -> list[dict[str, Any]]:
    path: Path = home.snapshots / snapshot_id / "scorecards.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(query, values)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
