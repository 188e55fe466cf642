"""Any order and any repetition of the same deliveries, with a crash at any point, leaves the same rows in use."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flows import landing as landing_module
from flows.deliveries import land_new
from flows.quarantine import Wanted, faults
from flows.transform import batches_to_use
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk

BAD = vendor.row("trades", trade_id="bad", price="-1")
# Names of files and their versions in order: a correction, one that withdraws a row, a late file with a duplicate, a bad row.
VERSIONS: dict[str, list[list[vendor.Row]]] = {
    "trades-06-02.csv": [vendor.rows("trades", 3), vendor.rows("trades", 2), vendor.rows("trades", 4, price="100.5")],
    "trades-06-03.csv": [[*vendor.rows("trades", 1), vendor.row("trades", trade_id="late"), BAD]],
    "trades-06-04.csv.gz": [
        [vendor.row("trades", trade_id="C1", status="CANCEL", original_trade_id="late")],
        [BAD, *vendor.rows("trades", 1)],
    ],
}
STEPS = [(name, number) for name, versions in VERSIONS.items() for number in range(len(versions))]


class Crash(Exception):
    """The power goes."""


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, bool]]:
    """Every version of every file, each file's in order, files in any order, some pulled again, some cut short by a crash."""
    left = {name: list(range(len(versions))) for name, versions in VERSIONS.items()}
    told = []
    while any(left.values()):
        name = draw(st.sampled_from([name for name, numbers in left.items() if numbers]))
        number = left[name].pop(0)
        told += [(name, number, draw(st.booleans())) for _ in range(draw(st.integers(1, 2)))]
    return told


@pytest.mark.parametrize("where", ["take_in", "keep"])
@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(history=histories())
def test_the_rows_in_use_do_not_depend_on_how_they_came(
    new_desk: Callable[[], Desk], where: str, history: list[tuple[str, int, bool]]
) -> None:
    desk = new_desk()
    now = NOW
    for name, number, crashes in history:
        now += timedelta(minutes=1)
        vendor.deliver(desk.vendor, name, VERSIONS[name][number])
        if crashes:
            crash_in(where, desk, now)
        assert land_new(desk.landing, desk.pull(), now=now, not_after=now).problems == []
    assert state(desk) == EXPECTED


def crash_in(where: str, desk: Desk, now: object) -> None:
    """Land what lies there, and let the process die inside: while a delivery is taken in, or right before it is in its place."""

    def dies(*_: object, **__: object) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        if where == "take_in":
            patch.setattr(landing_module, "take_in", dies)
        else:
            patch.setattr("pathlib.Path.rename", dies)
        try:
            land_new(desk.landing, desk.pull(), now=now, not_after=now)  # type: ignore[arg-type]
        except Crash:
            assert not [receipt for receipt in desk.landing.receipts() if receipt.landed_at == now]


def state(desk: Desk) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Give the rows in use without their stamps, and the faults of the versions in use."""
    receipts = batches_to_use(desk.landing, ["market"], known_at=NOW + timedelta(days=9))
    names = [name for name in vendor.GOOD["trades"] if name != "executed_at"]
    rows = [tuple(row[name] for name in names) for receipt in receipts for row in desk.landed(receipt)]
    listed = faults(desk.home, Wanted()).faults
    return sorted(rows, key=str), sorted(((f["file"].rpartition("/")[2], f["row"], f["rule"]) for f in listed), key=str)


def expected() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    kept = [row for versions in VERSIONS.values() for row in versions[-1] if row is not BAD]
    rows = [
        (
            row["trade_id"],
            row["security_id"],
            float(row["price"]),
            float(row["quantity"]),
            row["quantity_capped"] == "true",
            row["reporting_side"],
            row["status"],
            row["original_trade_id"],
        )
        for row in kept
    ]
    return sorted(rows, key=str), [("trades-06-03.csv", 3, "above"), ("trades-06-04.csv.gz", 1, "above")]


EXPECTED = expected()
