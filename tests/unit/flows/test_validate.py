"""The row contract: what is wrong with a row is found, named, and nothing else is."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contracts.sources import TABLES, Column, Kind, Table
from flows.validate import missing_columns, typed_select
from tests.fakes import vendor

NOT_AFTER = "2025-07-01 00:00:00"
NOT_OF_KIND = {
    Kind.NUMBER: ["abc", "nan", "inf", "-inf", "1,000", "10%"],
    Kind.INTEGER: ["abc", "3.7", "0x10", "nan", "99999999999999999999"],
    Kind.FLAG: ["maybe", "2"],
    Kind.TIME: [
        "yesterday",
        "2025-13-01T10:00:00Z",
        "infinity",
        "-infinity",
        "06/02/2025 10:00",
        "10000-01-01",
        "epoch",
        " Epoch",
        "2025-06-02 10:00:00 BST",
    ],
    Kind.DATE: ["someday", "2025-02-30", "infinity", "-infinity", "2025-01-01 and a bit", "20000-01-01", "epoch"],
}
# Breaks each rule over several columns, by changing cells of the good row.
RULE_BREAKERS = {
    ("trades", "original_named"): {"status": "CANCEL", "original_trade_id": ""},
    ("reference_prices", "bid_mid_ask"): {"bid": "101.3"},
    ("axes", "withdrawn_after"): {"withdrawn_at": "2025-06-02T08:59:59Z"},
    ("rfq_log", "quote_priced"): {"quote_price": ""},
    ("rfq_log", "trade_priced"): {"executed_price": ""},
    ("rfq_log", "traded_quoted"): {"response": "DECLINED", "quote_price": ""},
    ("rfq_log", "price_quoted"): {"response": "DECLINED", "outcome": "LOST"},
    ("rfq_log", "answered_after"): {"responded_at": "2025-06-02T09:59:59Z"},
    ("rfq_log", "executed_after"): {"executed_at": "2025-06-02T09:59:59Z"},
    ("rfq_log", "ended_in_time"): {"asked_at": "2025-05-02T09:59:59Z"},
    ("rfq_log", "silence_has_no_answer"): {"response": "TIMED_OUT", "quote_price": ""},
}
Fault = tuple[str, str]


def faults(table: Table, listed: list[vendor.Row], *, bad: list[tuple[str, str]] | None = None) -> list[set[Fault]]:
    """Give the (column, rule) of every fault, row by row."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create table bad_identifiers (kind varchar, value varchar)")
        if bad:
            connection.executemany("insert into bad_identifiers values (?, ?)", bad)
        names = list(listed[0])
        cells = ", ".join(f'"{name}" varchar' for name in names)
        connection.execute(f"create table raw (_row bigint, {cells})")
        marks = ", ".join("?" * (len(names) + 1))
        connection.executemany(
            f"insert into raw values ({marks})", [[n, *(own.get(name) for name in names)] for n, own in enumerate(listed)]
        )
        query = typed_select(table, names, raw="raw", not_after=NOT_AFTER)
        found = connection.execute(f"select _faults from ({query}) order by _row").fetchall()
    return [{(fault["column"], fault["rule"]) for fault in own} for (own,) in found]


def breakers(column: Column) -> list[tuple[str, str]]:
    """Give every (cell, rule) that the column's own contract refuses."""
    wrong = [(cell, "type") for cell in NOT_OF_KIND.get(column.kind, [])]
    wrong += [("", "missing"), ("   ", "missing")] if column.required else []
    wrong += [(str(column.above), "above"), ("-5", "above")] if column.above is not None else []
    wrong += [(f"{column.at_least - 1:.0f}", "at_least")] if column.at_least is not None else []
    wrong += [(f"{column.at_most + 1:.0f}", "at_most")] if column.at_most is not None else []
    wrong += [("NONSENSE", "vocabulary"), (column.values[0].swapcase(), "vocabulary")] if column.values else []
    wrong += [("BAD-ONE", "check_digit")] if column.identifier else []
    wrong += [("2025-07-01T00:00:00.001Z", "in_the_future")] if column.kind is Kind.TIME and not column.may_lie_ahead else []
    return wrong


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_break_of_a_column_is_found_and_named(table: Table) -> None:
    cases = [(column, cell, rule) for column in table.columns for cell, rule in breakers(column)]
    bad = [(column.identifier, "BAD-ONE") for column in table.columns if column.identifier]
    found = faults(table, [vendor.row(table.name, **{column.name: cell}) for column, cell, _ in cases], bad=bad)
    missed = [
        (column.name, cell, rule)
        for (column, cell, rule), own in zip(cases, found, strict=True)
        if (column.name, rule) not in own or any(name not in {column.name, ""} for name, _ in own)
    ]
    assert cases
    assert missed == []


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_good_row_passes_full_or_with_every_optional_cell_empty(table: Table) -> None:
    optional = {column.name: "" for column in table.columns if not column.required}
    trade = {"rfq_log": {"response": "DECLINED", "outcome": "NOT_TRADED"}}
    sparse = vendor.row(table.name, **optional | trade.get(table.name, {}))
    assert faults(table, [vendor.row(table.name), sparse]) == [set(), set()]


@pytest.mark.parametrize(("place", "changes"), RULE_BREAKERS.items(), ids=lambda case: case[1] if isinstance(case, tuple) else "")
def test_a_rule_over_several_columns_is_found_when_broken(place: tuple[str, str], changes: vendor.Row) -> None:
    table, rule = place
    (found,) = faults(TABLES[table], [vendor.row(table, **changes)])
    assert ("", rule) in found


def test_every_rule_of_the_contract_has_a_case_that_breaks_it() -> None:
    assert set(RULE_BREAKERS) == {(table.name, rule.name) for table in TABLES.values() for rule in table.rules}


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("2025-06-02T10:00:00Z", "2025-06-02 10:00:00"),
        ("2025-06-02T10:00:00", "2025-06-02 10:00:00"),
        ("2025-06-02 10:00:00.25+02:00", "2025-06-02 08:00:00.25"),
        ("2025-06-02T10:00:00-0500", "2025-06-02 15:00:00"),
        ("2025-06-02", "2025-06-02 00:00:00"),
        ("2025-06-02 10:00:00 UTC", "2025-06-02 10:00:00"),
        ("2025-06-02 10:00:00 utc", "2025-06-02 10:00:00"),
    ],
)
def test_a_time_with_an_offset_is_taken_to_utc_and_one_without_is_utc(cell: str, meant: str) -> None:
    table = TABLES["trades"]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create table bad_identifiers (kind varchar, value varchar)")
        connection.execute("create table raw as select 1 as _row, ? as executed_at", [cell])
        query = typed_select(table, ["executed_at"], raw="raw", not_after=NOT_AFTER)
        assert connection.execute(f"select executed_at::varchar from ({query})").fetchall() == [(meant,)]


def test_only_absent_required_columns_are_missing() -> None:
    present = [column.name for column in TABLES["axes"].columns if column.name not in {"quantity", "side", "withdrawn_at"}]
    assert missing_columns(TABLES["axes"], present) == ["side"]


def test_an_absent_optional_column_is_null_and_no_fault() -> None:
    trade = {name: cell for name, cell in vendor.GOOD["trades"].items() if name != "quantity_capped"}
    assert faults(TABLES["trades"], [trade]) == [set()]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TABLES)), st.data())
def test_whatever_stands_in_a_row_it_has_faults_or_is_typed_whole(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    column = data.draw(st.sampled_from(table.columns))
    cell = data.draw(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
    (found,) = faults(table, [vendor.row(name, **{column.name: cell})], bad=[])
    if not found and column.required:
        assert cell.strip(" ")
    assert all(where in {column.name, ""} for where, _ in found)
