"""A family at the portal: who is signed in, whose bills they see, and how their pages are read."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from billing.channels.base import ChannelAnswer, Mode, Source
from billing.locks import invoice_lock
from billing.models import Invoice, InvoiceStatus, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_begin
from billing.services.collecting.tenders import Tender
from core import clock
from core.actors import SYSTEM
from core.models import User
from core.outcomes import Outcome
from core.states import transition
from patients.actors import patient_actor
from patients.models import Patient
from patients.services.consents import consent_give
from tests.factories import billing, payments
from tests.factories import patients as people

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1"


def signed_in(user: User, agent: str = PHONE) -> Client:
    """A phone on which this user is signed in and has allowed the use of their data."""
    consent_give(user=user, purpose="privacy", by=patient_actor(user))
    client = Client(headers={"User-Agent": agent})
    client.force_login(user)
    return client


def family() -> tuple[User, Patient, Patient]:
    """王秀兰 signed in, bound to herself; her mother 李桂英, for whom she may only pay."""
    people.campus(
        name="云溪市第一医院",
        window_text="门诊楼 1 层 3 号窗口，7:30–17:00，可付现金",
        phone="0500-8612 0000",
    )
    user = payments.user()
    consent_give(user=user, purpose="privacy", by=patient_actor(user))
    own, mother = people.patient(name="王秀兰"), people.patient(name="李桂英")
    payments.access(own, user)
    payments.access(mother, user, "parent")
    return user, own, mother


def bill(patient: Patient, *amounts_fen: int, **lines: Any) -> Invoice:
    """An issued bill of this person."""
    return billing.invoice(*amounts_fen or (8640,), of=people.encounter(of=patient), **lines)


def paid(invoice: Invoice, mode: Mode = Mode.H5, **tender: Any) -> PaymentTransaction:
    """The bill, paid through WeChat."""
    row = ordered(invoice, mode, **tender)
    answer = ChannelAnswer(Outcome.SUCCEEDED, channel_no=f"42{row.pk}", occurred_at=clock.now())
    return transaction_apply(transaction_id=row.pk, answer=answer, source=Source.QUERY)


def ordered(invoice: Invoice, mode: Mode = Mode.H5, **tender: Any) -> PaymentTransaction:
    """An order that was sent to WeChat and is open."""
    merchant = payments.merchant()
    with transaction.atomic():
        locked = invoice_lock(invoice.pk)
        row = capture_begin(
            invoice=locked,
            tender=Tender(merchant.channel, mode, locked.cash_fen, merchant, **tender),
        )
        transition(locked, InvoiceStatus.COLLECTING, by=SYSTEM)
    return row


def text_of(answer: HttpResponse) -> str:
    """What a reader reads, spaces left out: sums and words stand in elements of their own."""
    body = re.sub(r"<(script|style|symbol)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", "", body)
