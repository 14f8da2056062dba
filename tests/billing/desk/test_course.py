"""The course of a bill shows what belongs to this bill."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import Action, ChannelAnswer, Mode, Operation
from billing.desk.course import course_of
from billing.desk.movements import code_word
from billing.models import CollectRequest, Invoice, PaymentTransaction
from billing.reasons import Reason
from billing.words import STAFF_REASONS
from core import clock
from core.admin_values import word_of
from core.outcomes import Outcome
from tests import scripted
from tests.billing.desk.people import browser, text
from tests.billing.services.bills import driven
from tests.billing.services.offer_house import choose
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter

pytestmark = pytest.mark.django_db


def messages_of(bill: Invoice) -> int:
    rows = list(PaymentTransaction.objects.filter(payment__invoice=bill))
    return sum(step.kind == "message" for step in course_of(bill, rows, [], []))


def test_two_bills_of_one_person_whose_numbers_end_alike_keep_their_own_messages() -> None:
    visit = encounter()
    payments.agreement(visit.patient)
    first = invoice(1_000, of=visit, invoice_no="A000034I")
    second = invoice(2_000, of=visit, invoice_no="B000034I")
    for bill in (first, second):
        payments.collect(bill)
        driven(bill)
    assert (messages_of(first), messages_of(second)) == (1, 1)


def offered(mode: str) -> tuple[Invoice, list[str], str]:
    """A bill whose payer opened an order of this way; the notes of its course, and its page."""
    bill = invoice(4_321)
    payments.merchant()
    payments.collect(bill)
    driven(bill)
    waiting = Action("url", "https://pay.example/1", clock.now() + timedelta(minutes=5))
    answer = ChannelAnswer(Outcome.PENDING, code="NOTPAY", executed=True, action=waiting)
    scripted.script(Operation.CAPTURE, answer)
    choose(bill, "wechat_pay", Mode(mode))
    page = browser("finance").get(f"/admin/desk/bills/{bill.pk}")
    rows = list(PaymentTransaction.objects.filter(payment__invoice=bill))
    collects = list(CollectRequest.objects.filter(invoice=bill))
    return bill, [step.note for step in course_of(bill, rows, [], collects)], text(page)


@pytest.mark.parametrize("mode", ["h5", "native"])
def test_a_fresh_order_on_the_phone_waits_for_payment_and_says_so_in_words(mode: str) -> None:
    _bill, notes, page = offered(mode)

    assert "等待付款" in notes and "没有及时输入密码" not in notes
    assert "没有免密协议替患者付款" in notes
    assert any(note.startswith("付款链接 · 微信 · ") for note in notes)
    assert "等待付款" in page and "没有及时输入密码" not in page
    for code in ("NOTPAY", "no_agreement", "pay link", "wechat_pay.h5"):
        assert code not in page, code


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("NOTPAY", "PENDING", "等待付款"),
        ("USERPAYING", "UNKNOWN", "等待付款"),
        ("NOTPAY", "CLOSED", "没有及时输入密码"),
        ("NOTENOUGH", "DECLINED", "账户余额不足"),
        ("ODD_CODE", "DECLINED", "支付没有完成，已取消（ODD_CODE）"),
        ("ODD_CODE", "UNKNOWN", "渠道的答复（ODD_CODE）"),
    ],
)
def test_a_channels_code_is_read_by_what_came_of_it(code: str, status: str, said: str) -> None:
    assert code_word(code, kind="CAPTURE", status=status) == said


def test_staff_read_a_word_for_every_reason() -> None:
    for reason in Reason:
        assert not str(STAFF_REASONS[reason]).isascii(), reason
        assert word_of("reason", reason) != reason
