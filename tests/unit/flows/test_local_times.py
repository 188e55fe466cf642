"""Local times against Python's own time zones: clock changes of an hour and of half an hour, north and south."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from flows.sources.local_times import MACROS, instant, time_faults

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
