"""Tasks: each claims what is due, calls one service, and may run twice.

The first group are hints sent by doors: by one of `go_on`, `going_on` and `tell`, or straight where
a door waits for the result; the second are the sweepers of `config/schedule.py`, which find what a
lost hint left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from celery import shared_task

from billing.ledger.closing import day_close, days_due
from billing.policy import policy
from billing.selectors.mixed import mixed_transaction
from billing.services.agreements.sweeps import agreement_look, agreements_due
from billing.services.events.relay import events_publish, events_push_due
from billing.services.failures import invoice_kept, transaction_kept
from billing.services.insuring.claim_cases import claim_cases_close
from billing.services.insuring.resuming import bills_proved_resume
from billing.services.insuring.wallet import mixed_due, mixed_tell
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.notices.applying import notice_apply, notices_due
from billing.services.sweeps import refunds_due, transaction_resume, transactions_due
from core.dispatch import enqueue
from insurance.selectors import claim_bill
from insurance.services.claims import claim_resume, claims_due
from patients.tasks import notifications_send_task


@shared_task
def invoice_drive_task(invoice_id: int) -> None:
    """Bring a bill as far as it goes."""
    with invoice_kept(invoice_id=invoice_id):
        invoice_drive(invoice_id=invoice_id)
    hand_on()


@shared_task
def notice_apply_task(notice_id: int) -> None:
    """Apply a stored notice; the bill goes on from there."""
    notice_apply(notice_id=notice_id)
    hand_on()


@shared_task
def events_relay_task() -> None:
    """Publish what happened and push it."""
    sweep_events()


def go_on(invoice_id: int) -> None:
    """After a door changed a bill: its next step, its refunds and who must hear of it, by workers.

    The row decides what there is to do, so that a door need not know it and a hint may come twice.
    """
    enqueue(invoice_drive_task, invoice_id)


@contextmanager
def going_on(invoice_id: int) -> Iterator[None]:
    """A press that may move money also where it is refused: the bill goes on either way."""
    try:
        yield
    finally:
        go_on(invoice_id)


def hand_on() -> None:
    """After money moved: refunds that were only written leave, and everybody is told."""
    for transaction_id in refunds_due(limit=policy().sweep_limit):
        enqueue(transaction_leased_task, transaction_id)
    tell()


def tell() -> None:
    """After something happened: events to the HIS and messages to people, by other workers."""
    enqueue(events_relay_task)
    enqueue(notifications_send_task)


def sweep_invoices() -> int:
    """Bills whose next step is due, and those whose insurance code was shown meanwhile."""
    bills_proved_resume(limit=policy().sweep_limit)
    ids = invoices_drive_due(limit=policy().sweep_limit)
    for invoice_id in ids:
        enqueue(invoice_drive_task, invoice_id)
    return len(ids)


def sweep_claims() -> int:
    """Claims whose end at the insurer is not known yet; the bill goes on from what is learnt, and
    a case that only waited for a claim's decision ends with it."""
    claim_cases_close(limit=policy().sweep_limit)
    ids = claims_due(limit=policy().sweep_limit)
    for claim_id in ids:
        enqueue(claim_leased_task, claim_id)
    return len(ids)


@shared_task
def claim_leased_task(claim_id: int) -> None:
    """Look at a claim the sweeper has leased, and let its bill go on."""
    invoice_id = claim_bill(claim_id)
    with invoice_kept(invoice_id=invoice_id):
        claim_resume(claim_id=claim_id)
        invoice_drive(invoice_id=invoice_id)
    hand_on()


def sweep_transactions() -> int:
    """Open transactions to look at; sent one by one, because each look is a call outside."""
    ids = transactions_due(limit=policy().sweep_limit)
    for transaction_id in ids:
        enqueue(transaction_leased_task, transaction_id)
    return len(ids)


@shared_task
def transaction_leased_task(transaction_id: int) -> None:
    """Send a refund the sweeper has leased, or look at what became of a transaction."""
    with transaction_kept(transaction_id=transaction_id):
        transaction_resume(transaction_id=transaction_id)
    hand_on()


def sweep_mixed_orders() -> int:
    """Insurance parts that went back and of which the wallet's channel is to be told."""
    ids = mixed_due(limit=policy().sweep_limit, lease_s=policy().lease_s)
    for mixed_id in ids:
        enqueue(mixed_tell_task, mixed_id)
    return len(ids)


@shared_task
def mixed_tell_task(mixed_id: int) -> None:
    """Tell what the sweeper has leased."""
    with transaction_kept(transaction_id=mixed_transaction(mixed_id)):
        mixed_tell(mixed_id=mixed_id)


def sweep_notices() -> int:
    """Stored notices whose task was lost, or whose order came after them."""
    ids = notices_due(limit=policy().sweep_limit)
    for notice_id in ids:
        enqueue(notice_apply_task, notice_id)
    return len(ids)


def sweep_events() -> int:
    """Number committed events, then push those that are due."""
    events_publish()
    return events_push_due(limit=policy().sweep_limit)


def sweep_agreements() -> int:
    """Agreements the channel is asked about again; each is a call outside."""
    ids = agreements_due(limit=policy().agreement_sweep_limit)
    for agreement_id in ids:
        enqueue(agreement_look_task, agreement_id)
    return len(ids)


@shared_task
def agreement_look_task(agreement_id: int) -> None:
    """Ask about an agreement the sweeper has leased."""
    agreement_look(agreement_id=agreement_id)
    tell()


def close_days() -> int:
    """Close every business day that is over and still open, oldest first."""
    days = days_due()
    for day in days:
        day_close(day)
    return len(days)
