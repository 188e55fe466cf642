"""The dealer list, as landed."""

from expectations.suites.checks import NoRows, RowCount, Suite, delivery_checks

SUITE = Suite(
    "dealers",
    "select * from landing.dealers",
    (
        *delivery_checks("dealers"),
        RowCount("any_dealer", 1, "Without a dealer list nobody can be recommended."),
        NoRows(
            "any_active",
            "select count(*) as dealers from {batch} having count(*) filter (where status = 'ACTIVE') = 0",
            "A list on which every dealer is suspended stops the desk; it is far likelier a wrong column.",
        ),
    ),
)
