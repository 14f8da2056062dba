"""How the receiver of a message is reached. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence

from core.crypto import blind_index
from core.crypto.blind_index import normalised
from patients.messengers.registry import wechat_app_id
from patients.models import (
    Messenger,
    Notification,
    Patient,
    PatientAccess,
    UserPhone,
    WalletIdentity,
)
from patients.selectors.binding_rules import ADULT_FROM, age_of


def notification_addresses(row: Notification) -> list[tuple[str, str]]:
    """The ways to reach a message's receiver, best first: openid, own phone, account's phone. One
    that was written for a phone goes there and nowhere else."""
    if row.address:
        return [(Messenger.SMS, row.address)]
    if row.user_id is None:
        phone = record_phone(row.patient) if row.patient is not None else ""
        return [(Messenger.SMS, phone)] if phone else []
    openids = WalletIdentity.objects.filter(user=row.user_id, app_id=wechat_app_id())
    ways = [
        (str(Messenger.WECHAT_TEMPLATE), subject)
        for subject in openids.order_by("pk").values_list("subject", flat=True)[:1]
    ]
    return ways + [(str(Messenger.SMS), phone) for phone in _phones_of([row.user_id])[:1]]


def record_phone(patient: Patient) -> str:
    """The hospital's phone for a person: of a minor, their guardian's."""
    if patient.guardian is not None and _is_minor(patient):
        return str(patient.guardian.phone or patient.phone)
    return str(patient.phone)


def _is_minor(patient: Patient) -> bool:
    age = age_of(patient)
    return age is not None and age < ADULT_FROM


def guardian_told_id(patient: Patient) -> int | None:
    """The guardian who is told of a minor's bills; None for whoever is of age, or has none."""
    return patient.guardian_id if _is_minor(patient) else None


def receivers_mark(patient: Patient) -> str:
    """Who is told of a person's bills and by which phones, as one keyed hash: to see a change."""
    people = {patient.pk, patient.guardian_id} if _is_minor(patient) else {patient.pk}
    accounts = PatientAccess.objects.own().filter(patient__in=people - {None})
    told = accounts.order_by("user").values_list("user", "user__phone__phone_index")
    ways = [comparable(record_phone(patient)), *(f"{user}:{phone}" for user, phone in told)]
    return blind_index("|".join(ways), purpose="receivers of messages")


def notification_told_already(row: Notification) -> bool:
    """Whether the phone on record is that of a user who is told the same: a relative's phone may
    stand on the record of a parent. What is told together is queued in the same instant."""
    if row.user_id is not None or row.patient is None:
        return False
    told = Notification.objects.filter(
        patient=row.patient_id, created_at=row.created_at, user__isnull=False
    )
    users = list(told.values_list("user_id", flat=True))
    phones = {comparable(one) for one in _phones_of(users)} if users else set()
    return comparable(record_phone(row.patient)) in phones


def comparable(phone: str) -> str:
    """A phone as it is compared with another one."""
    return normalised(phone).removeprefix("+86")


def _phones_of(users: Sequence[int | None]) -> list[str]:
    """The phones on the users' own records, then those that open their accounts."""
    own = PatientAccess.objects.own().filter(user__in=users)
    phones = [access.patient.phone for access in own.select_related("patient").order_by("pk")]
    accounts = UserPhone.objects.filter(user__in=users).order_by("pk")
    return [str(one) for one in [*phones, *(row.phone for row in accounts)] if one]
