"""Asking the register about a wish, and sending the code to the phone on record.

A wish that fits nobody ends here without a message, and its page goes on asking for a code. The
code exists only in the message and as a hash; where sending fails, the next try sends a new one.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from core import clock
from core.crypto import mask_name
from patients.binding_codes import code_hash, code_new
from patients.binding_texts import KIND, code_fields
from patients.locks import binding_locked, bindings_locked
from patients.messengers.base import Delivery, Message
from patients.messengers.registry import messenger_get
from patients.models import (
    Binding,
    BindingStatus,
    Messenger,
    Patient,
    PatientAccess,
    Relation,
)
from patients.selectors import hospital_name, phone_index
from patients.selectors.binding_limits import codes_reached
from patients.selectors.binding_rules import (
    OWN_CODE_FROM,
    age_of,
    binding_person,
    binding_refusal,
    code_phone,
)

LEASE = timedelta(seconds=20)
RETRY_AFTER = timedelta(seconds=10)
TRIES_MAX = 3


def binding_code_send(*, binding_id: int) -> bool:
    """Send the code of a wish that is due; whether one left. Safe to run twice."""
    code = code_new()
    with transaction.atomic():
        try:
            row = binding_locked(binding_id)
        except Binding.DoesNotExist:
            return False
        if row.status != BindingStatus.WAITING or row.due_at is None or clock.now() < row.due_at:
            return False
        person = _person(row)
        if person is None:
            row.due_at = None
            row.save(update_fields=["patient", "outcome", "due_at"])
            return False
        age = age_of(person) or 0
        phone = code_phone(person, age)
        row.patient, row.code_hash = person, code_hash(row.pk, code)
        row.sent_to = phone_index(phone)
        row.send_tries += 1
        row.due_at = clock.now() + LEASE
        row.save(update_fields=["patient", "code_hash", "sent_to", "send_tries", "due_at"])
        message = Message(
            key=f"{KIND}/{row.pk}/{row.sends_asked}/{row.send_tries}",
            address=phone,
            kind=KIND,
            fields=code_fields(
                allows=_allows(row, person, age),
                code=code,
                name=mask_name(person.name),
                hospital=hospital_name(),
            ),
        )
    return _send(row.pk, row.code_hash, message)


def binding_codes_send_due(*, limit: int) -> int:
    """Send what a lost task left; the net under `binding_code_send`."""
    due = Binding.objects.filter(due_at__lte=clock.now()).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:limit])
    return sum(binding_code_send(binding_id=pk) for pk in ids)


def _person(row: Binding) -> Patient | None:
    """Who is to get the code; None with the reason on the row."""
    if clock.now() >= row.expires_at:
        row.outcome = "too_late"
        return None
    person, row.outcome = binding_person(row)
    if person is None:
        return None
    row.patient = person
    row.outcome = binding_refusal(user=row.user, relation=row.relation, patient=person)
    if not row.outcome:
        bindings_locked(f"person/{person.pk}")
        row.outcome = "person_limit" if codes_reached(row, patient_id=person.pk) else ""
    return None if row.outcome else person


def _allows(row: Binding, person: Patient, age: int) -> str:
    if row.relation == Relation.SELF:
        held = PatientAccess.objects.own().filter(patient=person)
        return "moves" if held.exists() else "own"
    return "child" if age < OWN_CODE_FROM else "relative"


def _send(binding_id: int, sent_hash: str, message: Message) -> bool:
    adapter = messenger_get(Messenger.SMS)
    delivery = Delivery.AGAIN if adapter is None else adapter.send(message).delivery
    with transaction.atomic():
        row = binding_locked(binding_id)
        if row.code_hash == sent_hash and row.status == BindingStatus.WAITING:
            again = delivery is Delivery.AGAIN and row.send_tries < TRIES_MAX
            row.due_at = clock.now() + RETRY_AFTER if again else None
            row.outcome = "" if delivery is Delivery.SENT else "not_sent"
            row.save(update_fields=["due_at", "outcome"])
    return delivery is Delivery.SENT
