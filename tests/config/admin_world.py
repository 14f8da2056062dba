"""A small world in which every table that staff may open holds at least one telling row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.db import transaction

from billing.ledger.models import ClosedDay
from billing.models import (
    Agreement,
    BillingReview,
    HisEvent,
    Invoice,
    PaymentNotice,
    Rating,
    ReviewReason,
)
from billing.services.invoice_drive import invoice_drive
from billing.services.reviews import review_open
from config.jobs import schedule_sync
from core import clock
from core.actors import SYSTEM
from core.models import AuditEvent, JobRun, OutboundCall
from patients.models import (
    Identifier,
    Location,
    Notification,
    Patient,
    PatientAccess,
    PatientMerge,
    PatientReview,
    TagTouch,
)
from tests.billing.desk.people import browser, hidden, paid_bill
from tests.factories import insured, patients, payments
from tests.factories.billing import invoice
from tests.insurance import factories as insurance


@dataclass(frozen=True, slots=True)
class World:
    """What the desk's pages are about; the rest is found by its table."""

    patient: Patient
    to_pay: Invoice
    running: Invoice
    paid: Invoice
    review: BillingReview
    decided: BillingReview
    person_review: PatientReview
    relative: Patient
    twin: Patient


def world() -> World:
    patients.his_client(name="门诊系统")
    patients.campus("C01")
    person = patients.patient("0004182276", number=patients.id_number(3), name="陈秀兰")
    Identifier.objects.create(
        client=patients.his_client(), patient=person, kind="card", value="88000123",
        created_at=clock.now(),
    )  # fmt: skip
    visit = patients.encounter("2611200041", of=person)
    paid = paid_bill(12_000, 8_640, of=visit, invoice_no="2610160233")
    review = _return_asked(paid)
    to_pay = invoice(8_640, of=visit, invoice_no="2611200418")
    running = _running(invoice(6_300, of=visit, invoice_no="2611200419"))
    _cash_taken(invoice(4_200, of=visit, invoice_no="2611200420"))
    decided = _decided(running)
    _trails(paid)
    _messages(paid)
    _of_people(paid)
    schedule_sync()
    insured.shown_rows(insurance.shown_rows())
    ClosedDay.objects.create(
        day=clock.today() - timedelta(days=1), closed_at=clock.now(),
        entry_count=1, posting_count=2, account_count=2, debit_fen=8_640,
    )  # fmt: skip
    who = _who_is_who(person)
    twin, relative = _joined(person), _ended(person)
    return World(person, to_pay, running, paid, review, decided, who, relative, twin)


def _return_asked(bill: Invoice) -> BillingReview:
    clerk = browser("refund_clerk", "refund_clerk01")
    page = f"/admin/desk/bills/{bill.pk}/return"
    line = bill.lines.order_by("pk")[0]
    shown = clerk.post(page, {f"quantity-{line.pk}": "1", "reason": "未做检查"})
    clerk.post(f"{page}/send", {"token": hidden(shown)})
    return BillingReview.objects.get(reason_code=ReviewReason.RETURN_AT_WINDOW)


def _running(bill: Invoice) -> Invoice:
    payments.collect(bill, "scan", auth_code="130000000000000001")
    return bill


def _cash_taken(bill: Invoice) -> None:
    cashier = browser("cashier", "cashier01")
    token = hidden(cashier.get(f"/admin/desk/bills/{bill.pk}/cash"))
    form = {"token": token, "method": "cash", "auth_code": ""}
    cashier.post(f"/admin/desk/bills/{bill.pk}/collect", form)
    invoice_drive(invoice_id=bill.pk)


def _decided(bill: Invoice) -> BillingReview:
    figures = {"ours_fen": 6_300, "theirs_fen": 6_000}
    with transaction.atomic():
        case = review_open(reason=ReviewReason.AMOUNT_DIFFERS, figures=figures, invoice=bill)
    form = {"verdict": "approve", "comment": "已与渠道核对"}
    browser("reviewer", "reviewer01").post(f"/admin/desk/reviews/{case.pk}", form)
    failures = {"failures": 3, "error": "渠道无应答"}
    with transaction.atomic():
        review_open(reason=ReviewReason.NOT_ENDED, figures=failures, invoice=bill)
    return case


def _trails(bill: Invoice) -> None:
    captured = bill.payments.get().transactions.get(kind="CAPTURE")
    for status, failure in ((200, ""), (None, "NO_ANSWER")):
        OutboundCall.objects.create(
            counterparty="wechat_pay", operation="capture", reference=captured.number,
            method="POST", url="https://channel.example/pay", status=status, failure=failure,
            request_headers={"Accept": "application/json"}, request_body="{}",
            request_sha256="0" * 64, duration_ms=84, created_at=clock.now(),
        )  # fmt: skip
    notice = PaymentNotice.objects.create(
        channel="wechat_pay", kind="capture", event_no="EV1", number="PT404",
        received_at=clock.now(), merchant=payments.merchant(),
        outcome="SUCCEEDED -> SUCCEEDED",
        facts={"amount_fen": 8_640, "outcome": "SUCCEEDED", "closed": False, "payer_id": "",
               "occurred_at": "2026-11-20T02:00:00+00:00", "ground": {"trade_type": "PAP"}},
    )  # fmt: skip
    review_open(reason=ReviewReason.UNKNOWN_ORDER, notice=notice, figures={"number": notice.number})
    AuditEvent.objects.create(
        actor="his:N01", actor_name="王收费", action="tender_passed_over",
        subject="billing.invoice", subject_id=str(bill.pk), detail={"by": ["mrn"], "found": 1},
        created_at=clock.now(),
    )  # fmt: skip
    JobRun.objects.create(
        key="sweep_events", outcome="DONE", started_at=clock.now(), result={"done": 2}
    )


def _messages(bill: Invoice) -> None:
    for messenger, error in (("sms", "nobody to reach"), ("wechat_template", "")):
        Notification.objects.create(
            key=f"paid/{bill.pk}/{messenger}", kind="paid", messenger=messenger,
            patient=bill.patient, last_error=error, created_at=clock.now(),
            facts={"hospital": "主院区", "name": "陈*兰", "amount_fen": 8_640, "number": "160233"},
        )  # fmt: skip
    assert HisEvent.objects.exists()


def _of_people(bill: Invoice) -> None:
    """What a payer said, and the second factor of a member of staff."""
    holder = payments.user("p1001")
    Rating.objects.create(
        invoice=bill, user=holder, grade=4, tags=["quick"], text="很快", created_at=clock.now()
    )
    window = Location.objects.create(
        code="W3", campus=patients.campus("C01"), kind="window", name="3 号窗口",
        created_at=clock.now(),
    )  # fmt: skip
    TagTouch.objects.create(location=window, user=holder, created_at=clock.now())
    Authenticator.objects.create(user=holder, type="totp", data={}, created_at=clock.now())


def _joined(person: Patient) -> Patient:
    """A duplicate that two people joined; another one waits."""
    twins = [patients.patient(name=person.name) for _n in range(2)]
    for twin in twins:
        form = f"/admin/desk/merges/new?kept={person.pk}&merged={twin.pk}"
        browser("cashier", "cashier01").post(form, {"reason": "急诊建档"})
    page = f"/admin/desk/merges/{PatientMerge.objects.get(merged=twins[0]).pk}"
    browser("reviewer", "reviewer01").post(page, {"verdict": "approve", "comment": "已核对"})
    assert PatientMerge.objects.filter(status="APPROVED").count() == 1
    return twins[0]


def _ended(person: Patient) -> Patient:
    """A relative with an account, whose own binding to somebody and whose agreement ended here."""
    holder = payments.user("p1002")
    relative = patients.patient(name="李建国")
    payments.access(relative, holder)
    for patient in (person, relative):
        gone = payments.agreement(patient, holder, preference=2)
        page = f"/admin/desk/patients/{patient.pk}/agreements/end"
        told = {"agreement": gone.pk, "reason": "本人来电"}
        browser("refund_clerk", "refund_clerk01").post(page, told)
    bound = payments.access(person, holder, "parent")
    page = f"/admin/desk/patients/{person.pk}/bindings/end"
    told = {"access": bound.pk, "reason": "本人到窗口"}
    browser("refund_clerk", "refund_clerk01").post(page, told)
    assert Agreement.objects.filter(ended_how="staff").exists()
    assert PatientAccess.objects.filter(ended_how="staff").exists()
    return relative


def _who_is_who(person: Patient) -> PatientReview:
    return PatientReview.objects.create(
        patient=person, other=patients.patient(name="陈秀南"),
        reason_code="same_number_other_name", summary="证件号相同，姓名不同",
        opened_by=SYSTEM.key, opened_at=clock.now(),
    )  # fmt: skip
