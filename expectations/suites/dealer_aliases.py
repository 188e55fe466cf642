"""Names under which dealers appear in logs, as landed."""

from expectations.suites.checks import NoRows, Suite, delivery_checks

SUITE = Suite(
    "dealer_aliases",
    "select * from landing.dealer_aliases",
    (
        *delivery_checks("dealer_aliases"),
        NoRows(
            "one_dealer_a_day",
            "with names as (select alias, dealer_id, coalesce(valid_from, date '0001-01-01') as first_day, "
            "coalesce(valid_to, date '9999-12-31') as last_day from {batch}) "
            "select alias, names.dealer_id, other.dealer_id as also, greatest(names.first_day, other.first_day) as since "
            "from names inner join names as other using (alias) where names.dealer_id < other.dealer_id "
            "and names.first_day <= other.last_day and other.first_day <= names.last_day",
            "An alias that means two dealers on one day credits one with the other's quotes.",
        ),
    ),
)
