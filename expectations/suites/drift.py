"""Whether dealers as a whole still behave as they did: the last week against the two months before it, by class."""

from expectations.contracts.snapshot import Severity
from expectations.suites.checks import Check, NoRows, Suite, within_a_year

RECENT_DAYS, USUAL_DAYS, FEWEST_DAYS = 5, 60, 20
# In standard errors of a week's mean: markets do move, but a shift of fifteen is another unit, sign or meaning of a column.
ODD, BROKEN = 5.0, 15.0

# Figure, the least spread between days that is taken for real, and the harm.
_FIGURES = (
    (
        "response_rate",
        0.02,
        "A response column that changed its meaning makes every dealer look dead, or eager, in the same week.",
    ),
    (
        "quote_improvement_bps",
        0.5,
        "Quotes or mids in another unit, or with another sign, move every dealer's price at once; no market does that so far.",
    ),
    (
        "response_seconds",
        1.0,
        "Times in another unit or zone make every dealer fast or slow at once, and rules with time-outs choose wrongly.",
    ),
)

_DAYS = (
    "select scorecard_class, asked_on as day, sum(rfqs_quoted) / sum(rfqs_asked) as response_rate, "
    "sum(quote_improvement_sum) / nullif(sum(quote_improvement_n), 0) as quote_improvement_bps, "
    "sum(seconds_sum) / nullif(sum(seconds_n), 0) as response_seconds "
    f"from intermediate.int_dealer_day_stats where {within_a_year('asked_on')} group by all having sum(rfqs_asked) >= 5"
)


def _shift(figure: str, least_spread: float, errors: float) -> str:
    recent, usual = f"back <= {RECENT_DAYS}", f"back between {RECENT_DAYS + 1} and {RECENT_DAYS + USUAL_DAYS}"
    return (
        f"select scorecard_class, avg({figure}) filter (where {recent}) as recent, avg({figure}) filter (where {usual}) as usual, "
        f"count(*) filter (where {usual}) as days from ("
        f"select *, row_number() over (partition by scorecard_class order by day desc) as back from {{batch}} "
        f"where {figure} is not null) as past group by all "
        f"having count(*) filter (where {usual}) >= {FEWEST_DAYS} "
        f"and abs(avg({figure}) filter (where {recent}) - avg({figure}) filter (where {usual})) "
        f"> {errors} * greatest({least_spread}, stddev_samp({figure}) filter (where {usual})) / sqrt({RECENT_DAYS})"
    )


def _checks(figure: str, least_spread: float, harm: str) -> tuple[Check, ...]:
    return (
        NoRows(f"{figure}_is_usual", _shift(figure, least_spread, ODD), harm, severity=Severity.WARNING),
        NoRows(f"{figure}_is_possible", _shift(figure, least_spread, BROKEN), harm),
    )


SUITE = Suite("drift", _DAYS, tuple(check for figure in _FIGURES for check in _checks(*figure)))
