"""The two forms of check that suites are made of; an error shuts the gate, a warning is told and published with."""

from dataclasses import dataclass

from expectations.contracts.snapshot import Severity
from expectations.contracts.sources import JOURNAL_SOURCE

# The instant that the build looks back from; nothing later is in it.
AS_OF = "(select max(as_of) from marts.fct_dealer_scorecards)"
_RECENT_DAYS, _YEAR = 30, 366


def recent_or_new(day: str, batch: str) -> str:
    """Give the condition that a row is of the last month or of a new delivery.

    A share of all of history would let through more and more that is bad, the longer the history is.
    """
    new = "(select batch from landing.receipts where is_new)"
    return f"({day} > cast({AS_OF} as date) - {_RECENT_DAYS} or {batch} in {new})"


def within_a_year(at: str) -> str:
    """Give the condition that a row lies within a year before the instant that the build looks back from."""
    return f"{at} > cast({AS_OF} as date) - {_YEAR}"


@dataclass(frozen=True, slots=True)
class RowCount:
    """The data set holds at least so many rows."""

    name: str
    at_least: int
    harm: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class NoRows:
    """A query over ``{batch}`` finds nothing; what it finds are the rows that do the harm.

    ``{batch}`` stands for ``data``, or for the suite's data where that is ``None``.
    """

    name: str
    query: str
    harm: str
    data: str | None = None
    severity: Severity = Severity.ERROR


Check = RowCount | NoRows


@dataclass(frozen=True, slots=True)
class Suite:
    """The checks of one data set; ``data`` is the query that gives it."""

    name: str
    data: str
    checks: tuple[Check, ...]


# A handful of bad rows is a vendor's everyday; this many, and this share, is a broken delivery.
FEW_BAD_ROWS = 5
BAD_SHARE = 0.05
REPEATED_SHARE = 0.2


def delivery_checks(table: str) -> tuple[Check, ...]:
    """Give the checks that every new delivery of a landing table must pass."""
    return (
        NoRows(
            "rejected_share",
            _rejected_share(f"source <> '{JOURNAL_SOURCE}'"),
            "So many bad rows mean that the delivery is damaged, and the good ones left are a biased sample.",
            _new(table),
        ),
        NoRows(
            "repeated_share",
            "select source, file, repeated, rows from {batch} "
            f"where repeated >= {FEW_BAD_ROWS} and repeated > {REPEATED_SHARE} * rows",
            "A flood of repeated keys means a broken export: which of the versions is true nobody can say.",
            _new(table),
        ),
    )


def journal_check(table: str) -> Check:
    """Give the check of the journal's own rows of a table: the gate would stay shut for good if it were more than a warning."""
    return NoRows(
        "own_rejected_share",
        _rejected_share(f"source = '{JOURNAL_SOURCE}'"),
        "So many bad rows in the desk's own log: what it did there counts for no dealer.",
        _new(table),
        Severity.WARNING,
    )


def _new(table: str) -> str:
    return f"select * from landing.receipts where table_name = '{table}' and is_new"


def _rejected_share(of: str) -> str:
    return (
        "select source, file, rejected, rows from {batch} "
        f"where {of} and rejected >= {FEW_BAD_ROWS} and rejected > {BAD_SHARE} * (rows + rejected)"
    )
