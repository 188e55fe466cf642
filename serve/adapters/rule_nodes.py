"""YAML with its places: every value is read with line and column at hand, so that a fault can be pointed at."""

import difflib
import math
import re
from collections.abc import Iterable

import yaml

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BPS = re.compile(r"bps\((\d+(?:\.\d+)?)\)")
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_LONGEST_S = 86400.0
MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MAX_ITEMS = 2_000
# What YAML itself does not take as text, and the halves of surrogate pairs.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# The C parser is fifty times as fast; the other stands in where PyYAML was built without it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Fault(Exception):
    """One thing wrong at one place; line and column count from 1."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.column, self.reason = line, column, reason


def fault(node: yaml.Node, reason: str) -> Fault:
    """Point at a node."""
    return Fault(node.start_mark.line + 1, node.start_mark.column + 1, reason)


def compose(text: str) -> yaml.Node:
    """Parse a document, within limits on its size and depth and without aliases and tags. Raises ``Fault``."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise Fault(1, 1, too_large(size))
    stray = _UNPRINTABLE.search(text)
    if stray:
        before = text[: stray.start()]
        raise Fault(before.count("\n") + 1, stray.start() - before.rfind("\n"), f"holds {stray[0]!r}, which is no text; remove it")
    try:
        _refuse_tricks(text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        reason = (
            f"not valid YAML: {exc.problem or exc.context}; see that brackets and quotes close and that lines are indented alike"
        )
        raise Fault(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, reason) from exc
    except yaml.YAMLError as exc:
        raise Fault(1, 1, f"not valid YAML: {str(exc).splitlines()[0]}") from exc
    if node is None:
        raise Fault(1, 1, "the file is empty; docs/guides/rules.md shows a small rule book")
    return node


def too_large(size: int) -> str:
    """Say that a rule book is too large."""
    return f"the rule book is {size:,} bytes; at most {MAX_BYTES:,} are allowed"


def value_of(node: yaml.Node, name: str) -> yaml.Node:
    """Give the value under a key, or the node itself where there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), node)


def _refuse_tricks(text: str) -> None:
    """Refuse what makes a small file large or deep, before any of it is built."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, yaml.AliasEvent):
            raise Fault(line, column, "aliases are not allowed; write the value out")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise Fault(line, column, "anchors are not allowed; write the value out")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            raise Fault(line, column, f"the tag {event.tag!r} is not allowed; write the value without it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise Fault(line, column, f"nested more than {MAX_DEPTH} deep; a rule book takes six")
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise Fault(line, column, "a second document begins here; a rule book is one document")


def mapping(node: yaml.Node, what: str, allowed: Iterable[str] | None, required: Iterable[str] = ()) -> dict[str, yaml.Node]:
    """Read a mapping; ``allowed`` ``None`` = any key. Raises ``Fault`` for unknown, repeated or missing keys."""
    if not isinstance(node, yaml.MappingNode):
        raise fault(node, f"{what} must be a mapping, like {{key: value}}")
    names = None if allowed is None else list(allowed)
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = text(key, f"a key of {what}")
        if name in found:
            raise fault(key, f"{name!r} stands twice in {what}")
        if names is not None and name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes: {', '.join(names)}"
            raise fault(key, f"{what} has no {name!r} ({hint})")
        found[name] = value
    for name in required:
        if name not in found:
            raise fault(node, f"{what} lacks {name!r}")
    return found


def items(node: yaml.Node, what: str) -> list[yaml.Node]:
    """Read a list."""
    if not isinstance(node, yaml.SequenceNode):
        raise fault(node, f"{what} must be a list, like [a, b]")
    if len(node.value) > MAX_ITEMS:
        raise fault(node, f"{what} has {len(node.value):,} entries; at most {MAX_ITEMS:,} are allowed")
    return list(node.value)


def text(node: yaml.Node, what: str) -> str:
    """Read a text that is not empty."""
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        raise fault(node, f"{what} must be a text")
    return str(node.value)


def number(node: yaml.Node, what: str) -> float:
    """Read a finite number."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _NUMBERS:
        raise fault(node, f"{what} must be a number")
    try:
        value = float(node.value.replace("_", ""))
    except ValueError as exc:
        raise fault(node, f"{what} must be a decimal number, not {node.value!r}") from exc
    if not math.isfinite(value):
        raise fault(node, f"{what} must be a finite number")
    return value


def whole(node: yaml.Node, what: str, *, at_least: int = 1) -> int:
    """Read a whole number."""
    value = number(node, what)
    if value != int(value) or value < at_least:
        raise fault(node, f"{what} must be a whole number of at least {at_least}")
    return int(value)


def flag(node: yaml.Node, what: str) -> bool:
    """Read true or false."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:bool":
        raise fault(node, f"{what} must be true or false")
    return str(node.value).lower() in {"true", "yes", "on"}


def seconds(node: yaml.Node, what: str) -> float:
    """Read a duration such as ``20s`` or ``2m``, above zero and at most a day, in seconds."""
    value = _duration(node, what)
    if not 0 < value <= _LONGEST_S:
        raise fault(node, f"{what} must be above 0 and at most a day")
    return value


def days(node: yaml.Node, what: str) -> int:
    """Read a window such as ``90d`` in whole days."""
    value = _duration(node, what) / _SECONDS["d"]
    if value != int(value) or value < 1:
        raise fault(node, f"{what} must be whole days, such as 90d")
    return int(value)


def bps(node: yaml.Node, what: str) -> float:
    """Read ``bps(3)``."""
    found = _BPS.fullmatch(text(node, what))
    if not found:
        raise fault(node, f"{what} must be written bps(3)")
    return float(found[1])


def _duration(node: yaml.Node, what: str) -> float:
    found = _DURATION.fullmatch(text(node, what))
    if not found:
        raise fault(node, f"{what} must be a duration with its unit, such as 20s, 5m or 90d")
    return float(found[1]) * _SECONDS[found[2]]
