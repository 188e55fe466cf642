"""The figures of a back-test, whole: what the table, the JSON and the page are made from."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from flows.backtest.calibrate import Proposal, propose
from flows.backtest.calibrate_priors import PriorProposal, propose_priors
from flows.backtest.costs import ByCount, Expected, cost_by_count, expected_against_came
from flows.backtest.odds import Calibration, calibration
from flows.backtest.off_policy import OffPolicy, off_policy
from flows.backtest.picks import Compared, Uplift, Versus, compared, gain_by_class, gains, uplift, versus
from flows.backtest.plan import Span
from flows.backtest.ranks import RankFigures, rank_figures
from flows.backtest.scoring import HISTORY, Period
from flows.bootstrap import Days, Estimate, Floats
from flows.priors import Priors
from flows.refused import Refused
from serve.domain.advise import Desk

UNQUOTED_RULE = (
    "A dealer that did not quote is charged 1.5 half-spreads, what not trading costs, or the worst quote of the RFQ where that is "
    "more; the same for a pick and for those it is held against."
)


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """RFQs of the span, and why some could not be compared: in bonds not on record at the re-fit, with one dealer only, without
    any quote.
    """

    rfqs: int
    compared: int
    unknown_bond: int
    one_dealer: int
    nobody_quoted: int
    days: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One back-test. ``cumulative_gain_bps`` is each challenger's gain added up day by day, for the chart."""

    span: Span
    challengers: dict[str, str]
    counted: Counted
    unquoted_rule: str
    uplift: list[Uplift]
    versus: list[Versus]
    by_class: dict[str, dict[str, Estimate]]
    ranks: list[RankFigures]
    calibration: list[Calibration]
    by_count: list[ByCount]
    expected: list[Expected]
    off_policy: list[OffPolicy]
    cumulative_gain_bps: dict[str, list[tuple[str, float]]]
    proposals: list[Proposal] = []
    prior_proposals: list[PriorProposal] = []


def report_of(
    span: Span,
    challengers: Mapping[str, Desk],
    periods: Sequence[Period],
    book_text: str | None = None,
    priors: Priors | None = None,
) -> Report:
    """Work out every figure, and with a rule book's text and the priors in force proposals for both.

    Raises Refused where no RFQ can be compared.
    """
    scored = [item for period in periods for item in period.rfqs]
    field = compared(scored)
    unknown = sum(period.unknown for period in periods)
    if not field.rfqs:
        counts = f"{len(scored) + unknown} RFQs, of them {unknown} in bonds not on record before, {field.alone} to one dealer"
        raise Refused([f"nothing to compare from {span.first} to {span.last}: {counts}, {field.unquoted} without a quote"])
    names = [*challengers, HISTORY]
    days, every_day = Days([item.rfq.day.isoformat() for item in field.rfqs]), Days([item.rfq.day.isoformat() for item in scored])
    return Report(
        span=span,
        challengers={name: _described(desk) for name, desk in challengers.items()} | {HISTORY: "plain mean of past quotes"},
        counted=Counted(
            rfqs=len(scored) + unknown,
            compared=len(field.rfqs),
            unknown_bond=unknown,
            one_dealer=field.alone,
            nobody_quoted=field.unquoted,
            days=days.count,
        ),
        unquoted_rule=UNQUOTED_RULE,
        uplift=[uplift(name, field, days) for name in names],
        versus=versus(names, field, days),
        by_class=gain_by_class(names, field, days),
        ranks=[rank_figures(name, periods, field, days) for name in names],
        calibration=[found for name in challengers if (found := calibration(name, scored))],
        by_count=cost_by_count(scored, every_day),
        expected=expected_against_came(scored, every_day),
        off_policy=[off_policy(name, scored) for name in challengers],
        proposals=propose(challengers, periods, book_text) if book_text is not None else [],
        prior_proposals=propose_priors(priors, periods) if priors is not None else [],
        cumulative_gain_bps={name: _added_up(field, gains(name, field)) for name in names},
    )


def _described(desk: Desk) -> str:
    spec, rules = desk.book.default.score, len(desk.book.selects) + len(desk.book.constrains)
    weights = ", ".join(f"{name} {weight:g}" for name, weight in spec.weights)
    return f"{spec.model}, {spec.window_days} days{f' ({weights})' if weights else ''}{f', {rules} rules' if rules else ''}"


def _added_up(field: Compared, gained: Floats) -> list[tuple[str, float]]:
    # NaN: the challenger knew nobody.
    totals = np.nancumsum(gained).tolist()
    return sorted({item.rfq.day.isoformat(): total for item, total in zip(field.rfqs, totals, strict=True)}.items())
