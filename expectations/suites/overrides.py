"""Traders' overrides, as the journal gives them."""

from expectations.suites.checks import Suite, delivery_checks, journal_check

SUITE = Suite(
    "overrides",
    "select * from landing.overrides",
    (*delivery_checks("overrides"), journal_check("overrides")),
)
