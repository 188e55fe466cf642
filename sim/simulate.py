"""``sotto simulate``: a synthetic market in vendors' files, and the truth behind it in a folder of its own.

Files are named ``<table>.csv`` (dealers, dealer_aliases, securities) or ``<table>-YYYY-MM.csv.gz`` (trades, reference_prices, axes,
rfq_log, tca_results); a loader matches ``<table>.*`` and ``<table>-*``. The truth goes to ``<out>.truth/``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from expectations.contracts.sources import TABLES
from sim import tables
from sim.blemishes import blemish
from sim.deals import executed
from sim.errors import SimulationError
from sim.market import Market, Sizes, build_market
from sim.rfq_log import rfq_rows
from sim.tca_vendors import tca_rows
from sim.traits import RFQS_PER_DAY
from sim.truth import write_truth
from sim.world import WORLD_FILE, build_world
from sim.writers import Rows, write_rows

Progress = Callable[[str], None]
USUAL, MISSPECIFIED = WORLDS = ("usual", "misspecified")


@dataclass(frozen=True, slots=True)
class Simulated:
    """Where the files are, where the truth is, and how many rows each table has, blemishes included."""

    out: Path
    truth: Path
    end: date
    rows: dict[str, int]


def truth_folder(out: Path) -> Path:
    """Give the folder of the truth that belongs to a folder of files."""
    return out.with_name(f"{out.name}.truth")


def _silent(_message: str) -> None:
    """Say nothing."""


def simulate(
    out: Path,
    days: int,
    seed: int,
    end: date | None = None,
    *,
    securities: int = 400,
    dealers: int = 24,
    rfqs_per_day: float = RFQS_PER_DAY,
    world: str = USUAL,
    progress: Progress = _silent,
) -> Simulated:
    """Write the market of the ``days`` calendar days up to ``end`` (default: yesterday, UTC) under ``out``.

    Equal arguments give equal bytes. Earlier files of a simulation in ``out`` are replaced; files that none has written are left
    alone, and stop it where their names would mix with ours. ``world``: ``usual``, or ``misspecified``: dealers behave as no model
    assumes (``estranged``). Raises SimulationError on a wish that cannot be met.
    """
    out = Path(out).absolute()
    if world not in WORLDS:
        message = f"world is {world!r}: give one of {', '.join(WORLDS)}"
        raise SimulationError(message)
    last = end or datetime.now(UTC).date() - timedelta(days=1)
    sizes = Sizes(seed, days, last, securities, dealers, rfqs_per_day, misspecified=world == MISSPECIFIED)
    _clear(out)
    progress(f"letting {securities} bonds trade for {days} days up to {sizes.end}")
    market = build_market(sizes)
    counts: dict[str, int] = {}
    files: list[str] = []
    for table in TABLES:
        rows = blemish(seed, _rows(market, table))
        counts[table] = len(rows.cells)
        progress(f"writing {counts[table]:,} rows of {table}")
        files += [path.name for path in write_rows(out, rows)]
    truth = truth_folder(out)
    progress(f"writing the truth to {truth}")
    write_truth(truth, market, build_world(market, sorted(files)))
    return Simulated(out, truth, sizes.end, counts)


def _rows(market: Market, table: str) -> Rows:
    makers: dict[str, Callable[[Market], Rows]] = {
        "dealers": tables.dealer_rows,
        "dealer_aliases": tables.alias_rows,
        "securities": tables.security_rows,
        "trades": tables.trade_rows,
        "reference_prices": tables.reference_rows,
        "axes": tables.axe_rows,
        "rfq_log": rfq_rows,
        "tca_results": lambda market: tca_rows(market.sizes.seed, executed(market), market.sizes.end_ms),
    }
    return makers[table](market)


def _clear(out: Path) -> None:
    """Make the folder, and take away what an earlier simulation wrote there."""
    if out.exists() and not out.is_dir():
        message = f"{out} is a file: give a folder"
        raise SimulationError(message)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {out}: {error.strerror}"
        raise SimulationError(message) from error
    earlier = truth_folder(out) / WORLD_FILE
    if earlier.exists():
        for name in msgspec.json.decode(earlier.read_bytes()).get("files", []):
            (out / Path(name).name).unlink(missing_ok=True)
    strangers = sorted(path.name for table in TABLES for pattern in (f"{table}.*", f"{table}-*") for path in out.glob(pattern))
    if strangers:
        message = f"{out} holds {strangers[0]}, which no simulation wrote: give an empty folder"
        raise SimulationError(message)
