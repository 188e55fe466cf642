"""A build of the days that changed gives the same tables as a build of everything, whatever was delivered and in which order."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contracts.home import Home
from flows import fit_days, rebuild
from flows.deliveries import quarantined
from flows.landing import Landing
from flows.settings import PROJECT, FlowSettings
from flows.sources.config import SourceConfig
from flows.steps import cuts
from flows.transform import batches_to_use, lay_views
from tests.fakes import compiled, plain_refresh, vendor

FIRST = datetime(2025, 6, 2, tzinfo=UTC)
LANDED = datetime(2025, 7, 1, 6, tzinfo=UTC)
TABLES = (
    "intermediate.int_reference_mids",
    "intermediate.int_resolved_responses",
    "intermediate.int_unresolved_responses",
    "intermediate.int_unresolved_prices",
    "intermediate.int_unresolved_prints",
    "intermediate.int_unresolved_axes",
    "intermediate.int_untraded_results",
    "intermediate.int_vendor_figures",
    "intermediate.int_vendor_tca",
    "intermediate.int_executions",
    "intermediate.int_rfq_drifts",
    "intermediate.int_dealer_day_stats",
    "intermediate.int_quotes_in_half_spreads",
    "intermediate.int_quote_day_stats",
    "intermediate.int_leak_day_stats",
    "intermediate.int_trades",
    "intermediate.int_print_days",
    "marts.fct_rfqs",
    "marts.fct_rfq_responses",
    "marts.fct_executions",
    "marts.fct_tca_reconciliation",
    "marts.fct_tca_vendor_agreement",
    "marts.fct_dealer_axe_record",
    "marts.fct_dealer_scorecards",
    "marts.fct_dealer_affinity",
    "marts.fct_security_liquidity",
)
Row = dict[str, str]


def rfq_days(plan: rebuild.Plan) -> list[date]:
    assert plan.days is not None
    return sorted(plan.days.rebuilt)


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
        security_id=draw(st.sampled_from(["S1", "S2", "S3"])),
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


@st.composite
def printed(draw: st.DrawFn) -> Row:
    """A report of one of a few prints: itself, a cancel or a correction of another, often again on another day."""
    number = draw(st.integers(1, 7))
    status = draw(st.sampled_from(["NEW", "CANCEL", "CORRECT"]))
    return vendor.row(
        "trades",
        trade_id=f"T{number}",
        original_trade_id="" if status == "NEW" else f"T{draw(st.integers(1, 7).filter(lambda other: other != number))}",
        security_id=draw(st.sampled_from(["S1", "S2", "S3"])),
        executed_at=draw(instants).isoformat(),
        price=str(draw(st.integers(99, 103))),
        status=status,
    )


@st.composite
def bond(draw: st.DrawFn) -> Row:
    """What a master says of a bond: of one it knew, or of one that had RFQs before it was on record."""
    return vendor.row(
        "securities",
        security_id=draw(st.sampled_from(["S1", "S2", "S3"])),
        cusip="",
        isin="",
        figi="",
        asset_class=draw(st.sampled_from(["CORP", "MUNI"])),
        rating_sp=draw(st.sampled_from(["AA", "BB", ""])),
        amount_outstanding=draw(st.sampled_from(["", "1000000"])),
    )


@st.composite
def dealer(draw: st.DrawFn) -> Row:
    """A dealer under its name or another's, with a limit that no day depends on."""
    return vendor.row(
        "dealers",
        dealer_id=draw(st.sampled_from(["ALPHA", "BETA", "GAMMA"])),
        name=draw(st.sampled_from(["Alpha", "Beta", "NOBODY"])),
        credit_limit=draw(st.sampled_from(["", "5"])),
    )


@st.composite
def alias(draw: st.DrawFn) -> Row:
    """A name that leads to a dealer for some days, to one that may not be on record."""
    return vendor.row(
        "dealer_aliases",
        alias=draw(st.sampled_from(["Alpha", "NOBODY"])),
        dealer_id=draw(st.sampled_from(["ALPHA", "GAMMA"])),
        valid_from=draw(st.sampled_from(["", f"{FIRST + timedelta(days=10):%Y-%m-%d}"])),
    )


def files(table: str, rows: st.SearchStrategy[Row]) -> st.SearchStrategy[tuple[str, int, list[Row]]]:
    """A delivery of a table: a new file, or another version of one that was delivered before."""
    return st.tuples(st.just(table), st.integers(1, 3), st.lists(rows, min_size=1, max_size=4))


deliveries = (
    files("rfq_log", asked()) | files("reference_prices", priced()) | files("tca_results", measured()) | files("trades", printed())
)
masters = files("securities", bond()) | files("dealers", dealer()) | files("dealer_aliases", alias())
# What comes between two builds, and how far as_of moves; it may move back.
steps = st.lists(
    st.tuples(st.lists(deliveries, max_size=3), st.lists(masters, max_size=1), st.integers(-2, 8)), min_size=2, max_size=5
)


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

    def build(self, as_of: datetime, *, full: bool = False, ends: bool = True, rows: int = 1_000_000) -> rebuild.Plan:
        """Build, in steps of about so many rows of landing; ``ends``: whether the build comes to its end."""
        landing = Landing(self.home)
        known = LANDED + timedelta(hours=self.landed)
        lay_views(self.home, landing, batches_to_use(landing, ["market"], known_at=known), new=[])
        plan = rebuild.prepare(FlowSettings(home=self.home.root, build_step_rows=rows), as_of=as_of, full=full)
        with duckdb.connect(str(self.home.warehouse), config=compiled.SETTINGS) as connection:
            compiled.run(connection, plan, as_of=as_of, targets=[*(name.split(".")[1] for name in TABLES), "int_unresolved_rows"])
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
def test_building_what_changed_gives_what_building_everything_at_once_gives(steps: list[tuple[list[Any], list[Any], int]]) -> None:
    """As many steps as can be, each time: none of them may hold less than it needs."""
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        as_of = FIRST + timedelta(days=12, hours=12)
        for delivered, told, days in steps:
            as_of += timedelta(days=days)
            desk.land(delivered + told)
            desk.build(as_of, rows=1)
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
    # Prices reach a day back, which is the longest horizon; no trade of the day before that waited for one any more.
    assert rfq_days(plan) == [day.date() for day in days[-2:]]
    assert rfq_days(desk.build(days[-1] + timedelta(hours=13))) == rfq_days(plan)[-1:]
    assert rfq_days(desk.build(days[-1] + timedelta(hours=13))) == []


def test_a_correction_builds_the_days_of_what_it_corrects(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    days = [FIRST + timedelta(days=shift, hours=10) for shift in range(12)]
    prints = [vendor.row("trades", trade_id=f"T{n}", executed_at=day.isoformat()) for n, day in enumerate(days)]
    for n, row in enumerate(prints):
        desk.land([("trades", n, [row])])
    as_of = days[-1] + timedelta(days=30)
    desk.build(as_of)

    def after(number: int, **cells: str) -> list[date]:
        desk.land([("trades", number, [vendor.row("trades", **cells)])])
        plan = desk.build(as_of)
        assert plan.days is not None
        assert plan.days.rebuilt == set()
        return sorted(plan.days.printed)

    late = {"status": "CORRECT", "executed_at": days[9].isoformat()}
    assert after(20, trade_id="C1", original_trade_id="T3", **late) == [days[3].date(), days[9].date()]
    assert after(21, trade_id="C2", original_trade_id="C1", **late) == [days[3].date(), days[9].date()]
    assert after(22, trade_id="T13", executed_at=days[6].isoformat()) == [days[6].date()]
    standing = {row[0] for row in desk.tables()["intermediate.int_trades"]}
    assert standing == {"C2", "T13", *(f"T{n}" for n in range(12) if n != 3)}


def test_days_of_a_build_that_did_not_end_are_due_in_the_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    as_of = FIRST + timedelta(days=20)
    desk.land([("rfq_log", 1, [vendor.row("rfq_log", rfq_id="R1")])])
    desk.build(as_of, ends=False)
    assert desk.build(as_of).whole
    later = (FIRST + timedelta(days=5)).isoformat()
    row = vendor.row("rfq_log", rfq_id="R2", asked_at=later, responded_at=later, executed_at=later)
    desk.land([("rfq_log", 2, [row])])
    assert rfq_days(desk.build(as_of, ends=False)) == [(FIRST + timedelta(days=5)).date()]
    assert rfq_days(desk.build(as_of)) == [(FIRST + timedelta(days=5)).date()]
    assert rfq_days(desk.build(as_of)) == []


def test_what_names_nobody_is_set_aside_until_somebody_knows_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    at, as_of = FIRST.isoformat(), FIRST + timedelta(days=20)

    def unknown() -> list[tuple[str, str, str, int]]:
        desk.build(as_of)
        with duckdb.connect(str(desk.home.warehouse)) as connection:
            return connection.execute(
                "select table_name, column_name, value, row_count from intermediate.int_unresolved_rows order by all"
            ).fetchall()

    lost = {"outcome": "LOST", "executed_at": "", "executed_price": "", "executed_quantity": ""}
    stray = {"security_id": "S3", "executed_at": at, "trade_id": ""}
    desk.land([
        ("trades", 1, [vendor.row("trades", **stray | {"trade_id": f"T{n}"}) for n in (1, 2)]),
        ("trades", 2, [vendor.row("trades", trade_id="T3", status="CANCEL", original_trade_id="T9", executed_at=at)]),
        ("reference_prices", 1, [vendor.row("reference_prices", security_id="S3", as_of=at)]),
        ("axes", 1, [vendor.row("axes", dealer_id="GHOST", security_id="S3", advertised_at=at, withdrawn_at="")]),
        ("tca_results", 1, [vendor.row("tca_results", execution_ref="R1", computed_at=at)]),
        ("tca_results", 2, [vendor.row("tca_results", execution_ref="R3", vendor=name, computed_at=at) for name in ("A", "B")]),
        ("tca_results", 3, [vendor.row("tca_results", execution_ref="R2", computed_at=at)]),
        ("rfq_log", 1, [vendor.row("rfq_log", rfq_id="R2", dealer_id="GHOST", asked_at=at, responded_at="", executed_at=at)]),
        ("rfq_log", 3, [vendor.row("rfq_log", rfq_id="R3", asked_at=at, responded_at="", **lost)]),
    ])  # fmt: skip
    assert unknown() == [
        ("axes", "dealer_id", "GHOST", 1),
        ("axes", "security_id", "S3", 1),
        ("reference_prices", "security_id", "S3", 1),
        ("rfq_log", "dealer_id", "GHOST", 1),
        ("tca_results", "execution_ref", "R1", 1),
        ("tca_results", "execution_ref", "R2", 1),
        ("tca_results", "execution_ref", "R3", 2),
        ("trades", "original_trade_id", "T9", 1),
        ("trades", "security_id", "S3", 2),
    ]
    assert quarantined(desk.home, []) == {"unresolved": 10}
    desk.land([
        ("securities", 1, [vendor.row("securities", security_id="S3", cusip="", isin="", figi="")]),
        ("dealers", 1, [vendor.row("dealers", dealer_id="GHOST", name="Ghost")]),
        ("trades", 3, [vendor.row("trades", trade_id="T9", executed_at=at)]),
        ("rfq_log", 2, [vendor.row("rfq_log", rfq_id="R1", asked_at=at, responded_at="", executed_at=at)]),
        ("rfq_log", 4, [vendor.row("rfq_log", rfq_id="R3", asked_at=at, responded_at="", executed_at=at)]),
    ])  # fmt: skip
    assert unknown() == []


def test_an_earlier_as_of_builds_everything(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    as_of = FIRST + timedelta(days=20)
    desk.land([("rfq_log", 1, [vendor.row("rfq_log", rfq_id="R1")])])
    desk.build(as_of)
    assert desk.build(as_of - timedelta(microseconds=1)).whole
    assert not desk.build(as_of).whole


def test_a_change_of_masters_builds_the_days_that_name_what_changed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    as_of = FIRST + timedelta(days=30)
    days = [FIRST + timedelta(days=shift, hours=10) for shift in range(12)]
    rows = [
        vendor.row("rfq_log", rfq_id=f"R{n}", security_id="S2" if n == 3 else "S1", dealer_id="BETA" if n == 5 else "ALPHA",
                   asked_at=day.isoformat(), responded_at="", executed_at=day.isoformat())
        for n, day in enumerate(days)
    ]  # fmt: skip
    desk.land([("rfq_log", 1, rows)])
    desk.build(as_of)

    def after(table: str, **cells: str) -> list[date]:
        desk.land([(table, 100 + desk.landed, [vendor.row(table, **cells)])])
        return rfq_days(desk.build(as_of))

    no_names = {"cusip": "", "isin": "", "figi": ""}
    assert after("securities", security_id="S2", sector="Energy", **no_names) == [days[3].date()]
    assert after("securities", security_id="S2", sector="Energy", amount_outstanding="7", **no_names) == []
    assert after("securities", security_id="S9", **no_names) == []
    assert after("dealers", dealer_id="BETA", name="Beta & Sons") == [days[5].date()]
    assert after("dealers", dealer_id="BETA", name="Beta & Sons", credit_limit="9") == []
    assert after("dealer_aliases", alias="Bee", dealer_id="BETA") == [days[5].date()]


def test_a_downgrade_builds_the_days_of_the_bond_and_moves_its_requests(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    as_of = FIRST + timedelta(days=30)
    days = [FIRST + timedelta(days=shift, hours=10) for shift in range(12)]
    cells = [{"asked_at": day.isoformat(), "responded_at": "", "executed_at": day.isoformat()} for day in days]
    rows = [vendor.row("rfq_log", rfq_id=f"R{n}", security_id="S2" if n == 3 else "S1", **cells[n]) for n in range(12)]
    bond = {"cusip": "", "isin": "", "figi": "", "security_id": "S2", "asset_class": "CORP"} | {
        "rating_moodys": "",
        "rating_fitch": "",
    }

    def rated(number: int, rating: str) -> list[tuple[str, date]]:
        desk.land([("securities", number, [vendor.row("securities", **bond, rating_sp=rating)])])
        plan = desk.build(as_of)
        assert plan.whole or rfq_days(plan) == [days[3].date()]
        with duckdb.connect(str(desk.home.warehouse)) as connection:
            return connection.execute(
                "select distinct scorecard_class, asked_on from marts.fct_rfq_responses where security_id = 'S2'"
            ).fetchall()

    desk.land([("rfq_log", 1, rows)])
    assert rated(1, "BBB-") == [("CORP_IG", days[3].date())]
    assert rated(2, "BB+") == [("CORP_HY", days[3].date())]


def test_axes_are_read_as_far_back_as_anyone_looks() -> None:
    variables = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    assert variables["axes_days"] >= fit_days.LOOK_BACK_DAYS + variables["axe_max_age_days"]
    assert variables["axes_days"] >= variables["axe_record_days"] + variables["axe_true_within_days"]


def test_no_step_begins_inside_an_rfq() -> None:
    days = [FIRST.date() + timedelta(days=shift) for shift in range(8)]
    weights = dict.fromkeys(days, 10.0)
    assert cuts(weights, [], 20) == [days[2], days[4], days[6]]
    assert cuts(weights, [(days[1], days[2]), (days[4], days[7])], 20) == [days[3]]
    assert cuts(weights, [(days[2], days[2])], 10) == days[1:]
    assert cuts({}, [], 1) == []
