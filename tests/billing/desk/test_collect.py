"""Taking money at the window: by scan, in cash, once, and by who may."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.channels.base import Operation
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import CollectRequest, Invoice, Payment, PaymentTransaction, Shift
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core.models import AuditEvent
from tests import scripted
from tests.billing.desk.people import browser, hidden, paid_bill, text
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db
CODE = "130000000000000001"


def address(bill: Invoice, page: str = "") -> str:
    return f"/admin/desk/bills/{bill.pk}{page}"


def press(client: Client, bill: Invoice, token: str, method: str, code: str = "") -> int:
    form = {"token": token, "method": method, "auth_code": code}
    return client.post(address(bill, "/collect"), form).status_code


def drive(bill: Invoice) -> Invoice:
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return bill


def test_cash_is_taken_into_the_cashiers_own_drawer() -> None:
    # given a bill of ¥86.40 and the page that asks whether the cash is there
    bill, cashier = invoice(8_640), browser("cashier")
    page = cashier.get(address(bill, "/cash"))
    assert "¥86.40" in text(page).replace(" ", "")
    # when it is confirmed
    assert press(cashier, bill, hidden(page), "cash") == 302
    drive(bill)
    # then it lies in the drawer of this cashier, and the bill is paid
    shift = Shift.objects.get()
    assert shift.cashier == "staff:cashier"
    assert account_balance(f"cash_drawer/{shift.shift_no}") == 8_640
    assert bill.status == "PAID"
    assert ledger_check().unbalanced == 0
    assert "已支付" in text(cashier.get(address(bill)))


def test_scan_takes_the_money_of_the_code() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    payments.merchant()
    token = hidden(cashier.get(address(bill)))
    # A scanner may add white space; its Enter sends the form.
    assert press(cashier, bill, token, "scan", f" {CODE}\t") == 302
    drive(bill)
    row = PaymentTransaction.objects.select_related("payment").get(payment__invoice=bill)
    assert (row.status, row.amount_fen, row.payment.mode) == ("SUCCEEDED", 8_640, "scan")
    assert bill.status == "PAID"
    collect = CollectRequest.objects.get()
    assert (collect.operator_kind, collect.operator_code) == ("staff", "cashier")
    assert collect.auth_code == ""


def test_form_sent_twice_takes_once() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    token = hidden(cashier.get(address(bill, "/cash")))
    assert press(cashier, bill, token, "cash") == 302
    drive(bill)
    assert press(cashier, bill, token, "cash") == 302
    drive(bill)
    assert Payment.objects.filter(invoice=bill).count() == 1


def test_form_with_another_code_is_refused() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    payments.merchant()
    token = hidden(cashier.get(address(bill)))
    press(cashier, bill, token, "scan", CODE)
    assert press(cashier, bill, token, "scan", "130000000000000002") == 409


def test_what_is_no_payment_code_says_that_nothing_was_taken() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    token = hidden(cashier.get(address(bill)))
    for code in ("", "123", "x" * 400, "１３" * 9, CODE + "0\x00"):
        form = {"token": token, "method": "scan", "auth_code": code}
        answer = cashier.post(address(bill, "/collect"), form)
        assert answer.status_code == 400
        assert "没有扣款" in text(answer)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "é" * 40, "\x00"])
def test_forged_form_is_refused(token: str) -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    assert press(cashier, bill, token, "cash") == 409
    assert not CollectRequest.objects.exists()


def test_form_of_another_bill_or_cashier_is_refused() -> None:
    first, second = invoice(8_640), invoice(100)
    token = hidden(browser("cashier").get(address(first, "/cash")))
    assert press(browser("cashier"), second, token, "cash") == 409
    assert press(browser("cashier", "cashier2"), first, token, "cash") == 409
    assert not CollectRequest.objects.exists()


def test_form_of_a_bill_paid_meanwhile_takes_nothing() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    token = hidden(cashier.get(address(bill, "/cash")))
    payments.agreement(bill.patient)
    payments.collect(bill)
    drive(bill)
    assert press(cashier, bill, token, "cash") == 409
    assert Payment.objects.filter(invoice=bill).count() == 1


def test_unknown_payment_shows_waiting_and_no_button_to_collect() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    press(cashier, bill, hidden(cashier.get(address(bill))), "scan", CODE)
    drive(bill)
    page = cashier.get(address(bill))
    assert "请勿重复收款" in text(page)
    assert b'name="auth_code"' not in page.content
    cash = cashier.get(address(bill, "/cash"))
    assert cash.status_code == 409 and "有一笔付款正在处理" in text(cash)
    # the page asks for a word, and that word changes with the result
    before = cashier.get(address(bill, "/state")).json()
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=PaymentTransaction.objects.get().pk)
    assert cashier.get(address(bill, "/state")).json() != before


def test_cashier_may_stop_waiting_and_answers_for_it() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    press(cashier, bill, hidden(cashier.get(address(bill))), "scan", CODE)
    drive(bill)
    assert browser("refund_clerk").post(address(bill, "/pass-over")).status_code == 403
    assert cashier.post(address(bill, "/pass-over")).status_code == 302
    # that payment may still come, so the page does not say that nothing was taken
    assert "没有扣款" not in text(cashier.get(address(bill)))
    assert press(cashier, bill, hidden(cashier.get(address(bill, "/cash"))), "cash") == 302
    assert drive(bill).status == "PAID"
    assert AuditEvent.objects.get(action="tender_passed_over").actor == "staff:cashier"


def test_declined_scan_says_why_and_that_nothing_was_taken() -> None:
    bill, cashier = invoice(8_640), browser("cashier")
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.DECLINED)
    press(cashier, bill, hidden(cashier.get(address(bill))), "scan", CODE)
    drive(bill)
    page = text(cashier.get(address(bill)))
    assert "未支付" in page and "余额不足" in page and "没有扣款" in page


def test_who_may_not_collect_sees_no_form_and_is_refused() -> None:
    bill = invoice(8_640)
    token = hidden(browser("cashier").get(address(bill)))
    for role in ("refund_clerk", "reviewer", "finance", "auditor"):
        client = browser(role)
        assert b'name="auth_code"' not in client.get(address(bill)).content
        assert press(client, bill, token, "cash") == 403
    assert not CollectRequest.objects.exists()


def test_forms_are_guarded_against_other_sites() -> None:
    bill = invoice(8_640)
    client = Client(enforce_csrf_checks=True)
    client.force_login(browser("cashier").get("/admin/").wsgi_request.user)
    answer = client.post(address(bill, "/collect"), {"token": "x", "method": "cash"})
    assert answer.status_code == 403
    assert not CollectRequest.objects.exists()


def test_bill_page_shows_every_number_in_order() -> None:
    bill = paid_bill(8_640, 100)
    row = PaymentTransaction.objects.get(payment__invoice=bill)
    page = text(browser("auditor").get(address(bill)))
    parts = ["费用明细", "收款和退款", row.number, "会计分录", "应收患者医疗款", "外部调用"]
    places = [page.index(part, page.index("费用明细")) for part in parts]
    assert places == sorted(places)
    assert page.count("¥87.40".replace("¥", "")) >= 3
    assert "经过" in page
