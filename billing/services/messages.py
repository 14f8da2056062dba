"""Which messages a payment queues, to whom, and the few facts they carry.

A payer is told of every deduction, and reads hospital, masked name, amount and the number's tail:
never department, diagnosis or items. The patient's own users are told that the bill is paid. A
patient without an account is told by the phone on record: of what a relative paid, of what came
back, and of what waits.
"""

from __future__ import annotations

from typing import Any

from billing.channels.base import Mode
from billing.message_keys import (
    DEDUCTED,
    NOT_DEDUCTED,
    OVER_LIMIT,
    PAID,
    PAY_LINK,
    REFUNDED,
    message_key,
)
from billing.models import Agreement, Invoice, PaymentTransaction
from core import clock
from core.crypto import mask_name
from patients.services.notifications import Message, OwnMessage, notifications_queue


def tell_paid(row: PaymentTransaction, invoice: Invoice) -> None:
    """To the payer at once; and to the patient when somebody else paid."""
    facts = _facts(invoice, row.amount_fen)
    payer_id = row.payment.payer_id
    messages: list[Message | OwnMessage] = [
        # Who pays without an account stands at the window or holds the link, and knows it.
        OwnMessage(
            message_key(PAID, row.number),
            "paid",
            facts,
            but_not=payer_id,
            on_record=payer_id is not None,
        )
    ]
    if payer_id is not None:
        messages.append(Message(message_key(DEDUCTED, row.number), "deducted", payer_id, facts))
    notifications_queue(messages=messages, patient_id=invoice.patient_id)


def tell_taken(row: PaymentTransaction, invoice: Invoice, *, goes_back: bool) -> None:
    """Money that did not make the bill paid was taken all the same: its payer is told at once."""
    payer_id = row.payment.payer_id
    if payer_id is not None:
        kind = "deducted_back" if goes_back else "deducted"
        facts = _facts(invoice, row.amount_fen)
        _queue(invoice, Message(message_key(DEDUCTED, row.number), kind, payer_id, facts))


def tell_refunded(row: PaymentTransaction, invoice: Invoice) -> None:
    """To whoever paid, else to the patient. Notes are booked before a hand gives them out, so
    nothing is said to have come back of them."""
    kind = "refunded_cash" if row.payment.mode == Mode.CASH else "refunded"
    key = message_key(REFUNDED, row.number)
    payer_id = row.payment.payer_id
    facts = _facts(invoice, row.amount_fen)
    if payer_id is None:
        _queue(invoice, OwnMessage(key, kind, facts, on_record=True))
    else:
        _queue(invoice, Message(message_key(key, payer_id), kind, payer_id, facts))


def tell_not_deducted(row: PaymentTransaction, invoice: Invoice) -> None:
    """The channel does not tell a payer about a failed deduction; we do."""
    payer_id = row.payment.payer_id
    if payer_id is not None:
        key = message_key(NOT_DEDUCTED, row.number, payer_id)
        facts = _facts(invoice, row.amount_fen)
        _queue(invoice, Message(key, "not_deducted", payer_id, facts))


def tell_over_limit(invoice: Invoice) -> None:
    """No tender was even tried, for each agreement's limit is lower: its holder would wonder why
    the bill was not deducted, and can do something about it."""
    admitted = Agreement.objects.admitted(
        invoice.patient_id, invoice.encounter.campus_id, clock.today()
    )
    facts = _facts(invoice, invoice.cash_fen)
    messages = [
        Message(
            message_key(OVER_LIMIT, invoice.pk, invoice.event_seq, holder_id),
            "over_limit",
            holder_id,
            facts,
        )
        for holder_id in sorted(set(admitted.values_list("holder_id", flat=True)))
    ]
    notifications_queue(messages=messages, patient_id=invoice.patient_id)


def tell_pay_link(invoice: Invoice, url: str) -> None:
    """The bill waits on the patient's phone."""
    key = message_key(PAY_LINK, invoice.pk, invoice.event_seq)
    facts = _facts(invoice, invoice.cash_fen)
    _queue(invoice, OwnMessage(key, "pay_link", facts, link=url, on_record=True))


def _queue(invoice: Invoice, message: Message | OwnMessage) -> None:
    notifications_queue(messages=[message], patient_id=invoice.patient_id)


def _facts(invoice: Invoice, amount_fen: int) -> dict[str, Any]:
    return {
        "hospital": invoice.encounter.campus.name,
        "name": mask_name(invoice.patient.name),
        "amount_fen": amount_fen,
        "number": invoice.tail,
    }
