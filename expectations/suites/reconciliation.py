"""TCA vendors against our own recomputation and against each other."""

from expectations.contracts.snapshot import Severity
from expectations.suites.checks import NoRows, Suite

# Below these many RFQs a correlation is chance; a refusal asks for more of them than a word of warning.
_ENOUGH_TO_REFUSE, _ENOUGH_TO_WARN = 100, 30
_OPPOSITE, _LOOSE = -0.3, 0.5
_WORTH_A_WORD_BPS = 1

_PAIR = "metric, horizon_s, vendor, compared_with, n"

SUITE = Suite(
    "reconciliation",
    "select * from marts.fct_tca_vendor_agreement",
    (
        NoRows(
            "vendors_have_our_sign",
            f"select {_PAIR}, pearson_correlation from {{batch}} "
            f"where n >= {_ENOUGH_TO_REFUSE} and pearson_correlation < {_OPPOSITE}",
            "A vendor whose figures run against ours or another's has the opposite sign; good dealers would look like leakers.",
        ),
        NoRows(
            "vendors_move_with_us",
            f"select {_PAIR}, pearson_correlation from {{batch}} where n >= {_ENOUGH_TO_WARN} and pearson_correlation < {_LOOSE}",
            "Figures that hardly move together do not measure the same: another horizon, another reference price, another fill.",
            severity=Severity.WARNING,
        ),
        NoRows(
            "vendors_have_our_level",
            f"select {_PAIR}, mean_difference_bps, mean_difference_low_bps, mean_difference_high_bps from {{batch}} "
            f"where n >= {_ENOUGH_TO_WARN} and abs(mean_difference_bps) > {_WORTH_A_WORD_BPS} "
            "and (mean_difference_low_bps > 0 or mean_difference_high_bps < 0)",
            "A vendor that is always kinder or harsher than ours moves every score of the dealers it measures by as much.",
            severity=Severity.WARNING,
        ),
    ),
)
