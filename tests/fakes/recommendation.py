"""A recorded recommendation and the dealers it names, made without a snapshot."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import msgspec

from expectations.contracts.journal import RecommendationMade
from expectations.contracts.vocabulary import DealerStatus, Side
from serve.domain.liquidity import LiquidityView
from serve.domain.market import Dealer
from serve.domain.orders import Mode, Order, Plan, SecurityIdType
from serve.domain.recommendation import RankedDealer, Recommendation, SecurityView
from tests.fakes.clock import START

CUSIP = "912828ZT0"


def dealer(dealer_id: str, **changes: Any) -> Dealer:
    values: dict[str, Any] = {
        "dealer_id": dealer_id,
        "name": f"Dealer {dealer_id}",
        "lei": None,
        "specialties": ("CORP",),
        "status": DealerStatus.ACTIVE,
        "agreements": "ISDA",
        "due_diligence_expiry": date(2030, 1, 1),
        "credit_limit": None,
        "restricted": False,
        "fix_session": f"{dealer_id}FIX",
        "party_id": None,
        "contacts": None,
        **changes,
    }
    return Dealer(**values)


class FakeSnapshots:
    """A snapshot of dealers only; None = nothing published."""

    def __init__(self, *dealers: Dealer) -> None:
        self.dealers: dict[str, Dealer] | None = {item.dealer_id: item for item in dealers}

    def current(self) -> Any:
        return None if self.dealers is None else SimpleNamespace(dealers=self.dealers)

    def get(self, snapshot_id: str) -> Any:
        raise LookupError(snapshot_id)


def recommendation_made(
    recommendation_id: str = "rec-1",
    *,
    dealers: tuple[str, ...] = ("A", "B", "C"),
    plan: Plan | None = None,
    arrival_mid: float | None = 100.0,
    expected_cost_bps: float | None = 5.0,
    desk: str = "credit",
    cusip: str = CUSIP,
    **order: Any,
) -> RecommendationMade:
    """Build the event; ``order`` changes the order (a sale of ten million by default)."""
    values: dict[str, Any] = {"side": Side.SELL, "quantity": 10_000_000.0, **order}
    asked = Order(
        order_id="order-1", security_id=cusip, security_id_type=SecurityIdType.CUSIP, currency="USD", received_at=START, **values
    )
    answer = Recommendation(
        recommendation_id=recommendation_id,
        snapshot_id="snap-1",
        rules_version="v1",
        as_of=START,
        order=asked,
        security=SecurityView(
            security_id="SEC1",
            cusip=cusip,
            isin=None,
            asset_class="CORP",
            scorecard_class="CORP_IG",
            sector=None,
            rating="BBB",
            maturity_bucket="5-10Y",
            issuer_id="ISS1",
            issuer_name=None,
        ),
        arrival_mid=arrival_mid,
        liquidity=LiquidityView(
            illiquid=True,
            reasons=["it last traded 9 days ago"],
            days_since_last_trade=9.0,
            traded_days_30d=1,
            adv_30d=None,
            adv_share=None,
            adv_basis="none",
            expected_cost_bps=expected_cost_bps,
            expected_impact_bps=None,
            volatility_bps=None,
            print_dispersion_bps=None,
        ),
        matched_rules=[],
        notes=[],
        plan=plan or Plan(mode=Mode.SEQUENTIAL, timeout_s=20.0, max_dealers=4, competitive_within_bps=3.0),
        model="seed_v0",
        weights={"fill_rate": 1.0},
        dealers=[
            RankedDealer(rank=n, dealer_id=name, name=name, tier=1, score=1.0, components=[], axe=None, reason="best")
            for n, name in enumerate(dealers, 1)
        ],
        excluded=[],
    )
    return RecommendationMade(
        recommendation_id=recommendation_id,
        order_id="order-1",
        snapshot_id="snap-1",
        rules_version="v1",
        desk=desk,
        request=msgspec.to_builtins(asked),
        answer=msgspec.to_builtins(answer),
    )
