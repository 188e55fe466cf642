"""Reference prices, as landed."""

from expectations.suites.checks import NoRows, Suite, delivery_checks

SUITE = Suite(
    "reference_prices",
    "select * from landing.new_reference_prices",
    (
        *delivery_checks("reference_prices"),
        NoRows(
            "no_jump",
            "select source, count(*) as jumps from ("
            "select source, is_new or lag(is_new) over in_time as is_new, mid / lag(mid) over in_time as step "
            "from {batch} window in_time as (partition by security_id order by as_of)) as steps "
            "where is_new group by all having count(*) filter (where step > 3 or step < 0.33) > greatest(5, 0.01 * count(*))",
            "Prices that jump threefold are in another unit or of another bond: every bps measured against them is nonsense.",
            "select prices.security_id, prices.as_of, prices.mid, receipts.source, receipts.is_new "
            "from landing.new_reference_prices as prices inner join landing.receipts as receipts on prices._batch = receipts.batch",
        ),
    ),
)
