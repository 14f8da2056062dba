from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from core import clock
from core.errors import BadInput, NotOffered
from core.ids import business_number
from core.models import ClockOffset

DAY = date(2026, 11, 20)


@pytest.fixture
def running_clock(db, still_clock):
    """Outside the pinned moment: the real clock plus the database's offset."""
    clock._frozen.clear()
    clock.forget_offset()
    yield
    clock._frozen.append(still_clock)
    clock.forget_offset()
    clock._known.offset = timedelta()


def test_now_is_aware_and_local(still_clock):
    assert clock.now() == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(hours=8)
    assert clock.today() == DAY


def test_business_day_is_that_of_shanghai():
    assert clock.business_day(datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC)) == DAY
    assert clock.business_day(datetime(2026, 11, 20, 16, tzinfo=UTC)) == date(2026, 11, 21)
    with pytest.raises(ValueError):
        clock.business_day(datetime(2026, 11, 20))


@pytest.mark.parametrize("day", [DAY, date(2028, 2, 29), date(2026, 12, 31), date(1988, 4, 17)])
def test_days_are_half_open_and_leave_no_gap(day):
    start, end = clock.day_bounds(day)
    assert end == clock.day_bounds(day + timedelta(days=1))[0]
    assert clock.business_day(start) == day
    assert clock.business_day(end - timedelta(microseconds=1)) == day


def test_freezing_nests_and_moves_only_forward():
    noon = datetime(2026, 11, 20, 12, tzinfo=clock.ZONE)
    with clock.freeze(noon) as outer, clock.freeze(noon) as inner:
        inner.advance(timedelta(hours=36))
        assert clock.today() == date(2026, 11, 22)
        assert outer.at == noon
        with pytest.raises(ValueError):
            inner.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError), clock.freeze(datetime(2026, 1, 1)):
        pass


def test_offset_moves_the_house_forward(running_clock, settings):
    settings.CLOCK_MOVABLE = True
    target = datetime.now(UTC) + timedelta(hours=36)
    assert abs(clock.offset_set(target) - target) < timedelta(seconds=1)
    clock.forget_offset()  # as another process would, within half a second
    assert abs(clock.now() - target) < timedelta(seconds=1)


def test_offset_never_goes_back(running_clock, settings):
    settings.CLOCK_MOVABLE = True
    clock.offset_set(datetime.now(UTC) + timedelta(hours=36))
    kept = ClockOffset.objects.get().offset_us
    for back in (timedelta(hours=35), timedelta(), timedelta(days=-1)):
        with pytest.raises(BadInput):
            clock.offset_set(datetime.now(UTC) + back)
    with pytest.raises(BadInput):
        clock.offset_set(datetime.now() + timedelta(days=9))  # no zone
    assert ClockOffset.objects.get().offset_us == kept


def test_fixed_clock_reads_no_offset(running_clock, settings, django_assert_num_queries):
    settings.CLOCK_MOVABLE = True
    clock.offset_set(datetime.now(UTC) + timedelta(days=2))
    settings.CLOCK_MOVABLE = False
    with django_assert_num_queries(0):
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    with pytest.raises(NotOffered):
        clock.offset_set(datetime.now(UTC) + timedelta(days=3))


def test_offset_is_read_once_in_a_while(running_clock, settings, django_assert_num_queries):
    settings.CLOCK_MOVABLE = True
    with django_assert_num_queries(1):
        for _ in range(100):
            clock.now()


def test_broken_transaction_still_knows_the_time(running_clock, settings):
    settings.CLOCK_MOVABLE = True
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        try:
            with transaction.atomic(savepoint=False):
                cursor.execute("SELECT 1/0")
        except DatabaseError:
            clock.forget_offset()
            assert clock.now().tzinfo is not None
            raise


def test_business_numbers(still_clock):
    first = business_number("CA")
    still_clock.advance(timedelta(milliseconds=1))
    second = business_number("CA")
    assert first < second
    assert first.startswith("CA20261120100000000")
    assert len(first) <= 32
    assert first.isascii() and first.isalnum()


def test_business_numbers_of_one_millisecond_differ():
    assert len({business_number("RF") for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("prefix", ["", "C", "CAP", "C1", "支付"])
def test_bad_prefix(prefix):
    with pytest.raises(ValueError):
        business_number(prefix)
