"""Vendors' post-trade figures, as landed."""

from expectations.suites.checks import Suite, delivery_checks

SUITE = Suite(
    "tca_results",
    "select * from landing.tca_results",
    (*delivery_checks("tca_results"),),
)
