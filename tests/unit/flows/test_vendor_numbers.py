"""Decimal and grouping signs: what they make of a cell, and where they may not stand."""

import duckdb
import pytest

from flows.sources.mapped import compiled
from flows.sources.mapping import ColumnMap, TableMap

SPACE = "\u00a0"


def read(cell: str, **signs: str) -> tuple[float | None, list[str]]:
    """Give what a mapping makes of one price, and the rules that it breaks."""
    price = ColumnMap(source="px", **signs)  # type: ignore[arg-type]
    query = compiled("v", "trades", TableMap(columns={"price": price})).query
    with duckdb.connect() as connection:
        connection.execute("create table raw as select 1 as _row, ? as px", [cell])
        sql = f"select try_cast(price as double), [fault.rule for fault in coalesce(_mapping_faults, [])] from ({query})"
        ((value, rules),) = connection.execute(sql).fetchall()
    return value, rules


@pytest.mark.parametrize(
    ("cell", "decimal", "grouping", "value"),
    [
        ("2,500", ".", ",", 2500),
        ("-1,234,567.25", ".", ",", -1234567.25),
        ("2500", ".", ",", 2500),
        ("1.005", ".", ",", 1.005),
        (".5", ".", ",", 0.5),
        ("5.", ".", ",", 5),
        ("+1.5e3", ".", ",", 1500),
        ("1.234,5", ",", ".", 1234.5),
        ("1.500", ",", ".", 1500),
        ("1,5", ",", "", 1.5),
        ("15", ",", "", 15),
        ("1,5E-1", ",", "", 0.15),
        ("1 234,5", ",", " ", 1234.5),
        (f"1{SPACE}234", ".", SPACE, 1234),
        ("1'234.5", ".", "'", 1234.5),
        ("1e3", ".", "", 1000),
        ("-.5", ".", "", -0.5),
    ],
)
def test_a_number_is_read_by_its_signs(cell: str, decimal: str, grouping: str, value: float) -> None:
    assert read(cell, decimal=decimal, grouping=grouping) == (value, [])
    assert read(cell, decimal=decimal, grouping=grouping, unit="per_1") == (pytest.approx(value * 100), [])


@pytest.mark.parametrize(
    ("cell", "decimal", "grouping"),
    [
        ("1,5", ".", ","),
        ("1,50", ".", ","),
        ("1,5000", ".", ","),
        (",500", ".", ","),
        ("1234,500", ".", ","),
        ("1,,500", ".", ","),
        ("1.234,5", ".", ","),
        ("1.5,000", ".", ","),
        ("12,34,567", ".", ","),
        ("1.500", ",", ""),
        ("1.234,5", ",", ""),
        ("1,500.0", ",", "."),
        ("1.5", ",", "."),
        ("five", ".", ","),
        ("inf", ",", ""),
    ],
)
def test_a_sign_where_it_may_not_stand_is_a_fault_of_the_row(cell: str, decimal: str, grouping: str) -> None:
    assert read(cell, decimal=decimal, grouping=grouping) == (None, ["number_format"])
    assert read(cell, decimal=decimal, grouping=grouping, unit="per_1") == (None, ["unit"])
