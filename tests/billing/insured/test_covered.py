"""A bill whose cash part is 0 is settled alone, and the patient hears that nothing is to pay."""

from __future__ import annotations

import pytest

from core import clock
from patients.messages import message_fields
from patients.models import Notification
from tests.billing.insured.ward import Ward, even, movements, split_of, told, ward_open
from tests.contracts.nhsa_house import SERVICE
from tests.factories import payments
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(sandbox: Sandbox, still_clock: clock.FrozenClock) -> Ward:
    """An insured patient whose own account holds more than the bill."""
    return ward_open(sandbox, still_clock, balance_fen=50_000)


def test_who_pays_nothing_is_told_so_once(rich: Ward) -> None:
    payments.access(rich.visit.patient, payments.user())
    bill = rich.priced((SERVICE, 1_000))
    rich.collect(bill)
    assert (bill.status, split_of(bill), movements(bill)) == ("PAID", (600, 400, 0, 0, 0), [])
    message = Notification.objects.get(kind="covered")
    said = message_fields(message.kind, message.facts)
    assert (said["title"], said["amount"], said["name"]) == (
        "医保已全额支付您的医院账单", "¥0.00", "王*",
    )  # fmt: skip
    assert told(bill)[-1] == "paid"
    rich.driven(bill)
    assert Notification.objects.filter(kind="covered").count() == 1
    even(rich, bill)


def test_who_pays_a_part_is_told_of_the_payment_alone(ward: Ward) -> None:
    payments.access(ward.visit.patient, payments.user())
    ward.agreement()
    ward.paid()
    assert not Notification.objects.filter(kind="covered").exists()
    assert Notification.objects.filter(kind="paid").exists()
