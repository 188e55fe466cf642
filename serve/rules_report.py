"""A trial of a draft as lines for a terminal."""

from collections.abc import Iterator

from serve.domain.expected_cost import CostDifference
from serve.domain.rules_trial import OrderChange, Trial

_SHOWN = 20


def lines(trial: Trial) -> Iterator[str]:
    """Tell a trial: the sums first, then rule by rule, then order by order."""
    yield f"{trial.orders} past orders by version {trial.draft_version} beside {trial.live_version}, which is in force:"
    yield f"  {trial.changed} change, {trial.failed} fail"
    if trial.dealers_asked_before is not None and trial.dealers_asked_after is not None:
        yield f"  dealers asked: {trial.dealers_asked_before:.2f} before, {trial.dealers_asked_after:.2f} after, on average"
    yield f"  expected cost: {_cost(trial.cost)}"
    for note in trial.notes:
        yield f"  note: {note}"
    if trial.rules:
        yield f"{'rule':<40} {'before':>7} {'after':>7}"
    for rule in trial.rules:
        yield f"{rule.id:<40} {rule.before:>7} {rule.after:>7}"
    for change in trial.changes[:_SHOWN]:
        yield from _order(change)
    if len(trial.changes) > _SHOWN:
        yield f"... and {len(trial.changes) - _SHOWN} more; --json has them"
    yield f"Expected cost: {trial.how}"


def _cost(cost: CostDifference) -> str:
    if cost.bps is None:
        return "not known: no order has figures to go by"
    return f"{cost.bps:+.2f} bps an order, 95 % interval {cost.low:+.2f} to {cost.high:+.2f} ({cost.verdict}; {cost.orders} orders)"


def _order(change: OrderChange) -> Iterator[str]:
    own = "" if change.own_snapshot else ", on the current snapshot"
    yield f"{change.order_id}  {change.security_id}  {change.received_at:%Y-%m-%d %H:%M}Z{own}"
    if change.failure:
        yield f"  fails: {change.failure}"
    yield f"  rules:   {_listed(change.rules_before)} -> {_listed(change.rules_after)}"
    yield f"  dealers: {_listed(change.dealers_before)} -> {_listed(change.dealers_after)}"
    if change.plan_before and change.plan_after and change.plan_before != change.plan_after:
        yield f"  plan:    {change.plan_before.mode} -> {change.plan_after.mode}"


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
