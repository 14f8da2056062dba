"""The only source of now in the sandbox; it runs with the machine's clock plus an offset."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from sandbox.world.models import Clock
from sandbox.world.registry import BadCall

SHANGHAI = ZoneInfo("Asia/Shanghai")
_cached: dict[str, float] = {"offset": 0.0, "until": 0.0, "moves": 0.0}
_lock = threading.Lock()
_move: dict[str, datetime | None] = {"from": None}


def now() -> datetime:
    """The sandbox's instant, aware, in Beijing time."""
    offset_s = _cached["offset"]
    if time.monotonic() >= _cached["until"]:
        moves, row = _cached["moves"], Clock.objects.first()
        offset_s = row.offset_us / 1e6 if row else 0.0
        with _lock:
            # What was read before another thread moved the clock is not kept.
            if moves == _cached["moves"]:
                _cached.update(offset=offset_s, until=time.monotonic() + 0.5)
    return (datetime.now(UTC) + timedelta(seconds=offset_s)).astimezone(SHANGHAI)


def _forget() -> None:
    """The clock has moved: everybody reads it anew."""
    with _lock:
        _cached.update(until=0.0, moves=_cached["moves"] + 1)


def clock_begin(*, again: bool) -> None:
    """Set the clock of a fresh world to its start; `again` also that of one just emptied.

    Nothing lies in the past of an empty world, so this is the one time the clock may go back.
    """
    if not settings.SANDBOX_START or (not again and Clock.objects.exists()):
        return
    ahead = datetime.fromisoformat(settings.SANDBOX_START) - datetime.now(UTC)
    offset = int(ahead.total_seconds() * 1_000_000)
    Clock.objects.update_or_create(pk=1, defaults={"offset_us": offset})
    _forget()


def clock_move(to: datetime) -> datetime:
    """Move the clock to an instant that is not in its past."""
    with transaction.atomic():
        Clock.objects.get_or_create(pk=1)
        Clock.objects.select_for_update().get(pk=1)
        _forget()
        ahead = to - now()
        # A caller that says "now" must not fail over the milliseconds its request took.
        if ahead < timedelta(seconds=-2):
            raise BadCall(f"the clock only moves forward; it is {now().isoformat()}")
        step = max(int(ahead.total_seconds() * 1_000_000), 0)
        Clock.objects.filter(pk=1).update(offset_us=F("offset_us") + step)
    _forget()
    return now()


def moving_from() -> datetime | None:
    """Where the clock stood, while the portal is still catching up with a move."""
    return _move["from"]


def moving_set(since: datetime | None) -> None:
    """Remember that the portal is catching up; the oldest start of overlapping moves stays."""
    if since is None or _move["from"] is None:
        _move["from"] = since
