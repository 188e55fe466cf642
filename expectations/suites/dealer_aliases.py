"""Names under which dealers appear in logs, as landed."""

from expectations.suites.checks import NoRows, Suite, delivery_checks

SUITE = Suite(
    "dealer_aliases",
    "select * from landing.dealer_aliases",
    (
        *delivery_checks("dealer_aliases"),
        NoRows(
            "one_dealer_a_day",
            "select alias, dealer_id from {batch} "
            "window names as (partition by alias order by valid_from nulls first, dealer_id) "
            "qualify dealer_id <> lag(dealer_id) over names "
            "and coalesce(valid_from, date '0001-01-01') <= lag(coalesce(valid_to, date '9999-12-31')) over names",
            "An alias that means two dealers on one day credits one with the other's quotes.",
        ),
    ),
)
