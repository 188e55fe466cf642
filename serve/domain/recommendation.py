"""The answer to an order: ranked dealers with their reasons, the plan, and who was left out and why."""

from datetime import datetime

import msgspec

from serve.domain.eligibility import Excluded
from serve.domain.liquidity import LiquidityView
from serve.domain.market import Axe
from serve.domain.orders import Order, Plan
from serve.domain.rules import MatchedRule
from serve.domain.scoring import Component


class SecurityView(msgspec.Struct, frozen=True, kw_only=True):
    """The bond as the rules saw it. ``rating`` is its name on the ordinal scale, ``None`` when it is not rated."""

    security_id: str
    cusip: str | None
    isin: str | None
    asset_class: str
    scorecard_class: str
    sector: str | None
    rating: str | None
    maturity_bucket: str | None
    issuer_id: str
    issuer_name: str | None


class RankedDealer(msgspec.Struct, frozen=True, kw_only=True):
    """One dealer to ask. ``score`` is the sum of the components' contributions; ``tier`` ``None`` = the class has no ranking."""

    rank: int
    dealer_id: str
    name: str
    tier: int | None
    score: float
    components: list[Component]
    axe: Axe | None
    reason: str


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer, as journalled. ``as_of`` is the snapshot's; ``arrival_mid`` the last mid, ``None`` = not known.

    ``propensity`` is the chance with which this list was chosen: 1 where nothing was left to chance.
    """

    recommendation_id: str
    snapshot_id: str
    rules_version: str
    as_of: datetime
    order: Order
    security: SecurityView
    arrival_mid: float | None
    liquidity: LiquidityView
    matched_rules: list[MatchedRule]
    notes: list[str]
    plan: Plan
    model: str
    weights: dict[str, float]
    propensity: float = 1.0
    dealers: list[RankedDealer]
    excluded: list[Excluded]
