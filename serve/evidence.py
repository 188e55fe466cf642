"""Evidence, put together from a home folder: for the service, and for the command that runs without one."""

from pathlib import Path

import msgspec

from serve.adapters.desk_config import DeskConfigRefused, DeskFiles
from serve.adapters.fix.log import FixLogs
from serve.adapters.journal import JournalError, JournalReader
from serve.adapters.rules import RuleBookRefused
from serve.adapters.snapshot import SnapshotStore
from serve.parts import clock_of
from serve.ports import Clock, Desks
from serve.settings import Settings
from serve.usecases.evidence import Evidence, Gatherer
from serve.usecases.refusals import NotThere
from serve.web.evidence import page


class EvidenceError(RuntimeError):
    """What stops the command; one line for the person who ran it."""


def gatherer(settings: Settings, journal: JournalReader, desks: Desks, snapshots: SnapshotStore, clock: Clock) -> Gatherer:
    """Build what gathers evidence from a home folder."""
    return Gatherer(journal, desks, snapshots, FixLogs(settings.state.fix), clock)


def write_evidence(rfq_id: str, out: Path, settings: Settings) -> Evidence:
    """Write the pack: JSON to a ``.json`` file, else a page that stands alone. Raises ``EvidenceError``."""
    if not settings.state.journal.exists():
        raise EvidenceError(f"there is no journal at {settings.state.journal}; is SOTTO_HOME right?")
    try:
        desks = DeskFiles(settings.rules_file, settings.scoring_file, settings.state.rules)
        journal, snapshots = JournalReader(settings.state.journal), SnapshotStore(settings.state)
        pack = gatherer(settings, journal, desks, snapshots, clock_of(settings)).gather(rfq_id, None)
        text = msgspec.json.format(msgspec.json.encode(pack)).decode() if out.suffix == ".json" else page(pack)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except (JournalError, NotThere, RuleBookRefused, DeskConfigRefused) as exc:
        raise EvidenceError(str(exc)) from exc
    except OSError as exc:
        raise EvidenceError(f"{exc.filename or out} cannot be written: {exc.strerror or exc}") from exc
    return pack
