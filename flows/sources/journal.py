"""The kind ``journal``: the service's own RFQs, read from its event log as rows of ``rfq_log``."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from expectations.contracts import journal as events
from expectations.contracts.sources import RFQ_LOG
from expectations.contracts.vocabulary import Outcome, Response
from flows.sources.config import JOURNAL_SOURCE, SourceConfig
from flows.sources.pulled import Pulled, SourceError, quoted

_READ = (
    events.RfqStarted
    | events.DealerAsked
    | events.QuoteReceived
    | events.DealerAnsweredWithout
    | events.ExecutionReported
    | events.RfqClosed
)
_KINDS = [kind.__struct_config__.tag for kind in _READ.__args__]


class _Entry(msgspec.Struct, frozen=True):
    at: datetime
    event: _READ


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Read the closed RFQs of the journal; an RFQ that is still open is left for a later pull.

    Raises SourceError when the file is not a journal.
    """
    path = Path(source.path)
    rows = list(rfq_rows(_entries(path)))
    if not rows:
        return
    content = msgspec.json.encode(rows)
    digest = hashlib.sha256(content).hexdigest()
    cells = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in RFQ_LOG.names)
    listing = path.with_name("journal-rfqs") / f"{digest[:16]}.json"
    listing.parent.mkdir(exist_ok=True)
    for older in listing.parent.glob("*.json"):
        older.unlink()
    listing.write_bytes(content)
    select = f"select * from read_json({quoted(listing)}, columns = {{{cells}}})"
    yield Pulled(JOURNAL_SOURCE, RFQ_LOG.name, str(path), digest, select)


def _entries(path: Path) -> list[_Entry]:
    marks = ", ".join("?" * len(_KINDS))
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = connection.execute(f"select at, payload from events where kind in ({marks}) order by seq", _KINDS).fetchall()
        return [_Entry(datetime.fromisoformat(at), msgspec.json.decode(payload, type=_READ)) for at, payload in found]
    except (sqlite3.Error, msgspec.DecodeError, ValueError) as error:
        raise SourceError(f"source journal: {path} cannot be read as a journal: {error}") from error


def rfq_rows(entries: Iterable[_Entry]) -> Iterator[dict[str, str | None]]:
    """Turn events into rows of ``rfq_log``, one per dealer asked in a closed RFQ, cells as text. Pure."""
    by_rfq: dict[str, list[_Entry]] = {}
    for entry in entries:
        by_rfq.setdefault(entry.event.rfq_id, []).append(entry)
    for story in by_rfq.values():
        if any(isinstance(entry.event, events.RfqClosed) for entry in story):
            yield from _rows_of(story)


def _rows_of(story: list[_Entry]) -> Iterator[dict[str, str | None]]:
    start = next((entry.event for entry in story if isinstance(entry.event, events.RfqStarted)), None)
    if start is None:
        return
    asked = [entry for entry in story if isinstance(entry.event, events.DealerAsked)]
    quotes = {e.event.dealer_id: e.event for e in story if isinstance(e.event, events.QuoteReceived)}
    without = {e.event.dealer_id: e.event for e in story if isinstance(e.event, events.DealerAnsweredWithout)}
    fills = [entry.event for entry in story if isinstance(entry.event, events.ExecutionReported)]
    outcomes = _outcomes(start, quotes, fills)
    for entry in asked:
        assert isinstance(entry.event, events.DealerAsked)  # noqa: S101 - narrows the type for the checker
        dealer = entry.event.dealer_id
        quote, silent = quotes.get(dealer), without.get(dealer)
        if quote is None and silent is None:
            continue
        own = [fill for fill in fills if fill.dealer_id == dealer]
        size = sum(fill.quantity for fill in own)
        answer = quote.responded_at if quote else silent.responded_at if silent else None
        yield {
            "rfq_id": start.rfq_id,
            "order_id": start.order_id,
            "venue": start.venue,
            "security_id": start.security_id,
            "client_side": start.side,
            "quantity": _number(start.quantity),
            "protocol": start.protocol,
            "asked_at": entry.at.isoformat(),
            "dealer_id": dealer,
            "sequence": str(entry.event.sequence),
            "dealers_asked": str(len(asked)),
            "timeout_s": _number(start.timeout_s),
            "response": Response.QUOTED if quote else silent.response if silent else None,
            "responded_at": answer.isoformat() if answer else None,
            "quote_price": _number(quote.price) if quote else None,
            "quote_quantity": _number(quote.quantity) if quote else None,
            "firm": str(quote.firm).lower() if quote else None,
            "outcome": outcomes.get(dealer, Outcome.NOT_TRADED if not fills else Outcome.LOST),
            "executed_at": max(fill.executed_at for fill in own).isoformat() if own else None,
            "executed_price": _number(sum(fill.price * fill.quantity for fill in own) / size) if own else None,
            "executed_quantity": _number(size) if own else None,
            "arrival_mid": _number(start.arrival_mid),
            "propensity": _number(start.propensity),
        }


def _outcomes(
    start: events.RfqStarted, quotes: dict[str, events.QuoteReceived], fills: list[events.ExecutionReported]
) -> dict[str, Outcome]:
    winners = {fill.dealer_id for fill in fills}
    if not winners:
        return {}
    losing = sorted((quote.price * start.side.direction, dealer) for dealer, quote in quotes.items() if dealer not in winners)
    cover = {losing[0][1]: Outcome.COVER} if losing else {}
    return dict.fromkeys(winners, Outcome.TRADED) | cover


def _number(value: float | None) -> str | None:
    return None if value is None else repr(value)
