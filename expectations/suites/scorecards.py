"""The dealer scorecards and what they rest on, before they are published."""

from expectations.suites.checks import NoRows, RowCount, Suite

SUITE = Suite(
    "scorecards",
    "select * from marts.fct_dealer_scorecards",
    (
        RowCount("any_scorecard", 1, "No RFQ lies in any window before as_of, so nobody could be ranked; check --as-of."),
        NoRows(
            "figures_in_bounds",
            "select dealer_id, scorecard_class, window_days, price_improvement, information_leakage, response_speed "
            "from {batch} "
            "where abs(price_improvement) > 500 or abs(information_leakage) > 500 or response_speed < 0",
            "A mean of more than 500 bps is a unit or sign error at a vendor, and would decide every ranking.",
        ),
        NoRows(
            "quotes_near_the_mid",
            "select count(*) as quotes from {batch} "
            "having count(*) filter (where abs(quote_improvement_gain_bps) > 2000) > greatest(5, 0.01 * count(*))",
            "Quotes a fifth away from the mid are in another unit, or of another bond.",
            "select * from marts.fct_rfq_responses",
        ),
        NoRows(
            "rows_resolved",
            "select count(*) as unknown from {batch} "
            "having count(*) >= 5 and count(*) > 0.05 * (select count(*) from staging.stg_rfq_log)",
            "RFQs of unknown dealers or securities drop out of the scores; so many of them bias every figure.",
            "select * from intermediate.int_unresolved_rows",
        ),
        NoRows(
            "vendors_have_our_sign",
            "select count(*) as compared, corr(vendor_reversion_bps, own_reversion_bps) as correlation from {batch} "
            "where vendor_reversion_bps is not null and own_reversion_bps is not null "
            "having count(*) >= 100 and corr(vendor_reversion_bps, own_reversion_bps) < -0.2",
            "A vendor whose reversion runs against our own has the opposite sign; good dealers would look like leakers.",
            "select * from marts.fct_executions",
        ),
    ),
)
