"""Past RFQs made by hand or by lot."""

from datetime import UTC, datetime, timedelta

from expectations.contracts.vocabulary import Side
from flows.backtest.history import PastRfq
from flows.backtest.scoring import ScoredRfq, View

MONDAY = datetime(2025, 6, 2, 15, tzinfo=UTC)


def rfq(
    costs: dict[str, float | None], *, day: int = 0, half_spread: float | None = 10.0, klass: str = "CORP_IG", **others: object
) -> PastRfq:
    """Give an RFQ in which these dealers quoted these costs, bps."""
    given: dict[str, object] = {"executed_bps": None, "impact_bps": None, "propensity": None, "sequential": False, **others}
    return PastRfq(
        rfq_id=f"R{day}",
        arrived_at=MONDAY + timedelta(days=day),
        security_id="S",
        side=Side.BUY,
        quantity=1e6,
        scorecard_class=klass,
        dealers=list(costs),
        quoted_bps=list(costs.values()),
        half_spread_bps=half_spread,
        **given,
    )


def scored(past: PastRfq, pick: str | None, *, chances: list[float] | None = None, asks: list[str] | None = None) -> ScoredRfq:
    """Give the RFQ with one challenger's view of it, ``model``."""
    view = View(pick=pick, chances=chances or [], asks=asks or [])
    return ScoredRfq(rfq=past, views={"model": view}, expected_cost_bps=None, expected_impact_bps=None)
