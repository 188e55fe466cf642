"""The security master, as landed."""

from expectations.suites.checks import RowCount, Suite, delivery_checks

SUITE = Suite(
    "securities",
    "select * from landing.securities",
    (
        *delivery_checks("securities"),
        RowCount("any_security", 1, "Without a security master no order can be placed in a class."),
    ),
)
