"""Random orders over the small market's bonds, by a seed; and a market with as many dealers as a test wants."""

import random
from datetime import UTC, timedelta
from typing import Any

from tests.fakes.snapshot import (
    AS_OF,
    CLASSES,
    FIGURES,
    ILLIQUID_HY,
    ILLIQUID_IG,
    LIQUID_IG,
    TREASURY,
    UNRATED_MUNI,
    UNTRADED,
    Rows,
    scorecards,
    small_market,
)

BONDS = (LIQUID_IG, ILLIQUID_IG, ILLIQUID_HY, UNRATED_MUNI, TREASURY, UNTRADED)


def random_order(rng: random.Random, number: int) -> dict[str, Any]:
    """Give an order in JSON's types; half of them say when they came, some of these in another time zone."""
    order: dict[str, Any] = {
        "order_id": f"order-{number}",
        "security_id": rng.choice(BONDS),
        "security_id_type": rng.choice(["CUSIP", "INTERNAL"]),
        "side": rng.choice(["BUY", "SELL"]),
        "quantity": rng.choice([rng.uniform(1, 1e9), rng.randrange(1, 10**8), rng.choice([2e6, 5e6, 1e7])]),
        "currency": "USD",
    }
    if rng.random() < 0.5:
        at = AS_OF + timedelta(seconds=rng.uniform(-1e6, 3e7))
        order["received_at"] = at.isoformat() if rng.random() < 0.5 else at.replace(tzinfo=UTC).isoformat()[:-6] + "+05:30"
    for name, values in (("urgency", ["low", "normal", "high"]), ("limit_price", [rng.uniform(1, 999)]), ("account", ["a", "b"])):
        if rng.random() < 0.5:
            order[name] = rng.choice(values)
    return order


def many_dealers(count: int) -> Rows:
    """Give the small market with more dealers: some barred, some with little credit, some never asked."""
    rows = small_market()
    names = [f"D{number:04d}" for number in range(count)]
    first = rows["dim_dealers"][0]
    rows["dim_dealers"] += [
        first
        | {"dealer_id": name, "name": f"Dealer {name}", "specialties": ["MUNI"] if number % 3 else ["CORP"]}
        | {"restricted": number % 17 == 0, "credit_limit": 10e6 if number % 5 == 0 else None}
        for number, name in enumerate(names)
    ]
    figures = {
        **FIGURES,
        **{name: tuple(part * (0.5 + place / count) for part in FIGURES["E"]) for place, name in enumerate(names)},
    }
    rows["fct_dealer_scorecards"] = [
        row for name in CLASSES for days in (30, 60, 90, 180) for row in scorecards(name, days, figures)
    ]
    return rows
