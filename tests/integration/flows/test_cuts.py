"""Two clocks: as-of cuts by when things happened, known-at by when they were landed. Nothing beyond either is used."""

import csv
import gzip
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from expectations.contracts.home import Home
from expectations.contracts.snapshot import TableFacts
from expectations.contracts.sources import TABLES
from flows import rebuild
from flows.landing import Landing
from flows.settings import FlowSettings
from flows.sources.config import SourceConfig
from flows.transform import batches_to_use, lay_views
from tests.fakes import plain_refresh, vendor

CUT = datetime(2025, 6, 24, 17, 30, tzinfo=UTC)
LANDED = datetime(2025, 7, 1, 6, tzinfo=UTC)
Row = dict[str, str]


def change(folder: Path, table: str, changed: Callable[[list[Row]], list[Row]]) -> None:
    """Rewrite the table's files."""
    for path in sorted(folder.glob(f"{table}[.-]*")):
        packed = path.suffix == ".gz"
        data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
        rows = changed(list(csv.DictReader(io.StringIO(data.decode()))))
        out = io.StringIO()
        writer = csv.DictWriter(out, TABLES[table].names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_bytes(gzip.compress(out.getvalue().encode()) if packed else out.getvalue().encode())


def moment(text: str) -> datetime | None:
    """Read a time; the market's files hold some that are none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def later(text: str) -> bool:
    at = moment(text)
    return at is not None and at > CUT


def completed_later(row: Row) -> bool:
    """Whether an RFQ response was not over by the cut: answered, executed or timed out after it."""
    silence = float(row["timeout_s"] or 0) if row["response"] == "TIMED_OUT" else 0
    asked = moment(row["asked_at"])
    over = asked is not None and asked + timedelta(seconds=silence) > CUT
    return over or later(row["responded_at"]) or later(row["executed_at"])


def without_the_future(folder: Path) -> None:
    """Take everything that happened after the cut out of the files."""
    for table, happened in (("trades", "executed_at"), ("reference_prices", "as_of"), ("tca_results", "computed_at")):
        change(folder, table, lambda rows, happened=happened: [row for row in rows if not later(row[happened])])
    change(folder, "rfq_log", lambda rows: [row for row in rows if not completed_later(row)])

    def known_axes(rows: list[Row]) -> list[Row]:
        known = [row for row in rows if not later(row["advertised_at"])]
        return [row | {"withdrawn_at": ""} if later(row["withdrawn_at"]) else row for row in known]

    change(folder, "axes", known_axes)


def with_second_thoughts(folder: Path) -> None:
    """Deliver rows of the past again, as they became known to be after the cut."""
    after = (CUT + timedelta(minutes=5)).isoformat()

    def again(rows: list[Row], **cells: str) -> list[Row]:
        past = [row for row in rows if not any(later(row.get(name, "")) for name in ("executed_at", "asked_at", "responded_at"))]
        return rows + [row | cells for row in past[-40:]]

    change(folder, "trades", lambda rows: again(rows, executed_at=after, price="77"))
    traded = {
        "response": "QUOTED",
        "quote_price": "88",
        "outcome": "TRADED",
        "executed_price": "88",
        "executed_quantity": "1000000",
    }
    change(folder, "rfq_log", lambda rows: again(rows, executed_at=after, responded_at=after, **traded))


@dataclass(frozen=True)
class Everything:
    """A home where all was landed, second thoughts included, and what it gives as of the cut."""

    home: Home
    source: SourceConfig
    facts: dict[str, TableFacts]


def source_in(folder: Path) -> SourceConfig:
    return SourceConfig(name="market", kind="canonical", path=str(folder))


@pytest.fixture(scope="module")
def everything(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    root = tmp_path_factory.mktemp("everything")
    source = source_in(Path(shutil.copytree(market, root / "market")))
    with_second_thoughts(Path(source.path))
    home = Home(root / "home")
    plain_refresh.land(home, source, now=LANDED)
    return Everything(home, source, plain_refresh.build(home, source, as_of=CUT, known_at=LANDED))


def test_what_happened_after_as_of_changes_nothing(everything: Everything, market: Path, tmp_path: Path) -> None:
    source = source_in(Path(shutil.copytree(market, tmp_path / "market")))
    without_the_future(Path(source.path))
    plain_refresh.land(Home(tmp_path / "home"), source, now=LANDED)
    past_only = plain_refresh.build(Home(tmp_path / "home"), source, as_of=CUT, known_at=LANDED)
    # No desk overrides anything in this market; whatever else is published has rows, so that equality says something.
    assert {table for table, facts in past_only.items() if not facts.rows} <= {"fct_override_outcomes"}
    assert everything.facts == past_only


def test_what_was_landed_after_known_at_changes_nothing(everything: Everything) -> None:
    home, source = everything.home, everything.source
    change(Path(source.path), "rfq_log", lambda rows: [row | {"quote_quantity": ""} for row in rows])
    corrected = plain_refresh.land(home, source, now=LANDED + timedelta(hours=2))
    assert [receipt.table for receipt in corrected] == ["rfq_log"]
    assert plain_refresh.build(home, source, as_of=CUT, known_at=LANDED + timedelta(hours=1)) == everything.facts
    after = plain_refresh.build(home, source, as_of=CUT, known_at=LANDED + timedelta(hours=2))
    believed = {"fit_class_terms", "fit_dealer_beliefs", "fit_sector_prices", "fit_axe_beliefs"}
    assert {table for table in after if after[table] != everything.facts[table]} == {
        "fct_dealer_scorecards",
        "fct_dealer_scorecard_history",
        *believed,
    }


TICK = timedelta(microseconds=1)
# What a table calls the moment at which a row happened, and its key.
HAPPENED = {
    "trades": ("executed_at", "trade_id"),
    "reference_prices": ("as_of", "source"),
    "axes": ("advertised_at", "dealer_id"),
    "tca_results": ("computed_at", "execution_ref"),
}
MOMENTS = {"before": CUT - TICK, "at": CUT, "after": CUT + TICK}


def responses() -> list[Row]:
    """RFQs that end at the cut or a microsecond from it: by an answer, by an execution, by a time-out."""
    rows = []
    for name, moment in MOMENTS.items():
        early = {"asked_at": (moment - timedelta(seconds=60)).isoformat(), "responded_at": moment.isoformat()}
        open_end = {"executed_at": "", "executed_price": "", "executed_quantity": ""}
        rows.append(vendor.row("rfq_log", rfq_id=f"answered-{name}", outcome="LOST", **early, **open_end))
        traded = {**early, "responded_at": (moment - timedelta(seconds=9)).isoformat(), "executed_at": moment.isoformat()}
        rows.append(vendor.row("rfq_log", rfq_id=f"traded-{name}", **traded))
        silent = {
            "response": "TIMED_OUT",
            "outcome": "LOST",
            "timeout_s": "60",
            "quote_price": "",
            "quote_quantity": "",
            "firm": "",
        }
        rows.append(vendor.row("rfq_log", rfq_id=f"silent-{name}", **{**early, "responded_at": ""}, **silent, **open_end))
    return rows


def test_as_of_cuts_at_the_microsecond(tmp_path: Path) -> None:
    folder, home = tmp_path / "market", Home(tmp_path / "home")
    for table, (happened, key) in HAPPENED.items():
        never = {"withdrawn_at": ""} if table == "axes" else {}
        rows = [vendor.row(table, **{key: name, happened: moment.isoformat()}, **never) for name, moment in MOMENTS.items()]
        vendor.deliver(folder, f"{table}.csv", rows)
    vendor.deliver(folder, "rfq_log.csv", responses())
    plain_refresh.land(home, source_in(folder), now=LANDED)
    landing = Landing(home)
    lay_views(home, landing, batches_to_use(landing, ["market"], known_at=LANDED), new=[])
    rebuild.prepare(FlowSettings(home=home.root), as_of=CUT, full=True)
    plain_refresh.dbt(home, "run", "--select", "path:models/staging", as_of=CUT)
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        kept = {
            table: {name for (name,) in connection.execute(f"select {column} from staging.stg_{table}").fetchall()}
            for table, column in (
                ("trades", "trade_id"),
                ("reference_prices", "source"),
                ("axes", "dealer_ref"),
                ("tca_results", "rfq_id"),
                ("rfq_log", "rfq_id"),
            )
        }
    assert kept.pop("rfq_log") == {f"{how}-{name}" for how in ("answered", "traded", "silent") for name in ("before", "at")}
    assert kept == {table: {"before", "at"} for table in HAPPENED}


@pytest.mark.parametrize(
    ("known_at", "count"),
    [(LANDED - TICK, 0), (LANDED, 2), (LANDED + timedelta(hours=1) - TICK, 2), (LANDED + timedelta(hours=1), 3)],
)
@pytest.mark.parametrize("kind", ["canonical", "files"])
def test_known_at_cuts_at_the_microsecond_whatever_the_source(tmp_path: Path, kind: str, known_at: datetime, count: int) -> None:
    folder, home = tmp_path / "market", Home(tmp_path / "home")
    source = SourceConfig(name="market", kind=kind, path=str(folder), downloads=str(tmp_path / "downloads"))
    for hour, rows in enumerate((2, 3)):
        vendor.deliver(folder, "trades.csv", vendor.rows("trades", rows))
        plain_refresh.land(home, source, now=LANDED + timedelta(hours=hour))
    assert sum(receipt.rows for receipt in batches_to_use(Landing(home), ["market"], known_at=known_at)) == count
