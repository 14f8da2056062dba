"""Workdays of the mainland: what is promised "within three workdays" ends on a day somebody works.

The state announces its holidays, and the weekends worked for them, in the autumn before; past the
table that is installed a workday is a weekday. `config.probes` says when the table runs out.
"""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar

LAST_KNOWN_YEAR: int = max(chinese_calendar.holidays).year
FIRST_KNOWN_YEAR: int = min(chinese_calendar.holidays).year
SATURDAY = 5


def is_workday(day: date) -> bool:
    if FIRST_KNOWN_YEAR <= day.year <= LAST_KNOWN_YEAR:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < SATURDAY


def workday_after(day: date, count: int) -> date:
    """The day on which so many workdays have passed since `day`, which itself is not counted."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day
