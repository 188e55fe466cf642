"""The desk's own limits: the last word before anything is started or sent. Each breach names limit, value and remedy."""

from typing import Annotated

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``config/limits.yml``. Quantities are par in currency units, notional is quantity x price / 100, times are seconds.

    ``price_band_bps``: a quote further from the arrival mid is shown but cannot be executed. ``recommendation_valid_s``: an
    older recommendation starts nothing. ``rfq_life_s``: an RFQ that nobody ends is ended. ``execution_timeout_s``: a
    hit without a report by then is in doubt.
    """

    version: int
    max_order_quantity: Positive
    max_day_notional: Positive
    max_dealers_per_rfq: Count
    max_open_rfqs: Count
    price_band_bps: Positive
    recommendation_valid_s: Positive
    rfq_life_s: Positive
    execution_timeout_s: Positive


class Breach(msgspec.Struct, frozen=True):
    """One limit that does not allow what was asked for."""

    limit: str
    detail: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is about to be started or traded. ``price`` None = not known: par is assumed."""

    quantity: float
    price: float | None
    dealers: int
    open_rfqs: int
    day_notional: float


def notional(quantity: float, price: float | None) -> float:
    """Give the money value of a par amount in currency units; without a price, par."""
    return quantity * (100.0 if price is None else price) / 100.0


def breaches(limits: Limits, asked: Asked) -> tuple[Breach, ...]:
    """Give every limit that ``asked`` would break, none if it may go ahead."""
    day = asked.day_notional + notional(asked.quantity, asked.price)
    checks = (
        (asked.quantity, limits.max_order_quantity, "max_order_quantity", "split the order, or have the limit raised"),
        (day, limits.max_day_notional, "max_day_notional", "wait for the next day, or have the limit raised"),
        (asked.dealers, limits.max_dealers_per_rfq, "max_dealers_per_rfq", "name fewer dealers"),
        (asked.open_rfqs + 1, limits.max_open_rfqs, "max_open_rfqs", "finish or cancel an open RFQ first"),
    )
    return tuple(
        Breach(name, f"{name} is {allowed:,.0f}, this would make it {value:,.0f}: {remedy}")
        for value, allowed, name, remedy in checks
        if value > allowed
    )
