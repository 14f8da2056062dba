"""Logging staff in: counted first, compared afterwards, and one answer to everything that is wrong.

An attempt is written down before the password is looked at and struck out when it succeeds, so that
a thousand at the same instant are as few as a thousand one after the other. Whoever is locked out
learns that, and until when; whether the name exists, or which of the three was wrong, nobody does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM
from core.audit import record_limited
from core.crypto import blind_index
from core.errors import BadInput, Forbidden, Refusal
from core.locks import staff_login_lock
from core.models import StaffLoginTry, User
from core.passkeys import passkey_check, passkeys_of
from core.second_factor import second_factor_check, second_factor_of

WINDOW = timedelta(minutes=15)
KEPT = timedelta(days=1)
# One person at one desk; one name from everywhere; one address, which may be a whole department.
TRIES_HERE, TRIES_NAME, TRIES_ADDRESS = 5, 20, 50
NAME_LENGTH_MAX = 150
AUDITED_PER_ADDRESS, AUDITED_PER_MINUTE = 20, 200


class LockedOut(Refusal):
    """Too many wrong attempts; waiting helps, trying does not."""

    status: ClassVar[int] = 429


@dataclass(frozen=True, slots=True)
class Entered:
    """Who logged in, and whether a second factor vouched for them."""

    user: User
    second_factor: bool


def staff_enter(
    *,
    request: HttpRequest,
    username: str,
    password: str,
    code: str,
    address: str,
    passkey: str = "",
) -> Entered:
    """Who this is, or a Refusal. `passkey` is what a browser had signed, in place of a code."""
    name = blind_index(username[:NAME_LENGTH_MAX], purpose="staff name")
    _try_count(name, address)
    user = authenticate(request, username=username[:NAME_LENGTH_MAX], password=password)
    if not isinstance(user, User) or not user.is_staff or not user.is_active:
        raise _wrong(username, address)
    vouched = _vouched(user, code, passkey)
    if vouched is False:
        raise _wrong(username, address)
    StaffLoginTry.objects.filter(name_index=name, address=address or None).delete()
    return Entered(user, vouched is True)


def staff_password_confirm(*, user: User, password: str, address: str) -> None:
    """That the person at the desk is still who logged in; counted as a login is."""
    name = blind_index(user.get_username()[:NAME_LENGTH_MAX], purpose="staff name")
    _try_count(name, address)
    if not user.check_password(password):
        _note("staff_login_refused", name, address)
        raise BadInput("password_wrong", _("The password is not right."), "password")
    StaffLoginTry.objects.filter(name_index=name, address=address or None).delete()


def _vouched(user: User, code: str, passkey: str) -> bool | None:
    """Whether a second factor is right; None for who has none. A passkey alone is one, too."""
    if passkey:
        return passkey_check(user, passkey)
    app = second_factor_of(user)
    if app is not None:
        return second_factor_check(app, code)
    return False if passkeys_of(user).exists() else None


def _try_count(name: str, address: str) -> None:
    """Write the attempt down, or refuse it: nothing is compared past a limit."""
    now = clock.now()
    with transaction.atomic():
        staff_login_lock(name)
        recent = StaffLoginTry.objects.filter(created_at__gt=now - WINDOW)
        of_name, of_address = recent.filter(name_index=name), recent.filter(address=address or None)
        here = of_name.filter(address=address or None)
        locked = (
            here.count() >= TRIES_HERE
            or of_name.count() >= TRIES_NAME
            or of_address.count() >= TRIES_ADDRESS
        )
        if not locked:
            StaffLoginTry.objects.filter(created_at__lt=now - KEPT).delete()
            StaffLoginTry.objects.create(name_index=name, address=address or None, created_at=now)
    if locked:
        _note("staff_locked_out", name, address)
        raise LockedOut(
            "locked_out",
            _("Too many wrong attempts. Wait 15 minutes, or ask the administrator."),
        )


def _wrong(username: str, address: str) -> Forbidden:
    _note("staff_login_refused", blind_index(username, purpose="staff name"), address)
    return Forbidden("login_wrong", _("The name, the password or the code is not right."))


def _note(action: str, name: str, address: str) -> None:
    """Strangers cause these at will, so they are limited; the name stands as its hash."""
    record_limited(
        by=SYSTEM,
        action=action,
        subject="core.user",
        subject_id=name,
        detail={},
        address=address,
        per_address=AUDITED_PER_ADDRESS,
        per_minute=AUDITED_PER_MINUTE,
    )
