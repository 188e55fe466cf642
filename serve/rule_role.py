"""The rule book inside the service: what is in force comes from the journal, and changed files are announced."""

import structlog
from litestar import Litestar

from serve.adapters.journal import SqliteJournal
from serve.parts import Parts
from serve.usecases.rule_book import RuleVersions

log = structlog.get_logger(__name__)


async def ruling(app: Litestar, parts: Parts, journal: SqliteJournal) -> None:
    """Put the journal's rules in force. Raises RuleBookRefused, DeskConfigRefused or JournalError."""
    versions = RuleVersions(parts.desks, parts.snapshots, journal, parts.clock, parts.ids)
    waiting = await versions.start()
    app.state.rules = versions
    in_force = parts.desks.current().book.version
    if waiting is not None:
        log.warning(
            "the configuration files changed: they are a draft, and what was approved stays in force until somebody approves it",
            draft_id=waiting.draft_id,
            version=waiting.version,
            in_force=in_force,
        )
    log.info("rules in force", version=in_force)
