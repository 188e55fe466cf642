"""A build of the days that changed gives the same tables as a build of everything, whatever was delivered and in which order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contracts.home import Home
from flows import rebuild
from flows.landing import Landing
from flows.settings import FlowSettings
from flows.sources.config import SourceConfig
from flows.transform import batches_to_use, lay_views
from tests.fakes import compiled, plain_refresh, vendor

FIRST = datetime(2025, 6, 2, tzinfo=UTC)
LANDED = datetime(2025, 7, 1, 6, tzinfo=UTC)
TABLES = (
    "intermediate.int_reference_mids",
    "intermediate.int_rfq_responses",
    "intermediate.int_unresolved_rows",
    "intermediate.int_vendor_figures",
    "intermediate.int_vendor_tca",
    "intermediate.int_executions",
    "intermediate.int_rfq_drifts",
    "intermediate.int_dealer_day_stats",
    "intermediate.int_dealer_class_days",
    "intermediate.int_quotes_in_half_spreads",
    "intermediate.int_quote_day_stats",
    "intermediate.int_leak_day_stats",
    "marts.fct_rfqs",
    "marts.fct_rfq_responses",
    "marts.fct_executions",
    "marts.fct_tca_reconciliation",
    "marts.fct_tca_vendor_agreement",
    "marts.fct_dealer_axe_record",
    "marts.fct_dealer_scorecards",
    "marts.fct_dealer_affinity",
)
Row = dict[str, str]

# Minutes after midnight of a day: the middle of it, and both sides of the next midnight.
instants = st.tuples(st.integers(0, 24), st.sampled_from([600, 630, 1438, 1439])).map(
    lambda at: FIRST + timedelta(days=at[0], minutes=at[1])
)


@st.composite
def asked(draw: st.DrawFn) -> Row:
    """One dealer asked in one of a few RFQs; often the same one again, on another day or with another answer."""
    at = draw(instants)
    done = at + timedelta(minutes=draw(st.sampled_from([0, 1, 3, 2 * 24 * 60])))
    row = vendor.row(
        "rfq_log",
        rfq_id=f"R{draw(st.integers(1, 6))}",
        dealer_id=draw(st.sampled_from(["ALPHA", "Alpha", "BETA", "NOBODY"])),
        security_id=draw(st.sampled_from(["S1", "S2"])),
        asked_at=at.isoformat(),
        responded_at=done.isoformat(),
        arrival_mid=draw(st.sampled_from(["", "101.2"])),
    )
    if draw(st.booleans()):
        return row | {"executed_at": done.isoformat()}
    return row | {"outcome": "LOST", "executed_at": "", "executed_price": "", "executed_quantity": ""}


@st.composite
def priced(draw: st.DrawFn) -> Row:
    """A price of one of two bonds, from the preferred source or another."""
    return vendor.row(
        "reference_prices",
        security_id=draw(st.sampled_from(["S1", "S2"])),
        as_of=(draw(instants) + timedelta(minutes=1)).isoformat(),
        mid=str(draw(st.integers(99, 103))),
        bid="",
        ask="",
        source=draw(st.sampled_from(["COMPOSITE", "EVAL"])),
    )


@st.composite
def measured(draw: st.DrawFn) -> Row:
    """A vendor's reversion of one of the RFQs, or of one that nobody knows."""
    return vendor.row(
        "tca_results",
        execution_ref=f"R{draw(st.integers(1, 8))}",
        vendor=draw(st.sampled_from(["ALPHA", "BETA"])),
        value=str(draw(st.integers(-5, 5))),
        computed_at=(draw(instants) + timedelta(minutes=40)).isoformat(),
    )


def files(table: str, rows: st.SearchStrategy[Row]) -> st.SearchStrategy[tuple[str, int, list[Row]]]:
    """A delivery of a table: a new file, or another version of one that was delivered before."""
    return st.tuples(st.just(table), st.integers(1, 3), st.lists(rows, min_size=1, max_size=4))


deliveries = files("rfq_log", asked()) | files("reference_prices", priced()) | files("tca_results", measured())
# What comes between two builds, and how far as_of moves; it may move back.
steps = st.lists(st.tuples(st.lists(deliveries, min_size=0, max_size=3), st.integers(-2, 8)), min_size=2, max_size=5)


class Desk:
    """A vendor's folder and the home it is landed in."""

    def __init__(self, root: Path) -> None:
        self.folder, self.home = root / "market", Home(root / "home")
        self.source = SourceConfig(name="market", kind="canonical", path=str(self.folder))
        self.landed = 0
        axes = [
            vendor.row("axes", dealer_id=name, security_id="S1", side="SELLS", advertised_at=FIRST.isoformat(), withdrawn_at="")
            for name in ("ALPHA", "BETA")
        ]
        vendor.deliver(self.folder, "axes.csv", axes)
        dealers = [vendor.row("dealers", dealer_id=name, name=name.title()) for name in ("ALPHA", "BETA")]
        vendor.deliver(self.folder, "dealers.csv", dealers)
        bonds = [vendor.row("securities", security_id=name, cusip="", isin="", figi="") for name in ("S1", "S2")]
        vendor.deliver(self.folder, "securities.csv", bonds)

    def land(self, delivered: list[tuple[str, int, list[Row]]]) -> None:
        for table, number, rows in delivered:
            vendor.deliver(self.folder, f"{table}-{number}.csv", rows)
        self.landed += 1
        plain_refresh.land(self.home, self.source, now=LANDED + timedelta(hours=self.landed))

    def build(self, as_of: datetime, *, full: bool = False, ends: bool = True) -> rebuild.Plan:
        landing = Landing(self.home)
        known = LANDED + timedelta(hours=self.landed)
        lay_views(self.home, landing, batches_to_use(landing, ["market"], known_at=known), new=[])
        plan = rebuild.prepare(FlowSettings(home=self.home.root), as_of=as_of, full=full)
        with duckdb.connect(str(self.home.warehouse), config=compiled.SETTINGS) as connection:
            compiled.run(connection, plan, as_of=as_of, targets=[name.split(".")[1] for name in TABLES])
        if ends:
            rebuild.finished(self.home)
        return plan

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        with duckdb.connect(str(self.home.warehouse)) as connection:
            return {name: sorted(map(_rounded, connection.execute(f"from {name}").fetchall()), key=repr) for name in TABLES}


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sums over another order of rows agree to about 1e-14."""
    return tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(steps=steps)
def test_building_what_changed_gives_what_building_everything_gives(steps: list[tuple[list[Any], int]]) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        as_of = FIRST + timedelta(days=12, hours=12)
        for delivered, days in steps:
            as_of += timedelta(days=days)
            desk.land(delivered)
            desk.build(as_of)
        step_by_step = desk.tables()
        assert desk.build(as_of, full=True).whole
        assert step_by_step == desk.tables()


def test_a_new_day_builds_that_day_and_those_that_the_new_prices_reach(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    days = [FIRST + timedelta(days=shift, hours=10) for shift in range(12)]
    for number, day in enumerate(days):
        rfq = vendor.row("rfq_log", rfq_id=f"R{number}", asked_at=day.isoformat(), responded_at="", executed_at=day.isoformat())
        price = vendor.row("reference_prices", as_of=day.isoformat())
        desk.land([("rfq_log", number, [rfq]), ("reference_prices", number, [price])])
        if number == 10:
            assert desk.build(day + timedelta(hours=12)).whole
    plan = desk.build(days[-1] + timedelta(hours=12))
    # Prices of the rest of the day of the last build count now, too, and reach a day back: that is the longest horizon.
    assert plan.rfq_days == [day.date() for day in days[-3:]]
    assert desk.build(days[-1] + timedelta(hours=13)).rfq_days == plan.rfq_days[-2:]
    assert desk.build(days[-1] + timedelta(hours=13)).rfq_days == []


def test_days_of_a_build_that_did_not_end_are_due_in_the_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    as_of = FIRST + timedelta(days=20)
    desk.land([("rfq_log", 1, [vendor.row("rfq_log", rfq_id="R1")])])
    desk.build(as_of, ends=False)
    assert desk.build(as_of).whole
    later = (FIRST + timedelta(days=5)).isoformat()
    row = vendor.row("rfq_log", rfq_id="R2", asked_at=later, responded_at=later, executed_at=later)
    desk.land([("rfq_log", 2, [row])])
    assert desk.build(as_of, ends=False).rfq_days == [(FIRST + timedelta(days=5)).date()]
    assert desk.build(as_of).rfq_days == [(FIRST + timedelta(days=5)).date()]
    assert desk.build(as_of).rfq_days == []


def test_a_change_of_masters_or_an_earlier_as_of_builds_everything(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    as_of = FIRST + timedelta(days=20)
    desk.land([("rfq_log", 1, [vendor.row("rfq_log", rfq_id="R1")])])
    desk.build(as_of)
    assert desk.build(as_of - timedelta(microseconds=1)).whole
    assert not desk.build(as_of).whole
    vendor.deliver(desk.folder, "dealers.csv", [vendor.row("dealers", dealer_id=name, name=name) for name in ("ALPHA", "BETA")])
    desk.land([])
    assert desk.build(as_of).whole
