"""Who hears of money, and how little they are told."""

from __future__ import annotations

import pytest
from django.db import transaction

from billing.channels.base import Operation, Source
from billing.models import Invoice
from billing.services.apply import transaction_apply
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.messages import tell_paid
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.models import User
from patients.messages import message_fields
from patients.models import Notification
from tests import scripted
from tests.billing.services.bills import ask_back, capture_of, driven, paid, refunds_of
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, int | None]]:
    """Kind and receiver of every message; one statement queues several in no order."""
    return sorted(Notification.objects.values_list("kind", "user_id"))


def a_child_pays() -> tuple[Invoice, User, User]:
    """A bill whose patient has a user, and whose child's agreement pays."""
    bill = invoice(12_345)
    own, child = payments.user("own"), payments.user("child")
    payments.access(bill.patient, own)
    payments.access(bill.patient, child, "child")
    payments.agreement(bill.patient, child)
    return bill, own, child


def test_the_payer_hears_of_the_deduction_and_the_patient_that_it_is_paid() -> None:
    bill, own, child = a_child_pays()
    payments.collect(bill)
    assert driven(bill).status == "PAID"
    assert told() == [("deducted", child.pk), ("paid", own.pk)]


def test_who_pays_for_themselves_is_told_once() -> None:
    bill = paid(1_000)
    assert told() == [("deducted", capture_of(bill).payment.payer_id)]


def test_a_message_carries_four_facts_and_none_of_the_illness() -> None:
    bill, _own, _child = a_child_pays()
    payments.collect(bill)
    driven(bill)
    for row in Notification.objects.all():
        assert row.facts == {
            "hospital": "主院区",
            "name": "张*",
            "amount_fen": 12_345,
            "number": bill.invoice_no[-6:],
        }


def test_money_taken_twice_is_told_at_once_and_that_it_goes_back() -> None:
    # given a deduction nobody knows the end of, passed over, and the bill paid in cash
    bill, own, child = a_child_pays()
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    payments.collect(bill)
    driven(bill)
    late = capture_of(bill)
    tender_pass_over(invoice_id=bill.pk, by=Actor("staff", "cashier", "张敏"))
    payments.collect(bill, "cash")
    assert driven(bill).status == "PAID"
    assert told() == [("paid", own.pk)]
    # when it succeeds all the same, and is heard of twice
    for _time in range(2):
        transaction_apply(transaction_id=late.pk, answer=scripted.PAID, source=Source.NOTICE)
    # then its payer is told once, with the way back, and later that it came back
    assert told() == [("deducted_back", child.pk), ("paid", own.pk)]
    row = Notification.objects.get(user=child)
    assert (row.key, row.facts["amount_fen"]) == (f"deducted/{late.number}", 12_345)
    assert "原路退回" in message_fields(row.kind, row.facts)["todo"]
    transaction_resume(transaction_id=refunds_of(bill)[0].pk)
    assert ("refunded", child.pk) in told()


def test_a_late_deduction_that_pays_the_bill_is_a_deduction_like_any_other() -> None:
    bill, own, child = a_child_pays()
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    payments.collect(bill)
    driven(bill)
    tender_pass_over(invoice_id=bill.pk, by=Actor("staff", "cashier", "张敏"))
    row = capture_of(bill)
    transaction_apply(transaction_id=row.pk, answer=scripted.PAID, source=Source.NOTICE)
    assert told() == [("deducted", child.pk), ("paid", own.pk)]


def test_a_deduction_that_failed_is_told_because_the_channel_does_not() -> None:
    bill, own, child = a_child_pays()
    scripted.script(Operation.CAPTURE, scripted.DECLINED)
    payments.collect(bill)
    driven(bill)
    assert told() == [("not_deducted", child.pk), ("pay_link", own.pk)]
    link = Notification.objects.get(kind="pay_link").link
    assert "/p/" in link
    assert link not in str(Notification.objects.values_list("facts", flat=True))


def test_a_second_offer_is_a_second_message() -> None:
    bill = invoice(1_000)
    own = payments.user()
    payments.access(bill.patient, own)
    for _offer in range(2):
        payments.collect(bill, "pay_link")
        driven(bill)
    assert told() == [("pay_link", own.pk)] * 2


def test_a_refund_is_told_to_whoever_paid_with_its_own_amount() -> None:
    bill, _own, child = a_child_pays()
    payments.collect(bill)
    driven(bill)
    Notification.objects.all().delete()
    ask_back(bill)
    transaction_resume(transaction_id=refunds_of(bill)[0].pk)
    row = Notification.objects.get()
    assert (row.kind, row.user_id, row.facts["amount_fen"]) == ("refunded", child.pk, 12_345)


def test_a_refund_of_cash_is_told_to_the_patients_own_users() -> None:
    bill = invoice(1_000)
    own, child = payments.user(), payments.user()
    payments.access(bill.patient, own)
    payments.access(bill.patient, child, "child")
    payments.collect(bill, "cash")
    driven(bill)
    assert told() == [("paid", own.pk)]
    ask_back(bill)
    transaction_resume(transaction_id=refunds_of(bill)[0].pk)
    assert told() == [("paid", own.pk), ("refunded_cash", own.pk)]


def test_who_may_not_view_is_not_told() -> None:
    bill = invoice(1_000)
    payments.access(bill.patient, payments.user(), may_view=False)
    payments.collect(bill, "cash")
    driven(bill)
    assert told() == []


def test_the_same_fact_is_told_once() -> None:
    bill = paid(1_000)
    row = capture_of(bill)
    transaction_apply(transaction_id=row.pk, answer=scripted.PAID, source=Source.NOTICE)
    with transaction.atomic():
        tell_paid(row, bill)
    assert len(told()) == 1


def no_account_and_a_child() -> tuple[Invoice, User]:
    bill, child = invoice(12_345), payments.user("child")
    payments.access(bill.patient, child, "child")
    payments.agreement(bill.patient, child)
    return bill, child


def test_a_relative_pays_for_a_patient_without_an_account_who_is_told_by_phone() -> None:
    bill, child = no_account_and_a_child()
    payments.collect(bill)
    assert driven(bill).status == "PAID"
    assert told() == [("deducted", child.pk), ("paid", None)]
    row = Notification.objects.get(kind="paid")
    assert (row.messenger, row.facts["amount_fen"]) == ("sms", 12_345)
    assert set(row.facts) == {"hospital", "name", "amount_fen", "number"}


def test_a_pay_link_goes_to_the_phone_on_record_of_a_patient_without_an_account() -> None:
    bill = invoice(1_000)
    payments.collect(bill, "pay_link")
    driven(bill)
    row = Notification.objects.get()
    assert (row.kind, row.user_id, row.messenger) == ("pay_link", None, "sms")
    assert "/p/" in row.link


def test_who_pays_at_the_window_without_an_account_gets_no_text_message() -> None:
    bill = invoice(1_000)
    payments.collect(bill, "cash")
    driven(bill)
    assert told() == []


def test_money_back_to_who_has_no_account_is_told_by_phone() -> None:
    bill = invoice(1_000)
    payments.collect(bill, "cash")
    driven(bill)
    ask_back(bill)
    transaction_resume(transaction_id=refunds_of(bill)[0].pk)
    assert told() == [("refunded_cash", None)]
