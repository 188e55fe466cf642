"""The back-test on a small market: the refresh's own tables, no look into the future, resumable, a page that stands alone."""

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import msgspec
import pytest
from click.testing import Result
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

from expectations.contracts.home import Home
from expectations.contracts.snapshot import SNAPSHOT_TABLES
from flows.backtest import plan, walk
from flows.backtest.look_ahead import refuse_look_ahead
from flows.backtest.page import page_of
from flows.backtest.past import Past
from flows.backtest.report import Report, report_of
from flows.backtest.scoring import HISTORY, Period
from flows.landing import Landing
from flows.orchestration import run_backtest
from flows.publish import _facts
from flows.refused import Refused
from flows.settings import FlowSettings
from sotto import app
from tests.conftest import AS_OF, GoodDay

FIRST, LAST = date(2025, 6, 23), date(2025, 6, 28)


@pytest.fixture(scope="module")
def settings(good_day: GoodDay, tmp_path_factory: pytest.TempPathFactory) -> FlowSettings:
    return FlowSettings(home=good_day.copied(tmp_path_factory.mktemp("backtest") / "home"))


@pytest.fixture(scope="module")
def past(settings: FlowSettings) -> Past:
    return Past(settings, Home(settings.home / "scratch"), plan.receipts_of(settings, None))


@pytest.fixture(scope="module")
def asked(settings: FlowSettings) -> plan.Asked:
    return plan.ask(settings, first=FIRST, last=LAST, every_days=3)


@pytest.fixture(scope="module")
def periods(settings: FlowSettings, asked: plan.Asked) -> list[Period]:
    return walk.walk(settings, asked)


@pytest.fixture(scope="module")
def report(asked: plan.Asked, periods: list[Period]) -> Report:
    return report_of(asked.span, asked.challengers, periods)


def test_a_warehouse_of_the_past_holds_what_a_refresh_of_that_instant_published(past: Past, good_day: GoodDay) -> None:
    with past.at(AS_OF) as connection:
        found = {table: _facts(connection, f"marts.{table}", columns) for table, columns in SNAPSHOT_TABLES.items()}
    assert found == good_day.manifest.tables


def test_the_projects_own_models_do_not_look_ahead(past: Past) -> None:
    with past.connected() as connection:
        refuse_look_ahead(connection, past.models, datetime(2025, 6, 26, 15, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("model", "honest", "leaky", "table"),
    [
        # Responses of the days to come count already.
        ("stg_rfq_log", "completed_at <= timestamp", "completed_at - interval 5 day <= timestamp", "fct_dealer_scorecards"),
        # One feature knows tomorrow's prices.
        ("stg_reference_prices", "as_of <= timestamp", "as_of - interval 1 day <= timestamp", "fct_security_liquidity"),
    ],
)
def test_a_planted_look_into_the_future_is_caught(past: Past, model: str, honest: str, leaky: str, table: str) -> None:
    planted = [
        msgspec.structs.replace(item, sql=item.sql.replace(honest, leaky)) if item.name == model else item for item in past.models
    ]
    assert planted != past.models
    with past.connected() as connection, pytest.raises(Refused) as caught:
        refuse_look_ahead(connection, planted, datetime(2025, 6, 26, 15, 30, tzinfo=UTC))
    assert any(reason.startswith(f"look-ahead: {table} as of 2025-06-26 15:30Z changes") for reason in caught.value.reasons)


@pytest.fixture(scope="module")
def cut_settings(good_day: GoodDay, settings: FlowSettings, tmp_path_factory: pytest.TempPathFactory) -> FlowSettings:
    """Give a home whose landing has nothing of the time after the last day."""
    home = Home(good_day.copied(tmp_path_factory.mktemp("cut") / "home"))
    shutil.copytree(settings.state.root / "backtests", home.root / "backtests", dirs_exist_ok=True)
    after = {"rfq_log": "asked_at", "trades": "executed_at", "reference_prices": "as_of", "axes": "advertised_at"}
    after["tca_results"] = "computed_at"
    landing, removed = Landing(home), 0
    for receipt in landing.receipts():
        if receipt.table in after:
            file = landing.data(receipt)
            rows = duckdb.sql(f"select * from '{file}' where {after[receipt.table]} >= timestamp '2025-06-29'")
            removed += len(rows)
            kept = duckdb.sql(f"select * from '{file}' where {after[receipt.table]} < timestamp '2025-06-29'")
            kept.write_parquet(f"{file}.cut")
            Path(f"{file}.cut").replace(file)
    assert removed > 0
    return FlowSettings(home=home.root)


def test_deleting_everything_after_the_last_day_changes_no_result(
    cut_settings: FlowSettings, asked: plan.Asked, periods: list[Period]
) -> None:
    folder = Home(cut_settings.home / "backtests" / "again")
    again = walk.walk(cut_settings, msgspec.structs.replace(asked, folder=folder))
    assert msgspec.json.encode(again) == msgspec.json.encode(periods)


def test_a_killed_walk_goes_on_where_it_was(settings: FlowSettings, asked: plan.Asked, periods: list[Period]) -> None:
    kept, lost = sorted((asked.folder.root / "periods").glob("*.json"))
    before, written = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    assert walk.walk(settings, asked) == periods
    assert (lost.read_bytes(), kept.stat().st_mtime_ns) == (before, written)


def test_a_finished_walk_builds_nothing(
    settings: FlowSettings, asked: plan.Asked, periods: list[Period], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "Past", None)
    assert walk.walk(settings, asked) == periods


def test_everything_that_is_published_stays_as_it_was(settings: FlowSettings, good_day: GoodDay, periods: list[Period]) -> None:
    assert periods
    for path in (settings.state.current, settings.state.warehouse):
        assert path.read_bytes() == (good_day.home / path.relative_to(settings.state.root)).read_bytes()


def test_every_rfq_is_scored_by_a_market_of_before_it(periods: list[Period]) -> None:
    for period in periods:
        days = {item.rfq.day.isoformat() for item in period.rfqs}
        assert days
        assert period.since <= min(days)
        assert max(days) < period.until
    names = {"seed_v0", "scorecard", "expected_utility", HISTORY}
    assert {frozenset(item.views) for period in periods for item in period.rfqs} == {frozenset(names)}


def test_the_report_compares_every_challenger_with_every_other(report: Report) -> None:
    assert [item.name for item in report.uplift] == ["seed_v0", "scorecard", "expected_utility", HISTORY]
    assert len(report.versus) == 6
    assert report.counted.compared > 20
    assert {item.refused is None for item in report.off_policy} == {False}
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_the_page_needs_nothing_from_elsewhere(report: Report) -> None:
    page = page_of(report)
    assert page.count("<svg") >= 5
    assert "<script" not in page
    assert "@import" not in page
    links = set(re.findall(r"""(?:href|src|url)\s*[=(]\s*["']?([^"')\s>]+)""", page))
    assert {link for link in links if not link.startswith("#")} == set()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"first": date(2025, 6, 29)}, "--from 2025-06-29 is after --to 2025-06-28; give the earlier day first"),
        ({"last": date(2999, 1, 1)}, "--to 2999-01-01 is not over yet"),
        ({"models": ["sead_v0"]}, "--model: unknown model 'sead_v0' (did you mean 'seed_v0'?)"),
        ({"rules": ["no-such-book.yml"]}, "--rules no-such-book.yml: cannot be read: No such file or directory"),
        ({"sources": "no-such-folder"}, "no-such-folder"),
        ({"every_days": 0}, "--every 0: a re-fit takes at least one day"),
    ],
)
def test_mistakes_are_told_in_a_line(settings: FlowSettings, changed: dict[str, object], told: str) -> None:
    with pytest.raises(Refused) as caught:
        plan.ask(settings, **{"first": FIRST, "last": LAST, **changed})  # type: ignore[arg-type]
    assert any(told in reason for reason in caught.value.reasons)
    assert all("\n" not in reason for reason in caught.value.reasons)


def test_a_rule_book_with_faults_is_refused_with_their_places(settings: FlowSettings, tmp_path: Path) -> None:
    book = tmp_path / "bad.yml"
    book.write_text(Path("config/rules.yml").read_text(encoding="utf-8").replace("seed_v0", "seed_v9"), encoding="utf-8")
    with pytest.raises(Refused) as caught:
        plan.ask(settings, first=FIRST, last=LAST, rules=[str(book)])
    assert all(re.match(rf"{re.escape(str(book))}:\d+:\d+: unknown model 'seed_v9'", reason) for reason in caught.value.reasons)


@pytest.mark.parametrize(("first", "told"), [(date(2020, 1, 6), "no RFQ is on record before it"), (date(2025, 7, 5), "ends on")])
def test_a_span_without_history_is_refused(settings: FlowSettings, first: date, told: str) -> None:
    asked = plan.ask(settings, first=first, last=first)
    with pytest.raises(Refused, match=told):
        walk.walk(settings, asked)


@pytest.fixture
def home_of(settings: FlowSettings, monkeypatch: pytest.MonkeyPatch) -> FlowSettings:
    monkeypatch.setenv("SOTTO_HOME", str(settings.home))
    return settings


def test_the_flow_leaves_page_figures_and_artifacts(
    home_of: FlowSettings, prefect_api: str, periods: list[Period], tmp_path: Path
) -> None:
    done = run_backtest(
        first=FIRST, last=LAST, every_days=3, rules=["config/rules.yml"], models=["seed_v0"], out=str(tmp_path / "out")
    )
    assert prefect_api
    assert periods
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"backtest.html", "backtest.json"}
    assert [item.name for item in done.report.uplift] == ["seed_v0", "rules", HISTORY]
    with get_client(sync_client=True) as client:
        keys = {artifact.key for artifact in client.read_artifacts()}
    assert {"backtest", "backtest-page"} <= keys


def _command(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["backtest", *arguments])


def test_the_command_prints_its_tables_and_says_where_the_page_is(
    home_of: FlowSettings, prefect_api: str, periods: list[Period], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    span = ("--from", FIRST.isoformat(), "--to", LAST.isoformat(), "--every", "3")
    shown = _command(*span, "--out", str(out))
    assert (shown.exit_code, bool(prefect_api)) == (0, True), shown.output
    counted = sum(len(period.rfqs) for period in periods)
    assert f"of {counted:,} RFQs compared" in shown.stdout
    assert all(title in shown.stdout for title in ("the pick", "held against each other", "foretold", "expected_utility"))
    assert shown.stdout.rstrip().endswith(f"page and figures: {out}")
    printed = _command(*span, "--out", str(out), "--json")
    assert msgspec.json.decode(printed.stdout, type=Report) == msgspec.json.decode(
        (out / "backtest.json").read_bytes(), type=Report
    )
    assert home_of.state.current.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2025-06-29", "--to", "2025-06-28"), "--from 2025-06-29 is after --to 2025-06-28; give the earlier day first"),
        (("--from", "2025-06-23", "--to", "2025-06-28", "--model", "sead_v0"), "unknown model 'sead_v0' (did you mean 'seed_v0'?)"),
        (("--from", "last week", "--to", "2025-06-28"), "--from"),
    ],
    ids=["days the wrong way round", "unknown model", "no date"],
)
def test_the_command_tells_a_mistake_in_a_line_and_exits_with_an_error(
    home_of: FlowSettings, prefect_api: str, arguments: tuple[str, ...], told: str
) -> None:
    shown = _command(*arguments)
    lines = [line for line in shown.output.splitlines() if told in line]
    assert shown.exit_code not in {0, None}
    assert (len(lines), bool(prefect_api), home_of.state.current.exists()) == (1, True, True), shown.output
    assert "Traceback" not in shown.output
