"""Whose a phone or a wallet is."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from core import clock
from core.crypto import blind_index
from core.models import User
from patients.models import PatientAccess, PhoneCode, UserPhone, WalletIdentity
from patients.models.account import PHONE_INDEX_PURPOSE
from patients.signin.base import Identity


def user_by_phone(phone: str) -> User | None:
    """The user who verified this phone."""
    index = blind_index(phone, purpose=PHONE_INDEX_PURPOSE)
    found = UserPhone.objects.select_related("user").filter(phone_index=index).first()
    return found.user if found else None


def phone_of(user: User) -> str:
    """The verified phone; empty for an account without one."""
    found = UserPhone.objects.filter(user=user).first()
    return found.phone if found else ""


def phone_in_doubt(phone: str) -> UserPhone | None:
    """The phone of an account, where it may be somebody else's by now.

    A number that is given up is given to another person after some months. So one whose codes have
    opened nothing for that long is no proof any more of whose account it is, whatever the account
    holds: people, a wallet that signs in, an agreement, the messages of before.
    """
    index = blind_index(phone, purpose=PHONE_INDEX_PURPOSE)
    row = UserPhone.objects.filter(phone_index=index).first()
    if row is None:
        return None
    idle = clock.now() - (row.used_at or row.verified_at)
    return row if idle > timedelta(days=settings.PHONE_UNUSED_DAYS) else None


def people_have_number(user_id: int, last: str = "") -> bool:
    """Whether somebody bound to the account has a certificate number, one that ends so."""
    held = PatientAccess.objects.live().filter(user=user_id).select_related("patient")
    return any(one.patient.id_number.endswith(last) for one in held if one.patient.id_number)


def code_phone(code_id: int) -> str:
    """The phone a code was sent to; empty for a number there is none of any more."""
    found = PhoneCode.objects.filter(pk=code_id).first()
    return found.phone if found else ""


def wallet_subject(*, user_id: int, channel: str, app_id: str) -> str:
    """The user's id at an app of a wallet, the one they came with last; empty without one."""
    rows = WalletIdentity.objects.filter(user=user_id, channel=channel, app_id=app_id)
    return rows.order_by("-pk").values_list("subject", flat=True).first() or ""


def identity_holder(identity: Identity) -> User | None:
    """Whose a wallet's user id is. An id is of one app, whatever it is used for there."""
    rows = WalletIdentity.objects.select_related("user").order_by("pk")
    found = rows.filter(app_id=identity.app_id, subject=identity.subject).first()
    return found.user if found else None
