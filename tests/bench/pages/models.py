"""The models: what the services make of one patient's bills, and the staff who look at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test.utils import override_settings

from billing.models import Invoice, Merchant, PaymentInstitution, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.returns import return_request
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import Actor
from core.models import User
from core.outcomes import Outcome
from patients.models import Identifier
from tests.billing.desk.people import staff
from tests.factories import accounts, payments
from tests.factories import billing as bills
from tests.factories import patients as people
from tests.scripted import PAID, ScriptedChannel

LINES_FEN = (6_000, 1_250, 890, 2_400, 1_000)
CAMPUS = {
    "name": "云溪市第一医院",
    "window_text": "门诊楼 1 层 3 号窗口，7:30–17:00，可付现金",
    "phone": "0500-8612 0000",
}


@dataclass(frozen=True, slots=True)
class Models:
    """Numbers of the rows that are copied."""

    user: int
    patient: int
    paid: int
    returned: int


class InstantChannel(ScriptedChannel):
    """Takes no time, remembers nothing, always succeeds."""

    def capture(self, order: object) -> Any:
        return PAID

    def refund(self, order: object) -> Any:
        return PAID


def models_make() -> Models:
    """One account with its person, a paid bill and one that was given back; a cashier, an IT."""
    campus = people.campus(**CAMPUS)
    user = accounts.patient_user()
    person = people.patient(name="王秀兰")
    Identifier.objects.create(
        client=people.his_client(),
        patient=person,
        kind="card",
        value="C0",
        created_at=clock.now(),
    )
    payments.access(person, user)
    payments.agreement(person, holder=user)
    _merchants()
    for role in ("cashier", "admin"):
        staff(role)
    with override_settings(PAYMENT_CHANNELS=_channels()):
        paid = [_paid(people.encounter(of=person, campus=campus)) for _ in range(2)]
        _returned(paid[1])
    return Models(user.pk, person.pk, paid[0].pk, paid[1].pk)


def staff_of(role: str) -> User:
    return User.objects.get(username=role)


def _channels() -> dict[str, str]:
    instant = f"{InstantChannel.__module__}.{InstantChannel.__name__}"
    return {**settings.PAYMENT_CHANNELS, "wechat_pay": instant}


def _merchants() -> None:
    """Alipay beside WeChat, both in term for as long as the town is kept."""
    wechat = payments.merchant()
    PaymentInstitution.objects.update(agreement_until=clock.today() + timedelta(days=3650))
    Merchant.objects.create(
        channel="alipay",
        merchant_no="2088000000000001",
        institution=wechat.institution,
        app_id="2021000000000001",
    )


def _paid(visit: Any) -> Invoice:
    bill = bills.invoice(*LINES_FEN, of=visit)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    if bill.status != "PAID":
        raise RuntimeError(f"the model of a paid bill is {bill.status}")
    return bill


def _returned(bill: Invoice) -> None:
    return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no="RT0",
        lines=None,
        reason="未做检查",
        operator=bills.OPERATOR,
        approver=Actor("his", "C2", "复核员"),
        input_hash="",
    )
    refund = PaymentTransaction.objects.get(payment__invoice=bill, kind="REFUND")
    PaymentTransaction.objects.filter(pk=refund.pk).update(due_at=clock.now())
    transaction_resume(transaction_id=refund.pk)
    refund.refresh_from_db()
    if refund.status != Outcome.SUCCEEDED:
        raise RuntimeError(f"the model of a refund is {refund.status}")
