"""What is compared: the desk's models as they come, and whole rule books."""

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec

from expectations.contracts.snapshot import DEFAULT_WINDOW_DAYS
from flows.refused import Refused
from flows.settings import FlowSettings
from serve.domain.advise import Desk
from serve.domain.liquidity import Thresholds
from serve.domain.orders import Mode
from serve.domain.rules import Default, Pick, ProtocolSpec, RuleBook, RuleBookRefused
from serve.domain.rules_index import Screen
from serve.domain.spec import MODEL_NAMES, SEED, ScoreSpec, ScoringError, spec_of

# M-11.
SEED_WEIGHTS = {"fill_rate": 0.30, "price_improvement": 0.40, "information_leakage": 0.20, "response_speed": 0.10}
_TIERS: Mapping[str, tuple[float, ...]] = {"default": (0.25, 0.60)}
_USUAL_COUNT, _TIMEOUT_S = 4, 60.0
# The one thing of a rule book that the domain cannot read itself is its text. Named, not imported: the pipelines install and
# run without the service, and then compare models only.
_READER = "serve.adapters.rules:read_rule_book"


def challengers_of(settings: FlowSettings, models: Sequence[str], rules: Sequence[str]) -> dict[str, Desk]:
    """Give each model and rule book as a desk, by name; without either, every model.

    Raises Refused for an unknown model or a rule book with faults; every fault is told with its place.
    """
    thresholds = _thresholds(settings)
    problems: list[str] = []
    found: dict[str, Desk] = {}
    for name in models or (MODEL_NAMES if not rules else ()):
        try:
            spec = spec_of(name, DEFAULT_WINDOW_DAYS, SEED_WEIGHTS) if name == SEED else spec_of(name)
            found[name] = model_desk(spec, thresholds)
        except ScoringError as error:
            problems.append(f"--model: {error}")
    for path in map(Path, rules):
        try:
            found[_named(path, found)] = Desk(book=_read_book(path), thresholds=thresholds)
        except RuleBookRefused as refused:
            problems += refused.faults
    if problems:
        raise Refused(problems)
    return found


def model_desk(spec: ScoreSpec, thresholds: Thresholds) -> Desk:
    """Give a desk that has no rules but this score."""
    default = Default(score=spec, pick=(Pick(take=_USUAL_COUNT),), protocol=ProtocolSpec(mode=Mode.PARALLEL, timeout_s=_TIMEOUT_S))
    book = RuleBook(
        version=f"model {spec.model}",
        tiers=_TIERS,
        default=default,
        selects=(),
        constrains=(),
        select_screen=Screen([]),
        constrain_screen=Screen([]),
    )
    return Desk(book=book, thresholds=thresholds)


def _named(path: Path, taken: Mapping[str, Desk]) -> str:
    return path.stem if path.stem not in taken else str(path)


def _read_book(path: Path) -> RuleBook:
    try:
        read = cast("Callable[[str, str, str], RuleBook]", pkgutil.resolve_name(_READER))
    except (ImportError, AttributeError) as error:
        raise Refused([f"--rules {path}: rule books are read by the service's part, which is not installed here"]) from error
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([f"--rules {path}: cannot be read: {getattr(error, 'strerror', None) or error}"]) from error
    return read(text, str(path), path.stem)


def _thresholds(settings: FlowSettings) -> Thresholds:
    path = settings.config / "scoring.yml"
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=_Scoring).illiquid
    except (OSError, msgspec.MsgspecError) as error:
        raise Refused([f"{path}: {error}"]) from error


class _Scoring(msgspec.Struct):
    illiquid: Thresholds
