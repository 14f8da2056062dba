"""Money on a bill's page is called what the patient's pages call it, and accounts by name."""

from __future__ import annotations

import pytest

from billing.desk.movements import account_title, movement_badge, movement_word
from billing.ledger.chart import FAMILIES
from billing.models import PaymentTransaction, TransactionKind, TransactionStatus
from tests.billing.desk.people import browser, paid_bill, text
from tests.factories import payments

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "status", "badge"),
    [
        ("CAPTURE", "CREATED", "in_progress"),
        ("CAPTURE", "PENDING", "in_progress"),
        ("CAPTURE", "UNKNOWN", "in_progress"),
        ("CAPTURE", "SUCCEEDED", "paid"),
        ("CAPTURE", "DECLINED", "not_paid"),
        ("CAPTURE", "CLOSED", "not_paid"),
        ("REFUND", "UNKNOWN", "refunding"),
        ("REFUND", "SUCCEEDED", "refunded"),
        ("REFUND", "DECLINED", "not_refunded"),
    ],
)
def test_a_movement_has_one_of_the_patients_three_results(
    kind: str, status: str, badge: str
) -> None:
    assert movement_badge(kind, status) == badge


def test_every_state_of_every_kind_has_a_word() -> None:
    for kind in TransactionKind.values:
        for status in TransactionStatus.values:
            assert not movement_word(kind, status).isascii()


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("patient_receivable", "应收患者医疗款"),
        ("clearing/wechat_pay/1900000001", "在途结算资金 · 微信支付 · 1900000001"),
        ("cash_drawer/SH1", "窗口库存现金 · SH1"),
        ("no_such_account", "no_such_account"),
    ],
)
def test_an_account_is_called_as_the_chart_calls_it(code: str, title: str) -> None:
    assert account_title(code) == title


def test_no_code_stands_alone_on_the_page_of_a_bill() -> None:
    bill = paid_bill(8_640)
    page = browser("finance").get(f"/admin/desk/bills/{bill.pk}").content.decode()
    for code in FAMILIES:
        assert page.count(f">{code}") == page.count(f'<code class="small">{code}')
    assert '<span class="strong">账单开出</span><code class="small">invoice_issued:' in page
    assert "应收患者医疗款" in page and "已支付" in page
    assert "已成功" not in page and "SUCCEEDED" not in page


def test_the_lists_name_a_masked_person_and_their_channel_and_are_filtered() -> None:
    bill = paid_bill(8_640)
    name, masked = bill.patient.name, bill.patient.name[0] + "*" * (len(bill.patient.name) - 1)
    holder = payments.agreement(bill.patient, plan=payments.plan(plan_id="77", name="先诊疗后付费"))
    number = PaymentTransaction.objects.get().number
    finance = browser("finance")
    for address, told in (
        ("/admin/billing/paymenttransaction/", number),
        ("/admin/billing/agreement/", holder.contract_code),
    ):
        for query, found in (("", True), ("?channel=wechat_pay", True), ("?channel=cash", False)):
            page = text(finance.get(f"{address}{query}"))
            assert (told in page) is found, f"{address}{query}"
            assert name not in page
        page = text(finance.get(address))
        assert masked in page and "微信支付" in page
    assert "已支付" in text(finance.get("/admin/billing/paymenttransaction/"))
    assert "先诊疗后付费" in page and "77" not in page.split()
    for address, state, other in (
        ("/admin/billing/paymenttransaction/", "SUCCEEDED", "DECLINED"),
        ("/admin/billing/agreement/", "ACTIVE", "ENDED"),
    ):
        assert masked in text(finance.get(f"{address}?status__exact={state}"))
        assert masked not in text(finance.get(f"{address}?status__exact={other}"))
