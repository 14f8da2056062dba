"""Three workdays from a Friday are Wednesday, and no holiday counts."""

from __future__ import annotations

from datetime import date

import pytest

from core.workdays import LAST_KNOWN_YEAR, is_workday, workday_after


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 11, 20), 3, date(2026, 11, 25)),  # a Friday
        (date(2026, 11, 21), 1, date(2026, 11, 23)),  # a Saturday
        (date(2025, 9, 30), 1, date(2025, 10, 9)),  # National Day and Mid-Autumn
        (date(2025, 9, 26), 1, date(2025, 9, 28)),  # a Sunday that is worked for it
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
    ],
)
def test_holidays_and_weekends_are_passed_over(day: date, count: int, expected: date) -> None:
    assert workday_after(day, count) == expected


def test_past_the_table_a_weekday_is_a_workday() -> None:
    unknown = date(LAST_KNOWN_YEAR + 1, 10, 1)
    assert is_workday(unknown) == (unknown.weekday() < 5)
