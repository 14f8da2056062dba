"""Whose a phone or a wallet is."""

from __future__ import annotations

from core.crypto import blind_index
from core.models import User
from patients.models import PhoneCode, UserPhone, WalletIdentity
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
