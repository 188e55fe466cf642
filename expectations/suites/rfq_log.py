"""The RFQ log, as landed."""

from expectations.suites.checks import NoRows, RowCount, Suite, delivery_checks, journal_check

SUITE = Suite(
    "rfq_log",
    "select * from landing.receipts where table_name = 'rfq_log' and rows > 0",
    (
        *delivery_checks("rfq_log"),
        journal_check("rfq_log"),
        RowCount("any_rfq", 1, "Without RFQs there is nothing to score."),
        NoRows(
            "somebody_answers",
            "select _source as source, count(*) as asked from {batch} "
            "group by all having count(*) >= 100 and count(*) filter (where response = 'QUOTED') = 0",
            "A log in which nobody ever quotes is mapped wrongly; every dealer would look dead.",
            "select * from landing.new_rfq_log",
        ),
    ),
)
