"""The gate: every check of every suite stops the harm it names, and lets good data pass."""

import sys
import types
from pathlib import Path

import duckdb
import pytest

from expectations.gate import LANDING_SUITES, SCORECARD_SUITES, GateError, load_suites, run_gate
from expectations.suites.checks import NoRows, RowCount, Suite
from tests.fakes import warehouse

ALL_SUITES = (*LANDING_SUITES, *SCORECARD_SUITES)
Place = tuple[str, str]

ALIAS = "insert into landing.dealer_aliases values ('Alpha', 'ALPHA', null, '2025-01-31'), "
LEAPS = """
insert into landing.reference_prices by name
select 'S9' as security_id, timestamp '2025-06-01' + to_hours(n) as as_of,
    case n % 2 when 0 then 100 else 1 end as mid, 'EVAL' as source
from range(20) as r (n)
"""
UNKNOWN = "insert into intermediate.int_unresolved_responses select 'f', n, {1}, '{2}' from range({0}) as r (n)"
FAR_QUOTES = "insert into marts.fct_rfq_responses select 3000, {1}, '{2}' from range({0})"
LONG_HISTORY = """
insert into marts.fct_rfq_responses select 5, date '2024-05-30', 'rfq_log-0' from range(10000);
insert into intermediate.int_resolved_responses by name
select timestamp '2024-05-30 10:00' as asked_at, 'rfq_log-0' as landed_batch from range(10000);
insert into landing.receipts by name select 'reference_prices' as table_name, 'reference_prices-0' as batch, false as is_new;
create table landing.old_prices as select *, 'market' as _source, 'reference_prices-0' as _batch
from landing.reference_prices limit 0;
insert into landing.old_prices by name
select 'S1' as security_id, timestamp '2024-05-30' + to_seconds(n) as as_of, 100 as mid, 'reference_prices-0' as _batch
from range(10000) as r (n);
create or replace view landing.new_reference_prices as
select *, 'market' as _source, 'reference_prices-1' as _batch from landing.reference_prices
union all select * from landing.old_prices
"""
# So many prints of another source bear the first one's numbers: of other bonds at other prices, or the same by another name.
ALIKE = """
create or replace view landing.new_trades as
select *, 'market' as _source from landing.trades
union all select * replace ({0}), 'tape' as _source from (from landing.trades limit {1})
"""
SILENCE = """
insert into landing.rfq_log by name select 'R' || n as rfq_id from range(100) as r (n);
update landing.rfq_log set response = 'DECLINED'
"""
# Each alone breaks a check of the reconciliation; together in one row of too few RFQs, or within chance, they break none.
AGREEMENT = "update marts.fct_tca_vendor_agreement set "
FEW_AGAINST_US = """
insert into marts.fct_tca_vendor_agreement values
('market_impact', null, 'ALPHA', 'FEW', 29, -0.9, 20.0, 19.0, 21.0),
('market_impact', null, 'ALPHA', 'ONE', 1, null, 20.0, null, null),
('market_impact', null, 'ALPHA', 'LOOSE', 200, 0.5, 20.0, -1.0, 41.0),
('market_impact', null, 'ALPHA', 'SURE', 200, 0.5, 1.0, 0.9, 1.1)
"""

PREVIOUS = "insert into audit.previous_scorecards values (null, "
LAST_WEEK = "where asked_on > date '2025-05-26'"
LAST_FRIDAY = "timestamp '2025-05-30 15:00'"
STANDING = """
insert into audit.previous_scorecards
select timestamp '2025-05-31', 'D' || n, 'CORP_IG', window_days, 50, n
from range(1, 11) as r (n), (values (30), (90)) as w (window_days);
insert into marts.dim_dealers by name select 'D' || n as dealer_id from range(1, 11) as r (n);
insert into marts.fct_dealer_scorecards by name
select
    'D' || n as dealer_id, 'CORP_IG' as scorecard_class, window_days, 0 as half_life_days, 50 as rfqs_asked,
    11 - n as composite_rank
from range(1, 11) as r (n), (values (30), (90)) as w (window_days)
"""


KEPT = {table: relation for relation, (table, _) in warehouse.HAPPENED.items()}


def usual(table: str, column: str) -> tuple[str, set[Place]]:
    """Let the last Friday have four rows of its ten."""
    keep = f"select rowid from {KEPT[table]} where {column} = {LAST_FRIDAY} limit 4"
    return (
        f"delete from {KEPT[table]} where {column} = {LAST_FRIDAY} and rowid not in ({keep})",
        {("history", f"{table}_volume_is_usual")},
    )


def sizes(table: str, column: str, *, in_thousands: int) -> str:
    """Ask for, or print, a million a hundred times on each weekday; on the last Friday so many of them are in thousands."""
    relation = KEPT[table]
    size = f"case when {column} = {LAST_FRIDAY} and n < {in_thousands} then 1000 else 1000000 end"
    also = "'rfq_log-1' as landed_batch" if table == "rfq_log" else f"cast({column} as date) as printed_on"
    return (
        f"insert into {relation} by name select {column}, {size} as quantity, {also} "
        f"from (select distinct {column} from {relation}), range(100) as r (n)"
    )


def holiday(table: str, column: str) -> tuple[str, set[Place]]:
    """Let the last Friday have one row of its ten."""
    keep = f"select rowid from {KEPT[table]} where {column} = {LAST_FRIDAY} limit 1"
    return f"delete from {KEPT[table]} where {column} = {LAST_FRIDAY} and rowid not in ({keep})", set()


def swollen(table: str, column: str) -> tuple[str, set[Place]]:
    """Let it have two hundred more."""
    return (
        f"insert into {KEPT[table]} by name select {LAST_FRIDAY} as {column} from range(200)",
        {("history", f"{table}_volume_is_usual"), ("history", f"{table}_volume_is_possible")},
    )


def old(table: str, column: str) -> tuple[str, set[Place]]:
    """Let nothing have come for ten days."""
    return f"delete from {KEPT[table]} where {column} > timestamp '2025-05-21 16:00'", {("history", f"{table}_is_fresh")}


def shifted(change: str, figure: str, *, possible: bool) -> tuple[str, set[Place]]:
    places = {("drift", f"{figure}_is_usual")} | (set() if possible else {("drift", f"{figure}_is_possible")})
    return f"update intermediate.int_dealer_day_stats set {change} {LAST_WEEK}", places


HISTORIES = (("rfq_log", "asked_at"), ("trades", "executed_at"), ("reference_prices", "priced_at"))

# What breaks checks, and which; the breaks of one round do not touch one another.
ROUNDS: dict[str, list[tuple[str, set[Place]]]] = {
    "bad rows": [
        *(
            (f"update landing.receipts set rejected = 53 where table_name = '{name}'", {(name, "rejected_share")})
            for name in LANDING_SUITES
        ),
        ("update marts.fct_dealer_scorecards set price_improvement = -501", {("scorecards", "figures_in_bounds")}),
        ("update marts.fct_rfq_responses set quote_improvement_gain_bps = -2001", {("scorecards", "quotes_near_the_mid")}),
    ],
    "repeated keys": [
        *(
            (f"update landing.receipts set repeated = 201 where table_name = '{name}'", {(name, "repeated_share")})
            for name in LANDING_SUITES
        ),
        (
            UNKNOWN.format(50, "date '2025-05-30'", "rfq_log-0"),
            {("scorecards", "rows_resolved")},
        ),
        (
            AGREEMENT + "pearson_correlation = -0.31, n = 100 where compared_with = 'OWN'",
            {("reconciliation", "vendors_have_our_sign"), ("reconciliation", "vendors_move_with_us")},
        ),
    ],
    "nothing there": [
        ("delete from landing.dealers", {("dealers", "any_dealer"), ("dealers", "any_active")}),
        ("delete from landing.securities", {("securities", "any_security")}),
        ("update landing.receipts set rows = 0, repeated = 0 where table_name = 'rfq_log'", {("rfq_log", "any_rfq")}),
        ("delete from marts.fct_dealer_scorecards", {("scorecards", "any_scorecard")}),
        (AGREEMENT + "pearson_correlation = -0.9, n = 99", {("reconciliation", "vendors_move_with_us")}),
    ],
    "odd content": [
        ("update landing.dealers set status = 'SUSPENDED'", {("dealers", "any_active")}),
        (SILENCE, {("rfq_log", "somebody_answers")}),
        (ALIAS + "('Alpha', 'BETA', '2025-01-31', null)", {("dealer_aliases", "one_dealer_a_day")}),
        (
            ALIAS + "('Alpha', 'ALPHA', '2024-01-01', '2024-02-01'), ('Alpha', 'BETA', '2024-06-01', '2024-07-01')",
            {("dealer_aliases", "one_dealer_a_day")},
        ),
        (LEAPS, {("reference_prices", "no_jump")}),
        (ALIKE.format("'T1' as security_id, price + 1 as price", 5), {("trades", "one_numbering")}),
        (AGREEMENT + "mean_difference_bps = -1.1, mean_difference_high_bps = -0.1", {("reconciliation", "vendors_have_our_level")}),
        ("update marts.fct_dealer_scorecards set response_speed = -1", {("scorecards", "figures_in_bounds")}),
    ],
    "a thin Friday": [
        *(usual(*history) for history in HISTORIES),
        shifted("rfqs_quoted = 6", "response_rate", possible=True),
        shifted("quote_improvement_sum = 7 * -7.5", "quote_improvement_bps", possible=True),
        shifted("seconds_sum = 7 * 27", "response_seconds", possible=True),
        (STANDING, {("scorecards", "ranks_hold")}),
    ],
    "a swollen Friday": [
        *(swollen(*history) for history in HISTORIES),
        shifted("rfqs_quoted = 0", "response_rate", possible=False),
        shifted("quote_improvement_sum = 7 * -400", "quote_improvement_bps", possible=False),
        shifted("seconds_sum = 7 * 1", "response_seconds", possible=False),
        (PREVIOUS + "'gone', 'CORP_IG', 90, 20, 1)", {("scorecards", "no_dealer_vanishes")}),
        (PREVIOUS + "'text 1', 'CORP_IG', 30, 20, 1)", {("scorecards", "nobody_falls_silent")}),
    ],
    "nothing new": [
        *(old(*history) for history in HISTORIES),
    ],
    "a holiday on which one row came from elsewhere": [
        ("insert into intermediate.int_market_holidays values (date '2025-05-30')", set()),
        *(holiday(*history) for history in HISTORIES),
    ],
    # Shares are taken of what is new or recent: history does not dilute them.
    "bad days at the end of a long history": [
        (LONG_HISTORY, set()),
        (UNKNOWN.format(50, "date '2025-05-30'", "rfq_log-0"), {("scorecards", "rows_resolved")}),
        (FAR_QUOTES.format(6, "date '2025-05-30'", "rfq_log-0"), {("scorecards", "quotes_near_the_mid")}),
        (LEAPS, {("reference_prices", "no_jump")}),
    ],
    "bad rows of long ago in a new delivery": [
        (LONG_HISTORY, set()),
        (UNKNOWN.format(50, "date '2024-05-30'", "rfq_log-1"), {("scorecards", "rows_resolved")}),
        (FAR_QUOTES.format(6, "date '2024-05-30'", "rfq_log-1"), {("scorecards", "quotes_near_the_mid")}),
    ],
    "a day in thousands": [
        (
            sizes("rfq_log", "asked_at", in_thousands=100),
            {("drift", "rfq_log_sizes_are_usual"), ("drift", "rfq_log_sizes_are_possible")},
        ),
        (
            sizes("trades", "executed_at", in_thousands=100),
            {("drift", "trades_sizes_are_usual"), ("drift", "trades_sizes_are_possible")},
        ),
    ],
    "a venue in thousands": [
        (sizes("rfq_log", "asked_at", in_thousands=10), {("drift", "rfq_log_sizes_are_usual")}),
        (sizes("trades", "executed_at", in_thousands=10), {("drift", "trades_sizes_are_usual")}),
    ],
    "sizes as they were": [
        (sizes("rfq_log", "asked_at", in_thousands=2), set()),
        (sizes("trades", "executed_at", in_thousands=0), set()),
    ],
    "leaks out of bounds": [
        ("update marts.fct_dealer_scorecards set information_leakage = 501", {("scorecards", "figures_in_bounds")}),
    ],
    "the desk's own rows": [
        (
            f"update landing.receipts set source = 'journal', rejected = 53, repeated = 0 where table_name = '{name}'",
            {(name, "own_rejected_share")},
        )
        for name in ("rfq_log", "overrides")
    ],
    # What looks odd and must pass.
    "an everyday mess": [
        ("update landing.receipts set rejected = 4, rows = 1, repeated = 0 where table_name = 'axes'", set()),
        ("update landing.receipts set rejected = 500, is_new = false where table_name = 'trades'", set()),
        ("update landing.receipts set rows = 10, rejected = 0, repeated = 4 where table_name = 'rfq_log'", set()),
        ("update landing.dealers set status = 'SUSPENDED' where dealer_id <> 'dealer_id-1'", set()),
        (ALIAS + "('Alpha', 'BETA', '2025-02-01', null)", set()),
        (UNKNOWN.format(4, "date '2025-05-30'", "rfq_log-1"), set()),
        (ALIKE.format("'T1' as security_id", 10), set()),
        # What was published long ago is not judged again.
        (UNKNOWN.format(50, "date '2024-05-30'", "rfq_log-0"), set()),
        (FEW_AGAINST_US, set()),
        (PREVIOUS + "'renamed', 'CORP_IG', 90, 50, 1), (null, 'seldom', 'CORP_IG', 30, 19, 1)", set()),
        ("insert into intermediate.int_dealer_names values ('renamed')", set()),
        ("update marts.fct_rfq_responses set quote_improvement_gain_bps = null", set()),
        ("update marts.fct_dealer_scorecards set information_leakage = null, response_speed = null", set()),
        ("delete from landing.trades; delete from landing.axes; delete from landing.tca_results", set()),
    ],
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse.build(tmp_path_factory.mktemp("gate") / "good.duckdb")


def damaged(good: Path, path: Path, statements: list[str]) -> Path:
    path.write_bytes(good.read_bytes())
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def test_good_data_passes_every_check_and_each_names_its_harm(good: Path) -> None:
    results = run_gate(good, ALL_SUITES)
    assert {(result.suite, result.check) for result in results if not result.passed} == set()
    assert [(result.suite, result.check) for result in results] == [
        (suite.name, check.name) for suite in load_suites(ALL_SUITES) for check in suite.checks
    ]
    assert all(result.harm.endswith((".", "?")) for result in results)


@pytest.mark.parametrize("name", ROUNDS)
def test_data_made_to_break_checks_breaks_those_and_no_other(good: Path, tmp_path: Path, name: str) -> None:
    path = damaged(good, tmp_path / "damaged.duckdb", [statement for statement, _ in ROUNDS[name]])
    failed = [result for result in run_gate(path, ALL_SUITES) if not result.passed]
    assert {(result.suite, result.check) for result in failed} == set().union(*(broken for _, broken in ROUNDS[name]))
    assert all(result.observed for result in failed)


def test_every_check_of_every_suite_has_data_that_breaks_it() -> None:
    broken = {place for breaks in ROUNDS.values() for _, places in breaks for place in places}
    assert broken == {(suite.name, check.name) for suite in load_suites(ALL_SUITES) for check in suite.checks}


def test_a_failed_check_shows_some_of_the_rows_that_do_the_harm(good: Path, tmp_path: Path) -> None:
    path = damaged(good, tmp_path / "damaged.duckdb", ["update landing.receipts set rejected = 60 where table_name = 'axes'"])
    (failed,) = [result for result in run_gate(path, ["axes"]) if not result.passed]
    assert "axes.csv" in failed.observed
    assert "60" in failed.observed


def test_the_file_is_free_for_writing_after_the_gate(good: Path, tmp_path: Path) -> None:
    path = damaged(good, tmp_path / "copy.duckdb", [])
    run_gate(path, ["axes"])
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table landing.written (n integer)")


def test_a_missing_suite_shuts_the_gate(good: Path) -> None:
    with pytest.raises(GateError, match=r"suite 'prints' is missing: expectations/suites/prints\.py must define SUITE"):
        run_gate(good, ["trades", "prints"])


def test_a_module_without_a_suite_shuts_the_gate(good: Path) -> None:
    with pytest.raises(GateError, match="suite 'checks' is missing"):
        run_gate(good, ["checks"])


def shipped(monkeypatch: pytest.MonkeyPatch, suite: Suite) -> None:
    module = types.ModuleType(f"expectations.suites.{suite.name}")
    module.SUITE = suite  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_an_empty_suite_shuts_the_gate(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped(monkeypatch, Suite("hollow", "select * from landing.trades", ()))
    with pytest.raises(GateError, match="suite 'hollow' has no checks"):
        run_gate(good, ["hollow"])


@pytest.mark.parametrize(
    "check",
    [NoRows("broken", "select no_such_column from {batch}", "None."), RowCount("broken", 1, "None.")],
    ids=["a query that is wrong", "a table that is not there"],
)
def test_a_check_that_cannot_be_evaluated_shuts_the_gate(
    good: Path, monkeypatch: pytest.MonkeyPatch, check: NoRows | RowCount
) -> None:
    data = "select * from landing.trades" if isinstance(check, NoRows) else "select * from landing.nowhere"
    shipped(monkeypatch, Suite("broken", data, (check,)))
    with pytest.raises(GateError, match="broken"):
        run_gate(good, ["broken"])
