"""Messages and codes leave by a task when one is due, and by a sweep for what a task lost."""

from __future__ import annotations

from celery import shared_task

from core import clock
from patients.services.access import guardians_words_end_due
from patients.services.binding_sends import binding_code_send, binding_codes_send_due
from patients.services.bindings import bindings_expire
from patients.services.notifications import notifications_send_due
from patients.services.phone_codes import phone_codes_purge

SEND_LIMIT = 200


@shared_task
def notifications_send_task() -> None:
    """Send what is due."""
    sweep_notifications()


def sweep_notifications() -> int:
    """Send what is due; the job of the schedule."""
    return notifications_send_due(now=clock.now(), limit=SEND_LIMIT)


@shared_task
def binding_code_send_task(binding_id: int) -> None:
    """Ask the register about a wish, and send the code if there is one to send."""
    binding_code_send(binding_id=binding_id)


def sweep_binding_codes() -> int:
    """Codes whose task was lost, and wishes whose time is over; the job of the schedule."""
    return binding_codes_send_due(limit=SEND_LIMIT) + bindings_expire(limit=SEND_LIMIT)


def end_guardians_words() -> int:
    """Who came of age speaks for themselves; the job of the schedule."""
    return guardians_words_end_due(limit=SEND_LIMIT)


def purge_phone_codes() -> int:
    """Forget codes that no limit counts any more; the job of the schedule."""
    return phone_codes_purge(now=clock.now())
