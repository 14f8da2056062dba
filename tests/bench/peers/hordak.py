"""django-hordak posting the legs of `journal_post`, the way its documentation shows."""

from __future__ import annotations

from django.core.management import call_command
from django.db import transaction
from hordak.models import Account, AccountType, Leg, Transaction
from moneyed import Money

from tests.bench.crew import Operation

NAMES = ("clearing", "drawer", "receivable", "deposit")


def prepare(worker: int) -> Operation:
    """The tables and four accounts; there is nothing to repeat."""
    call_command("migrate", verbosity=0)
    for number, name in enumerate(NAMES):
        Account.objects.create(
            name=name, code=str(number), type=AccountType.asset, currencies=["CNY"]
        )
    return lambda: None


def post(worker: int) -> Operation:
    clearing, drawer, receivable, deposit = (Account.objects.get(name=name) for name in NAMES)

    def operation() -> None:
        with transaction.atomic():
            entry = Transaction.objects.create()
            Leg.objects.create(transaction=entry, account=clearing, debit=Money("90.00", "CNY"))
            Leg.objects.create(transaction=entry, account=drawer, debit=Money("10.00", "CNY"))
            Leg.objects.create(transaction=entry, account=receivable, credit=Money("60.00", "CNY"))
            Leg.objects.create(transaction=entry, account=deposit, credit=Money("40.00", "CNY"))

    return operation
