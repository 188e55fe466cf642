"""Conditions in CEL: checked against typed variables when loaded, bounded when run, never true by mistake."""

import difflib
import re
from collections.abc import Iterable, Mapping

from cel_expr_python import cel

from expectations.contracts.vocabulary import AssetClass, CorporateClass, Metric, Side
from serve.domain.ratings import CONSTANTS as RATINGS
from serve.domain.rules import RuleFailed, Values, Verdict

MAX_LENGTH = 2_000

_T = cel.Type
ORDER_VARIABLES: Mapping[str, cel.Type] = {
    "order.asset_class": _T.STRING,
    "order.scorecard_class": _T.STRING,
    "order.notional": _T.DOUBLE,
    "order.quantity": _T.DOUBLE,
    "order.rating": _T.INT,
    "order.is_rated": _T.BOOL,
    "order.side": _T.STRING,
    "order.urgency": _T.STRING,
    "order.sector": _T.STRING,
    "order.issuer_id": _T.STRING,
    "order.adv30_share": _T.DOUBLE,
    "order.years_to_maturity": _T.DOUBLE,
    "order.volatility": _T.DOUBLE,
    "order.illiquid": _T.BOOL,
    "order.expected_cost_bps": _T.DOUBLE,
    "order.expected_impact_bps": _T.DOUBLE,
    "order.days_since_last_trade": _T.DOUBLE,
}
DEALER_VARIABLES: Mapping[str, cel.Type] = {
    "dealer.id": _T.STRING,
    "dealer.tier": _T.INT,
    "dealer.specialties": _T.List(_T.STRING),
    "dealer.composite": _T.DOUBLE,
    "dealer.score": _T.DOUBLE,
    "dealer.rfqs_asked": _T.INT,
    **{f"dealer.scores.{metric}": _T.DOUBLE for metric in Metric},
}
# Units, so that a condition reads as people speak; each gives a number in the variable's own unit.
FUNCTIONS: Mapping[str, float] = {"mm": 1e6, "pct": 0.01, "bps": 1.0, "days": 1.0, "years": 1.0}

_STRINGS = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_WORDS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PLACE = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<reason>.*)")
_UNDECLARED = re.compile(r"undeclared reference to '(?P<name>[^']*)'")
_NOT_KNOWN = "No value with name"


class ConditionRefused(Exception):
    """A condition that does not compile; ``line`` and ``column`` count from 1 within its text."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.line, self.column = line, column


class CelCondition:
    """A compiled condition."""

    __slots__ = ("_constants", "_expression", "names", "source")

    def __init__(self, source: str, expression: cel.Expression, names: tuple[str, ...], constants: Values) -> None:
        self.source, self.names = " ".join(source.split()), names
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
    """Compiles conditions. ``asset_classes`` are a desk's own, besides those that are shipped."""

    def __init__(self, asset_classes: Iterable[str] = ()) -> None:
        words = [*AssetClass, *CorporateClass, *Side, *asset_classes]
        self._constants: dict[str, object] = {**{str(word): str(word) for word in words}, **RATINGS}
        constants = {name: _T.INT if isinstance(value, int) else _T.STRING for name, value in self._constants.items()}
        self._of_order = _environment({**constants, **ORDER_VARIABLES})
        self._of_dealer = _environment({**constants, **ORDER_VARIABLES, **DEALER_VARIABLES})

    def on_order(self, source: str) -> CelCondition:
        """Compile a condition on an order. Raises ``ConditionRefused``."""
        return self._compile(source, self._of_order, ORDER_VARIABLES)

    def on_dealer(self, source: str) -> CelCondition:
        """Compile a condition on an order and one dealer. Raises ``ConditionRefused``."""
        return self._compile(source, self._of_dealer, {**ORDER_VARIABLES, **DEALER_VARIABLES})

    def _compile(self, source: str, environment: cel.Env, variables: Mapping[str, cel.Type]) -> CelCondition:
        if len(source) > MAX_LENGTH:
            raise ConditionRefused(f"is {len(source)} characters long; at most {MAX_LENGTH} are allowed")
        try:
            expression = environment.compile(source)
        except RuntimeError as exc:
            raise self._refusal(str(exc), variables) from exc
        if expression.return_type() != _T.BOOL:
            raise ConditionRefused(f"gives {expression.return_type().name().lower()}, not true or false; compare it with something")
        words = list(dict.fromkeys(_WORDS.findall(_STRINGS.sub("''", source))))
        names = tuple(dict.fromkeys(name for word in words for name in variables if word == name or word.startswith(name + ".")))
        if "order.rating" in names and "order.is_rated" not in names:
            raise ConditionRefused("compares order.rating without asking 'order.is_rated &&' first: an unrated bond has no rating")
        constants = {word: self._constants[word] for word in words if word in self._constants}
        return CelCondition(source, expression, names, constants)

    def _refusal(self, message: str, variables: Mapping[str, cel.Type]) -> ConditionRefused:
        found = _PLACE.search(message)
        if not found:
            return ConditionRefused(message.splitlines()[0].removeprefix("INVALID_ARGUMENT: "))
        reason = found["reason"].removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "")
        undeclared = _UNDECLARED.search(reason)
        # The compiler points at the last dot of a name; people look for where it begins.
        before = max(undeclared["name"].rfind("."), 0) if undeclared else 0
        return ConditionRefused(self._advised(reason, variables), int(found["line"]), int(found["column"]) - before)

    def _advised(self, reason: str, variables: Mapping[str, cel.Type]) -> str:
        undeclared = _UNDECLARED.search(reason)
        if undeclared:
            return self._unknown_name(undeclared["name"], variables)
        if "no matching overload" in reason and "double" in reason and "int" in reason:
            return f"{reason}; amounts take a unit or a decimal point: mm(5), pct(10), bps(3), days(7), 5.0"
        return reason.split(" expecting ", maxsplit=1)[0]

    def _unknown_name(self, name: str, variables: Mapping[str, cel.Type]) -> str:
        if name in DEALER_VARIABLES:
            return f"{name} is known only where a dealer is at hand: in a pick's or an exclusion's 'where'"
        near = difflib.get_close_matches(name, [*variables, *self._constants, *FUNCTIONS], n=1)
        return f"unknown name {name!r}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _environment(variables: Mapping[str, cel.Type]) -> cel.Env:
    return cel.NewEnv(variables=dict(variables), functions=[_unit(name, factor) for name, factor in FUNCTIONS.items()])


def _unit(name: str, factor: float) -> cel.FunctionDecl:
    def scale(amount: float) -> float:
        # Divided where the factor is a fraction, so that pct(10) is exactly 0.1.
        return amount * factor if factor >= 1 else amount / round(1 / factor)

    overloads = [cel.Overload(f"{name}_{kind.name().lower()}", _T.DOUBLE, [kind], False, scale) for kind in (_T.INT, _T.DOUBLE)]  # noqa: FBT003 - the binding takes it by position
    return cel.FunctionDecl(name, overloads)
