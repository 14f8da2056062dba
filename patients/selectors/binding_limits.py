"""How often one user, one target and one address may wish and guess.

The figures count rows that everybody makes in the same way, so a limit says nothing about whether
its target is a patient.

Anybody may type somebody else's number, so nothing a stranger does may take the owner's day away. A
stranger uses up their own share. What all together may do to one target is limited besides, so that
a crowd has 30 guesses of a million and a phone at most 30 unwanted codes a day; that total does not
count for whose own account is opened by the phone on the target's record. Only they could tell the
difference, and they get the messages of that record anyway.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import Conflict
from patients.models import Binding, Patient
from patients.selectors.accounts import phone_of
from patients.selectors.people import phone_index

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WISHES_PER_USER = 10
WISHES_PER_TARGET = 30
# A hospital's own network is one address for everybody in the waiting room.
WISHES_PER_ADDRESS = 60
TRIES_PER_USER = 10
TRIES_PER_TARGET = 30
TRIES_PER_ADDRESS = 60
CODES_PER_PERSON = 30

_TOO_MANY = _(
    "There were too many attempts. Try again tomorrow, or come to the window with the certificates."
)


def wishes_refusal(wish: Binding, *, address: str) -> Conflict | None:
    """Refuse one wish or sending too many."""
    over = (
        _sum("sends_asked", Q(user=wish.user_id), DAY) >= WISHES_PER_USER
        or (bool(address) and _sum("sends_asked", Q(address=address), HOUR) >= WISHES_PER_ADDRESS)
        or (
            _sum("sends_asked", Q(target=wish.target), DAY) >= WISHES_PER_TARGET
            and not _by_phone_on_record(wish)
        )
    )
    return Conflict("too_many_tries", _TOO_MANY) if over else None


def tries_refusal(wish: Binding, *, address: str) -> Conflict | None:
    """Refuse one guess too many, also where this very guess would be right."""
    over = (
        _sum("attempts", Q(user=wish.user_id), DAY) >= TRIES_PER_USER
        or (bool(address) and _sum("attempts", Q(address=address), HOUR) >= TRIES_PER_ADDRESS)
        or (
            _sum("attempts", Q(target=wish.target), DAY) >= TRIES_PER_TARGET
            and not _by_phone_on_record(wish)
        )
    )
    return Conflict("too_many_tries", _TOO_MANY) if over else None


def codes_reached(wish: Binding, *, patient_id: int) -> bool:
    """Whether this person's phone has had enough codes for a day, whoever asked. How many one user
    asks for is limited as their wishes are."""
    sent = _sum("send_tries", Q(patient=patient_id), DAY)
    return sent >= CODES_PER_PERSON and not _by_phone_on_record(wish)


def _by_phone_on_record(wish: Binding) -> bool:
    """Whether the asker's own account is opened by the phone of whom the number they typed is, or
    by the guardian's: by the phone that a code goes to."""
    index = phone_index(phone_of(wish.user))
    if not index:
        return False
    if wish.id_number_index:
        rows = Patient.objects.filter(id_type=wish.id_type, id_number_index=wish.id_number_index)
    else:
        rows = Patient.objects.filter(identifiers__value=wish.card_no)
    theirs = Q(phone_index=index) | Q(guardian__phone_index=index)
    return rows.filter(theirs, merged_into=None).exists()


def _sum(column: str, which: Q, within: timedelta) -> int:
    rows = Binding.objects.filter(which, created_at__gte=clock.now() - within)
    return int(rows.aggregate(total=Sum(column))["total"] or 0)
