"""What became of past RFQs: who was asked, what each quoted against the mid at arrival, and where the mid went after."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import duckdb
import msgspec

from expectations.contracts.vocabulary import Protocol, Side

# Where each dealer's reference is the mean of the others' prices (a log without mids), its distance to the mean of all is
# (n - 1) / n of that: only so are the costs of one RFQ measured from one point.
_RESPONSES = """
with responses as (
    select
        *,
        min(asked_at) over rfq as arrived_at,
        count(quote_price) over rfq as quotes,
        (sum(quote_price) over rfq - quote_price) / nullif(count(quote_price) over rfq - 1, 0) as mean_of_others
    from marts.fct_rfq_responses
    window rfq as (partition by rfq_id)
),
executions as (
    select rfq_id, -avg(price_improvement_gain_bps) as executed_bps, avg(vendor_impact_cost_bps) as impact_bps
    from marts.fct_executions
    group by rfq_id
)
select
    responses.rfq_id, responses.dealer_id, responses.arrived_at, responses.security_id, responses.client_side,
    responses.quantity, responses.scorecard_class, responses.protocol, responses.propensity,
    -responses.quote_improvement_gain_bps
        * case when abs(responses.arrival_mid - mean_of_others) < 1e-9 then (quotes - 1) / quotes else 1 end as quoted_bps,
    halves.half_spread_bps, executions.executed_bps,
    coalesce(executions.impact_bps, drifts.drift_30m_cost_bps) as impact_bps
from responses
left join intermediate.int_quotes_in_half_spreads as halves using (rfq_id, dealer_id)
left join executions using (rfq_id)
left join marts.fct_rfqs as drifts using (rfq_id)
where arrived_at >= $since and arrived_at < $until
order by responses.arrived_at, responses.rfq_id, coalesce(responses.sequence, 0), responses.dealer_id
"""

_MEANS = """
select scorecard_class, dealer_id, -avg(quote_improvement_gain_bps) as quoted_bps
from marts.fct_rfq_responses
where quote_improvement_gain_bps is not null
group by all
"""


class PastRfq(msgspec.Struct, frozen=True, kw_only=True):
    """One RFQ. ``quoted_bps`` by dealer asked: cost against the arrival mid, ``None`` = no quote, or no mid to hold it against.

    ``half_spread_bps`` is the bond's at the time; ``executed_bps`` the cost of the execution; ``impact_bps`` the vendor's
    market impact, else the drift of the mid in 30 minutes; positive = against us. ``propensity`` is the logged probability
    of the list. ``None`` = not known.
    """

    rfq_id: str
    arrived_at: datetime
    security_id: str
    side: Side
    quantity: float
    scorecard_class: str
    sequential: bool
    dealers: list[str]
    quoted_bps: list[float | None]
    half_spread_bps: float | None
    executed_bps: float | None
    impact_bps: float | None
    propensity: float | None

    @property
    def day(self) -> date:
        """The day that it counts for, UTC."""
        return self.arrived_at.date()


def read_rfqs(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> list[PastRfq]:
    """Read the RFQs that arrived from ``since`` up to, not including, ``until``, in order of arrival."""
    bounds = {"since": since.astimezone(UTC).replace(tzinfo=None), "until": until.astimezone(UTC).replace(tzinfo=None)}
    found = connection.execute(_RESPONSES, bounds)
    names = [column[0] for column in found.description]
    rows = (dict(zip(names, row, strict=True)) for row in found.fetchall())
    return [_rfq(list(group)) for _, group in groupby(rows, key=lambda row: row["rfq_id"])]


def mean_costs(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, float]]:
    """Give each dealer's plain mean quoted cost over all that is on record, bps, by class: the yardstick without a model."""
    means: dict[str, dict[str, float]] = {}
    for scorecard_class, dealer_id, mean in connection.execute(_MEANS).fetchall():
        means.setdefault(scorecard_class, {})[dealer_id] = mean
    return means


def _rfq(rows: list[dict[str, Any]]) -> PastRfq:
    first = rows[0]
    return PastRfq(
        rfq_id=first["rfq_id"],
        arrived_at=first["arrived_at"].replace(tzinfo=UTC),
        security_id=first["security_id"],
        side=Side(first["client_side"]),
        quantity=first["quantity"],
        scorecard_class=first["scorecard_class"],
        sequential=first["protocol"] == Protocol.SEQUENTIAL,
        dealers=[row["dealer_id"] for row in rows],
        quoted_bps=[row["quoted_bps"] for row in rows],
        half_spread_bps=_first(rows, "half_spread_bps"),
        executed_bps=first["executed_bps"],
        impact_bps=first["impact_bps"],
        propensity=_first(rows, "propensity"),
    )


def _first(rows: list[dict[str, Any]], name: str) -> float | None:
    return next((row[name] for row in rows if row[name] is not None), None)


def spans(since: datetime, until: datetime, every_days: int) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span into periods; the last may be shorter."""
    begin = since
    while begin < until:
        end = min(begin + timedelta(days=every_days), until)
        yield begin, end
        begin = end
