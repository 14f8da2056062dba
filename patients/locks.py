"""Every lock on a row of this app, in the one order of the house, `core.locking.LOCK_ORDER`. Names
go before rows: people, patient numbers, then the names of bindings.

Whoever only points at a person (a bill, a message) holds their row for its key. A lock that
forbade even that would wait for a bill whose visit it is about to take: people are locked weakly.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model, Q

from core.locking import advisory_lock, lock_row, lock_rows, lock_rows_free
from patients.models import (
    Binding,
    BindingStatus,
    Encounter,
    HisClient,
    Notification,
    NotificationStatus,
    Patient,
    PatientAccess,
    PatientMerge,
    PatientReview,
    Relation,
)


def patient_numbers_locked(*keys: str) -> None:
    """Two registrations that could be the same person wait for each other.

    The rows may not exist yet, so the names are locked, sorted, that no two callers cross.
    """
    for key in sorted(set(keys)):
        advisory_lock(f"patients.patient/{key}")


def people_locked(*, joining: bool = False) -> None:
    """Two records are joined alone; who registers, binds and unbinds people goes side by side.

    Without it a visit or a binding could still be written to a record that has just been emptied.
    """
    advisory_lock("patients.people", shared=not joining)


def consents_locked(*, user_id: int, purpose: str) -> None:
    """Two answers of one person to one question wait for each other."""
    advisory_lock(f"patients.consent/{user_id}/{purpose}")


def phone_codes_locked(phone_index: str) -> None:
    """Codes to one phone are counted and sent one after the other."""
    advisory_lock(f"patients.phone_code/{phone_index}")


def user_phone_locked(phone_index: str) -> None:
    """Two first sign-ins with one phone make one account."""
    advisory_lock(f"patients.user_phone/{phone_index}")


def wallet_identity_locked(app_id: str, subject: str) -> None:
    """Two accounts that claim one wallet wait for each other."""
    advisory_lock(f"patients.wallet_identity/{app_id}/{subject}")


def encounter_locked(*, client: HisClient, encounter_no: str) -> Encounter:
    """The encounter, or DoesNotExist."""
    return lock_row(
        Encounter.objects.select_related("client").filter(client=client, encounter_no=encounter_no)
    )


def notifications_due_locked(*, now: datetime, limit: int) -> list[Notification]:
    """Due messages nobody else is holding, oldest first."""
    due = Notification.objects.filter(status=NotificationStatus.WAITING, due_at__lte=now)
    return lock_rows_free(due.order_by("due_at"), limit=limit)


def notification_locked(notification_id: int) -> Notification:
    return lock_row(Notification.objects.filter(pk=notification_id))


def patient_review_locked(review_id: int) -> PatientReview:
    """A case, or DoesNotExist; the record it is about is locked before it, as a merge does."""
    about = PatientReview.objects.filter(pk=review_id).values_list("patient", flat=True)
    patients_locked(*about)
    return lock_row(PatientReview.objects.filter(pk=review_id))


def bindings_locked(*names: str) -> None:
    """Wishes that count against one limit wait for each other: user, target, address, person.

    Sorted, so that no two callers cross. A person is known only from the register and is locked in
    a second call, by who sends to them a code, after the wish itself.
    """
    for name in sorted(set(names)):
        advisory_lock(f"patients.binding/{name}")


def binding_locked(binding_id: int) -> Binding:
    """The wish, or DoesNotExist."""
    return lock_row(Binding.objects.select_related("user").filter(pk=binding_id))


def bindings_waiting_locked(user_id: int) -> list[Binding]:
    rows = Binding.objects.filter(user=user_id, status=BindingStatus.WAITING)
    return lock_rows(rows.select_related("user"))


def bindings_expired_locked(*, now: datetime, limit: int) -> list[Binding]:
    """Wishes whose time is over, longest ago first; one asked again meanwhile is none of them."""
    over = Binding.objects.filter(status=BindingStatus.WAITING, expires_at__lte=now)
    ids = list(over.order_by("expires_at").values_list("pk", flat=True)[:limit])
    return lock_rows(over.filter(pk__in=ids)) if ids else []


def access_locked(access_id: int) -> PatientAccess:
    """The binding with its people, or DoesNotExist."""
    return lock_row(PatientAccess.objects.select_related("patient", "user").filter(pk=access_id))


def accesses_locked(*, user_id: int, owner_of: int | None = None) -> list[PatientAccess]:
    """Every live binding of a user, and of whoever holds the person `owner_of`, before any ends.

    One statement, so that two who need the same rows take them in one order. It is asked twice:
    whom it waited for may have added a row. Adding one takes the user's rows first, so then nobody
    adds any more.
    """
    live = PatientAccess.objects.live()
    holders = PatientAccess.objects.own().filter(patient=owner_of).values("user")
    rows = live.filter(Q(user=user_id) | Q(user__in=holders)).select_related("patient", "user")
    lock_rows(rows)
    return lock_rows(rows)


def patient_accesses_locked(patient_id: int) -> list[PatientAccess]:
    """Every live binding of others to a person; a new one takes the person's row first."""
    rows = PatientAccess.objects.live().filter(patient=patient_id).exclude(relation=Relation.SELF)
    return lock_rows(rows.select_related("patient", "user"))


def patients_locked(*patient_ids: int) -> list[Patient]:
    """Records of people, and of their wards, which name them. A registration that would write to
    one of them waits for it; a bill or a message that only points at one does not."""
    rows = Patient.objects.filter(Q(pk__in=patient_ids) | Q(guardian__in=patient_ids))
    return lock_rows(rows)


def rows_moving_locked(model: type[Model], ids: list[int]) -> None:
    """Rows of any table that are about to change their person; others may still point at them."""
    lock_rows(model._base_manager.filter(pk__in=ids).only("pk"))


def patient_merge_locked(merge_id: int) -> PatientMerge:
    return lock_row(PatientMerge.objects.filter(pk=merge_id))
