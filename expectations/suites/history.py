"""How much came and how new it is, against what came before."""

from expectations.contracts.snapshot import Severity
from expectations.suites.checks import AS_OF, Check, NoRows, Suite, within_a_year

FEWEST_DAYS = 20
LONGEST_HISTORY = 60
# A half-day before a holiday is a third of a usual one; a tenth is a delivery that broke off.
ODD, BROKEN = 2.0, 10.0
USUAL_DAYS_OF_REST = 4
_OPEN = "day not in (select holiday from intermediate.int_market_holidays)"

# Data set, its rows as the build keeps them, the column that says when one happened, and what an odd day does.
_TABLES = (
    (
        "rfq_log",
        "intermediate.int_resolved_responses",
        "asked_at",
        "Dealers look silent on a day that is half missing, and busy on one that came twice.",
    ),
    (
        "trades",
        "intermediate.int_trades",
        "executed_at",
        "Volumes decide what counts as illiquid: half a day of prints makes every bond look dead.",
    ),
    (
        "reference_prices",
        "intermediate.int_reference_mids",
        "priced_at",
        "Without its usual mids a day's quotes are measured against old ones.",
    ),
)


def _days(relation: str, column: str) -> str:
    return f"select cast({column} as date) as day, count(*) as rows from {relation} where {within_a_year(column)} group by all"


def _volume(factor: float) -> str:
    # The day of as_of itself may still be under way; on a holiday a few trade elsewhere, and that is no delivery broken off.
    whole = f"{{batch}} where day < cast({AS_OF} as date) and isodow(day) < 6 and {_OPEN} order by day desc"
    return (
        "select latest.day, latest.rows, band.low as usual_low, band.high as usual_high "
        f"from (select day, rows from {whole} limit 1) as latest, ("
        "select count(*) as days, quantile_cont(rows, 0.05) as low, quantile_cont(rows, 0.95) as high "
        f"from (select rows from {whole} limit {LONGEST_HISTORY} offset 1) as past) as band "
        f"where band.days >= {FEWEST_DAYS} and (latest.rows * {factor} < band.low or latest.rows > {factor} * band.high)"
    )


_AGE = (
    f"select max(day) as newest, {AS_OF} as as_of, max(gap) as longest_gap from ("
    "select day, date_diff('day', lag(day) over (order by day), day) as gap from {batch}) as steps "
    f"having max(day) < cast({AS_OF} as date) - cast(greatest({USUAL_DAYS_OF_REST}, 2 * coalesce(max(gap), 0)) as integer)"
)


def _checks(table: str, relation: str, column: str, harm: str) -> tuple[Check, ...]:
    days = _days(relation, column)
    return (
        NoRows(f"{table}_volume_is_usual", _volume(ODD), harm, days, Severity.WARNING),
        NoRows(f"{table}_volume_is_possible", _volume(BROKEN), harm, days),
        NoRows(
            f"{table}_is_fresh",
            _AGE,
            "Nothing new has come for longer than at any time in a year: what is published looks current and is not.",
            days,
            Severity.WARNING,
        ),
    )


SUITE = Suite(
    "history",
    _days("intermediate.int_resolved_responses", "asked_at"),
    tuple(check for table in _TABLES for check in _checks(*table)),
)
