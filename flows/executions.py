"""Our executions, posted to the TCA vendors that take them: each once, whatever happens in between."""

import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from flows import durable
from flows.sources.config import SourceConfig
from flows.sources.journal import executed_rows
from flows.sources.mapping import Executions, load_mapping
from flows.sources.pulled import SourceError
from flows.sources.rest_client import RestClient

log = logging.getLogger("flows.executions")

_POSTED = "posted.json"
# So many refusals in one go are no matter of single executions any more.
_REFUSALS = 5


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What we did in one RFQ, over all dealers traded with: price per 100 par (weighted by size), quantity in par, UTC."""

    execution_ref: str
    security_id: str
    side: str
    price: float
    quantity: float
    executed_at: datetime
    arrival_mid: float | None
    venue: str
    dealer_id: str


def executions_of(rows: Iterable[dict[str, str | None]]) -> list[Execution]:
    """Sum up the traded rows of the RFQ log by RFQ, in order of time. Pure."""
    by_rfq: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["outcome"] == "TRADED":
            by_rfq.setdefault(str(row["rfq_id"]), []).append({name: value or "" for name, value in row.items()})
    return sorted((_summed(ref, parts) for ref, parts in by_rfq.items()), key=lambda one: (one.executed_at, one.execution_ref))


def _summed(ref: str, parts: list[dict[str, str]]) -> Execution:
    quantity = sum(float(part["executed_quantity"]) for part in parts)
    first = parts[0]
    return Execution(
        execution_ref=ref,
        security_id=first["security_id"],
        side=first["client_side"],
        price=sum(float(part["executed_price"]) * float(part["executed_quantity"]) for part in parts) / quantity,
        quantity=quantity,
        executed_at=max(datetime.fromisoformat(part["executed_at"]) for part in parts),
        arrival_mid=float(first["arrival_mid"]) if first["arrival_mid"] else None,
        venue=first["venue"],
        dealer_id=";".join(part["dealer_id"] for part in parts),
    )


def post_executions(source: SourceConfig, journal: Path) -> int:
    """Post what the journal has and this vendor has not been sent; give how many.

    What was sent is noted one by one. A crash between a post and its note sends that one again, under the same reference and the
    same idempotency key: the vendor counts it once. An execution that the vendor refuses is logged and offered again the next
    time; it keeps no other from going out. Raises SourceError when the vendor is out of reach or refuses several, or its mapping
    takes none.
    """
    if source.mapping is None or (how := load_mapping(Path(source.mapping)).executions) is None:
        raise SourceError(f"source {source.name!r}: post_executions needs a mapping with `executions`")
    note = Path(source.downloads) / _POSTED
    posted = set(msgspec.json.decode(note.read_bytes(), type=list[str])) if note.is_file() else set()
    fresh = executions_of(executed_rows(journal, without=posted))
    if not fresh:
        return 0
    note.parent.mkdir(parents=True, exist_ok=True)
    with RestClient(source) as client:
        refused = 0
        for execution in fresh:
            try:
                client.post(how.path, _body(how, execution), key=execution.execution_ref)
            except SourceError as error:
                refused += 1
                if error.__cause__ is not None or refused >= _REFUSALS:
                    raise
                log.warning("execution %s: %s", execution.execution_ref, error)
                continue
            posted.add(execution.execution_ref)
            durable.replace(note, msgspec.json.encode(sorted(posted)))
    log.info("posted %d executions to %s", len(fresh) - refused, source.name)
    return len(fresh) - refused


def _body(how: Executions, execution: Execution) -> dict[str, object]:
    ours = msgspec.to_builtins(execution)
    unknown = [name for name in how.fields.values() if name not in ours]
    if unknown:
        raise SourceError(f"the mapping's executions name {unknown[0]!r}; an execution has {', '.join(ours)}")
    return {theirs: ours[own] for theirs, own in how.fields.items()}
