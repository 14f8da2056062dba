"""Every lock on a row of this app. House order: patient numbers, encounter, notification."""

from __future__ import annotations

from datetime import datetime

from core.locking import advisory_lock, lock_row
from patients.models import Encounter, HisClient, Notification, NotificationStatus, PatientReview


def patient_numbers_locked(*keys: str) -> None:
    """Two registrations that could be the same person wait for each other.

    The rows may not exist yet, so the names are locked, sorted, that no two callers cross.
    """
    for key in sorted(set(keys)):
        advisory_lock(f"patients.patient/{key}")


def consents_locked(*, user_id: int, purpose: str) -> None:
    """Two answers of one person to one question wait for each other."""
    advisory_lock(f"patients.consent/{user_id}/{purpose}")


def user_phone_locked(phone_index: str) -> None:
    """Two first sign-ins with one phone make one account."""
    advisory_lock(f"patients.user_phone/{phone_index}")


def encounter_locked(*, client: HisClient, encounter_no: str) -> Encounter:
    """The encounter, or DoesNotExist."""
    return lock_row(
        Encounter.objects.select_related("client").filter(client=client, encounter_no=encounter_no)
    )


def notifications_due_locked(*, now: datetime, limit: int) -> list[Notification]:
    """Due messages nobody else is holding, oldest first."""
    due = Notification.objects.filter(status=NotificationStatus.WAITING, due_at__lte=now)
    oldest = due.order_by("due_at").select_for_update(skip_locked=True, of=("self",))[:limit]
    return list(oldest)


def notification_locked(notification_id: int) -> Notification:
    return lock_row(Notification.objects.filter(pk=notification_id))


def patient_review_locked(review_id: int) -> PatientReview:
    return lock_row(PatientReview.objects.filter(pk=review_id))
