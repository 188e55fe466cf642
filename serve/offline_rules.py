"""The rule book without a server: what is in force by the journal, and a draft tried on past orders. Nothing is written."""

from datetime import datetime
from pathlib import Path

from serve.adapters.desk_config import DeskConfigRefused, load_desk, load_draft, read_desk
from serve.adapters.journal import JournalError, JournalReader
from serve.adapters.rules import RuleBookRefused
from serve.adapters.snapshot import SnapshotStore
from serve.adapters.snapshot_reader import SnapshotBroken
from serve.domain.advise import Desk
from serve.domain.rules_history import KINDS, History
from serve.domain.rules_trial import Trial
from serve.settings import Settings
from serve.usecases.rules_trial import past_orders, try_on


class RulesOfflineError(RuntimeError):
    """What stops the command; one line for the person who ran it (several where a rule book has several faults)."""


def desk_in_force(settings: Settings) -> Desk:
    """Give what the journal says is in force; the configuration files where there is no journal yet.

    Raises ``RuleBookRefused``, ``DeskConfigRefused`` or ``JournalError``.
    """
    history = History()
    if settings.state.journal.exists():
        reader = JournalReader(settings.state.journal)
        events = [sealed for kind in KINDS for sealed in reader.read(kind=kind)]
        for sealed in sorted(events, key=lambda item: item.seq):
            history.apply(sealed.event, sealed.at)
    texts = history.texts(history.active) if history.active else None
    if texts is None:
        return load_desk(settings.rules_file, settings.scoring_file)
    return read_desk(*texts, rules_name="the rules in force", scoring_name="the thresholds in force", was_in_force=True)


def try_rules(file: Path, settings: Settings, *, since: datetime, until: datetime, limit: int = 500) -> Trial:
    """Run the journal's orders of a period by a rule book's file and by what is in force. Raises ``RulesOfflineError``."""
    if since >= until:
        raise RulesOfflineError(f"--from {since.isoformat()} must be before --to {until.isoformat()}")
    if not settings.state.journal.exists():
        where = settings.state.journal
        raise RulesOfflineError(f"there is no journal at {where}, so no past orders; is SOTTO_HOME right?")
    try:
        live = desk_in_force(settings)
        draft = load_draft(file, settings.scoring_file)
        store = SnapshotStore(settings.state)
        current = store.get(settings.state.current.read_text().strip())
        events = JournalReader(settings.state.journal).read(kind="recommendation.made")
        past = past_orders(events, since=since, until=until, desk=None, limit=limit)
        return try_on(past, live, draft, store, current)
    except FileNotFoundError as exc:
        raise RulesOfflineError(f"no snapshot is published under {settings.home}; run 'sotto refresh' first") from exc
    except (RuleBookRefused, DeskConfigRefused, JournalError, SnapshotBroken, OSError, UnicodeDecodeError) as exc:
        raise RulesOfflineError(str(exc)) from exc
