"""What the command does without a server: recommend from a file, replay, check rules. Nothing here writes the journal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from serve.adapters.desk_config import DeskConfigRefused, DeskFiles, load_draft
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import JournalError, JournalReader
from serve.adapters.rules import RuleBookRefused, check_rules
from serve.adapters.snapshot import SnapshotStore
from serve.adapters.snapshot_reader import SnapshotBroken
from serve.api.bodies import decode
from serve.api.problems import Problem, from_refusal
from serve.domain.advise import Desk
from serve.domain.market import Market
from serve.domain.orders import Order
from serve.offline_rules import desk_in_force
from serve.parts import clock_of
from serve.settings import Settings
from serve.usecases.advice import Replay, dated, recommend, recorded, replay
from serve.usecases.refusals import Refusal

_NAMED = 5

__all__ = ["OfflineError", "check_rules", "recommend_file", "replay_recorded"]


class OfflineError(RuntimeError):
    """What stops the command; one line for the person who ran it."""


def recommend_file(order_file: Path, settings: Settings, *, snapshot_id: str | None = None, rules: Path | None = None) -> Any:  # noqa: ANN401 - the file decides whether an object or a list comes back
    """Recommend for the order in a JSON file, or for each of a list of orders.

    A list gives a list in the same order, with ``{"error": <problem>}`` where one failed. Raises ``OfflineError`` for a single
    order that fails, and for a file, snapshot or rule book that cannot be used.
    """
    text = _read(order_file)
    market, desk = _market(settings, snapshot_id), _desk(settings, rules)
    ids, clock = TimeOrderedIds(), clock_of(settings)

    def one(body: bytes) -> dict[str, Any]:
        order = dated(decode(body, Order), clock.now())
        answer: dict[str, Any] = msgspec.to_builtins(recommend(order, market, desk, ids.new()))
        return answer

    if not text.lstrip().startswith(b"["):
        return _single(order_file, text, one)
    try:
        bodies = decode(text, list[msgspec.Raw])
    except Problem as exc:
        raise OfflineError(f"{order_file}: {exc.body.detail}") from exc
    return [_listed(bytes(body), one) for body in bodies]


def replay_recorded(recommendation_id: str, settings: Settings) -> Replay:
    """Compute a journalled recommendation again from its snapshot and rules. Raises ``OfflineError``."""
    if not settings.state.journal.exists():
        raise OfflineError(f"there is no journal at {settings.state.journal}; is SOTTO_HOME right?")
    try:
        made = recorded(JournalReader(settings.state.journal), recommendation_id)
        if made is None:
            raise OfflineError(
                f"there is no recommendation {recommendation_id!r} in {settings.state.journal}; "
                "those of `sotto recommend` are not recorded, only those of the service"
            )
        desks = DeskFiles(settings.rules_file, settings.scoring_file, settings.state.rules)
        return replay(made, SnapshotStore(settings.state), desks)
    except (JournalError, Refusal, RuleBookRefused, DeskConfigRefused) as exc:
        raise OfflineError(str(exc)) from exc


def _single(order_file: Path, text: bytes, one: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    try:
        return one(text)
    except Problem as exc:
        raise OfflineError(f"{order_file}: {exc.body.detail}") from exc
    except Refusal as exc:
        raise OfflineError(f"{order_file}: {exc.field + ': ' if exc.field else ''}{exc.detail}") from exc


def _listed(body: bytes, one: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    try:
        return one(body)
    except Problem as exc:
        return {"error": msgspec.to_builtins(exc.body)}
    except Refusal as exc:
        return {"error": msgspec.to_builtins(from_refusal(exc).body)}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise OfflineError(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _market(settings: Settings, snapshot_id: str | None) -> Market:
    store = SnapshotStore(settings.state)
    try:
        if snapshot_id:
            _must_be_there(settings, snapshot_id)
        return store.get(snapshot_id or settings.state.current.read_text().strip())
    except FileNotFoundError as exc:
        raise OfflineError(f"no snapshot is published under {settings.home}; run 'sotto refresh' first") from exc
    except (SnapshotBroken, OSError, UnicodeDecodeError) as exc:
        raise OfflineError(str(exc)) from exc


def _must_be_there(settings: Settings, snapshot_id: str) -> None:
    folder = settings.state.snapshots
    there = sorted(manifest.parent.name for manifest in folder.glob("*/manifest.json"))
    if there and not (folder / snapshot_id).is_dir():
        named = f"{'the latest are' if len(there) > _NAMED else 'there are'} {', '.join(there[-_NAMED:])}"
        raise OfflineError(f"there is no snapshot {snapshot_id!r} in {folder}; {named}")


def _desk(settings: Settings, rules: Path | None) -> Desk:
    try:
        return load_draft(rules, settings.scoring_file) if rules else desk_in_force(settings)
    except (RuleBookRefused, DeskConfigRefused, JournalError) as exc:
        raise OfflineError(str(exc)) from exc
