"""Local times against Python's own time zones: clock changes of an hour and of half an hour, north and south."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from flows.sources.local_times import MACROS, date_cell, instant, time_faults

# Zone, and a day around which its clocks change.
CHANGES = [
    ("America/New_York", datetime(2025, 3, 9)),  # noqa: DTZ001 - local times are what is tried
    ("America/New_York", datetime(2025, 11, 2)),  # noqa: DTZ001
    ("Europe/London", datetime(2025, 3, 30)),  # noqa: DTZ001
    ("Europe/London", datetime(2025, 10, 26)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2025, 4, 6)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2025, 10, 5)),  # noqa: DTZ001
    ("Asia/Tokyo", datetime(2025, 3, 9)),  # noqa: DTZ001
]


def told(zone: str, local: list[datetime], ambiguous: str, nonexistent: str) -> list[tuple[datetime | None, list[str]]]:
    """Give for each local time the instant that the SQL makes of it, and the rules that it breaks."""
    rule = {"ambiguous": ambiguous, "nonexistent": nonexistent}
    sql = instant("t", [], zone, **rule)
    checks = ", ".join(f"case when {test} then '{name}' end" for name, test, _ in time_faults("t", [], zone, **rule))
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for macro in MACROS:
            connection.execute(macro)
        connection.execute("create table times (n int, t varchar)")
        connection.executemany("insert into times values (?, ?)", [(n, at.isoformat()) for n, at in enumerate(local)])
        found = connection.execute(f"select {sql}, [{checks}] from times order by n").fetchall()
    return [(at.replace(tzinfo=UTC) if at else None, [name for name in rules if name]) for at, rules in found]


def candidates(zone: str, local: datetime) -> list[datetime]:
    """Give the instants that a local time stands for, by the time zone database that Python reads."""
    both = {local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(at for at in both if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_quarter_hour_around_a_clock_change_is_placed_as_python_places_it(zone: str, day: datetime) -> None:
    local = [day - timedelta(hours=6) + quarter * timedelta(minutes=15) for quarter in range(24 * 6)]
    expected = [candidates(zone, at) for at in local]
    quarantining = told(zone, local, "quarantine", "quarantine")
    assert [at for at, _ in quarantining] == [found[0] if len(found) == 1 else None for found in expected]
    assert [rules for _, rules in quarantining] == [
        ["ambiguous_time"] if len(found) > 1 else [] if found else ["nonexistent_time"] for found in expected
    ]
    for rule, place in (("earlier", 0), ("later", -1)):
        resolving = told(zone, local, rule, "later")
        assert [at for (at, _), found in zip(resolving, expected, strict=True) if found] == [
            found[place] for found in expected if found
        ]
        assert [rules for _, rules in resolving] == [[]] * len(local)


def test_a_skipped_time_may_be_moved_on_by_the_gap() -> None:
    ((at, rules),) = told("America/New_York", [datetime(2025, 3, 9, 2, 30)], "quarantine", "later")  # noqa: DTZ001
    assert (at, rules) == (datetime(2025, 3, 9, 7, 30, tzinfo=UTC), [])


def read(cell: str, *formats: str) -> tuple[datetime | None, list[str]]:
    """Give what a cell of a New York table is read as, and the rules that it breaks."""
    how = {"ambiguous": "quarantine", "nonexistent": "quarantine"}
    sql = instant("t", list(formats), "America/New_York", **how)
    checks = [f"case when {test} then '{rule}' end" for rule, test, _ in time_faults("t", list(formats), "America/New_York", **how)]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for macro in MACROS:
            connection.execute(macro)
        connection.execute("create table times as select ? as t", [cell])
        ((at, rules),) = connection.execute(f"select {sql}, [{', '.join(checks)}] from times").fetchall()
    return at.replace(tzinfo=UTC) if at else None, [rule for rule in rules if rule]


@pytest.mark.parametrize(
    ("cell", "formats", "hour"),
    [
        ("2026-11-03 15:00:00", (), 20),
        ("2026-11-03T15:00", (), 20),
        ("2026-11-03 15:00:00.123456789", (), 20),
        ("2026/11/03 15:00:00", (), 20),
        ("2026-11-03 15:00:00Z", (), 15),
        ("2026-11-03T15:00:00 Z", (), 15),
        ("2026-11-03 15:00:00 UTC", (), 15),
        ("2026-11-03 15:00:00.5UTC", (), 15),
        ("2026-11-03 15:00:00 GMT", (), 15),
        ("2026-11-03 15:00:00+01", (), 14),
        ("2026-11-03 15:00:00 +01:00", (), 14),
        ("2026-11-03T15:00:00-0500", (), 20),
        ("2026-11-03 15:00:00 +0100", ("%Y-%m-%d %H:%M:%S %z",), 14),
        ("2026-11-03 15:00", ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M"), 20),
        ("1793718000", ("epoch_s",), 15),
        ("1793718000000", ("epoch_ms",), 15),
        ("1793718000000000", ("epoch_us",), 15),
    ],
)
def test_a_time_with_an_offset_is_absolute_and_one_without_is_local(cell: str, formats: tuple[str, ...], hour: int) -> None:
    at, rules = read(cell, *formats)
    assert (at.replace(microsecond=0) if at else at, rules) == (datetime(2026, 11, 3, hour, tzinfo=UTC), [])


@pytest.mark.parametrize(
    ("cell", "formats"),
    [
        *[(word, ()) for word in ("epoch", "Epoch", "infinity", "-infinity", "now", "2026-11-03", "2026/11/03", "15:00:00")],
        *[(f"2026-11-03 15:00:00 {name}", ()) for name in ("EST", "CET", "BST", "America/New_York", "(BC)", "+1")],
        *[(word, ("%m/%d/%Y %H:%M",)) for word in ("epoch", "EPOCH", "infinity", "-infinity", "2026-11-03")],
        *[(word, ("%Y-%m-%d %H:%M %z",)) for word in ("epoch", "infinity", "2026-11-03 15:00 EST")],
        *[(cell, ("epoch_ms",)) for cell in ("1793718000", "0", "-1", "epoch", "1793718000000000", "99999999999999999999")],
        *[(cell, ("epoch_s",)) for cell in ("1793718000000", "99999999999999999999", "9223372036854.775807", "1e300", "nan")],
    ],
)
def test_what_is_no_time_is_a_fault_of_its_row(cell: str, formats: tuple[str, ...]) -> None:
    assert read(cell, *formats) == (None, ["time_format"])


@pytest.mark.parametrize("word", ["epoch", "infinity", "-Infinity"])
def test_a_word_is_no_date_in_any_format(word: str) -> None:
    sql, ((rule, test, _),) = date_cell("t", ["%m/%d/%Y"])
    with duckdb.connect() as connection:
        assert connection.execute(f"select {sql}, {test} from (select ? as t)", [word]).fetchall() == [(None, True)]
    assert rule == "date_format"
