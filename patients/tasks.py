"""Messages leave by a task when something was told, and by a sweep for what a task lost."""

from __future__ import annotations

from celery import shared_task

from core import clock
from patients.services.notifications import notifications_send_due

SEND_LIMIT = 200


@shared_task
def notifications_send_task() -> None:
    """Send what is due."""
    sweep_notifications()


def sweep_notifications() -> int:
    """Send what is due; the job of the schedule."""
    return notifications_send_due(now=clock.now(), limit=SEND_LIMIT)
