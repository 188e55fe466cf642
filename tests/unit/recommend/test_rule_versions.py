"""What comes into force when things go wrong half way: a caller who hangs up, a race, a journal nobody can read any more."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.journal import AnyEvent, RulesApproved, RulesDrafted, Sealed
from serve.adapters.desk_config import DeskFiles
from serve.domain.rules import RuleBookRefused
from serve.domain.users import Role, User
from serve.ports import Attempt
from serve.usecases.refusals import Conflict, NotReady
from serve.usecases.rule_book import RuleVersions
from serve.usecases.rule_book_views import ApprovalRequest, DraftRequest, RollbackRequest, TryRequest
from tests.fakes.clock import CountingIds, FakeClock
from tests.fakes.journal import MemoryJournal
from tests.unit.recommend.cases import CONFIG

RULES = (CONFIG / "rules.yml").read_text()


class NoSnapshots:
    def current(self) -> None:
        return None

    def get(self, snapshot_id: str) -> Any:
        raise LookupError(snapshot_id)


class SlowJournal(MemoryJournal):
    """Writes only once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()

    async def append(self, *events: AnyEvent) -> tuple[Sealed, ...]:
        await self.let.wait()
        return await super().append(*events)


def person(name: str, role: Role) -> User:
    return User(token_id=name, name=name, role=role, desk="credit", expires_at=datetime(2100, 1, 1, tzinfo=UTC))


WRITER, READER = person("ann", Role.TRADER), person("ben", Role.QUANT)


def made(tmp_path: Path, journal: MemoryJournal) -> tuple[RuleVersions, DeskFiles]:
    files = DeskFiles(CONFIG / "rules.yml", CONFIG / "scoring.yml", tmp_path / "kept")
    return RuleVersions(files, NoSnapshots(), journal, FakeClock(), CountingIds("draft")), files


def wish(comment: str = "why") -> DraftRequest:
    return DraftRequest(rules=f"{RULES}# {comment}\n", comment=comment)


async def test_approval_whose_caller_hangs_up_is_in_force_once_it_is_in_the_journal(tmp_path: Path) -> None:
    journal = SlowJournal()
    versions, files = made(tmp_path, journal)
    await versions.start()
    draft = await versions.draft(wish(), WRITER)
    journal.let.clear()
    approval = asyncio.create_task(versions.approve(draft.draft_id, ApprovalRequest(comment="yes"), READER))
    await asyncio.sleep(0.05)
    approval.cancel()
    with pytest.raises(asyncio.CancelledError):
        await approval
    journal.let.set()
    async with asyncio.timeout(5):
        while files.current().book.version != draft.version:  # noqa: ASYNC110 - nothing tells when a version is in use
            await asyncio.sleep(0.01)
    assert versions.book().version == draft.version


async def test_of_two_approvals_at_once_the_second_finds_its_draft_stale(tmp_path: Path) -> None:
    journal = MemoryJournal()
    versions, files = made(tmp_path, journal)
    await versions.start()
    drafts = [await versions.draft(wish(comment), WRITER) for comment in ("one", "two")]
    calls = [versions.approve(draft.draft_id, ApprovalRequest(comment="yes"), READER) for draft in drafts]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in done].count(Conflict) == 1
    assert len(list(journal.read(kind="rules.approved"))) == 2  # the first version, and one of the two
    winner = next(result for result in done if not isinstance(result, BaseException))
    assert files.current().book.version == winner.version


async def test_consent_and_roll_back_begun_before_the_service_died_are_answered_and_not_given_twice(tmp_path: Path) -> None:
    journal = MemoryJournal()
    versions, _ = made(tmp_path, journal)
    await versions.start()
    first = versions.book().version
    draft = await versions.draft(wish(), WRITER)
    consent, back = ApprovalRequest(comment="yes"), RollbackRequest(version=first, reason="worse")
    await versions.approve(draft.draft_id, consent, READER)
    again, _ = made(tmp_path, journal)
    await again.start()
    begun = Attempt("id", again=True)
    assert (await again.approve(draft.draft_id, consent, READER, begun)).state == "approved"
    with pytest.raises(Conflict):
        await again.approve(draft.draft_id, ApprovalRequest(comment="another"), READER, begun)
    await again.roll_back(back, READER)
    assert (await again.roll_back(back, READER, begun)).version == first
    with pytest.raises(Conflict):
        await again.roll_back(back, READER, Attempt("new", again=False))
    assert len(list(journal.read(kind="rules.rolled_back"))) == 1


async def test_start_puts_the_last_version_in_force_whatever_happened_between(tmp_path: Path) -> None:
    journal = MemoryJournal()
    versions, _ = made(tmp_path, journal)
    await versions.start()
    draft = await versions.draft(wish(), WRITER)
    await versions.approve(draft.draft_id, ApprovalRequest(comment="yes"), READER)
    await versions.draft(wish("never approved"), WRITER)
    again, files = made(tmp_path, journal)
    assert await again.start() is None
    assert files.current().book.version == draft.version
    assert files.get(draft.version).source == f"{RULES}# why\n"
    assert [waiting.comment for waiting in again.book().pending] == ["never approved"]


async def test_version_in_force_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    journal = MemoryJournal()
    texts = {"rules": "version: 99", "scoring": (CONFIG / "scoring.yml").read_text()}
    told = {"author": "ann", "author_token": "a", "desk": None, "comment": "c"}
    drafted = RulesDrafted(draft_id="d", version="0" * 16, base_version=None, **told, **texts)
    approved = RulesApproved(draft_id="d", version="0" * 16, previous_version=None, approved_by="ben", role="quant", comment="c")
    await journal.append(drafted, approved)
    versions, _ = made(tmp_path, journal)
    with pytest.raises(RuleBookRefused, match="an earlier version of the rules:1:1: the rule book lacks"):
        await versions.start()


async def test_draft_cannot_be_tried_without_a_snapshot(tmp_path: Path) -> None:
    versions, _ = made(tmp_path, MemoryJournal())
    await versions.start()
    draft = await versions.draft(wish(), WRITER)
    with pytest.raises(NotReady, match="sotto refresh"):
        await versions.attempt(draft.draft_id, TryRequest(), WRITER)
