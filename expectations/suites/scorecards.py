"""The dealer scorecards and what they rest on, before they are published."""

from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS, Severity
from expectations.suites.checks import NoRows, RowCount, Suite, recent_or_new

# A dealer asked less often may well have been dropped by the desk.
_OFTEN = 20
_LEAST_CLASS, _LEAST_AGREEMENT = 8, 0.3

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
            f"select * from marts.fct_rfq_responses where {recent_or_new('asked_on', 'landed_batch')}",
        ),
        NoRows(
            "rows_resolved",
            "select count(*) as unknown from {batch} "
            "having count(*) >= 5 and count(*) > 0.05 * (select count(*) from intermediate.int_resolved_responses "
            f"where {recent_or_new('cast(asked_at as date)', 'landed_batch')})",
            "RFQs of unknown dealers or securities drop out of the scores; so many of them bias every figure.",
            f"select * from intermediate.int_unresolved_responses where {recent_or_new('asked_on', 'batch')}",
        ),
        NoRows(
            "no_dealer_vanishes",
            "select dealer_id, sum(rfqs_asked) as asked_before from {batch} "
            f"where window_days = {DEFAULT_WINDOW_DAYS} and dealer_id not in (select dealer_id from marts.dim_dealers) "
            "and dealer_id not in (select dealer_ref from intermediate.int_dealer_names) "
            f"group by all having sum(rfqs_asked) >= {_OFTEN}",
            "A dealer whom the desk asks and the list has lost is neither ranked nor left out with a reason: it is simply gone.",
            "select * from audit.previous_scorecards",
        ),
        NoRows(
            "nobody_falls_silent",
            "select before.dealer_id, sum(before.rfqs_asked) as asked_before from (select * from {batch}) as before "
            f"where before.window_days = 30 group by all having sum(before.rfqs_asked) >= {_OFTEN} and before.dealer_id not in ("
            "select dealer_id from marts.fct_dealer_scorecards where window_days = 30 and half_life_days = 0 and rfqs_asked > 0)",
            "A dealer who drops out of the log from one snapshot to the next is likelier renamed than idle; its record is split.",
            "select * from audit.previous_scorecards",
            Severity.WARNING,
        ),
        NoRows(
            "ranks_hold",
            "select scorecard_class, count(*) as dealers, corr(before.composite_rank, now.composite_rank) as agreement "
            "from (select * from {batch}) as before "
            "inner join marts.fct_dealer_scorecards as now using (dealer_id, scorecard_class, window_days) "
            f"where window_days = {DEFAULT_WINDOW_DAYS} and now.half_life_days = 0 "
            f"and least(before.rfqs_asked, now.rfqs_asked) >= {_OFTEN} "
            f"group by all having count(*) >= {_LEAST_CLASS} "
            f"and corr(before.composite_rank, now.composite_rank) < {_LEAST_AGREEMENT}",
            "Ninety days of record do not turn over within a week: so much churn is a change of data, not of dealers.",
            "select * from audit.previous_scorecards",
            Severity.WARNING,
        ),
    ),
)
