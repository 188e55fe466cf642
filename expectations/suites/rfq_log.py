"""The RFQ log, as landed."""

from expectations.suites.checks import NoRows, RowCount, Suite, delivery_checks

SUITE = Suite(
    "rfq_log",
    "select * from landing.rfq_log",
    (
        *delivery_checks("rfq_log"),
        RowCount("any_rfq", 1, "Without RFQs there is nothing to score."),
        NoRows(
            "somebody_answers",
            "select count(*) as asked from {batch} having count(*) >= 100 and count(*) filter (where response = 'QUOTED') = 0",
            "A log in which nobody ever quotes is mapped wrongly; every dealer would look dead.",
        ),
    ),
)
