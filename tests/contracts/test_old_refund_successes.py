"""The first success of a refund that came back, told late at the door, in both channels' words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from billing.channels.base import ChannelAnswer, NoticeKind, Source
from billing.ledger import chart
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, Invoice, PaymentNotice, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.notices import applying
from billing.services.sweeps import transaction_resume
from core import clock, outbound_clients
from core.outcomes import Outcome
from tests.billing.services.bills import LOST, ask_back, capture_of, refunds_of
from tests.contracts import alipay_samples as alipay
from tests.contracts.test_alipay_replays import bill, deliver, row, seller
from tests.factories import payments
from tests.factories.billing import invoice
from tests.fixtures.sandbox_process import Sandbox
from tests.proof.house import House, house_open
from tests.sandbox.wechat_client import Inbox, Received

__all__ = ["bill", "row", "seller"]
pytestmark = pytest.mark.django_db

AMOUNT_FEN = 8_640
CAME_BACK = ChannelAnswer(Outcome.PENDING, code="ABNORMAL", executed=True)


@pytest.fixture
def house(
    sandbox: Sandbox, inbox: Inbox, settings: Any, still_clock: clock.FrozenClock
) -> Iterator[House]:
    """Notices wait in an inbox until a test brings them to the door."""
    settings.SANDBOX_URL, settings.PORTAL_URL = sandbox.url, inbox.url
    yield house_open(sandbox, still_clock)
    outbound_clients.forget_clients()


def bring(client: Client, told: Received) -> None:
    """The channel delivers a notice; its task runs."""
    headers = {name: value for name, value in told.headers.items() if name != "Content-Type"}
    answer = client.post(
        told.path, told.body, content_type=told.headers["Content-Type"], headers=headers
    )
    assert answer.status_code in (200, 204), answer.content
    for pk in PaymentNotice.objects.filter(applied_at=None).values_list("pk", flat=True):
        applying.notice_apply(notice_id=pk)


def state(bill: Invoice) -> tuple[str, int, int]:
    """Its refund's status, what is owed by it, and what the channel holds for us."""
    refund = refunds_of(bill)[-1]
    owed_fen = -subject_balance(chart.REFUND_PAYABLE, refund.pk)
    return refund.status, owed_fen, account_balance(chart.clearing("wechat_pay", merchant_no(bill)))


def merchant_no(bill: Invoice) -> str:
    merchant = capture_of(bill).payment.merchant
    assert merchant is not None
    return merchant.merchant_no


def scanned_and_asked_back(house: House) -> Invoice:
    """A bill paid at the window by a code; its refund is under way at the channel."""
    bill = invoice(AMOUNT_FEN)
    code = house.sandbox.act("payer", "show_code", house.wallet())["auth_code"]
    payments.collect(bill, "scan", auth_code=code)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    ask_back(bill)
    house.sandbox.fault("refund", "never_final", times=1)
    transaction_resume(transaction_id=refunds_of(bill)[-1].pk)
    return bill


@pytest.mark.parametrize("ended", [False, True], ids=["held by the channel", "closed in our books"])
def test_the_sandboxs_late_first_success_ends_no_debt(
    house: House, inbox: Inbox, client: Client, ended: bool
) -> None:
    # given a refund that succeeded and came back before anybody could tell us
    bill = scanned_and_asked_back(house)
    refund = refunds_of(bill)[-1]
    before = len(inbox.got)
    house.sandbox.act(
        "wechat_pay", "finish_refund", refund.number, mchid=merchant_no(bill), status="RETURNED"
    )
    first, _second = inbox.await_count(before + 2)[before:]
    transaction_resume(transaction_id=refund.pk)
    if ended:
        transaction_apply(transaction_id=refund.pk, answer=LOST, source=Source.QUERY)
    known = state(bill)
    assert known == ("CLOSED" if ended else "PENDING", AMOUNT_FEN, AMOUNT_FEN)
    # when the notice of the success comes through, and is repeated
    for _twice in range(2):
        bring(client, first)
    # then the sandbox was asked and the money is still owed; while the channel holds it, it may yet
    # reach the payer, so it is watched and a person is asked
    assert state(bill) == known
    notice = PaymentNotice.objects.get(transaction=refund)
    assert notice.facts["outcome"] == "SUCCEEDED"
    assert notice.outcome == f"PENDING -> {known[0]}"
    assert refunds_of(bill)[-1].due_at is not None
    assert BillingReview.objects.filter(reason_code="refund_abnormal", status="OPEN").count() == 1


@pytest.mark.parametrize("truth", [LOST, CAME_BACK], ids=["closed", "held"])
def test_an_old_ring_of_alipay_is_answered_by_a_question(
    row: PaymentTransaction, monkeypatch: pytest.MonkeyPatch, truth: ChannelAnswer
) -> None:
    # given a refund by Alipay that came back and was closed
    deliver(alipay.form(alipay.paid(out_trade_no=row.number)))
    bill = row.payment.invoice
    assert bill is not None
    bill.refresh_from_db()
    ask_back(bill)
    refund = refunds_of(bill)[-1]
    for answer in (ChannelAnswer(Outcome.SUCCEEDED), CAME_BACK, LOST):
        refund.refresh_from_db()
        transaction_apply(
            transaction_id=refund.pk, answer=answer, source=Source.QUERY, asked_of=refund
        )
    asked: list[str] = []

    def look(*, row: PaymentTransaction) -> ChannelAnswer:
        asked.append(row.number)
        return truth

    monkeypatch.setattr(applying, "refund_look", look)
    # when the notice of its first success comes
    rung = alipay.refunded(
        out_trade_no=row.number, out_biz_no=refund.number, refund_fee="86.40", notify_id="N2"
    )
    deliver(alipay.form(rung), NoticeKind.CAPTURE)
    # then Alipay was asked and nothing moved; what it holds is watched on
    refund.refresh_from_db()
    assert (asked, refund.status) == ([refund.number], "CLOSED")
    assert (refund.due_at is None) == (truth is LOST)
    assert -subject_balance(chart.REFUND_PAYABLE, refund.pk) == AMOUNT_FEN
    assert account_balance(chart.clearing("alipay", alipay.PID)) == AMOUNT_FEN
