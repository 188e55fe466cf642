"""The rule book from YAML to typed values; a bad one is refused with file, line, column, reason and what to write."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import yaml

from serve.adapters import rule_nodes as nodes
from serve.adapters.conditions import CelCondition, ConditionRefused, Conditions
from serve.adapters.rule_nodes import Fault, fault
from serve.domain.orders import Mode
from serve.domain.rules import Default, Exclusion, Kind, Pick, ProtocolSpec, Rule, RuleBook
from serve.domain.scoring import ScoreSpec, ScoringError, spec_of

FORMAT_VERSION = 1
_RULE_KEYS = ("id", "kind", "priority", "when", "score", "pick", "protocol", "max_dealers", "exclude", "candidates")
_ONLY_SELECT = ("priority", "score", "pick", "candidates")
_BLOCK_STYLES = ("|", ">")
T = TypeVar("T")


class RuleBookRefused(LookupError):
    """A rule book with faults, each as ``file:line:column: reason``."""

    def __init__(self, source: str, faults: list[Fault]) -> None:
        ordered = sorted(faults, key=lambda item: (item.line, item.column))
        self.faults = [f"{source}:{item.line}:{item.column}: {item.reason}" for item in ordered]
        super().__init__("\n".join(self.faults))


def read_rule_book(text: str, source: str, version: str) -> RuleBook:
    """Parse, type-check and compile a rule book. Raises ``RuleBookRefused`` with every fault found."""
    faults: list[Fault] = []
    try:
        book = _book(nodes.compose(text), version, faults)
    except Fault as exc:
        raise RuleBookRefused(source, [*faults, exc]) from exc
    if faults:
        raise RuleBookRefused(source, faults)
    return book


def check_rules(path: Path) -> list[str]:
    """Give the faults of a rule book's file, each with its place; empty = it is good."""
    try:
        read_rule_book(path.read_text(encoding="utf-8"), str(path), "checked")
    except RuleBookRefused as exc:
        return exc.faults
    except (OSError, UnicodeDecodeError) as exc:
        return [f"{path}: cannot be read: {exc}"]
    return []


def _book(root: yaml.Node, version: str, faults: list[Fault]) -> RuleBook:
    keys = ("version", "tiers", "default", "rules")
    found = nodes.mapping(root, "the rule book", keys, keys)
    if nodes.whole(found["version"], "version") != FORMAT_VERSION:
        raise fault(found["version"], f"this service reads rule books of version {FORMAT_VERSION}")
    tiers = _tiers(found["tiers"])
    conditions = Conditions(name for name in tiers if name.isidentifier())
    deepest = 1 + max(len(cuts) for cuts in tiers.values())
    default = _kept(faults, partial(_default, found["default"], conditions, deepest))
    rules = [_kept(faults, partial(_rule, node, conditions, deepest)) for node in nodes.items(found["rules"], "rules")]
    good = [rule for rule in rules if rule]
    _refuse_repeats(found["rules"], faults)
    if default is None:
        raise faults.pop()
    return RuleBook(
        version=version,
        tiers=tiers,
        default=default,
        selects=tuple(sorted((rule for rule in good if rule.kind is Kind.SELECT), key=lambda rule: rule.priority)),
        constrains=tuple(rule for rule in good if rule.kind is Kind.CONSTRAIN),
    )


def _kept(faults: list[Fault], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Fault as exc:
        faults.append(exc)
        return None


def _refuse_repeats(node: yaml.Node, faults: list[Fault]) -> None:
    seen: set[str] = set()
    for rule in node.value:
        pairs = rule.value if isinstance(rule, yaml.MappingNode) else []
        for value in (value for key, value in pairs if key.value == "id"):
            if value.value in seen:
                faults.append(fault(value, f"another rule has the id {value.value!r}; give each its own"))
            seen.add(value.value)


def _tiers(node: yaml.Node) -> dict[str, tuple[float, ...]]:
    tiers = {}
    for name, listed in nodes.mapping(node, "tiers", None, ("default",)).items():
        cuts = tuple(nodes.number(cut, f"a cut-point of {name}") for cut in nodes.items(listed, f"tiers of {name}"))
        if not cuts or list(cuts) != sorted(set(cuts)) or not 0 < cuts[0] <= cuts[-1] <= 1:
            raise fault(listed, f"tiers of {name} must rise within 0 and 1, such as [0.25, 0.60]")
        tiers[name] = cuts
    return tiers


def _default(node: yaml.Node, conditions: Conditions, deepest: int) -> Default:
    keys = ("score", "pick", "protocol")
    found = nodes.mapping(node, "default", keys, keys)
    protocol = _protocol(found["protocol"])
    if protocol.mode is None or protocol.timeout_s is None:
        raise fault(found["protocol"], "the default's protocol needs both mode and timeout")
    return Default(score=_score(found["score"]), pick=_picks(found["pick"], conditions, deepest), protocol=protocol)


def _rule(node: yaml.Node, conditions: Conditions, deepest: int) -> Rule:
    found = nodes.mapping(node, "a rule", _RULE_KEYS, ("id", "kind", "when"))
    name = nodes.text(found["id"], "id")
    kind = _kind(found["kind"])
    if kind is Kind.CONSTRAIN:
        for key in (key for key in _ONLY_SELECT if key in found):
            raise fault(found[key], f"{key!r} belongs to select rules; {name} is a constrain rule")
    elif "priority" not in found:
        raise fault(node, f"select rule {name} lacks 'priority': a lower number is tried first")
    rule = Rule(
        id=name,
        kind=kind,
        when=_condition(found["when"], conditions.on_order),
        priority=nodes.whole(found["priority"], "priority", at_least=0) if "priority" in found else 0,
        score=_score(found["score"]) if "score" in found else None,
        pick=_picks(found["pick"], conditions, deepest) if "pick" in found else None,
        protocol=_rule_protocol(found),
        exclude=_exclusion(found["exclude"], conditions) if "exclude" in found else None,
        similar_within_days=_candidates(found["candidates"]) if "candidates" in found else None,
    )
    if not any((rule.score, rule.pick, rule.protocol, rule.exclude, rule.similar_within_days)):
        raise fault(node, f"rule {name} says nothing to do: add score, pick, protocol, max_dealers or exclude")
    return rule


def _kind(node: yaml.Node) -> Kind:
    try:
        return Kind(nodes.text(node, "kind"))
    except ValueError as exc:
        raise fault(node, "kind must be 'select' or 'constrain'") from exc


def _condition(node: yaml.Node, compile_: Callable[[str], CelCondition]) -> CelCondition:
    source = nodes.text(node, "a condition")
    try:
        return compile_(source)
    except ConditionRefused as exc:
        line, column = node.start_mark.line + exc.line, node.start_mark.column + exc.column
        if isinstance(node, yaml.ScalarNode) and node.style in _BLOCK_STYLES:
            raise Fault(line + 1, exc.column, str(exc)) from exc
        quoted = isinstance(node, yaml.ScalarNode) and node.style in {"'", '"'}
        raise Fault(line, column + quoted if exc.line == 1 else exc.column, str(exc)) from exc


def _score(node: yaml.Node) -> ScoreSpec:
    found = nodes.mapping(node, "score", ("model", "window", "weights", "renormalise"), ("model", "window", "weights"))
    weights = {
        name: nodes.number(weight, f"the weight of {name}")
        for name, weight in nodes.mapping(found["weights"], "weights", None).items()
    }
    renormalise = nodes.flag(found["renormalise"], "renormalise") if "renormalise" in found else False
    window = nodes.days(found["window"], "window")
    try:
        return spec_of(nodes.text(found["model"], "model"), window, weights, renormalise=renormalise)
    except ScoringError as exc:
        place = next((key for key in ("model", "window") if str(exc).split()[0] == key or f"unknown {key}" in str(exc)), "weights")
        raise fault(found[place], str(exc)) from exc


def _picks(node: yaml.Node, conditions: Conditions, deepest: int) -> tuple[Pick, ...]:
    blocks = nodes.items(node, "pick")
    if not blocks:
        raise fault(node, "pick is empty; write at least [{take: 4}]")
    return tuple(_pick(block, conditions, deepest) for block in blocks)


def _pick(node: yaml.Node, conditions: Conditions, deepest: int) -> Pick:
    found = nodes.mapping(node, "a pick", ("take", "tier", "where"), ("take",))
    tier = nodes.whole(found["tier"], "tier") if "tier" in found else None
    if tier is not None and tier > deepest:
        raise fault(found["tier"], f"there is no tier {tier}; the cut-points make {deepest}")
    everyone = isinstance(found["take"], yaml.ScalarNode) and found["take"].value == "all"
    return Pick(
        take=None if everyone else nodes.whole(found["take"], "take"),
        tier=tier,
        where=_condition(found["where"], conditions.on_dealer) if "where" in found else None,
    )


def _rule_protocol(found: dict[str, yaml.Node]) -> ProtocolSpec | None:
    protocol = _protocol(found["protocol"]) if "protocol" in found else None
    if "max_dealers" not in found:
        return protocol
    if protocol and protocol.max_dealers is not None:
        raise fault(found["max_dealers"], "max_dealers stands in the protocol too; keep one")
    return _with_max(protocol or ProtocolSpec(), nodes.whole(found["max_dealers"], "max_dealers"))


def _with_max(spec: ProtocolSpec, max_dealers: int) -> ProtocolSpec:
    return ProtocolSpec(
        mode=spec.mode,
        timeout_s=spec.timeout_s,
        delay_s=spec.delay_s,
        max_dealers=max_dealers,
        competitive_within_bps=spec.competitive_within_bps,
    )


def _protocol(node: yaml.Node) -> ProtocolSpec:
    found = nodes.mapping(node, "protocol", ("mode", "timeout", "delay", "max_dealers", "competitive_within"))
    mode = _mode(found["mode"]) if "mode" in found else None
    if (mode is Mode.STAGGERED) != ("delay" in found):
        raise fault(found.get("delay", node), "a delay goes with mode staggered, and staggered needs one, such as delay: 5s")
    if "competitive_within" in found and mode is not Mode.SEQUENTIAL:
        raise fault(found["competitive_within"], "competitive_within goes with mode sequential")
    return ProtocolSpec(
        mode=mode,
        timeout_s=nodes.seconds(found["timeout"], "timeout") if "timeout" in found else None,
        delay_s=nodes.seconds(found["delay"], "delay") if "delay" in found else None,
        max_dealers=nodes.whole(found["max_dealers"], "max_dealers") if "max_dealers" in found else None,
        competitive_within_bps=nodes.bps(found["competitive_within"], "competitive_within")
        if "competitive_within" in found
        else None,
    )


def _mode(node: yaml.Node) -> Mode:
    try:
        return Mode(nodes.text(node, "mode"))
    except ValueError as exc:
        raise fault(node, f"mode must be one of: {', '.join(Mode)}") from exc


def _exclusion(node: yaml.Node, conditions: Conditions) -> Exclusion:
    found = nodes.mapping(node, "exclude", ("dealers", "where"))
    if not found:
        raise fault(node, "exclude is empty; name dealers, or give a 'where'")
    listed = nodes.items(found["dealers"], "exclude.dealers") if "dealers" in found else []
    return Exclusion(
        dealers=tuple(nodes.text(item, "a dealer's id") for item in listed),
        where=_condition(found["where"], conditions.on_dealer) if "where" in found else None,
    )


def _candidates(node: yaml.Node) -> int:
    return nodes.days(
        nodes.mapping(node, "candidates", ("similar_within",), ("similar_within",))["similar_within"], "similar_within"
    )
