"""Whoever holds a pay link's token sees the bill: it lies nowhere open, and it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from billing.channels.base import Action, ChannelAnswer, Mode, Operation
from billing.models import HisEvent, Invoice, PayLink
from billing.offers import Offer
from billing.selectors.collects import collect_answer
from billing.selectors.events import event_body
from billing.selectors.invoices import invoice_body
from billing.selectors.pay_links import pay_link_url
from billing.services.collecting.pay_links import offer_choose, pay_link_choose, pay_link_open
from billing.services.events import relay
from billing.services.events.relay import events_publish, events_push_due
from billing.services.invoice_drive import invoice_drive
from core import clock
from core.errors import NotFound, Refusal
from core.models import OutboundCall, StateChange
from core.outbound import OutboundRequest
from core.outcomes import Outcome
from patients.messengers.base import SENT, Delivered
from patients.messengers.base import Message as Outgoing
from patients.models import HisClient, Notification, Patient, PatientAccess, UserPhone
from patients.services import notifications
from patients.services.notifications import notifications_send_due
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter, patient

pytestmark = pytest.mark.django_db


def offered() -> tuple[Invoice, PayLink]:
    """A bill that waits on the patient's phone."""
    bill = invoice(1_000)
    payments.merchant()
    payments.access(bill.patient, payments.user(), "self")
    payments.collect(bill, "pay_link")
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return bill, bill.pay_link


def texts() -> Iterator[tuple[str, str]]:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            for (row,) in cursor.fetchall():
                yield table, row


def test_the_token_lies_open_in_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    bill, link = offered()
    HisClient.objects.filter(pk=bill.client_id).update(events_url="http://127.0.0.1:9/events")
    links: list[str] = []

    class Messenger:
        def send(self, message: Outgoing) -> Delivered:
            links.append(message.link)
            return SENT

    monkeypatch.setattr(notifications, "messenger_get", lambda _code: Messenger())
    monkeypatch.setattr(
        notifications, "notification_addresses", lambda _row: [("wechat_template", "oPayer")]
    )
    bodies: list[dict[str, Any]] = []
    send = relay.send

    def kept(request: OutboundRequest) -> Any:
        bodies.append(json.loads(request.body))
        return send(request)

    monkeypatch.setattr(relay, "send", kept)
    # when the HIS is told of the priced bill and of the link, and the patient is written to
    events_publish()
    HisEvent.objects.filter(type="priced").update(delivered_at=clock.now(), due_at=None)
    events_push_due(limit=10)
    notifications_send_due(now=clock.now(), limit=10)
    # then both got the whole address
    assert bodies[0]["data"]["action"]["value"] == pay_link_url(link)
    assert links == [pay_link_url(link)]
    # and nobody who reads the tables, or their backup, has it
    assert [table for table, row in texts() if link.token in row] == []
    assert "/p/***" in OutboundCall.objects.get(operation="event").request_body
    assert Notification.objects.get().link == ""


def test_the_caller_reads_the_whole_action() -> None:
    bill, link = offered()
    until = link.expires_at.astimezone(clock.ZONE).isoformat()
    expected = {
        "type": "url",
        "value": f"http://127.0.0.1:8000/p/{link.token}",
        "expires_at": until,
    }
    collect = bill.collects.get()
    assert bill.action == {"type": "url", "expires_at": until}
    assert collect_answer(collect)["action"] == expected
    assert invoice_body(bill)["action"] == expected
    event = HisEvent.objects.select_related("invoice").get(type="action_required")
    assert event_body(event)["data"]["action"] == expected


def test_a_channels_payment_code_is_not_traced() -> None:
    _bill, link = offered()
    action = Action("qr", "weixin://wxpay/bizpayurl?pr=s3cr3t", clock.now() + timedelta(hours=1))
    scripted.script(Operation.CAPTURE, ChannelAnswer(Outcome.PENDING, action=action))
    shown = pay_link_choose(
        token=link.token,
        offer=Offer("wechat_pay", Mode.NATIVE),
        payer_address="",
        form_key="K1",
    )
    assert shown == action
    trace = StateChange.objects.filter(entity="billing.paymenttransaction").latest("pk")
    assert trace.fields["action"] == {"type": "qr", "expires_at": action.expires_at.isoformat()}


def test_a_link_is_found_by_its_exact_token_only() -> None:
    bill, link = offered()
    assert pay_link_open(token=link.token) == bill
    for token in (link.token.swapcase(), link.token[:-1], f" {link.token}", "x"):
        with pytest.raises(NotFound):
            pay_link_open(token=token)


def test_an_offer_made_again_keeps_its_address(still_clock: clock.FrozenClock) -> None:
    bill, link = offered()
    token = link.token
    still_clock.advance(timedelta(hours=1))
    payments.collect(bill, "pay_link")
    invoice_drive(invoice_id=bill.pk)
    link.refresh_from_db()
    assert (link.token, link.expires_at - clock.now()) == (token, timedelta(days=7))
    assert pay_link_open(token=token) == bill


def test_an_offer_made_again_after_its_end_has_a_new_address(
    still_clock: clock.FrozenClock,
) -> None:
    bill, link = offered()
    over = link.token
    still_clock.advance(timedelta(days=30))
    payments.collect(bill, "pay_link")
    invoice_drive(invoice_id=bill.pk)
    link.refresh_from_db()
    assert Client().get(f"/p/{over}").status_code == 404
    assert Client().get(f"/p/{link.token}").status_code == 200
    # and the message leads to the new one
    assert Notification.objects.latest("pk").link == pay_link_url(link)


def again(bill: Invoice) -> str:
    """The token of the link once the bill was offered anew."""
    payments.collect(bill, "pay_link")
    invoice_drive(invoice_id=bill.pk)
    return PayLink.objects.get(invoice=bill).token


def test_who_is_told_no_more_keeps_no_link_that_opens() -> None:
    # given a link that went to the patient's account
    bill, link = offered()
    patient = bill.patient
    first = link.token
    assert again(bill) == first
    # when the account's phone, then the phone on record, then the account itself is another one
    UserPhone.objects.create(
        user=PatientAccess.objects.get().user, phone="13700001111", verified_at=clock.now()
    )
    tokens = [first, again(bill)]
    Patient.objects.filter(pk=patient.pk).update(phone=Patient(phone="13900002222").phone)
    tokens.append(again(bill))
    PatientAccess.objects.update(
        ended_at=clock.now(), ended_how="handed_over", may_view=False, may_pay=False
    )
    tokens.append(again(bill))
    payments.access(patient, payments.user(), "self")
    tokens.append(again(bill))
    # then each offer has an address of its own, and the last one alone opens the bill
    assert len(set(tokens)) == 5
    opens = [Client().get(f"/p/{one}").status_code for one in tokens]
    assert opens == [404, 404, 404, 404, 200]


def test_a_minors_link_ends_with_its_guardians_phone() -> None:
    guardian = patient(phone="13900001111")
    child = patient(birth_date=date(2018, 5, 6), guardian=guardian, phone="")
    bill = invoice(1_000, of=encounter(of=child))
    payments.merchant()
    first = again(bill)
    assert again(bill) == first
    Patient.objects.filter(pk=guardian.pk).update(phone=Patient(phone="13900002222").phone)
    assert again(bill) != first


def test_paying_by_the_account_revives_no_link(still_clock: clock.FrozenClock) -> None:
    bill, link = offered()
    still_clock.advance(timedelta(days=8))
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    offer_choose(
        invoice=bill, offer=Offer("wechat_pay", Mode.NATIVE), payer_address="", form_key="K1"
    )
    assert Client().get(f"/p/{link.token}/result").status_code == 410


@pytest.mark.parametrize("pay", [False, True])
def test_a_link_that_is_over_shows_nothing_of_any_bill(
    still_clock: clock.FrozenClock, pay: bool
) -> None:
    bill, link = offered()
    if pay:
        payments.agreement(bill.patient)
        payments.collect(bill)
        invoice_drive(invoice_id=bill.pk)
        bill.refresh_from_db()
        assert bill.status == "PAID"
        assert Client().get(f"/p/{link.token}/result").status_code == 200
    still_clock.advance(timedelta(days=7))
    with pytest.raises(Refusal) as refused:
        pay_link_open(token=link.token)
    assert refused.value.code == "link_expired"
    for page in ("", "/pay", "/code", "/result", "/window"):
        answer = Client().get(f"/p/{link.token}{page}")
        assert answer.status_code == 410
        assert bill.invoice_no not in answer.content.decode()


def test_who_began_at_the_last_moment_sees_how_it_ended(still_clock: clock.FrozenClock) -> None:
    _bill, link = offered()
    still_clock.advance(timedelta(days=7) - timedelta(minutes=1))
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    pay_link_choose(
        token=link.token,
        offer=Offer("wechat_pay", Mode.NATIVE),
        payer_address="",
        form_key="K1",
    )
    still_clock.advance(timedelta(minutes=30))
    assert Client().get(f"/p/{link.token}/result").status_code == 200
    still_clock.advance(timedelta(hours=2))
    assert Client().get(f"/p/{link.token}/result").status_code == 410
