"""Dealers' axes, as landed."""

from expectations.suites.checks import Suite, delivery_checks

SUITE = Suite(
    "axes",
    "select * from landing.axes",
    (*delivery_checks("axes"),),
)
