"""What a back-test is asked to do, checked before anything is built."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import version
from pathlib import Path

import msgspec

from expectations.contracts.home import Home
from flows import deliveries
from flows.backtest.challengers import challengers_of
from flows.backtest.foretelling import candidates_of
from flows.landing import Landing, Receipt
from flows.priors import SHIPPED, Priors, read_priors
from flows.project import project_hash
from flows.publish import current_id, read_manifest
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.sources.pulled import SourceError
from flows.transform import batches_to_use
from serve.domain.advise import Desk

_NAME_LENGTH = 12


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The days to walk through, both included, and the days between two re-fits."""

    first: date
    last: date
    every_days: int

    @property
    def since(self) -> datetime:
        """The instant of the first re-fit."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The instant at which the last day is over."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a back-test is to do: ``used`` are the deliveries to build from, ``folder`` where what is finished is kept.

    ``candidates`` are other priors to try beside the desk's, by name; none unless values are to be proposed.
    """

    span: Span
    challengers: dict[str, Desk]
    used: list[Receipt]
    folder: Home
    priors: Priors = SHIPPED
    candidates: dict[str, Priors] = {}


def ask(
    settings: FlowSettings,
    *,
    first: date | None,
    last: date | None,
    days: int = 90,
    every_days: int = 7,
    models: Sequence[str] | None = None,
    rules: Sequence[str] | None = None,
    sources: str | None = None,
    propose: bool = False,
) -> Asked:
    """Check what is asked for; the parameters are those of the flow. Raises Refused with each reason."""
    span = span_of(first, last, days, every_days, today=datetime.now(UTC).date())
    challengers = challengers_of(settings, models or [], rules or [])
    used = receipts_of(settings, sources)
    texts = [Path(path).read_text(encoding="utf-8") for path in rules or []]
    priors = read_priors(settings.config)
    candidates = candidates_of(priors) if propose else {}
    folder = _folder(settings, span, challengers, [*texts, repr(priors), *candidates], used)
    return Asked(span=span, challengers=challengers, used=used, folder=folder, priors=priors, candidates=candidates)


def span_of(first: date | None, last: date | None, days: int, every_days: int, *, today: date) -> Span:
    """Give the span: ``days`` up to ``last`` (default: yesterday) where ``first`` is not given. Raises Refused."""
    end = last or today - timedelta(days=1)
    begin = first or end - timedelta(days=days - 1)
    if begin > end:
        raise Refused([f"--from {begin} is after --to {end}; give the earlier day first"])
    if end >= today:
        raise Refused([f"--to {end} is not over yet; the last full day is {today - timedelta(days=1)}"])
    if every_days < 1:
        raise Refused([f"--every {every_days}: a re-fit takes at least one day"])
    return Span(first=begin, last=end, every_days=every_days)


def receipts_of(settings: FlowSettings, sources: str | None) -> list[Receipt]:
    """List the deliveries to build from: of the sources given, else of those behind the current snapshot. Raises Refused."""
    names = _source_names(settings, sources)
    used = batches_to_use(Landing(settings.state), names, known_at=datetime.now(UTC))
    if not any(receipt.table == "rfq_log" for receipt in used):
        raise Refused(
            [f"no RFQ log of {', '.join(names) or 'any source'} is landed in {settings.state.root}; run `sotto refresh` first"]
        )
    return used


def _source_names(settings: FlowSettings, sources: str | None) -> list[str]:
    current = current_id(settings.state)
    if sources is None and current is not None:
        return read_manifest(settings.state, current).sources
    try:
        return [
            source.name for source in deliveries.sources_of(settings, Path(sources) if sources else settings.config / "sources.yml")
        ]
    except SourceError as error:
        raise Refused([str(error)]) from error


def _folder(
    settings: FlowSettings, span: Span, challengers: Mapping[str, Desk], texts: Sequence[str], used: Sequence[Receipt]
) -> Home:
    """Give the folder of this very back-test: whoever asks for the same over the same data goes on in it."""
    parts = [
        msgspec.json.encode(span).decode(),
        *sorted(challengers),
        *(repr(desk.book.default.score) + repr(desk.thresholds) for _, desk in sorted(challengers.items())),
        *texts,
        *sorted(f"{receipt.source}/{receipt.table}/{receipt.batch}" for receipt in used),
        project_hash(settings.dbt_project),
        version("sotto"),
    ]
    mark = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_NAME_LENGTH]
    return Home(settings.state.root / "backtests" / f"{span.first}-{span.last}-{mark}")
