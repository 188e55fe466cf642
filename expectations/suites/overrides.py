"""Traders' overrides, as the journal gives them."""

from expectations.suites.checks import Suite, delivery_checks

SUITE = Suite(
    "overrides",
    "select * from landing.overrides",
    (*delivery_checks("overrides"),),
)
