"""The second factor of staff: codes of an authenticator app (TOTP, RFC 6238).

Secrets are encrypted at rest. A code counts once: the counter it belongs to is written by one
statement that only moves forward, so a code seen over a shoulder is worth nothing in any process;
the code that an app is enrolled by counts, too. Codes follow real time, also where the portal's
clock was moved: the app on a phone knows no other.
"""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.db import connection
from django.utils.crypto import constant_time_compare

from core import clock
from core.crypto import decrypt, encrypt
from core.models import User

_CONTEXT = "mfa_authenticator.data"
CODE_LENGTH_MAX = 16
_USE = """
UPDATE mfa_authenticator
SET data = jsonb_set(data, '{counter}', to_jsonb(%s::bigint)), last_used_at = %s
WHERE id = %s AND COALESCE((data->>'counter')::bigint, -1) < %s
"""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The library's hooks: how it stores secrets and whom it names in the app."""

    def encrypt(self, text: str) -> str:
        return encrypt(text, context=_CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text, context=_CONTEXT)


def second_factor_of(user: User) -> Authenticator | None:
    """The app this person enrolled, if any."""
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).first()


def second_factor_check(factor: Authenticator, code: str) -> bool:
    """Whether the code is right now and was not used before; it is used by this."""
    secret = get_adapter().decrypt(factor.data["secret"])
    counter = second_factor_counter(secret, code)
    if counter is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_USE, [counter, clock.now(), factor.pk, counter])
        return bool(cursor.rowcount == 1)


def second_factor_secret() -> str:
    """A new secret, as an authenticator app takes it."""
    return str(generate_totp_secret())


def second_factor_counter(secret: str, code: str) -> int | None:
    """Which count of an app that was just given the secret this code is of; None if of none."""
    typed = "".join(code[:CODE_LENGTH_MAX].split())
    found = None
    for counter in yield_hotp_counters_from_time():
        # Every one is compared, so that the time taken tells nothing.
        if constant_time_compare(format_hotp_value(hotp_value(secret, counter)), typed):
            found = int(counter)
    return found


def second_factor_enrol(*, user: User, secret: str, used: int | None = None) -> bool:
    """Bind the first app to a person; False where they have one, which stays as it is.

    `used` is the count it was proven by. Of two who know a password and enrol at once, the
    database's one app per person lets one in.
    """
    data: dict[str, str | int] = {"secret": get_adapter().encrypt(secret)}
    if used is not None:
        data["counter"] = used
    return bool(
        Authenticator.objects.get_or_create(
            user=user,
            type=Authenticator.Type.TOTP,
            defaults={"data": data, "created_at": clock.now()},
        )[1]
    )


def second_factor_code(secret: str, *, used: int | None = None) -> str:
    """What an app shows now; the next code where that was used already and the next one counts."""
    counters = list(yield_hotp_counters_from_time())
    coming = counters[len(counters) // 2 :]
    fresh = [one for one in coming if used is None or one > used]
    return str(format_hotp_value(hotp_value(secret, (fresh or coming)[0])))


def second_factors_used(usernames: Iterable[str]) -> dict[str, int]:
    """The count of the last code of each of these people who used one."""
    apps = Authenticator.objects.filter(
        type=Authenticator.Type.TOTP, user__username__in=list(usernames)
    )
    rows = apps.values_list("user__username", "data__counter")
    return {name: int(counter) for name, counter in rows if counter is not None}
