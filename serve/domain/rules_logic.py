"""What can be proved of conditions without running them: what contradicts itself, and what an earlier one covers.

A condition is written as cases of which at least one must hold; a case is a conjunction of what it asks of each variable, and of
parts that are not looked into. Figures that are not known make a comparison undecided; the laws used here (distribution,
De Morgan) hold for that three-valued logic as well, so what is proved is true for orders with gaps too. Where nothing can be
proved nothing is claimed.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from serve.domain.rules_tree import AND, EQ, IN, NE, NOT, OR, Call, Listed, Literal, Name, Node, key

MAX_CASES = 64
# The same figure under two names.
_SAME: Mapping[str, str] = {"order.quantity": "order.notional"}
_ORDERINGS = {"_<_", "_<=_", "_>_", "_>=_"}
_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_OPPOSITE = {"_<_": "_>=_", "_<=_": "_>_", "_>_": "_<=_", "_>=_": "_<_"}


class Span(msgspec.Struct, frozen=True):
    """Numbers from ``low`` to ``high``, both included."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def empty(self) -> bool:
        """No number is within."""
        return self.low > self.high


class Among(msgspec.Struct, frozen=True):
    """One of these words or truth values; with ``but``, anything but these."""

    words: frozenset[str | bool]
    but: bool = False

    @property
    def empty(self) -> bool:
        """No value is among them."""
        return not self.words and not self.but


Asked = Span | Among


class Case(msgspec.Struct, frozen=True):
    """A conjunction: what it asks of each variable, and its other parts with the truth value they must have."""

    asks: Mapping[str, Asked] = {}
    other: frozenset[tuple[tuple[object, ...], bool]] = frozenset()

    @property
    def clash(self) -> str | None:
        """Name the variable of which the impossible is asked (or ``a part``); ``None`` = it can hold as far as is known."""
        for name, asked in self.asks.items():
            if asked.empty:
                return name
        return "a part" if any((part, not truth) in self.other for part, truth in self.other) else None


Cases = tuple[Case, ...]


class TooManyCases(Exception):
    """The condition has more cases than are looked into."""


def cases_of(node: Node) -> Cases:
    """Give a condition's cases, those that contradict themselves included: only so is it known when figures decide it."""
    try:
        return tuple(_cases(node, positive=True))
    except TooManyCases:
        return (Case(other=frozenset({(key(node), True)})),)


def possible(cases: Cases, within: Mapping[str, Asked] | None = None) -> Cases:
    """Give the cases that can hold; none = the condition can never hold. ``within`` bounds variables from outside."""
    bounds = within or {}
    return tuple(
        case for case in cases if _both(case, Case(asks={name: bounds[name] for name in case.asks if name in bounds})).clash is None
    )


def implies(case: Case, other: Case) -> bool:
    """Say whether ``other`` certainly holds whenever ``case`` does; False = it is not proved."""
    return other.other <= case.other and all(
        name in case.asks and _inside(case.asks[name], asked) for name, asked in other.asks.items()
    )


def _inside(inner: Asked, outer: Asked) -> bool:
    if isinstance(inner, Span) and isinstance(outer, Span):
        return outer.low <= inner.low and inner.high <= outer.high
    if not isinstance(inner, Among) or not isinstance(outer, Among):
        return False
    if outer.but:
        return outer.words <= inner.words if inner.but else not (inner.words & outer.words)
    return not inner.but and inner.words <= outer.words


def _cases(node: Node, *, positive: bool) -> list[Case]:
    if isinstance(node, Call):
        if node.function == NOT:
            return _cases(node.args[0], positive=not positive)
        if node.function in {AND, OR}:
            parts = [_cases(arg, positive=positive) for arg in node.args]
            return _all_of(parts) if (node.function == AND) is positive else _bounded([case for part in parts for case in part])
        compared = _comparison(node, positive=positive)
        if compared is not None:
            return compared
    if isinstance(node, Literal) and isinstance(node.value, bool):
        return [Case()] if node.value is positive else []
    if isinstance(node, Name):
        return [_asking(node.name, Among(frozenset({positive})))]
    return [Case(other=frozenset({(key(node), positive)}))]


def _all_of(parts: Sequence[list[Case]]) -> list[Case]:
    found = [Case()]
    for part in parts:
        found = _bounded([_both(one, two) for one in found for two in part])
    return found


def _bounded(found: list[Case]) -> list[Case]:
    if len(found) > MAX_CASES:
        raise TooManyCases
    return found


def _both(one: Case, two: Case) -> Case:
    asks = dict(one.asks)
    for name, asked in two.asks.items():
        asks[name] = _meet(asks[name], asked) if name in asks else asked
    return Case(asks=asks, other=one.other | two.other)


def _meet(one: Asked, two: Asked) -> Asked:
    if isinstance(one, Span) and isinstance(two, Span):
        return Span(max(one.low, two.low), min(one.high, two.high))
    if not isinstance(one, Among) or not isinstance(two, Among):
        return one
    if one.but and two.but:
        return Among(one.words | two.words, but=True)
    if one.but or two.but:
        kept, barred = (two, one) if one.but else (one, two)
        return Among(kept.words - barred.words)
    return Among(one.words & two.words)


def _comparison(node: Call, *, positive: bool) -> list[Case] | None:
    """Give the cases of a comparison of one variable with constants; ``None`` = it is something else."""
    if len(node.args) != 2:
        return None
    left, right = node.args
    function = node.function
    if function == IN and isinstance(left, Name) and isinstance(right, Listed):
        values = [item.value for item in right.items if isinstance(item, Literal)]
        return _equal(left.name, values, positive=positive) if len(values) == len(right.items) else None
    if isinstance(left, Literal) and isinstance(right, Name):
        left, right, function = right, left, _MIRRORED.get(function, function)
    if not isinstance(left, Name) or not isinstance(right, Literal):
        return None
    if function in {EQ, NE}:
        return _equal(left.name, [right.value], positive=positive is (function == EQ))
    if function not in _ORDERINGS or isinstance(right.value, bool) or not isinstance(right.value, int | float):
        return None
    return [_asking(left.name, _span(function if positive else _OPPOSITE[function], float(right.value)))]


def _equal(name: str, values: Sequence[object], *, positive: bool) -> list[Case] | None:
    words = frozenset(value for value in values if isinstance(value, str | bool))
    if len(words) == len(set(values)) and all(isinstance(value, str | bool) for value in values):
        if words and all(isinstance(word, bool) for word in words) and not positive:
            return [_asking(name, Among(frozenset(word for word in (True, False) if word not in words)))]
        return [_asking(name, Among(words, but=not positive))]
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(values):
        return None
    if positive:
        return _bounded([_asking(name, Span(number, number)) for number in numbers])
    apart = [[_asking(name, _span("_<_", number)), _asking(name, _span("_>_", number))] for number in numbers]
    return _all_of(apart)


def _span(function: str, bound: float) -> Span:
    """Give the numbers on one side of a bound; a strict one is moved to the next number that a double can hold."""
    if function == "_<_":
        return Span(high=math.nextafter(bound, -math.inf))
    if function == "_<=_":
        return Span(high=bound)
    return Span(low=math.nextafter(bound, math.inf) if function == "_>_" else bound)


def _asking(name: str, asked: Asked) -> Case:
    return Case(asks={_SAME.get(name, name): asked})
