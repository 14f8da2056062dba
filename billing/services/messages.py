"""Which messages a payment queues, to whom, and the few facts they carry.

A payer reads hospital, masked name, amount and the number's tail: never department, diagnosis or
items. The patient's own users are told that the bill is paid.
"""

from __future__ import annotations

from typing import Any

from billing.models import Invoice, PaymentTransaction
from core.crypto import mask_name
from core.prepared import PreparedQuery
from patients.models import PatientAccess, Relation
from patients.services.notifications import Message, notifications_queue


def tell_paid(row: PaymentTransaction, invoice: Invoice) -> None:
    """At once on every deduction, to the payer; and to the patient when somebody else paid."""
    facts = _facts(invoice, row.amount_fen)
    payer_id = row.payment.payer_id
    messages = []
    if payer_id is not None:
        messages.append(Message(f"deducted/{row.number}", "deducted", payer_id, facts))
    messages += [
        Message(f"paid/{row.number}/{user_id}", "paid", user_id, facts)
        for user_id in _own_users(invoice)
        if user_id != payer_id
    ]
    notifications_queue(messages=messages, patient_id=invoice.patient_id)


def tell_refunded(row: PaymentTransaction, invoice: Invoice) -> None:
    """To whoever paid, else to the patient."""
    payer_id = row.payment.payer_id
    users = [payer_id] if payer_id is not None else _own_users(invoice)
    facts = _facts(invoice, row.amount_fen)
    _queue(invoice, "refunded", row.number, users, facts)


def tell_not_deducted(row: PaymentTransaction, invoice: Invoice) -> None:
    """The channel does not tell a payer about a failed deduction; we do."""
    if row.payment.payer_id is not None:
        facts = _facts(invoice, row.amount_fen)
        _queue(invoice, "not_deducted", row.number, [row.payment.payer_id], facts)


def tell_pay_link(invoice: Invoice, url: str) -> None:
    """The bill waits on the patient's phone."""
    facts = _facts(invoice, invoice.cash_fen)
    number = f"{invoice.pk}/{invoice.event_seq}"
    _queue(invoice, "pay_link", number, _own_users(invoice), facts, link=url)


def _queue(
    invoice: Invoice,
    kind: str,
    number: str,
    users: list[int],
    facts: dict[str, Any],
    *,
    link: str = "",
) -> None:
    messages = [Message(f"{kind}/{number}/{user}", kind, user, facts, link) for user in users]
    notifications_queue(messages=messages, patient_id=invoice.patient_id)


_own_access = PreparedQuery(
    lambda patient: PatientAccess.objects.filter(
        patient=patient, relation=Relation.SELF, may_view=True
    ),
    int,
)


def _own_users(invoice: Invoice) -> list[int]:
    return [access.user_id for access in _own_access(invoice.patient_id)]


def _facts(invoice: Invoice, amount_fen: int) -> dict[str, Any]:
    return {
        "hospital": invoice.encounter.campus.name,
        "name": mask_name(invoice.patient.name),
        "amount_fen": amount_fen,
        "number": invoice.invoice_no[-6:],
    }
