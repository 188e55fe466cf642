"""The rule book as values: which rules match an order, and the plan that follows.

Select rules are tried by priority (a lower number first, then as written) and the first match wins. Constrain rules all apply,
and the strictest wins: sequential is quieter than staggered, which is quieter than parallel; the fewest dealers, the longest
delay, the shortest time-out and the narrowest competitive band. A limit that cannot be decided because a figure is not known is
applied; a select rule that cannot be decided is passed over; both are said.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Protocol

import msgspec

from serve.domain.orders import Mode, Plan
from serve.domain.ratings import spoken
from serve.domain.rules_index import Screen
from serve.domain.rules_logic import Cases
from serve.domain.spec import ScoreSpec

Values = Mapping[str, object]
QUIETNESS: Mapping[Mode, int] = {Mode.PARALLEL: 0, Mode.STAGGERED: 1, Mode.SEQUENTIAL: 2}


class Verdict(Enum):
    """What a condition says; ``UNKNOWN`` when it hangs on a figure that is not known for this order."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class RuleFailed(Exception):
    """A condition that could not be evaluated: an error, never taken for true or false."""


class Misplaced(msgspec.Struct, frozen=True):
    """One thing wrong with a rule book, at one place; line and column count from 1."""

    line: int
    column: int
    reason: str


class RuleBookRefused(LookupError):
    """A rule book with faults; each of ``faults`` reads ``file:line:column: reason``."""

    def __init__(self, source: str, places: Iterable[Misplaced]) -> None:
        self.places = sorted(places, key=lambda item: (item.line, item.column))
        self.faults = [f"{source}:{item.line}:{item.column}: {item.reason}" for item in self.places]
        super().__init__("\n".join(self.faults))


class Condition(Protocol):
    """A compiled condition."""

    @property
    def source(self) -> str:
        """The condition as the trader wrote it."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The order's and dealer's variables it reads, in the order in which they stand."""
        ...

    @property
    def cases(self) -> Cases:
        """What can be proved of it without running it."""
        ...

    def evaluate(self, values: Values) -> Verdict:
        """Decide it. A variable that is absent from ``values`` is not known. Raises ``RuleFailed``."""
        ...


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """Take the best ``take`` dealers (``None`` = all) of a tier (``None`` = any) for which ``where`` is true."""

    take: int | None
    tier: int | None = None
    where: Condition | None = None


class ProtocolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of how to ask; ``None`` = nothing. Seconds, and bps beyond the expected cost.

    ``auto`` leaves it to the fitted figures whether a parallel RFQ is whispered instead.
    """

    mode: Mode | None = None
    timeout_s: float | None = None
    delay_s: float | None = None
    max_dealers: int | None = None
    competitive_within_bps: float | None = None
    auto: bool = False


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Dealers that a rule leaves out: by name, or where a condition holds (or cannot be decided)."""

    dealers: tuple[str, ...] = ()
    where: Condition | None = None


class Kind(StrEnum):
    """Whether a rule picks dealers or limits."""

    SELECT = "select"
    CONSTRAIN = "constrain"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. ``score``, ``pick`` and ``similar_within_days`` only for select; ``None`` = as the default has it."""

    id: str
    kind: Kind
    when: Condition
    priority: int = 0
    score: ScoreSpec | None = None
    pick: tuple[Pick, ...] | None = None
    protocol: ProtocolSpec | None = None
    exclude: Exclusion | None = None
    similar_within_days: int | None = None


class Default(msgspec.Struct, frozen=True, kw_only=True):
    """What holds where no select rule matches."""

    score: ScoreSpec
    pick: tuple[Pick, ...]
    protocol: ProtocolSpec


class RuleBook(msgspec.Struct, frozen=True, kw_only=True):
    """A whole rule book. ``version`` is a hash of its text; ``tiers`` hold the cut-points by class, asset class or ``default``.

    ``selects`` stand in the order in which they are tried; the screens name those of which the condition may hold.
    """

    version: str
    tiers: Mapping[str, tuple[float, ...]]
    default: Default
    selects: tuple[Rule, ...]
    constrains: tuple[Rule, ...]
    select_screen: Screen
    constrain_screen: Screen


class MatchedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that had its say, and why."""

    id: str
    kind: str
    why: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules make of one order. ``exclude`` pairs a rule's id with what it leaves out; ``auto``: the mode is open."""

    score: ScoreSpec
    pick: tuple[Pick, ...]
    plan: Plan
    exclude: tuple[tuple[str, Exclusion], ...]
    similar_within_days: int | None
    matched: list[MatchedRule]
    notes: list[str]
    auto: bool = False


def decide(book: RuleBook, values: Values) -> Decision:
    """Run the rule book over one order's variables. Raises ``RuleFailed``."""
    notes: list[str] = []
    chosen = _first_match((book.selects[place] for place in book.select_screen.candidates(values)), values, notes)
    possible = (book.constrains[place] for place in book.constrain_screen.candidates(values))
    limits = [(rule, verdict) for rule in possible if (verdict := rule.when.evaluate(values)) is not Verdict.FALSE]
    matched = [MatchedRule(id=rule.id, kind=rule.kind.value, why=_why(rule.when, values)) for rule in [chosen] if rule]
    matched += [MatchedRule(id=rule.id, kind=rule.kind.value, why=_why(rule.when, values, verdict)) for rule, verdict in limits]
    if chosen is None:
        notes.append("No select rule matches, so the rule book's default applies.")
    rules = [rule for rule in [chosen, *(rule for rule, _ in limits)] if rule]
    own = chosen.protocol if chosen else None
    plan = plan_of(book.default.protocol, own, [rule.protocol for rule, _ in limits if rule.protocol])
    return Decision(
        score=(chosen.score if chosen else None) or book.default.score,
        pick=(chosen.pick if chosen else None) or book.default.pick,
        plan=plan,
        exclude=tuple((rule.id, rule.exclude) for rule in rules if rule.exclude),
        similar_within_days=chosen.similar_within_days if chosen else None,
        matched=matched,
        notes=notes,
        auto=plan.mode is Mode.PARALLEL and (own if own and own.mode else book.default.protocol).auto,
    )


def plan_of(default: ProtocolSpec, chosen: ProtocolSpec | None, limits: Sequence[ProtocolSpec]) -> Plan:
    """Lay the chosen rule's protocol over the default's, then apply every limit, the strictest of each kind.

    A delay only holds for staggered RFQs and a competitive band only for sequential ones.
    """
    base = chosen if chosen and chosen.mode else default
    everything = [base, *([chosen] if chosen and chosen is not base else []), *limits]
    mode = max((spec.mode for spec in everything if spec.mode), key=QUIETNESS.__getitem__)
    timeouts = [spec.timeout_s for spec in limits]
    own = (chosen.timeout_s if chosen else None) or default.timeout_s
    return Plan(
        mode=mode,
        timeout_s=_least([own, *timeouts]) or 0.0,
        delay_s=_most(spec.delay_s for spec in everything) if mode is Mode.STAGGERED else None,
        max_dealers=_fewest(spec.max_dealers for spec in everything),
        competitive_within_bps=_least(spec.competitive_within_bps for spec in everything) if mode is Mode.SEQUENTIAL else None,
    )


def _first_match(selects: Iterable[Rule], values: Values, notes: list[str]) -> Rule | None:
    for rule in selects:
        verdict = rule.when.evaluate(values)
        if verdict is Verdict.TRUE:
            return rule
        if verdict is Verdict.UNKNOWN:
            notes.append(f"Rule {rule.id} was passed over: {_missing(rule.when, values)} not known for this order.")
    return None


def _why(condition: Condition, values: Values, verdict: Verdict = Verdict.TRUE) -> str:
    figures = ", ".join(f"{name} is {_shown(name, values[name])}" for name in condition.names if name in values)
    if verdict is Verdict.UNKNOWN:
        return f"Applied out of caution, because {_missing(condition, values)} not known for this order: {condition.source}"
    return f"{figures or 'always'}: {condition.source}"


def _missing(condition: Condition, values: Values) -> str:
    names = [name for name in condition.names if name not in values]
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _shown(name: str, value: object) -> str:
    if name == "order.rating" and isinstance(value, int):
        return spoken(value)
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f"{value:,.6g}"
        if isinstance(value, float) and abs(value) < 1e6
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _fewest(values: Iterable[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
