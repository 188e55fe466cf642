"""Print ``dbt/seeds/market_holidays.csv``: the weekdays on which a bond market keeps closed, by the exchanges' own rules.

``python tools/market_holidays.py > dbt/seeds/market_holidays.csv``
"""

import sys
from datetime import date, timedelta

import pandas_market_calendars

CALENDARS = ("SIFMA_US",)
FIRST, LAST = date(2000, 1, 1), date(2035, 12, 31)
_SATURDAY = 5


def holidays(calendar: str) -> list[date]:
    """Give the weekdays between FIRST and LAST on which the calendar has no session."""
    open_days = {day.date() for day in pandas_market_calendars.get_calendar(calendar).valid_days(FIRST, LAST)}
    days = (FIRST + timedelta(days=shift) for shift in range((LAST - FIRST).days + 1))
    return [day for day in days if day.weekday() < _SATURDAY and day not in open_days]


def listed() -> str:
    """Give the seed's text."""
    rows = [f"{calendar},{day:%Y-%m-%d}" for calendar in CALENDARS for day in holidays(calendar)]
    return "\n".join(["calendar,holiday", *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(listed())
