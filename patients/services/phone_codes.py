"""Codes to phones: limited before they are sent, counted before they are compared.

Known and unknown phones are treated alike to the last statement; what differs begins after the
right code. The row is committed before the text message leaves, so that a lost answer of the
gateway leaves a code that works.

Who can ask for a code to somebody's phone is anybody, so nothing a stranger does may take the
owner's code or day away. A code is tried only by the browser that asked for it, five times, and is
ended only by that browser's next one. How often a phone is sent to is counted per phone and
address: a stranger uses up their own share. Over all addresses a phone has `phone_day_all` codes a
day, so that a crowd of strangers has 30 x 5 guesses of a million, and the owner at most 30 unwanted
messages; only then is the phone closed to everybody until the day is over. One address is limited
besides, over all phones: codes sent, and wrong guesses.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, QuerySet, Sum
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from core import clock
from core.crypto import blind_index
from core.errors import BadInput, Refusal
from patients.locks import phone_codes_locked
from patients.messages import phone_code_fields
from patients.messengers.base import Delivery, Message
from patients.messengers.registry import messenger_get
from patients.models import CodePurpose, PhoneCode
from patients.models.account import PHONE_INDEX_PURPOSE
from patients.signin.phones import code_from

DIGITS = 6
LIFETIME = timedelta(minutes=5)
TRIES_MAX = 5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_DIGEST_PURPOSE = "phone code"


class TooOften(Refusal):
    """Asked for too often; waiting helps."""

    status: ClassVar[int] = 429


class CodeNotSent(Refusal):
    """The gateway did not take the message, or did not say so."""

    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """How often codes leave. One address may be a whole waiting room behind one router.

    `phone_…` is one phone asked for from one address, `phone_day_all` from all of them.
    """

    between_s: int = 60
    phone_hour: int = 5
    phone_day: int = 10
    phone_day_all: int = 30
    address_hour: int = 300
    address_wrong_hour: int = 100


def phone_code_send(
    *, phone: str, purpose: str = CodePurpose.SIGN_IN, address: str = "", replaces: int = 0
) -> int:
    """Send a new code and return its row's number. TooOften past a limit.

    `replaces` is the code the same browser asked for before: it ends. Another browser's stays.
    A message that surely did not leave is a Refusal; one whose answer is missing may have arrived.
    """
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    index = blind_index(phone, purpose=PHONE_INDEX_PURPOSE)
    now = clock.now()
    with transaction.atomic():
        phone_codes_locked(index)
        _limit(index, address, now)
        alive = PhoneCode.objects.filter(pk=replaces, used_at=None, expires_at__gt=now)
        alive.filter(purpose=purpose).update(expires_at=now)
        row = PhoneCode.objects.create(
            phone=phone,
            purpose=purpose,
            code_digest=_digest(purpose, phone, code),
            address=address or None,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    _send(row, code)
    return row.pk


CODE_MISSING = _("Type the 6 digits of the text message.")


def phone_code_check(*, code_id: int, code: str, purpose: str = CodePurpose.SIGN_IN) -> str:
    """The phone a right code was sent to; the code is used up by it. BadInput for any other.

    One statement counts the guess before the code is compared, and one uses it up. An empty box is
    no guess.
    """
    typed, now = code_from(code), clock.now()
    if not typed:
        raise BadInput("code_missing", CODE_MISSING, "code")
    alive = PhoneCode.objects.filter(
        pk=code_id, purpose=purpose, used_at=None, expires_at__gt=now, tries__lt=TRIES_MAX
    )
    if not alive.update(tries=F("tries") + 1):
        raise _over()
    row = PhoneCode.objects.get(pk=code_id)
    if not constant_time_compare(row.code_digest, _digest(purpose, row.phone, typed)):
        if row.tries >= TRIES_MAX:
            raise _over()
        raise BadInput(
            "code_wrong", _("The code is not right. Look at the newest message again."), "code"
        )
    if not PhoneCode.objects.filter(pk=code_id, used_at=None).update(used_at=now):
        raise _over()
    phone: str = row.phone
    return phone


def phone_codes_purge(*, now: datetime) -> int:
    """Forget codes no limit counts any more; how many there were."""
    return PhoneCode.objects.filter(created_at__lt=now - DAY).delete()[0]


def _over() -> BadInput:
    return BadInput("code_over", _("This code is no longer valid. Get a new one."), "code")


def _limit(index: str, address: str, now: datetime) -> None:
    """Refuse what is too much, in the order in which waiting helps soonest."""
    limits = CodeLimits(address_hour=settings.PHONE_CODES_ADDRESS_HOUR)
    everybodys = PhoneCode.objects.filter(phone_index=index, created_at__gt=now - DAY)
    own = everybodys.filter(address=address or None)
    day = own.aggregate(sent=Count("pk"), last=Max("created_at"))
    if day["last"] and now - day["last"] < timedelta(seconds=limits.between_s):
        raise TooOften(
            "code_too_soon", _("A code was sent a moment ago. Wait one minute, then ask again.")
        )
    near = PhoneCode.objects.filter(address=address or None, created_at__gt=now - HOUR)
    if (
        day["sent"] >= limits.phone_day
        or everybodys.count() >= limits.phone_day_all
        or own.filter(created_at__gt=now - HOUR).count() >= limits.phone_hour
        or _past(near, limits)
    ):
        raise TooOften(
            "code_too_often",
            _("Too many codes were asked for. Try again in an hour, or come to the window."),
        )


def _past(near: QuerySet[PhoneCode], limits: CodeLimits) -> bool:
    counted = near.aggregate(sent=Count("pk"), tries=Sum("tries"), used=Count("used_at"))
    wrong: int = (counted["tries"] or 0) - counted["used"]
    return counted["sent"] >= limits.address_hour or wrong >= limits.address_wrong_hour


def _digest(purpose: str, phone: str, code: str) -> str:
    return blind_index(f"{purpose}/{phone}/{code}", purpose=_DIGEST_PURPOSE)


def _send(row: PhoneCode, code: str) -> None:
    adapter = messenger_get("sms")
    if adapter is None:
        raise CodeNotSent(
            "no_messenger", _("Codes cannot be sent here yet. Please come to the window.")
        )
    outcome = adapter.send(
        Message(
            # Of its own at every send: a number seen before would be answered, not sent.
            key=f"phone_code/{row.pk}/{secrets.token_hex(8)}",
            address=row.phone,
            kind="phone_code",
            fields=phone_code_fields(code, int(LIFETIME.total_seconds()) // 60),
        )
    )
    if outcome.delivery is Delivery.REFUSED:
        raise BadInput(
            "phone_not_reached", _("No message can be sent to this number. Try another."), "phone"
        )
    if outcome.delivery is Delivery.AGAIN:
        raise CodeNotSent(
            "code_not_sent",
            _("The message could not be sent just now. Try again in a minute."),
        )
