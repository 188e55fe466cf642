"""Where the machine and the trader differed: what the trader's list was expected to cost beside the recommended one, by reason."""

from collections.abc import Sequence

import msgspec

from serve.domain.expected_cost import CostDifference, Pair, cost_difference
from serve.domain.market import Scorecards


class OverrideCase(msgspec.Struct, frozen=True, kw_only=True):
    """One override: the lists in the order in which they would be asked, and the scorecards of the recommendation's snapshot."""

    override_id: str
    reason_code: str
    snapshot_id: str
    cards: Scorecards
    recommended: Sequence[str]
    overridden: Sequence[str]


class ReasonOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """All overrides with one reason (``all`` = whatever the reason).

    ``count`` of them, ``same_dealers`` that only changed the order, and the trader's expected cost less the machine's, where
    positive means that the machine's list was expected to be cheaper.
    """

    reason_code: str
    count: int
    same_dealers: int
    difference: CostDifference


def override_outcomes(cases: Sequence[OverrideCase]) -> list[ReasonOutcome]:
    """Analyse overrides by reason, the most frequent first, and all of them together at the end; empty without any."""
    by_reason: dict[str, list[OverrideCase]] = {}
    for case in cases:
        by_reason.setdefault(case.reason_code, []).append(case)
    ordered = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return [_outcome(reason, group) for reason, group in [*ordered, *([("all", list(cases))] if cases else [])]]


def _outcome(reason: str, cases: Sequence[OverrideCase]) -> ReasonOutcome:
    pairs = [Pair(snapshot_id=c.snapshot_id, cards=c.cards, first=c.recommended, second=c.overridden) for c in cases]
    same = sum(set(case.recommended) == set(case.overridden) for case in cases)
    return ReasonOutcome(reason_code=reason, count=len(cases), same_dealers=same, difference=cost_difference(pairs))
