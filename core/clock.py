"""The only source of now. Business days are those of Asia/Shanghai.

Outside production an offset kept in the database moves the clock forward, so that one simulated
day moves web, workers and beat together. It never goes back: rows already written would lie in the
future. A process learns a new offset within half a second.
"""

from __future__ import annotations

import threading
import time as monotonic_time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from core.errors import BadInput, NotOffered

ZONE = ZoneInfo("Asia/Shanghai")
_OFFSET_AGE_MAX_S = 0.5

_READ = "SELECT offset_us FROM core_clockoffset WHERE id = 1"
# The comparison is part of the statement: two setters at once cannot move the clock back.
_SET = """
INSERT INTO core_clockoffset (id, offset_us) VALUES (1, %s)
ON CONFLICT (id) DO UPDATE SET offset_us = excluded.offset_us
WHERE excluded.offset_us >= core_clockoffset.offset_us
"""


@dataclass(slots=True)
class _KnownOffset:
    """What this process last read, and when."""

    offset: timedelta = timedelta()
    read_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True, eq=False)
class FrozenClock:
    """A clock that stands still until told; yielded by `freeze()`."""

    at: datetime

    def advance(self, by: timedelta) -> datetime:
        """Move forward."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        self.at += by
        return self.at


_known = _KnownOffset()
_frozen: list[FrozenClock] = []


def now() -> datetime:
    """The present instant, aware, in Asia/Shanghai."""
    if _frozen:
        return _frozen[-1].at
    if not movable():
        return datetime.now(ZONE)
    return datetime.now(ZONE) + _offset()


def today() -> date:
    """The present business day."""
    return now().date()


def business_day(at: datetime) -> date:
    """The business day an instant belongs to."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return at.astimezone(ZONE).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """A business day as the half-open interval [its midnight, the next midnight)."""
    start = datetime.combine(day, time(), tzinfo=ZONE)
    return start, datetime.combine(day + timedelta(days=1), time(), tzinfo=ZONE)


def movable() -> bool:
    """Whether this installation may simulate time at all."""
    return bool(getattr(settings, "CLOCK_MOVABLE", not settings.PRODUCTION))


def offset_set(now_at: datetime) -> datetime:
    """Move the clock of the whole house forward to `now_at`; every process follows."""
    if not movable():
        raise NotOffered("clock_fixed", _("The clock cannot be moved here."))
    if now_at.tzinfo is None:
        raise BadInput("bad_time", _("Give the time with its zone."), "now")
    offset = now_at - datetime.now(UTC)
    micros = max(0, offset // timedelta(microseconds=1))
    with connection.cursor() as cursor:
        cursor.execute(_SET, [micros])
        if cursor.rowcount != 1:
            raise BadInput("clock_backward", _("The clock only moves forward."), "now")
    _remember(timedelta(microseconds=micros))
    return now()


@contextmanager
def freeze(at: datetime) -> Iterator[FrozenClock]:
    """Stand still at `at`, for every thread of this process; for tests."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    frozen = FrozenClock(at.astimezone(ZONE))
    _frozen.append(frozen)
    try:
        yield frozen
    finally:
        _frozen.remove(frozen)


def offset_kept() -> bool:
    """Whether the database holds a moved clock, also where nobody would read it."""
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        row = cursor.fetchone()
    return row is not None and row[0] != 0


def forget_offset() -> None:
    """Read the offset again at the next look at the clock."""
    _known.read_at = None


def _offset() -> timedelta:
    read_at = _known.read_at
    if read_at is not None and monotonic_time.monotonic() - read_at < _OFFSET_AGE_MAX_S:
        return _known.offset
    if connection.needs_rollback:
        # A broken transaction answers no query; the last known offset is right but for a moment.
        return _known.offset
    with _known.lock, connection.cursor() as cursor:
        cursor.execute(_READ)
        row = cursor.fetchone()
    _remember(timedelta(microseconds=row[0] if row else 0))
    return _known.offset


def _remember(offset: timedelta) -> None:
    _known.offset = offset
    _known.read_at = monotonic_time.monotonic()
