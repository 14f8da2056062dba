"""Passkeys of staff (WebAuthn): a second factor that no false page can ask for.

The library keeps the protocol; a challenge lies in the session and is worth one answer. The login's
challenge names nobody, so it tells nothing of who has a passkey. The device must have verified its
person. Public keys only are stored.
"""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import BadInput
from core.models import User

ANSWER_LENGTH_MAX = 8192
# What the library raises at an answer that is malformed, foreign, old or signed wrongly.
_WRONG = (ValidationError, ValueError, TypeError, KeyError, AttributeError)


def passkeys_of(user: User) -> QuerySet[Any]:
    """The passkeys of this person, oldest first."""
    rows: QuerySet[Any] = Authenticator.objects.filter(user_id=user.pk).order_by("pk")
    return rows.filter(type=Authenticator.Type.WEBAUTHN)


def passkey_challenge() -> dict[str, Any]:
    """What a browser at the login has signed by a passkey, whoever's it is."""
    return dict(auth.begin_authentication(None))


def passkey_check(user: User, answer: str) -> bool:
    """Whether one of this person's passkeys signed the session's challenge; it is used by this.

    Right or wrong, the challenge is gone afterwards: who failed is given another.
    """
    try:
        used = auth.complete_authentication(user, json.loads(answer[:ANSWER_LENGTH_MAX]))
    except _WRONG:
        return False
    finally:
        auth.clear_state()
    return bool(passkeys_of(user).filter(pk=used.pk).update(last_used_at=clock.now()))


def passkey_registration(user: User) -> dict[str, Any]:
    """What a browser makes a new passkey of this person from."""
    return dict(auth.begin_registration(user, passwordless=True))


def passkey_add(*, user: User, answer: str) -> Authenticator:
    """Keep a new passkey, or BadInput; its challenge is gone either way."""
    try:
        response = json.loads(answer[:ANSWER_LENGTH_MAX])
        auth.complete_registration(response)
    except _WRONG:
        raise BadInput("passkey_wrong", _("The passkey was not made. Try it again.")) from None
    finally:
        auth.clear_state()
    data = {"name": "passkey", "credential": response}
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data=data, created_at=clock.now()
    )
