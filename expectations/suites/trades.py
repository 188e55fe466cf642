"""Market prints, as landed."""

from expectations.suites.checks import Suite, delivery_checks

SUITE = Suite(
    "trades",
    "select * from landing.trades",
    (*delivery_checks("trades"),),
)
