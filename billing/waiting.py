"""Waiting for a collect to end without holding what its end needs.

A waiter holds a thread, so their number is limited: the process must keep threads for the notices
the waiters wait for. Between two looks it holds no database connection.
"""

from __future__ import annotations

import threading
import time

from django.db import connection

from billing.selectors.collects import collect_is_running

WAITERS_MAX = 32
FIRST_STEP_S = 0.05
LAST_STEP_S = 0.25
STEP_GROWTH = 1.5

_places = threading.BoundedSemaphore(WAITERS_MAX)


def wait_for_collect(collect_id: int, *, wait_s: float) -> None:
    """Return when the collect has ended, the time is over, or too many wait already."""
    if wait_s <= 0 or not _places.acquire(blocking=False):
        return
    try:
        _look_until(collect_id, time.monotonic() + wait_s)
    finally:
        _places.release()


def _look_until(collect_id: int, deadline: float) -> None:
    step_s = FIRST_STEP_S
    while collect_is_running(collect_id):
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return
        _give_connection_back()
        time.sleep(min(step_s, left_s))
        step_s = min(step_s * STEP_GROWTH, LAST_STEP_S)


def _give_connection_back() -> None:
    """To the pool. Inside a transaction there is none to give: it belongs to the transaction."""
    if not connection.in_atomic_block:
        connection.close()
