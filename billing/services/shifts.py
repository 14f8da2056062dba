"""A cashier's shift opens by itself at the first cash take."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from billing.models import Shift
from core import clock
from core.ids import business_number


def shift_open_for(*, cashier: str) -> Shift:
    """The cashier's open shift, opened now if there is none. `cashier` is an actor's key."""
    shift = Shift.objects.filter(cashier=cashier, status="OPEN").first()
    if shift is not None:
        return shift
    try:
        with transaction.atomic():
            return Shift.objects.create(
                shift_no=business_number("SH"), cashier=cashier, opened_at=clock.now()
            )
    except IntegrityError:
        # Another till of the same cashier opened it in this moment.
        return Shift.objects.get(cashier=cashier, status="OPEN")
