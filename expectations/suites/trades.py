"""Market prints, as landed."""

from expectations.suites.checks import NoRows, Suite, delivery_checks

SUITE = Suite(
    "trades",
    "select * from landing.trades",
    (
        *delivery_checks("trades"),
        NoRows(
            "one_numbering",
            "select sources, count(*) as reports from ("
            "select string_agg(distinct _source, ', ' order by _source) as sources from {batch} where status = 'NEW' "
            "group by trade_id having count(distinct _source) > 1 and count(distinct security_id) > 1 "
            "and max(price) - min(price) > 0.01) as alike group by all having count(*) >= 5",
            "Two sources number their reports alike: a report of the one takes the place of another bond's of the other.",
            "select * from landing.new_trades",
        ),
    ),
)
