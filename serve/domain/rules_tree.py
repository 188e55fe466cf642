"""A condition as a tree: what its names, constants and operators are, whichever library parsed it."""

from collections.abc import Iterator, Mapping

import msgspec

Scalar = bool | int | float | str | None

AND, OR, NOT, EQ, NE, IN, IF, MINUS = "_&&_", "_||_", "!_", "_==_", "_!=_", "@in", "_?_:_", "-_"
RATING, IS_RATED = "order.rating", "order.is_rated"


class Name(msgspec.Struct, frozen=True):
    """A variable. ``at`` is the offset in the source, in characters; ``None`` = not known."""

    name: str
    at: int | None = None


class Literal(msgspec.Struct, frozen=True):
    """A constant."""

    value: Scalar
    at: int | None = None


class Call(msgspec.Struct, frozen=True):
    """An operator or function and what it is applied to."""

    function: str
    args: tuple["Node", ...]
    at: int | None = None


class Listed(msgspec.Struct, frozen=True):
    """A list written out."""

    items: tuple["Node", ...]
    at: int | None = None


class Loop(msgspec.Struct, frozen=True):
    """A macro that goes through a list (``all``, ``exists``, ``map``, ``filter``)."""

    at: int | None = None


class Opaque(msgspec.Struct, frozen=True):
    """Anything else: a field of a message, a map."""

    text: str
    at: int | None = None


Node = Name | Literal | Call | Listed | Loop | Opaque


def children(node: Node) -> tuple[Node, ...]:
    """Give what stands directly under a node."""
    return node.args if isinstance(node, Call) else node.items if isinstance(node, Listed) else ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything under it."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting += children(here)


def key(node: Node) -> tuple[object, ...]:
    """Give a value that two nodes share when they say the same, wherever they stand."""
    own: object = node.name if isinstance(node, Name) else None
    if isinstance(node, Literal):
        own = (type(node.value).__name__, node.value)
    elif isinstance(node, Call):
        own = node.function
    elif isinstance(node, Opaque):
        own = node.text
    return (type(node).__name__, own, *(key(child) for child in children(node)))


def folded(node: Node, constants: Mapping[str, object], units: Mapping[str, float]) -> Node:
    """Put values in place of named constants (``BBB``), amounts with a unit (``mm(5)``) and negated numbers."""
    if isinstance(node, Name) and node.name in constants:
        value = constants[node.name]
        return Literal(value if isinstance(value, str | int | float) else str(value), node.at)
    if isinstance(node, Listed):
        return Listed(tuple(folded(item, constants, units) for item in node.items), node.at)
    if not isinstance(node, Call):
        return node
    args = tuple(folded(arg, constants, units) for arg in node.args)
    alone = args[0] if len(args) == 1 else None
    if isinstance(alone, Literal) and isinstance(alone.value, int | float) and not isinstance(alone.value, bool):
        if node.function in units:
            return Literal(in_unit(float(alone.value), units[node.function]), node.at)
        if node.function == MINUS:
            return Literal(-alone.value, node.at)
    return Call(node.function, args, node.at)


def in_unit(amount: float, factor: float) -> float:
    """Scale an amount; divided where the factor is a fraction, so that ``pct(10)`` is exactly 0.1."""
    return amount * factor if factor >= 1 else amount / round(1 / factor)


def unguarded_rating(node: Node, *, guarded: bool = False) -> Name | None:
    """Find a use of ``order.rating`` that is reached though nobody asked ``order.is_rated``; ``None`` = there is none."""
    if isinstance(node, Name):
        return node if node.name == RATING and not guarded else None
    if isinstance(node, Call) and node.function in {AND, OR}:
        holds = node.function == AND
        for place, arg in enumerate(node.args):
            others = (*node.args[:place], *node.args[place + 1 :])
            found = unguarded_rating(arg, guarded=guarded or any(_settles(other, holds=holds) for other in others))
            if found:
                return found
        return None
    if isinstance(node, Call) and node.function == IF and len(node.args) == 3:
        asked, then, otherwise = node.args
        return (
            unguarded_rating(asked, guarded=guarded)
            or unguarded_rating(then, guarded=guarded or _settles(asked, holds=True))
            or unguarded_rating(otherwise, guarded=guarded or _settles(asked, holds=False))
        )
    return next((found for child in children(node) if (found := unguarded_rating(child, guarded=guarded))), None)


def _settles(node: Node, *, holds: bool) -> bool:
    """Say whether the bond is certainly rated when ``node`` is true (``holds``) or false."""
    if not isinstance(node, Call):
        return isinstance(node, Name) and holds and node.name == IS_RATED
    if node.function == NOT:
        return _settles(node.args[0], holds=not holds)
    if node.function == (AND if holds else OR):
        return any(_settles(arg, holds=holds) for arg in node.args)
    if node.function == (OR if holds else AND):
        return all(_settles(arg, holds=holds) for arg in node.args)
    return _compared_to_rated(node, holds=holds)


def _compared_to_rated(node: Call, *, holds: bool) -> bool:
    if node.function not in {EQ, NE} or not any(isinstance(arg, Name) and arg.name == IS_RATED for arg in node.args):
        return False
    value = next((arg.value for arg in node.args if isinstance(arg, Literal)), None)
    return isinstance(value, bool) and (value == (node.function == EQ)) == holds
