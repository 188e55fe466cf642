"""Reference prices, as landed."""

from expectations.suites.checks import NoRows, Suite, delivery_checks

SUITE = Suite(
    "reference_prices",
    "select * from landing.reference_prices",
    (
        *delivery_checks("reference_prices"),
        NoRows(
            "no_jump",
            "select count(*) as jumps from ("
            "select mid / lag(mid) over (partition by security_id order by as_of) as step from {batch}) as steps "
            "having count(*) filter (where step > 3 or step < 0.33) > greatest(5, 0.01 * count(*))",
            "Prices that jump threefold are in another unit or of another bond: every bps measured against them is nonsense.",
        ),
    ),
)
