"""The rule book's versions: drafted, tried, approved by a second person, rolled back. What changes is journalled first."""

import asyncio
from collections.abc import Iterator

from expectations.contracts.journal import AnyEvent, RulesApproved, RulesDrafted, RulesRolledBack, Sealed
from serve.domain.advise import Desk
from serve.domain.rules import RuleBookRefused
from serve.domain.rules_bench import Bench
from serve.domain.rules_diff import diff
from serve.domain.rules_history import FILE_AUTHOR, KINDS, Draft, History, InForce
from serve.domain.rules_trial import Trial
from serve.domain.users import SEES_EVERY_DESK, User
from serve.ports import Attempt, Clock, DeskVersions, Ids, Journal, Snapshots
from serve.usecases.finishing import to_the_end
from serve.usecases.four_eyes import say_why, second_person
from serve.usecases.refusals import Conflict, NotReady, NotThere, Refusal
from serve.usecases.rule_book_views import (
    ApprovalRequest,
    DraftRequest,
    DraftView,
    PendingDraft,
    RollbackRequest,
    RuleBookView,
    RulesRefused,
    TryRequest,
    VersionView,
    rule_view,
    waiting,
)
from serve.usecases.rules_trial import past_orders, period, try_on


class RuleVersions:
    """The use cases, over the ports."""

    def __init__(self, desks: DeskVersions, snapshots: Snapshots, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._desks, self._snapshots, self._journal = desks, snapshots, journal
        self._clock, self._ids = clock, ids
        self._history = History()
        self._changing = asyncio.Lock()

    async def start(self) -> PendingDraft | None:
        """Put in force what the journal says; give the draft that changed configuration files make, if they changed.

        The files are the first version of an empty journal. Later they are a draft like any other: it takes a person to approve it.
        Raises ``RuleBookRefused`` where the version in force cannot be read any more.
        """
        for sealed in await asyncio.to_thread(lambda: sorted(_events(self._journal), key=lambda item: item.seq)):
            self._history.apply(sealed.event, sealed.at)
        files = self._desks.of_files()
        texts = self._history.texts(self._history.active) if self._history.active else None
        if texts is None:
            drafted = self._drafted(files, "the configuration files, when the service first ran", None, self._ids.new())
            await self._write(drafted, self._approved(drafted, FILE_AUTHOR, "first version", "nothing was in force before"))
            self._desks.use(files)
            return None
        self._desks.use(self._desks.read(*texts, was_in_force=True))
        if files.book.version in {self._history.active, self._history.last_from_file()}:
            return None
        drafted = self._drafted(files, "the configuration files changed", None, self._ids.new())
        await self._write(drafted)
        return waiting(self._history.drafts[drafted.draft_id])

    def book(self) -> RuleBookView:
        """Give the rule book in force."""
        desk = self._desks.current()
        return RuleBookView(
            version=desk.book.version,
            tiers={name: list(cuts) for name, cuts in desk.book.tiers.items()},
            rules=[rule_view(rule) for rule in (*desk.book.selects, *desk.book.constrains)],
            source=desk.source,
            scoring=desk.scoring,
            history=self._history.in_force[::-1],
            pending=[waiting(draft) for draft in self._history.drafts.values() if self._state(draft) == "pending"],
        )

    def version(self, version: str) -> VersionView:
        """Give one version. Raises ``NotThere``."""
        texts = self._history.texts(version)
        if texts is None:
            raise NotThere("not-found", f"There is no version {version!r} of the rules; GET /v1/rules lists them", "version")
        entries = [item for item in self._history.in_force if item.version == version]
        return VersionView(
            version=version, in_force=entries, active=version == self._history.active, rules=texts[0], scoring=texts[1]
        )

    async def draft(self, wish: DraftRequest, user: User, attempt: Attempt | None = None) -> DraftView:
        """Record a draft. Raises ``RulesRefused`` with every fault, or ``Refusal`` where it changes nothing or is stale.

        An ``attempt`` that was begun before and stands in the journal is not recorded again.
        """
        say_why(wish.comment, "comment")
        draft_id = attempt.action_id if attempt else self._ids.new()
        if draft_id in self._history.drafts:
            return await self.show(draft_id)
        scoring = wish.scoring if wish.scoring is not None else self._desks.current().scoring
        desk = await asyncio.to_thread(self._read, wish.rules, scoring)
        drafted = await to_the_end(self._record(desk, wish, user, draft_id))
        return await self.show(drafted.draft_id)

    async def show(self, draft_id: str) -> DraftView:
        """Give a draft with its diff to what is in force (to what it replaced, once approved). Raises ``NotThere``."""
        draft = self._draft(draft_id)
        return await asyncio.to_thread(self._shown, draft)

    async def approve(self, draft_id: str, wish: ApprovalRequest, user: User, attempt: Attempt | None = None) -> DraftView:
        """Put a draft in force as its second person. Raises ``NotAllowed`` for its author, ``Conflict`` where it is too late.

        An ``attempt`` begun before whose consent stands in the journal is answered with the draft.
        """
        say_why(wish.comment, "comment")
        if not (attempt and attempt.again and _is(self._history.approved(draft_id), user, wish.comment)):
            await to_the_end(self._consent(draft_id, wish.comment, user))
        return await self.show(draft_id)

    async def roll_back(self, wish: RollbackRequest, user: User, attempt: Attempt | None = None) -> RuleBookView:
        """Put a version that was in force before in force again, at once. Raises ``NotThere``, or ``Conflict`` where it is."""
        say_why(wish.reason, "reason")
        if not (attempt and attempt.again and _is(self._history.rolled_back_to(wish.version), user, wish.reason)):
            await to_the_end(self._go_back(wish, user))
        return self.book()

    async def attempt(self, draft_id: str, wish: TryRequest, user: User) -> Trial:
        """Try a draft on past orders of the user's desk, of every desk for those who audit. Raises ``NotThere``, ``NotReady``."""
        draft = self._draft(draft_id)
        current = self._snapshots.current()
        if current is None:
            raise NotReady("no-snapshot", "No snapshot has been published yet; run 'sotto refresh'")
        since, until = period(wish.since, wish.until, self._clock.now())
        live, market = self._desks.current(), current
        scope = None if user.role in SEES_EVERY_DESK else user.desk

        def work() -> Trial:
            desk = self._desks.read(draft.event.rules, draft.event.scoring, was_in_force=True)
            events = self._journal.read(kind="recommendation.made")
            past = past_orders(events, since=since, until=until, desk=scope, limit=wish.limit)
            return try_on(past, live, desk, self._snapshots, market)

        return await asyncio.to_thread(work)

    async def _record(self, desk: Desk, wish: DraftRequest, user: User, draft_id: str) -> RulesDrafted:
        async with self._changing:
            active = self._desks.current().book.version
            if wish.base_version not in {None, active}:
                detail = (
                    f"The draft was written on {wish.base_version}, but {active} is in force by now: look at it and draft again"
                )
                raise Conflict("stale-draft", detail, "base_version")
            if desk.book.version == active:
                raise Refusal("no-change", f"The draft says the same as version {active}, which is in force", "rules")
            drafted = self._drafted(desk, wish.comment, user, draft_id)
            await self._write(drafted)
            return drafted

    async def _consent(self, draft_id: str, comment: str, user: User) -> None:
        async with self._changing:
            draft = self._draft(draft_id)
            state = self._state(draft)
            if state == "approved":
                raise Conflict("already-approved", f"Draft {draft_id} was approved before", "draft_id")
            second_person(draft.event, user)
            if state == "stale":
                base = draft.event.base_version
                detail = f"It was written on {base}, but {self._history.active} is in force by now: draft it again on that"
                raise Conflict("stale-draft", detail, "draft_id")
            desk = await asyncio.to_thread(lambda: self._prepared(self._read(draft.event.rules, draft.event.scoring)))
            await self._write(self._approved(draft.event, user.name, user.role.value, comment))
            self._desks.use(desk)

    async def _go_back(self, wish: RollbackRequest, user: User) -> None:
        async with self._changing:
            texts, active = self._history.texts(wish.version), self._desks.current().book.version
            if texts is None or not self._history.was_in_force(wish.version):
                detail = f"Version {wish.version} was never in force; GET /v1/rules lists those that were as its history"
                raise NotThere("not-found", detail, "version")
            if wish.version == active:
                raise Conflict("already-in-force", f"Version {active} is in force", "version")
            desk = await asyncio.to_thread(lambda: self._prepared(self._desks.read(*texts, was_in_force=True)))
            event = RulesRolledBack(
                version=wish.version,
                previous_version=active,
                rolled_back_by=user.name,
                role=user.role.value,
                reason=wish.reason,
            )
            await self._write(event)
            self._desks.use(desk)

    def _read(self, rules: str, scoring: str) -> Desk:
        try:
            return self._desks.read(rules, scoring)
        except RuleBookRefused as exc:
            raise RulesRefused(exc) from exc
        except LookupError as exc:
            raise Refusal("rules-refused", str(exc), "scoring") from exc

    def _prepared(self, desk: Desk) -> Desk:
        market = self._snapshots.current()
        if market is not None:
            Bench.of(market, desk.book).warm()
        return desk

    def _draft(self, draft_id: str) -> Draft:
        draft = self._history.drafts.get(draft_id)
        if draft is None:
            raise NotThere("not-found", f"There is no draft {draft_id!r}", "draft_id")
        return draft

    def _state(self, draft: Draft) -> str:
        if self._history.approved(draft.event.draft_id):
            return "approved"
        return "pending" if draft.event.base_version == self._history.active else "stale"

    def _shown(self, draft: Draft) -> DraftView:
        event, state = draft.event, self._state(draft)
        base = event.base_version if state == "approved" else self._history.active
        texts = self._history.texts(base or event.version) or (event.rules, event.scoring)
        old = self._desks.read(*texts, was_in_force=True)
        return DraftView(
            draft_id=event.draft_id,
            version=event.version,
            base_version=event.base_version,
            state=state,
            author=event.author,
            comment=event.comment,
            drafted_at=draft.drafted_at,
            approval=self._history.approved(event.draft_id),
            against=old.book.version,
            diff=diff(old, self._desks.read(event.rules, event.scoring, was_in_force=True)),
            rules=event.rules,
            scoring=event.scoring,
        )

    def _drafted(self, desk: Desk, comment: str, user: User | None, draft_id: str) -> RulesDrafted:
        return RulesDrafted(
            draft_id=draft_id,
            version=desk.book.version,
            base_version=self._history.active,
            author=user.name if user else FILE_AUTHOR,
            author_token=user.token_id if user else None,
            desk=user.desk if user else None,
            comment=comment,
            rules=desk.source,
            scoring=desk.scoring,
        )

    def _approved(self, draft: RulesDrafted, by: str, role: str, comment: str) -> RulesApproved:
        return RulesApproved(
            draft_id=draft.draft_id,
            version=draft.version,
            previous_version=self._history.active,
            approved_by=by,
            role=role,
            comment=comment,
        )

    async def _write(self, *events: AnyEvent) -> None:
        for sealed in await self._journal.append(*events):
            self._history.apply(sealed.event, sealed.at)


def _events(journal: Journal) -> Iterator[Sealed]:
    for kind in KINDS:
        yield from journal.read(kind=kind)


def _is(done: InForce | None, user: User, comment: str) -> bool:
    return done is not None and (done.by, done.comment) == (user.name, comment)
