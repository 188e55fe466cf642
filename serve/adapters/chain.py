"""The hash chain of the journal: how an event is sealed and how a chain is checked."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from expectations.contracts.journal import AnyEvent, Sealed

GENESIS = "0" * 64


class Row(NamedTuple):
    """One event as stored, in the table's column order."""

    seq: int
    event_id: str
    at: str
    kind: str
    subject: str
    payload: str
    prev_hash: str
    hash: str


class ChainCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the chain found. ``broken_seq`` and ``reason`` are None where every link holds."""

    ok: bool
    events: int
    head: str
    broken_seq: int | None = None
    reason: str | None = None


def subject_of(event: AnyEvent) -> str:
    """Name what an event is about: its RFQ, else its recommendation, else nothing."""
    return str(getattr(event, "rfq_id", None) or getattr(event, "recommendation_id", None) or "")


def kind_of(event: AnyEvent) -> str:
    """Name an event's kind, as its tag has it."""
    return str(event.__struct_config__.tag)


def time_text(at: datetime) -> str:
    """Write a time in UTC to the microsecond, so that the text sorts as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def link_hash(row: Row) -> str:
    """Hash one link: sha256 over the JSON array of ``prev_hash`` and the other fields as stored, so no two rows share a text."""
    return hashlib.sha256(msgspec.json.encode([row.prev_hash, *row[:6]])).hexdigest()


def seal(event: AnyEvent, *, seq: int, event_id: str, at: datetime, prev_hash: str) -> Row:
    """Make the row that follows ``prev_hash`` in the chain."""
    payload = msgspec.json.encode(event).decode()
    row = Row(seq, event_id, time_text(at), kind_of(event), subject_of(event), payload, prev_hash, "")
    return row._replace(hash=link_hash(row))


_EVENT = msgspec.json.Decoder(AnyEvent)


def unseal(row: Row) -> Sealed:
    """Read a stored row back. Raises msgspec.ValidationError where the payload is no event of the contract."""
    return Sealed(
        seq=row.seq,
        event_id=row.event_id,
        at=datetime.fromisoformat(row.at),
        event=_EVENT.decode(row.payload),
        prev_hash=row.prev_hash,
        hash=row.hash,
    )


def check_chain(rows: Iterable[Row], head: str | None = None, anchors: Mapping[int, str] | None = None) -> ChainCheck:
    """Follow the chain and name the first link that does not hold.

    ``head`` is a hash noted earlier, ``anchors`` are several with their sequence numbers: with them a chain cut short or
    rewritten to the end is found too, which no chain can show by itself.
    """
    noted = anchors or {}
    previous, count, seen_head = GENESIS, 0, head in (None, GENESIS)
    for row in rows:
        reason = _broken(row, count + 1, previous)
        if reason is None and noted.get(row.seq, row.hash) != row.hash:
            reason = f"event {row.seq} is not the one that was anchored: the chain was rewritten up to it"
        if reason:
            return ChainCheck(ok=False, events=count, head=previous, broken_seq=min(row.seq, count + 1), reason=reason)
        previous, count = row.hash, count + 1
        seen_head = seen_head or row.hash == head
    if not seen_head:
        return ChainCheck(ok=False, events=count, head=previous, broken_seq=count + 1, reason=_cut(count, head))
    if max(noted, default=0) > count:
        reason = f"event {max(noted)} was anchored, the chain ends at event {count}: events were cut from the end"
        return ChainCheck(ok=False, events=count, head=previous, broken_seq=count + 1, reason=reason)
    return ChainCheck(ok=True, events=count, head=previous)


def _cut(count: int, head: str | None) -> str:
    return f"the head {head} is not in the chain of {count} events: events were cut from the end, or the whole chain was rewritten"


def _broken(row: Row, expected: int, previous: str) -> str | None:
    if row.seq != expected:
        return f"event {expected} is missing: deleted or moved (event {row.seq} stands in its place)"
    if link_hash(row) != row.hash:
        return _edited_or_moved(row)
    if row.prev_hash != previous:
        return f"event {row.seq} does not follow event {row.seq - 1}: events were reordered, replaced or inserted"
    return None


def _edited_or_moved(row: Row, reach: int = 250) -> str:
    nearby: Sequence[int] = range(max(1, row.seq - reach), row.seq + reach)
    moved_from = next((seq for seq in nearby if seq != row.seq and link_hash(row._replace(seq=seq)) == row.hash), None)
    if moved_from is not None:
        return f"event {row.seq} was sealed as event {moved_from}: events were reordered"
    return f"event {row.seq} was edited: its content does not match its hash"
