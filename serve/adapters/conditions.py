"""Conditions in CEL: checked against typed variables when loaded, bounded when run, never true by mistake.

The one module that knows the library.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

from cel_expr_python import cel

from serve.adapters.rules_variables import (
    CLOSED,
    DEALER_VARIABLES,
    FUNCTIONS,
    ORDER_VARIABLES,
    RATINGS,
    UNITS,
    WORDS,
    Kind,
    Variable,
)
from serve.adapters.rules_wire import tree_of
from serve.domain.rules import RuleFailed, Values, Verdict
from serve.domain.rules_logic import Cases, Span, cases_of, possible
from serve.domain.rules_tree import EQ, IN, NE, Call, Literal, Loop, Name, Node, children, folded, in_unit, unguarded_rating, walk

_TYPES: Mapping[Kind, cel.Type] = {
    Kind.TEXT: cel.Type.STRING,
    Kind.WHOLE: cel.Type.INT,
    Kind.NUMBER: cel.Type.DOUBLE,
    Kind.TRUTH: cel.Type.BOOL,
    Kind.TEXTS: cel.Type.List(cel.Type.STRING),
}
MAX_LENGTH = 2_000
MAX_PARTS = 400

_PLACE = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<reason>.*)")
_UNDECLARED = re.compile(r"undeclared reference to '(?P<name>[^']*)'")
_MACRO = re.compile(r"\b(all|exists|exists_one|map|filter)\s*\($")
_NOT_KNOWN = "No value with name"


class ConditionRefused(Exception):
    """A condition that does not compile; ``line`` and ``column`` count from 1 within its text."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.line, self.column = line, column


class CelCondition:
    """A compiled condition; ``cases`` are what can be proved of it without running it."""

    __slots__ = ("_constants", "_expression", "cases", "names", "source")

    def __init__(self, source: str, expression: cel.Expression, names: tuple[str, ...], constants: Values, cases: Cases) -> None:
        self.source, self.names, self.cases = " ".join(source.split()), names, cases
        self._expression, self._constants = expression, constants

    def evaluate(self, values: Values) -> Verdict:
        """Decide it; a variable that is absent is not known. Raises ``RuleFailed`` for any other failure."""
        data = dict(self._constants)
        for name in self.names:
            if name in values:
                data[name] = values[name]
        answer = self._expression.eval(data=data)
        result = answer.value()
        if result is True:
            return Verdict.TRUE
        if result is False:
            return Verdict.FALSE
        if _NOT_KNOWN in str(result) and len(data) < len(self._constants) + len(self.names):
            return Verdict.UNKNOWN
        raise RuleFailed(f"the condition {self.source!r} could not be evaluated: {result}")


class Conditions:
    """Compiles conditions. ``asset_classes`` are a desk's own, besides those that are shipped; ``tiers`` how many there are."""

    def __init__(self, asset_classes: Iterable[str] = (), tiers: int = 1_000) -> None:
        self._constants: dict[str, object] = {**{str(word): str(word) for word in (*WORDS, *asset_classes)}, **RATINGS}
        self._tiers = tiers
        self._compiled: dict[tuple[int, str], CelCondition] = {}
        constants = {name: cel.Type.INT if isinstance(value, int) else cel.Type.STRING for name, value in self._constants.items()}
        self._of_order = _environment(constants, ORDER_VARIABLES)
        self._of_dealer = _environment(constants, {**ORDER_VARIABLES, **DEALER_VARIABLES})

    def on_order(self, source: str) -> CelCondition:
        """Compile a condition on an order. Raises ``ConditionRefused``."""
        return self._compile(source, self._of_order, ORDER_VARIABLES)

    def on_dealer(self, source: str, tiers: int | None = None) -> CelCondition:
        """Compile a condition on an order and one dealer; ``tiers`` = how many there are for it. Raises ``ConditionRefused``."""
        condition = self._compile(source, self._of_dealer, {**ORDER_VARIABLES, **DEALER_VARIABLES})
        deepest = tiers or self._tiers
        if not possible(condition.cases, {"dealer.tier": Span(1, deepest)}):
            raise ConditionRefused(f"can never hold: there are only tiers 1 to {deepest} (see 'tiers')")
        return condition

    def _compile(self, source: str, environment: cel.Env, variables: Mapping[str, Variable]) -> CelCondition:
        """Compile once: the same text gives the same condition, so that what was worked out for it serves every rule."""
        key = (id(environment), source)
        if key not in self._compiled:
            self._compiled[key] = self._freshly(source, environment, variables)
        return self._compiled[key]

    def _freshly(self, source: str, environment: cel.Env, variables: Mapping[str, Variable]) -> CelCondition:
        if len(source) > MAX_LENGTH:
            raise ConditionRefused(f"is {len(source)} characters long; at most {MAX_LENGTH} are allowed: split the rule")
        try:
            expression = environment.compile(source)
        except (RuntimeError, UnicodeError, ValueError) as exc:
            raise self._refusal(str(exc), variables) from exc
        if expression.return_type() != cel.Type.BOOL:
            raise ConditionRefused(f"gives {expression.return_type().name().lower()}, not true or false; compare it with something")
        tree = tree_of(expression.serialize())
        _refuse_unsafe(source, tree)
        whole = folded(tree, self._constants, UNITS)
        _refuse_slips(source, whole)
        cases = cases_of(whole)
        if not possible(cases):
            clash = next((case.clash for case in cases if case.clash), None)
            raise ConditionRefused(f"can never hold: what it asks of {clash} contradicts itself" if clash else "can never hold")
        used = sorted((node for node in walk(tree) if isinstance(node, Name)), key=lambda node: node.at or 0)
        names = tuple(dict.fromkeys(node.name for node in used if node.name in variables))
        if not names and whole != Literal(True, 0):  # noqa: FBT003 - a value of the language, not a flag
            raise ConditionRefused("names nothing of the order, the market or the dealer; write true where it is meant always")
        constants = {node.name: self._constants[node.name] for node in used if node.name in self._constants}
        return CelCondition(source, expression, names, constants, cases)

    def _refusal(self, message: str, variables: Mapping[str, Variable]) -> ConditionRefused:
        found = _PLACE.search(message)
        if not found:
            return ConditionRefused(
                message.splitlines()[0].removeprefix("INVALID_ARGUMENT: ") if message else "is not an expression"
            )
        reason = found["reason"].removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "")
        undeclared = _UNDECLARED.search(reason)
        # The compiler points at the last dot of a name; people look for where it begins.
        before = max(undeclared["name"].rfind("."), 0) if undeclared else 0
        return ConditionRefused(self._advised(reason, variables), int(found["line"]), max(1, int(found["column"]) - before))

    def _advised(self, reason: str, variables: Mapping[str, Variable]) -> str:
        undeclared = _UNDECLARED.search(reason)
        if undeclared:
            return self._unknown_name(undeclared["name"], variables)
        if "no matching overload" in reason and "double" in reason and "int" in reason:
            return f"{reason}; amounts take a unit or a decimal point: mm(5), pct(10), bps(3), days(7), 5.0"
        if "no matching overload" in reason:
            return f"{reason}; both sides must be of one type: numbers with numbers, words with words"
        return reason.split(" expecting ", maxsplit=1)[0]

    def _unknown_name(self, name: str, variables: Mapping[str, Variable]) -> str:
        if name in DEALER_VARIABLES:
            return f"{name} is known only where a dealer is at hand: in a pick's or an exclusion's 'where'"
        near = difflib.get_close_matches(name, [*variables, *self._constants, *UNITS], n=1)
        listed = "docs/guides/rules.md lists the names"
        return f"unknown name {name!r} ({f'did you mean {near[0]!r}?' if near else listed})"


def _refuse_unsafe(source: str, tree: Node) -> None:
    nodes = list(walk(tree))
    if len(nodes) > MAX_PARTS:
        raise ConditionRefused(f"has {len(nodes)} parts; at most {MAX_PARTS} are allowed: split the rule")
    for node in nodes:
        if isinstance(node, Loop):
            macro = _MACRO.search(source[: (node.at or 0) + 1])
            said = f"{macro[1]!r} is not" if macro else "macros are not"
            raise _at(source, node, f'{said} allowed: a rule may not loop; write "MUNI" in dealer.specialties, or several rules')
        if isinstance(node, Call) and node.function not in FUNCTIONS:
            known = ", ".join(sorted(name for name in FUNCTIONS if name.isalpha()))
            raise _at(source, node, f"{node.function.strip('_')!r} is not for rule books; there are: {known}, and operators")


def _refuse_slips(source: str, tree: Node) -> None:
    unguarded = unguarded_rating(tree)
    if unguarded:
        raise _at(
            source, unguarded, "compares order.rating without asking 'order.is_rated &&' first: an unrated bond has no rating"
        )
    for node in walk(tree):
        named = next((child for child in children(node) if isinstance(child, Name) and child.name in CLOSED), None)
        if named is None or not isinstance(node, Call) or node.function not in {EQ, NE, IN}:
            continue
        for literal in (item for child in children(node) for item in walk(child) if isinstance(item, Literal)):
            if literal.value not in CLOSED[named.name]:
                near = difflib.get_close_matches(str(literal.value).upper(), [word.upper() for word in CLOSED[named.name]], n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                values = ", ".join(CLOSED[named.name])
                raise _at(source, literal, f"{named.name} is never {literal.value!r} ({hint}it is one of: {values})")


def _at(source: str, node: Node, reason: str) -> ConditionRefused:
    offset = node.at or 0
    if isinstance(node, Name):
        offset -= max(node.name.rfind("."), 0)
    before = source[: max(0, offset)]
    return ConditionRefused(reason, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _environment(constants: Mapping[str, cel.Type], variables: Mapping[str, Variable]) -> cel.Env:
    types = {**constants, **{name: _TYPES[variable.kind] for name, variable in variables.items()}}
    return cel.NewEnv(variables=types, functions=[_unit(name, factor) for name, factor in UNITS.items()])


def _unit(name: str, factor: float) -> cel.FunctionDecl:
    def scale(amount: float) -> float:
        return in_unit(amount, factor)

    kinds = (cel.Type.INT, cel.Type.DOUBLE)
    overloads = [cel.Overload(f"{name}_{kind.name().lower()}", cel.Type.DOUBLE, [kind], False, scale) for kind in kinds]  # noqa: FBT003 - the binding takes it by position
    return cel.FunctionDecl(name, overloads)
