"""The walk: re-fit, score what came until the next re-fit by what was known before it, go on. Finished periods are kept."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import msgspec

from expectations.contracts.home import Home
from flows.backtest.foretelling import NOW, Foretold, foretell
from flows.backtest.history import PastRfq, mean_costs, read_rfqs, spans
from flows.backtest.look_ahead import refuse_look_ahead
from flows.backtest.past import Past
from flows.backtest.plan import Asked, Span
from flows.backtest.scoring import Period, score_rfqs, standings_of
from flows.backtest.tables import read_beliefs, read_market
from flows.fit_tables import fit_beliefs
from flows.refused import Refused
from flows.settings import FlowSettings
from serve.domain.beliefs import Beliefs
from serve.domain.market import Market

log = logging.getLogger("flows.backtest")


@dataclass(frozen=True)
class _Known:
    """What was known at a re-fit, and what other priors would have made of it, by name."""

    at: datetime
    market: Market
    means: dict[str, dict[str, float]]
    otherwise: dict[str, Mapping[str, Beliefs]]


def walk(settings: FlowSettings, asked: Asked) -> list[Period]:
    """Walk through the span and give every period. What a killed walk had finished is read, not done again.

    Raises Refused: no history before the span, nothing in it, or a figure that knows the future.
    """
    span, folder = asked.span, asked.folder
    wanted = list(spans(span.since, span.until, span.every_days))
    missing = [pair for pair in wanted if not _file(folder, pair[0]).exists()]
    log.info("%d periods, %d of them done before", len(wanted), len(wanted) - len(missing), extra=_counted(wanted, missing))
    if missing:
        scratch = Home(folder.root / "scratch")
        shutil.rmtree(scratch.root, ignore_errors=True)
        past = Past(settings, scratch, asked.used)
        at = missing[0][0]
        with past.connected() as connection:
            _refuse_no_history(connection, span)
            refuse_look_ahead(connection, past.models, at, asked.priors)
            known = _read(connection, at, asked)
        for since, until in missing:
            if known.at != since:
                with past.at(since) as connection:
                    known = _read(connection, since, asked)
            period, known = _step(past, known, until, asked)
            _keep(_file(folder, since), period)
            left = [pair for pair in missing if pair[0] > since]
            log.info("%s to %s", since.date(), until.date(), extra=_counted(wanted, left))
        shutil.rmtree(scratch.root, ignore_errors=True)
    return [msgspec.json.decode(_file(folder, since).read_bytes(), type=Period) for since, _ in wanted]


def _read(connection: duckdb.DuckDBPyConnection, at: datetime, asked: Asked) -> _Known:
    market, means = read_market(connection, at), mean_costs(connection)
    otherwise = {}
    for name, priors in asked.candidates.items():
        fit_beliefs(connection, at.date(), priors)
        otherwise[name] = read_beliefs(connection, tuple(sorted(market.dealers)))
    return _Known(at, market, means, otherwise)


def _step(past: Past, known: _Known, until: datetime, asked: Asked) -> tuple[Period, _Known]:
    """Score what came from one re-fit to the next; give that and what is known at its end."""
    challengers = asked.challengers
    with past.at(until) as connection:
        rfqs = read_rfqs(connection, known.at, until)
        after = _read(connection, until, asked)
    scored, unknown = score_rfqs(rfqs, known.market, challengers, known.means)
    period = Period(
        since=known.at.date().isoformat(),
        until=until.date().isoformat(),
        rfqs=scored,
        standings=standings_of(known.market, challengers, known.means),
        unknown=unknown,
        foretold=_foretold(rfqs, known),
    )
    return period, after


def _foretold(rfqs: Sequence[PastRfq], known: _Known) -> dict[str, list[Foretold]]:
    if not known.otherwise:
        return {}
    every = {NOW: known.market.beliefs, **known.otherwise}
    return {name: foretell(rfqs, known.market.securities, beliefs) for name, beliefs in every.items()}


def _file(folder: Home, since: datetime) -> Path:
    return folder.root / "periods" / f"{since:%Y%m%d}.json"


def _keep(path: Path, period: Period) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(period))
    fresh.replace(path)


def _refuse_no_history(connection: duckdb.DuckDBPyConnection, span: Span) -> None:
    first, last = connection.execute("select min(asked_at)::date, max(asked_at)::date from landing.rfq_log").fetchall()[0]
    bounds: tuple[date | None, date | None] = (first, last)
    if bounds[0] is None or bounds[1] is None or bounds[0] >= span.first:
        raise Refused([f"--from {span.first}: no RFQ is on record before it (the log begins on {first}); start later"])
    if bounds[1] < span.first:
        raise Refused([f"--from {span.first}: no RFQ is on record from it on (the log ends on {last}); start earlier"])


def _counted(wanted: Sequence[object], left: Sequence[object]) -> dict[str, int]:
    return {"done": len(wanted) - len(left), "of": len(wanted)}


def forget_old(root: Path, *, keep: int) -> None:
    """Remove the folders of the oldest back-tests beyond ``keep``."""
    folders = sorted((path for path in root.glob("[0-9]*") if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[: max(len(folders) - keep, 0)]:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
