"""The rule book from YAML to typed values; a bad one is refused with file, line, column, reason and what to write."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import yaml

from expectations.contracts.vocabulary import AssetClass, CorporateClass
from serve.adapters import rule_nodes as nodes
from serve.adapters import rules_actions as actions
from serve.adapters.conditions import Conditions
from serve.adapters.rule_nodes import Fault, fault
from serve.domain.rules import Default, Kind, Misplaced, Rule, RuleBook, RuleBookRefused
from serve.domain.rules_index import Screen
from serve.domain.rules_logic import Among, Cases, possible
from serve.domain.rules_shadow import Earlier
from serve.domain.selection import cut_points
from serve.domain.spec import ScoreSpec

FORMAT_VERSION = 1
MAX_RULES = 2_000
_RULE_KEYS = ("id", "kind", "priority", "when", "score", "pick", "protocol", "max_dealers", "exclude", "candidates")
_ONLY_SELECT = ("priority", "score", "pick", "candidates")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
T = TypeVar("T")

__all__ = ["RuleBookRefused", "check_rules", "read_rule_book"]


def read_rule_book(text: str, source: str, version: str, *, was_in_force: bool = False) -> RuleBook:
    """Parse, type-check and compile a rule book. Raises ``RuleBookRefused`` with every fault found.

    A version that once was in force may hold rules that can never fire: it must be readable for as long as there is a replay.
    """
    faults: list[Fault] = []
    try:
        book = _book(nodes.compose(text), version, faults, shadows=not was_in_force)
    except Fault as exc:
        faults.append(exc)
        raise RuleBookRefused(source, map(_misplaced, faults)) from exc
    if faults:
        raise RuleBookRefused(source, map(_misplaced, faults))
    return book


def check_rules(path: Path) -> list[str]:
    """Give the faults of a rule book's file, each with its place; empty = it is good."""
    try:
        if path.stat().st_size > nodes.MAX_BYTES:
            return [f"{path}:1:1: {nodes.too_large(path.stat().st_size)}"]
        read_rule_book(path.read_bytes().decode("utf-8"), str(path), "checked")
    except RuleBookRefused as exc:
        return exc.faults
    except UnicodeDecodeError as exc:
        return [f"{path}:1:1: cannot be read: not UTF-8 at byte {exc.start}; save the file as UTF-8"]
    except OSError as exc:
        return [f"{path}:1:1: cannot be read: {exc.strerror or exc}"]
    return []


def _misplaced(found: Fault) -> Misplaced:
    return Misplaced(found.line, found.column, found.reason)


class _Frame(NamedTuple):
    """What rules are read against: compiled names, cut-points and named profiles."""

    conditions: Conditions
    tiers: dict[str, tuple[float, ...]]
    profiles: dict[str, ScoreSpec]

    @property
    def deepest(self) -> int:
        """How many tiers there are in the class that has most."""
        return 1 + max(len(cuts) for cuts in self.tiers.values())

    def deepest_for(self, rule_classes: Iterable[tuple[str, str]] | None) -> int:
        """How many tiers there are at the most for (scorecard class, asset class) pairs; ``None`` = for any class."""
        if rule_classes is None:
            return self.deepest
        return 1 + max((len(cut_points(self.tiers, *pair)) for pair in rule_classes), default=self.deepest - 1)


def _book(root: yaml.Node, version: str, faults: list[Fault], *, shadows: bool) -> RuleBook:
    required = ("version", "tiers", "default", "rules")
    found = nodes.mapping(root, "the rule book", (*required, "profiles"), required)
    if nodes.whole(found["version"], "version") != FORMAT_VERSION:
        raise fault(found["version"], f"this service reads rule books of version {FORMAT_VERSION}")
    tiers = _tiers(found["tiers"])
    own = [name for name in tiers if name.isidentifier()]
    listed = nodes.items(found["rules"], "rules")
    if len(listed) > MAX_RULES:
        raise fault(found["rules"], f"there are {len(listed):,} rules; at most {MAX_RULES:,} are allowed")
    conditions = Conditions(own, 1 + max(len(cuts) for cuts in tiers.values()))
    frame = _Frame(conditions, tiers, _profiles(found["profiles"], faults) if "profiles" in found else {})
    default = _kept(faults, partial(_default, found["default"], frame))
    rules = [(node, _kept(faults, partial(_rule, node, frame))) for node in listed]
    _refuse_repeats(listed, faults)
    good = [(node, rule) for node, rule in rules if rule]
    selects = sorted(((node, rule) for node, rule in good if rule.kind is Kind.SELECT), key=lambda item: item[1].priority)
    if shadows:
        _refuse_shadowed(selects, faults)
    if default is None:
        raise faults.pop()
    constrains = tuple(rule for _, rule in good if rule.kind is Kind.CONSTRAIN)
    return RuleBook(
        version=version,
        tiers=tiers,
        default=default,
        selects=tuple(rule for _, rule in selects),
        constrains=constrains,
        select_screen=Screen([rule.when.cases for _, rule in selects]),
        constrain_screen=Screen([rule.when.cases for rule in constrains]),
    )


def _kept(faults: list[Fault], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Fault as exc:
        faults.append(exc)
        return None


def _refuse_repeats(listed: Sequence[yaml.Node], faults: list[Fault]) -> None:
    seen: dict[str, int] = {}
    for rule in listed:
        pairs = rule.value if isinstance(rule, yaml.MappingNode) else []
        for value in (value for key, value in pairs if key.value == "id" and isinstance(value, yaml.ScalarNode)):
            if value.value in seen:
                faults.append(
                    fault(value, f"the rule in line {seen[value.value]} has the id {value.value!r} too; give each its own")
                )
            seen.setdefault(value.value, value.start_mark.line + 1)


def _refuse_shadowed(selects: Sequence[tuple[yaml.Node, Rule]], faults: list[Fault]) -> None:
    """Refuse a select rule that never gets its turn; only where that is certain."""
    earlier = Earlier()
    for node, rule in selects:
        cases = possible(rule.when.cases)
        names = earlier.covering(cases)
        if names:
            listed = f"rule {names[0]} comes" if len(names) == 1 else f"rules {', '.join(names[:-1])} and {names[-1]} come"
            takes = "takes" if len(names) == 1 else "take"
            reason = (
                f"rule {rule.id} can never fire: {listed} earlier and {takes} every order that it is for; "
                "give it a lower priority number, narrow the earlier one, or remove it"
            )
            faults.append(fault(nodes.value_of(node, "when"), reason))
        earlier.add(rule.id, cases)


def _profiles(node: yaml.Node, faults: list[Fault]) -> dict[str, ScoreSpec]:
    found = {
        name: _kept(faults, partial(actions.score, value, {})) for name, value in nodes.mapping(node, "profiles", None).items()
    }
    return {name: spec for name, spec in found.items() if spec}


def _tiers(node: yaml.Node) -> dict[str, tuple[float, ...]]:
    tiers = {}
    for name, listed in nodes.mapping(node, "tiers", None, ("default",)).items():
        cuts = tuple(nodes.number(cut, f"a cut-point of {name}") for cut in nodes.items(listed, f"tiers of {name}"))
        if not cuts or list(cuts) != sorted(set(cuts)) or not 0 < cuts[0] <= cuts[-1] <= 1:
            raise fault(listed, f"tiers of {name} must rise within 0 and 1, such as [0.25, 0.60]")
        tiers[name] = cuts
    return tiers


def _default(node: yaml.Node, frame: _Frame) -> Default:
    keys = ("score", "pick", "protocol")
    found = nodes.mapping(node, "default", keys, keys)
    protocol = actions.protocol(found["protocol"])
    if protocol.mode is None or protocol.timeout_s is None:
        raise fault(found["protocol"], "the default's protocol needs both mode and timeout")
    return Default(
        score=actions.score(found["score"], frame.profiles),
        pick=actions.picks(found["pick"], frame.conditions, frame.deepest),
        protocol=protocol,
    )


def _rule(node: yaml.Node, frame: _Frame) -> Rule:
    found = nodes.mapping(node, "a rule", _RULE_KEYS, ("id", "kind", "when"))
    name = _id(found["id"])
    kind = _kind(found["kind"])
    if kind is Kind.CONSTRAIN:
        for key in (key for key in _ONLY_SELECT if key in found):
            raise fault(found[key], f"{key!r} belongs to select rules; {name} is a constrain rule")
    elif "priority" not in found:
        raise fault(node, f"select rule {name} lacks 'priority': a lower number is tried first")
    when = actions.condition(found["when"], frame.conditions.on_order)
    deepest = frame.deepest_for(_classes(when.cases))
    rule = Rule(
        id=name,
        kind=kind,
        when=when,
        priority=nodes.whole(found["priority"], "priority", at_least=0) if "priority" in found else 0,
        score=actions.score(found["score"], frame.profiles) if "score" in found else None,
        pick=actions.picks(found["pick"], frame.conditions, deepest) if "pick" in found else None,
        protocol=actions.rule_protocol(found),
        exclude=actions.exclusion(found["exclude"], frame.conditions, deepest) if "exclude" in found else None,
        similar_within_days=actions.candidates(found["candidates"]) if "candidates" in found else None,
    )
    if not any((rule.score, rule.pick, rule.protocol, rule.exclude, rule.similar_within_days)):
        raise fault(node, f"rule {name} says nothing to do: add score, pick, protocol, max_dealers or exclude")
    return rule


def _classes(cases: Cases) -> set[tuple[str, str]] | None:
    """Name the (scorecard class, asset class) pairs that a rule is certainly limited to; ``None`` = any."""
    found: set[tuple[str, str]] = set()
    for case in possible(cases):
        asset, card = case.asks.get("order.asset_class"), case.asks.get("order.scorecard_class")
        if isinstance(card, Among) and not card.but:
            found |= {(str(word), "CORP" if word in tuple(CorporateClass) else str(word)) for word in card.words}
        elif isinstance(asset, Among) and not asset.but:
            found |= {pair for word in asset.words for pair in _pairs(str(word))}
        else:
            return None
    return found


def _pairs(asset_class: str) -> list[tuple[str, str]]:
    cards = tuple(CorporateClass) if asset_class == AssetClass.CORP else (asset_class,)
    return [(str(card), asset_class) for card in cards]


def _id(node: yaml.Node) -> str:
    name = nodes.text(node, "id")
    if not _ID.fullmatch(name):
        raise fault(node, f"the id {name[:70]!r} must be up to 64 letters, digits, '-', '_' or '.', such as HY-CORP-OVER-5MM")
    return name


def _kind(node: yaml.Node) -> Kind:
    try:
        return Kind(nodes.text(node, "kind"))
    except ValueError as exc:
        raise fault(node, "kind must be 'select' or 'constrain'") from exc
