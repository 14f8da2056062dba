"""A cashier's shift opens by itself at the first cash take, once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from billing.ledger.selectors import account_balance
from billing.models import Shift
from billing.services.shifts import shift_open_for
from core import clock
from tests.billing.services.bills import capture_of, driven
from tests.factories import payments
from tests.factories.billing import invoice


@pytest.mark.django_db
def test_the_first_take_opens_it_and_the_next_finds_it(still_clock: clock.FrozenClock) -> None:
    opened_at = clock.now()
    first = shift_open_for(cashier="staff:zhang")
    still_clock.advance(timedelta(hours=3))
    again = shift_open_for(cashier="staff:zhang")
    assert again == first
    assert (again.cashier, again.status, again.opened_at) == ("staff:zhang", "OPEN", opened_at)
    assert again.shift_no.startswith("SH")


@pytest.mark.django_db
def test_every_cashier_has_an_own_one() -> None:
    numbers = {
        shift_open_for(cashier=cashier).shift_no
        for cashier in ("staff:zhang", "staff:li", "his:zhang")
    }
    assert len(numbers) == 3


@pytest.mark.django_db
def test_after_its_closing_the_next_take_opens_another() -> None:
    first = shift_open_for(cashier="staff:zhang")
    Shift.objects.filter(pk=first.pk).update(status="CLOSED", closed_at=clock.now())
    second = shift_open_for(cashier="staff:zhang")
    assert second.pk != first.pk
    assert Shift.objects.filter(cashier="staff:zhang").count() == 2


@pytest.mark.django_db
def test_cash_of_two_takes_lies_in_one_drawer() -> None:
    first = invoice(1_000)
    for bill in (first, invoice(250, of=first.encounter)):
        payments.collect(bill, "cash")
        assert driven(bill).status == "PAID"
    shift = Shift.objects.get()
    assert shift.cashier == "his:C1"
    assert account_balance(f"cash_drawer/{shift.shift_no}") == 1_250
    assert capture_of(first).payment.shift == shift


@pytest.mark.django_db(transaction=True)
def test_two_tills_of_one_cashier_at_once_open_one() -> None:
    together, opened = threading.Barrier(4), []

    def take() -> None:
        together.wait(5)
        opened.append(shift_open_for(cashier="staff:zhang").pk)
        connection.close()

    tills = [threading.Thread(target=take) for _till in range(4)]
    for till in tills:
        till.start()
    for till in tills:
        till.join(10)
    assert len(opened) == 4
    assert set(opened) == {Shift.objects.get().pk}
