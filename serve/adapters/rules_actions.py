"""What a rule does, from YAML: score, picks, protocol, exclusions, candidates."""

import difflib
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
import yaml

from serve.adapters import rule_nodes as nodes
from serve.adapters.conditions import CelCondition, ConditionRefused, Conditions
from serve.adapters.rule_nodes import Fault, fault
from serve.domain.orders import Mode
from serve.domain.rules import Exclusion, Pick, ProtocolSpec
from serve.domain.spec import EXPECTED_UTILITY, SCORECARD, ScoreSpec, ScoringError, spec_of

# Whether to whisper is left to what a leak costs in the class.
AUTO = "auto"
_BLOCK_STYLES = ("|", ">")


def condition(node: yaml.Node, compile_: Callable[[str], CelCondition]) -> CelCondition:
    """Compile a condition; a fault points into its text."""
    source = nodes.text(node, "a condition")
    try:
        return compile_(source)
    except ConditionRefused as exc:
        line, column = node.start_mark.line + exc.line, node.start_mark.column + exc.column
        if isinstance(node, yaml.ScalarNode) and node.style in _BLOCK_STYLES:
            raise Fault(line + 1, exc.column, str(exc)) from exc
        quoted = isinstance(node, yaml.ScalarNode) and node.style in {"'", '"'}
        raise Fault(line, column + quoted if exc.line == 1 else exc.column, str(exc)) from exc


def score(node: yaml.Node, profiles: Mapping[str, ScoreSpec]) -> ScoreSpec:
    """Read what to score by: written out, or the name of a profile."""
    if isinstance(node, yaml.ScalarNode) and node.value.strip():
        if node.value not in profiles:
            near = difflib.get_close_matches(node.value, list(profiles), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(profiles) or 'none; add profiles:'}"
            raise fault(node, f"there is no score profile {node.value!r} ({hint})")
        return profiles[node.value]
    found = nodes.mapping(node, "score", ("model", "window", "half_life", "weights", "renormalise"), _needed(node))
    weights = _weights(found["weights"]) if "weights" in found else None
    renormalise = nodes.flag(found["renormalise"], "renormalise") if "renormalise" in found else False
    window = nodes.days(found["window"], "window") if "window" in found else None
    half_life = nodes.days(found["half_life"], "half_life") if "half_life" in found else 0
    try:
        return spec_of(nodes.text(found["model"], "model"), window, weights, half_life_days=half_life, renormalise=renormalise)
    except ScoringError as exc:
        place = next(
            (key for key in ("model", "window", "half_life") if str(exc).split()[0] == key or f"unknown {key}" in str(exc)),
            "weights",
        )
        raise fault(found.get(place, found.get("renormalise", node)), str(exc)) from exc


def _needed(node: yaml.Node) -> tuple[str, ...]:
    """Give what a score must say: ``seed_v0`` (and a model that is not known) all of it, the fitted models only their name."""
    named = nodes.mapping(node, "score", None).get("model")
    fitted = isinstance(named, yaml.ScalarNode) and named.value in {SCORECARD, EXPECTED_UTILITY}
    return ("model",) if fitted else ("model", "window", "weights")


def _weights(node: yaml.Node) -> dict[str, float]:
    return {name: nodes.number(weight, f"the weight of {name}") for name, weight in nodes.mapping(node, "weights", None).items()}


def picks(node: yaml.Node, conditions: Conditions, deepest: int) -> tuple[Pick, ...]:
    """Read the pick blocks; ``deepest`` is how many tiers there are for this rule."""
    blocks = nodes.items(node, "pick")
    if not blocks:
        raise fault(node, "pick is empty; write at least [{take: 4}]")
    return tuple(_pick(block, conditions, deepest) for block in blocks)


def _pick(node: yaml.Node, conditions: Conditions, deepest: int) -> Pick:
    found = nodes.mapping(node, "a pick", ("take", "tier", "where"), ("take",))
    tier = nodes.whole(found["tier"], "tier") if "tier" in found else None
    if tier is not None and tier > deepest:
        raise fault(found["tier"], f"there is no tier {tier}; the cut-points make {deepest} for this rule (see 'tiers')")
    everyone = isinstance(found["take"], yaml.ScalarNode) and found["take"].value == "all"
    return Pick(
        take=None if everyone else nodes.whole(found["take"], "take"),
        tier=tier,
        where=condition(found["where"], partial(conditions.on_dealer, tiers=deepest)) if "where" in found else None,
    )


def rule_protocol(found: dict[str, yaml.Node]) -> ProtocolSpec | None:
    """Read a rule's protocol, with a ``max_dealers`` that stands beside it; ``None`` = it says nothing of how to ask."""
    spec = protocol(found["protocol"]) if "protocol" in found else None
    if "max_dealers" not in found:
        return spec
    if spec and spec.max_dealers is not None:
        raise fault(found["max_dealers"], "max_dealers stands in the protocol too; keep one")
    return _with_max(spec or ProtocolSpec(), nodes.whole(found["max_dealers"], "max_dealers"))


def _with_max(spec: ProtocolSpec, max_dealers: int) -> ProtocolSpec:
    return msgspec.structs.replace(spec, max_dealers=max_dealers)


def protocol(node: yaml.Node) -> ProtocolSpec:
    """Read how to ask."""
    found = nodes.mapping(node, "protocol", ("mode", "timeout", "delay", "max_dealers", "competitive_within"))
    auto = "mode" in found and nodes.text(found["mode"], "mode") == AUTO
    mode = Mode.PARALLEL if auto else _mode(found["mode"]) if "mode" in found else None
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
        auto=auto,
    )


def _mode(node: yaml.Node) -> Mode:
    try:
        return Mode(nodes.text(node, "mode"))
    except ValueError as exc:
        raise fault(node, f"mode must be one of: {', '.join([*Mode, AUTO])}") from exc


def exclusion(node: yaml.Node, conditions: Conditions, deepest: int) -> Exclusion:
    """Read who is left out."""
    found = nodes.mapping(node, "exclude", ("dealers", "where"))
    if not found:
        raise fault(node, "exclude is empty; name dealers, or give a 'where'")
    listed = nodes.items(found["dealers"], "exclude.dealers") if "dealers" in found else []
    return Exclusion(
        dealers=tuple(nodes.text(item, "a dealer's id") for item in listed),
        where=condition(found["where"], partial(conditions.on_dealer, tiers=deepest)) if "where" in found else None,
    )


def candidates(node: yaml.Node) -> int:
    """Read within how many days a candidate must have quoted the issuer or a similar bond."""
    return nodes.days(
        nodes.mapping(node, "candidates", ("similar_within",), ("similar_within",))["similar_within"], "similar_within"
    )
