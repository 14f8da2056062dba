"""Nothing but tasks runs here, no beat: what a door has set going goes on to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import tasks
from billing.channels.base import ChannelAnswer, Operation
from billing.models import (
    BillingReview,
    HisEvent,
    Invoice,
    InvoiceReturn,
    PayLink,
    PaymentTransaction,
)
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.collecting.pay_links import pay_link_offer
from billing.services.sweeps import refunds_due
from config.celery import app
from core import clock
from core.actors import Actor
from core.outcomes import Outcome
from patients.models import Notification
from tests import scripted
from tests.billing.desk.people import browser, hidden, paid_bill
from tests.billing.his.conftest import APPROVER, OPERATOR, His
from tests.billing.portal_house import bill, family, signed_in, text_of
from tests.factories import payments

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def workers_only(settings: Any) -> Iterator[None]:
    """A worker that does every hint at once; no job of the schedule ever runs."""
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager = app.conf.task_eager_propagates = False
    scripted.reset()


def give_back(paid: Invoice, no: str = "F1", *, lines: int = 1) -> Any:
    """The HIS returns as much of the first lines as costs ¥1.00 each."""
    rows = paid.lines.order_by("pk").values_list("charge__charge_no", flat=True)
    body = {
        "refund_no": no,
        "lines": [{"charge_no": no, "quantity": "0.1", "amount_fen": 100} for no in rows[:lines]],
        "reason": "退药",
        "operator": OPERATOR,
        "approved_by": APPROVER,
    }
    return His()("POST", f"invoices/{paid.invoice_no}/refunds", body)


def refunded_at_the_channel() -> list[int]:
    return [fen for verb, _no, fen in scripted.CALLS if verb == Operation.REFUND]


def heard_of(one: Invoice) -> list[str]:
    """What the HIS can read by now, in order."""
    told = HisEvent.objects.filter(invoice=one, event_id__isnull=False)
    return [event.type for event in told.order_by("event_id")]


def test_a_return_of_the_his_leaves_by_itself() -> None:
    # given a paid bill of ¥20.00
    paid = paid_bill(2_000)
    # when the HIS gives ¥1.00 back
    status, _told = give_back(paid)
    # then it has left, once, and the HIS reads that it has
    assert status == 200
    assert refunded_at_the_channel() == [100]
    assert InvoiceReturn.objects.get().status == "DONE"
    assert heard_of(paid) == ["priced", "paid", "refund_accepted", "refunded"]


def test_a_return_approved_at_the_desk_leaves_by_itself() -> None:
    # given a return a clerk has asked for
    paid, clerk = paid_bill(2_004, quantity=Decimal(4)), browser("refund_clerk")
    (line,) = paid.lines.all()
    form = {f"quantity-{line.pk}": "1", "reason": "未做检查"}
    shown = clerk.post(f"/admin/desk/bills/{paid.pk}/return", form)
    clerk.post(f"/admin/desk/bills/{paid.pk}/return/send", {"token": hidden(shown)})
    assert refunded_at_the_channel() == []
    assert heard_of(paid)[-1] == "review"
    # when another person approves it
    address = f"/admin/desk/reviews/{BillingReview.objects.get().pk}"
    decision = {"verdict": "approve", "comment": "已核对"}
    assert browser("reviewer").post(address, decision).status_code == 302
    # then exactly that has left
    assert refunded_at_the_channel() == [501]
    assert InvoiceReturn.objects.get().status == "DONE"
    assert heard_of(paid)[-1] == "refunded"


def unanswered() -> Invoice:
    """A bill whose deduction has no answer yet."""
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    one = bill(family()[2], 8_640)
    payments.agreement(one.patient)
    payments.collect(one)
    tasks.invoice_drive_task(one.pk)
    return one


def test_money_nobody_waits_for_goes_back_by_itself() -> None:
    # given a bill a cashier has freed from an unanswered deduction, and taken in cash
    one = unanswered()
    tender_pass_over(invoice_id=one.pk, by=Actor("staff", "cashier", "张敏"))
    payments.collect(one, "cash")
    tasks.invoice_drive_task(one.pk)
    # when the deduction turns out to have succeeded
    row = PaymentTransaction.objects.get(kind="CAPTURE", payment__channel="wechat_pay")
    scripted.script(Operation.QUERY, scripted.PAID)
    tasks.transaction_leased_task(row.pk)
    # then it is back with its payer
    assert refunded_at_the_channel() == [8_640]


def taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(**_asked: Any) -> ChannelAnswer:
        return ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200", occurred_at=clock.now())

    monkeypatch.setattr("billing.services.collecting.pay_choices.capture_send", send)


@pytest.mark.parametrize("by_link", [True, False])
def test_a_bill_paid_by_a_press_is_told_to_his_and_people(
    monkeypatch: pytest.MonkeyPatch, by_link: bool
) -> None:
    # given a patient's own agreement, and their bill on their phone
    taken_at_once(monkeypatch)
    user, own, _mother = family()
    hers = payments.agreement(own, user)
    one = bill(own, 8_640)
    link: PayLink = pay_link_offer(invoice=one)
    page = f"/p/{link.token}" if by_link else f"/bills/{one.pk}"
    # when they press
    sent = {"way": f"agreement-{hers.pk}", "form_key": "k1"}
    answer = signed_in(user).post(f"{page}/pay", sent)
    # then the HIS reads it, and no message waits for a sweep
    assert (answer.status_code, answer.url) == (303, f"{page}/result")
    assert "paid" in heard_of(one)
    assert not Notification.objects.filter(due_at__lte=clock.now()).exists()


def test_an_ended_agreement_is_told_to_its_holder_at_once() -> None:
    user, own, _mother = family()
    hers = payments.agreement(own, user)
    client = signed_in(user)
    assert client.post(f"/agreements/{hers.pk}/switch", {"on": "no"}).status_code == 303
    assert "已暂停" in text_of(client.get("/agreements"))
    told = Notification.objects.filter(user=user)
    assert told.exists() and not told.filter(due_at__lte=clock.now()).exists()


def test_a_row_another_worker_has_is_left_to_it() -> None:
    """The row decides: a hint that comes twice, or to two workers, sends one refund."""
    paid = paid_bill(2_000)
    app.conf.task_always_eager = False
    give_back(paid)
    (row,) = refunds_due(limit=10)
    assert refunds_due(limit=10) == []
    app.conf.task_always_eager = True
    tasks.hand_on()
    assert refunded_at_the_channel() == []
    for _twice in range(2):
        tasks.transaction_leased_task(row)
    assert refunded_at_the_channel() == [100]


def test_a_capture_in_flight_is_no_refund_to_send() -> None:
    unanswered()
    PaymentTransaction.objects.update(due_at=clock.now())
    assert refunds_due(limit=10) == []


def statements(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_the_door_of_a_return_costs_the_same_for_one_line_and_for_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hint itself is no statement at the door; the worker asks once for all that is due."""
    monkeypatch.setattr(tasks, "enqueue", lambda *_hint: True)
    counted = {}
    for lines in (1, 10):
        paid = paid_bill(*[1_000] * lines)
        give_back(paid, f"A{lines}")
        call = partial(give_back, paid, f"F{lines}", lines=lines)
        counted[lines] = statements(call)
    assert counted[1] == counted[10], counted
    assert statements(lambda: refunds_due(limit=10)) == 1
