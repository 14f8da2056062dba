"""Hand work to a worker. The broker carries hints only: a hint lost is a sweeper's delay.

Called by doors and tasks after the commit, never by services and never inside a transaction.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from django.db import connection
from kombu.exceptions import OperationalError

from core.transactions import in_transaction

logger = logging.getLogger(__name__)


def enqueue(task: Task[Any, Any], *args: Any) -> bool:
    """Send a task; False when the broker is away (the row's `due_at` will find it)."""
    if in_transaction(connection):
        raise RuntimeError("a task is sent after the commit, not inside a transaction")
    try:
        task.apply_async(args, retry=False)
    except (OperationalError, ConnectionError):
        logger.warning("broker away; %s waits for its sweeper", task.name)
        return False
    return True
