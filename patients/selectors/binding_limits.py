"""How often one user, one target and one address may wish and guess.

The figures count rows that everybody makes in the same way, so a limit says nothing about whether
its target is a patient.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import Conflict
from patients.models import Binding

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WISHES_PER_USER = 10
WISHES_PER_TARGET = 10
# A hospital's own network is one address for everybody in the waiting room.
WISHES_PER_ADDRESS = 60
TRIES_PER_USER = 10
TRIES_PER_TARGET = 10
TRIES_PER_ADDRESS = 60
CODES_PER_PERSON = 10

_TOO_MANY = _(
    "There were too many attempts. Try again tomorrow, or come to the window with the certificates."
)


def wishes_refusal(*, user_id: int, target: str, address: str) -> Conflict | None:
    """Refuse one wish or sending too many."""
    over = (
        _sum("sends_asked", Q(user=user_id), DAY) >= WISHES_PER_USER
        or _sum("sends_asked", Q(target=target), DAY) >= WISHES_PER_TARGET
        or (bool(address) and _sum("sends_asked", Q(address=address), HOUR) >= WISHES_PER_ADDRESS)
    )
    return Conflict("too_many_tries", _TOO_MANY) if over else None


def tries_refusal(*, user_id: int, target: str, address: str) -> Conflict | None:
    """Refuse one guess too many, also where this very guess would be right."""
    over = (
        _sum("attempts", Q(user=user_id), DAY) >= TRIES_PER_USER
        or _sum("attempts", Q(target=target), DAY) >= TRIES_PER_TARGET
        or (bool(address) and _sum("attempts", Q(address=address), HOUR) >= TRIES_PER_ADDRESS)
    )
    return Conflict("too_many_tries", _TOO_MANY) if over else None


def codes_reached(patient_id: int) -> bool:
    """Whether this person's phone has had enough codes for a day, whoever asked."""
    return _sum("send_tries", Q(patient=patient_id), DAY) >= CODES_PER_PERSON


def _sum(column: str, which: Q, within: timedelta) -> int:
    rows = Binding.objects.filter(which, created_at__gte=clock.now() - within)
    return int(rows.aggregate(total=Sum(column))["total"] or 0)
