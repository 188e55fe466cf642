"""Whether dealers as a whole, and sizes, still are as they were: the last week against the two months before it."""

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


# Sizes by their order of magnitude. Their tails are odd where a share of the rows, such as one venue's, is in another unit.
_BROKEN_SIZES, _ODD_TAILS = 2, 1
_FEWEST_ROWS, _ENOUGH_FOR_TAILS = 20, 100
_TAILS = "0.05, 0.5, 0.95"

# Data set, its rows with the source they came from (prints of several tapes are one market), and the harm.
_SIZES = (
    (
        "rfq_log",
        (
            "select source, cast(asked_at as date) as day, quantity from intermediate.int_resolved_responses "
            "inner join landing.receipts as receipts on landed_batch = receipts.batch"
        ),
        "Sizes in thousands that are taken for units put RFQs into the smallest band: dealers are scored for orders nobody gave.",
    ),
    (
        "trades",
        "select 'the market' as source, printed_on as day, quantity from intermediate.int_trades",
        "Volumes in another unit make every bond look dead, or liquid, and impact is measured against them.",
    ),
)


def _sizes(rows: str) -> str:
    return (
        f"select source, day, count(*) as rows, quantile_cont(log10(quantity), [{_TAILS}]) as magnitudes "
        f"from ({rows}) as sized where quantity > 0 and {within_a_year('day')} "
        f"group by all having count(*) >= {_FEWEST_ROWS}"
    )


def _odd_sizes(condition: str) -> str:
    return (
        "with days as (select *, row_number() over (partition by source order by day desc) as back from {batch}), "
        "usual as (select source, median(magnitudes[2]) as middle, min(magnitudes[1]) as least, max(magnitudes[3]) as most "
        f"from days where back between {RECENT_DAYS + 1} and {RECENT_DAYS + USUAL_DAYS} "
        f"group by source having count(*) >= {FEWEST_DAYS}) "
        "select source, day, rows, round(power(10, magnitudes[1])) as small_size, round(power(10, magnitudes[2])) as median_size, "
        "round(power(10, magnitudes[3])) as large_size, round(power(10, middle)) as usual_median "
        f"from days inner join usual using (source) where back <= {RECENT_DAYS} and {condition}"
    )


def _size_checks(table: str, rows: str, harm: str) -> tuple[Check, ...]:
    tails = f"rows >= {_ENOUGH_FOR_TAILS} and (magnitudes[1] < least - {_ODD_TAILS} or magnitudes[3] > most + {_ODD_TAILS})"
    return (
        NoRows(f"{table}_sizes_are_usual", _odd_sizes(tails), harm, _sizes(rows), Severity.WARNING),
        NoRows(f"{table}_sizes_are_possible", _odd_sizes(f"abs(magnitudes[2] - middle) > {_BROKEN_SIZES}"), harm, _sizes(rows)),
    )


SUITE = Suite(
    "drift",
    _DAYS,
    (
        *(check for figure in _FIGURES for check in _checks(*figure)),
        *(check for sizes in _SIZES for check in _size_checks(*sizes)),
    ),
)
