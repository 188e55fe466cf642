"""The kind ``sql``: the firm's warehouse, here a SQLite file through the same SQLAlchemy."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine

from expectations.contracts.home import Home
from flows.deliveries import land_new
from flows.landing import Landing
from flows.sources.config import SourceConfig, load
from flows.sources.pulled import SourceError
from flows.sources.registry import pull
from flows.sources.sql import as_text
from tests.unit.flows.conftest import NOW, read

TABLES = """
create table security_master (cusip text, isin text, product_type text, issuer_code text, currency text, coupon_pct numeric,
    issued_on text, matures_on text, outstanding_k numeric);
create table issuers (issuer_code text, issuer_name text, sector text);
create table credit_ratings (cusip text, sp text, moodys text, fitch text);
insert into issuers values ('I1', 'Issuer One', 'TECH');
insert into credit_ratings values ('037833100', 'BBB', 'Baa2', null);
insert into security_master values
    ('037833100', 'US0378331005', 'CORPORATE', 'I1', 'USD', 4.5, '2020-01-15', '2032-01-15', 500000),
    ('459200101', 'US4592001014', 'TREASURY', 'I2', 'USD', 4, '2021-01-15', '2031-01-15', 1000);
"""


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "firm.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
    monkeypatch.setenv("SOTTO_TEST_WAREHOUSE", f"sqlite:///{path}")
    return path


def source(root: Path, mapping: str = "warehouse") -> SourceConfig:
    """Read it from a list, as a desk would write it: the mapping is one that is shipped, or stands beside the list."""
    (root / "sources.yml").write_text(f"sources: [{{name: firm, kind: sql, path: $SOTTO_TEST_WAREHOUSE, mapping: {mapping}}}]")
    (found,) = load(root / "sources.yml", home=root / "home")
    return found


def test_the_security_master_comes_with_its_ratings_in_the_contract_s_units(tmp_path: Path, warehouse: Path) -> None:
    landing = Landing(Home(tmp_path / "home"))
    landed = land_new(landing, pull(source(tmp_path)), now=NOW, not_after=NOW)
    assert landed.problems == []
    (receipt,) = landed.receipts
    names = (
        "security_id",
        "asset_class",
        "issuer_name",
        "rating_sp",
        "rating_fitch",
        "coupon",
        "maturity_date",
        "amount_outstanding",
    )
    assert [tuple(row[name] for name in names) for row in read(landing.data(receipt))] == [
        ("037833100", "CORP", "Issuer One", "BBB", None, 4.5, date(2032, 1, 15), 500e6),
        ("459200101", "GOVT", None, None, None, 4.0, date(2031, 1, 15), 1e6),
    ]


def test_the_same_rows_land_once_and_a_changed_rating_is_a_new_version(tmp_path: Path, warehouse: Path) -> None:
    config = source(tmp_path)
    (first,) = pull(config)
    assert pull(config) == [first]
    with closing(sqlite3.connect(warehouse)) as connection:
        connection.execute("update credit_ratings set sp = 'BB+'")
        connection.commit()
    (second,) = pull(config)
    assert (second.file, second.content_hash == first.content_hash) == (first.file, False)


PRINTS = """
vendor: PRINTS
tables:
  trades:
    query: select * from prints where at >= :since and at < :until
    window: {since: since, until: until, start: 2025-05-26, days: 7, overlap_days: 3}
    security_id_type: CUSIP
    time_zone: UTC
    columns:
      trade_id: id
      security_id: cusip
      executed_at: at
      price: {from: price, unit: per_100}
      quantity: {from: size, unit: units}
      status: {constant: NEW}
"""


@time_machine.travel(datetime(2025, 6, 10, 12, tzinfo=UTC), tick=False)
def test_windows_that_can_still_change_are_asked_for_again_and_the_others_never(tmp_path: Path, warehouse: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "prints.yml").write_text(PRINTS)
    config = source(tmp_path, mapping="prints")
    with closing(sqlite3.connect(warehouse)) as connection:
        connection.execute("create table prints (id text, cusip text, at text, price numeric, size numeric)")
        rows = [("OLD", "2025-05-28 10:00:00"), ("EDGE", "2025-06-02 00:00:00.000000"), ("NEW", "2025-06-09 10:00:00")]
        connection.executemany("insert into prints values (?, '037833100', ?, 99.5, 1000)", rows)
        connection.commit()
        before = list(pull(config))
        landed = land_new(Landing(Home(tmp_path / "home")), before, now=NOW, not_after=NOW)
        connection.execute("update prints set price = 98")
        connection.commit()
        after = list(pull(config))
    assert (landed.problems, [receipt.rows for receipt in landed.receipts]) == ([], [1, 1, 1])
    assert [one.file.partition("?since=")[2][:10] for one in before] == ["2025-05-26", "2025-06-02", "2025-06-09"]
    # The first window's end is more than three days ago: nobody asks for it again.
    assert [new.content_hash == old.content_hash for old, new in zip(before, after, strict=True)] == [True, False, False]


@time_machine.travel(datetime(2025, 6, 10, 12, tzinfo=UTC), tick=False)
def test_a_window_that_is_in_the_plan_no_more_lands_empty(tmp_path: Path, warehouse: Path) -> None:
    (tmp_path / "mappings").mkdir()
    landing = Landing(Home(tmp_path / "home"))
    with closing(sqlite3.connect(warehouse)) as connection:
        connection.execute("create table prints (id text, cusip text, at text, price numeric, size numeric)")
        rows = [("A", "2025-05-28 10:00:00"), ("B", "2025-06-04 10:00:00"), ("C", "2025-06-09 10:00:00")]
        connection.executemany("insert into prints values (?, '037833100', ?, 99.5, 1000)", rows)
        connection.commit()
    standing: dict[str, list[object]] = {}

    def refreshed(text: str, minute: int) -> list[object]:
        (tmp_path / "mappings" / "prints.yml").write_text(text)
        at = NOW + timedelta(minutes=minute)
        landed = land_new(landing, pull(source(tmp_path, mapping="prints")), now=at, not_after=at)
        assert landed.problems == []
        for receipt in landed.receipts:
            standing[receipt.file] = [row["trade_id"] for row in read(landing.data(receipt))]
        return sorted(str(name) for names in standing.values() for name in names)

    assert refreshed(PRINTS, 0) == ["A", "B", "C"]
    # Asked for by five days, the prints stand in other windows: in the old ones each would be a second time, and stale.
    assert refreshed(PRINTS.replace("days: 7", "days: 5"), 1) == ["A", "B", "C"]
    assert refreshed(PRINTS.replace("start: 2025-05-26", "start: 2025-06-02"), 2) == ["B", "C"]
    assert refreshed(PRINTS, 3) == ["A", "B", "C"]
    whole = PRINTS.replace(" where at >= :since and at < :until", "")
    without = "\n".join(line for line in whole.splitlines() if "window:" not in line)
    assert refreshed(without, 4) == ["A", "B", "C"]
    assert refreshed(without, 5) == ["A", "B", "C"]
    assert refreshed(PRINTS, 6) == ["A", "B", "C"]


@pytest.mark.parametrize("query", ["select * from prints", "select * from prints where at >= :since"])
def test_a_window_whose_bounds_are_not_in_the_query_is_refused_with_its_line(tmp_path: Path, warehouse: Path, query: str) -> None:
    (tmp_path / "mappings").mkdir()
    changed = PRINTS.replace("select * from prints where at >= :since and at < :until", query)
    (tmp_path / "mappings" / "prints.yml").write_text(changed)
    with pytest.raises(SourceError, match=r"prints.yml:6: tables.trades.window: belongs to a query that has .*:until in it"):
        source(tmp_path, mapping="prints")


def test_a_column_of_nothing_but_null_is_there(tmp_path: Path, warehouse: Path) -> None:
    with closing(sqlite3.connect(warehouse)) as connection:
        connection.execute("delete from credit_ratings")
        connection.commit()
    landed = land_new(Landing(Home(tmp_path / "home")), pull(source(tmp_path)), now=NOW, not_after=NOW)
    assert (landed.problems, [receipt.rows for receipt in landed.receipts]) == ([], [2])


def test_a_query_that_fails_is_one_line_without_the_url(tmp_path: Path, warehouse: Path) -> None:
    with closing(sqlite3.connect(warehouse)) as connection:
        connection.execute("drop table issuers")
    with pytest.raises(
        SourceError, match=r"'firm', table securities: the warehouse cannot be read: OperationalError: no such table"
    ) as told:
        pull(source(tmp_path))
    assert str(warehouse) not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "postgresql+pg8000://desk:Sup3rSecret@h.example/db",
            r"the driver of its database is not installed \(.*pg8000.*; install it",
        ),
        ("nosuchbase://desk:Sup3rSecret@h.example/db", r"the driver of its database is not installed \(.*nosuchbase.*; install it"),
        ("postgresql+pg8000://desk:pw@h.example:Sup3rSecret/db", "is no valid SQLAlchemy URL; write driver://.*the port a number"),
        ("postgresql://desk:x@h:Sup3rSecret/y@h.example/db", "is no valid SQLAlchemy URL; write driver://"),
        ("Sup3rSecret", "is no valid SQLAlchemy URL; write driver://"),
    ],
)
def test_a_driver_that_is_missing_and_a_url_that_is_not_valid_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("SOTTO_TEST_WAREHOUSE", url)
    with pytest.raises(SourceError, match=f"source 'firm': .*{words}") as told:
        pull(source(tmp_path))
    assert "Sup3rSecret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_warehouse_whose_variable_is_not_set_is_refused_when_the_list_is_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="SOTTO_TEST_WAREHOUSE is not set"):
        source(tmp_path)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None),
        ("007", "007"),
        (True, "true"),
        (7, "7"),
        (0.1, "0.1"),
        (Decimal("1E+3"), "1000"),
        (date(2025, 6, 2), "2025-06-02"),
        (datetime(2025, 6, 2, 10, tzinfo=timezone(timedelta(hours=2))), "2025-06-02T08:00:00+00:00"),
        (datetime(2025, 6, 2, 10, tzinfo=UTC).replace(tzinfo=None), "2025-06-02T10:00:00"),
    ],
)
def test_a_database_s_values_are_written_as_files_write_them(cell: object, text: str | None) -> None:
    assert as_text(cell) == text
