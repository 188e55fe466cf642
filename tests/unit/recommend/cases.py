"""Markets, rule books and orders for the tests of recommending."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from expectations.contracts.home import Home
from serve.adapters.desk_config import load_desk
from serve.adapters.rules import read_rule_book
from serve.adapters.snapshot_reader import read_market
from serve.domain.advise import Desk
from serve.domain.market import Market
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.usecases.advice import recommend
from tests.fakes.snapshot import Rows, small_market, write_snapshot

CONFIG = Path(__file__).parents[3] / "config"
HEADER = """version: 1
tiers: {default: [0.25, 0.60]}
default:
  score: {model: seed_v0, window: 90d, weights: {fill_rate: 0.6, response_speed: 0.4}}
  pick: [{take: 4}]
  protocol: {mode: parallel, timeout: 60s}
rules:
"""


def market(change: Callable[[Rows], None] | None = None) -> Market:
    """Write the small market, changed if asked, as a snapshot and read it as the service does."""
    rows = None
    if change:
        rows = small_market()
        change(rows)
    with TemporaryDirectory() as folder:
        name = write_snapshot(Path(folder), rows)
        return read_market(Home(Path(folder)).snapshots / name)


def shipped() -> Desk:
    """The configuration that is shipped."""
    return load_desk(CONFIG / "rules.yml", CONFIG / "scoring.yml")


def desk(rules: str) -> Desk:
    """A rule book with these rules, each indented by two, under the usual default."""
    return msgspec.structs.replace(shipped(), book=read_rule_book(HEADER + rules, "rules.yml", "0" * 16))


def order(security_id: str, quantity: float, side: str = "SELL", **more: Any) -> Order:
    fields = {
        "order_id": "order-1",
        "security_id": security_id,
        "security_id_type": "CUSIP",
        "side": side,
        "quantity": quantity,
        "currency": "USD",
        "received_at": "2026-01-30T21:00:00Z",
    }
    return msgspec.convert(fields | more, Order)


def recommended(
    security_id: str, quantity: float, *, market_: Market | None = None, desk_: Desk | None = None, **more: Any
) -> Recommendation:
    return recommend(order(security_id, quantity, **more), market_ or market(), desk_ or shipped(), "recommendation-1")


def names(answer: Recommendation) -> list[str]:
    return [dealer.dealer_id for dealer in answer.dealers]


def gates(answer: Recommendation) -> dict[str, str]:
    return {item.dealer_id: item.gate for item in answer.excluded}
