"""The orchestrator: price → tender → settle → post, one resumable step after another.

Without insurance the tender is all there is; what the insurer is asked around it is `insuring`.

Every step commits before the next begins, and every step can be begun again by another process: the
rows say where the bill stands. The drive never sleeps. At PENDING it returns; a notice, a query or
the sweeper calls it again. What it must still do is its `due_at`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from billing.channels.base import Source
from billing.locks import collecting_lock
from billing.locks.leases import invoices_lease
from billing.models import (
    CODE_METHODS,
    Agreement,
    CollectMethod,
    CollectRequest,
    CollectStatus,
    EventType,
    Invoice,
    Payment,
    PaymentTransaction,
    TransactionStatus,
)
from billing.policy import policy
from billing.reasons import Reason
from billing.selectors.pay_links import pay_link_url
from billing.selectors.payments import agreement_use, cash_due_of, given_back_whole
from billing.services.agreements.messages import tell_unread
from billing.services.apply import NEVER_EXECUTED, transaction_apply
from billing.services.collecting.captures import capture_send
from billing.services.collecting.pay_links import pay_link_offer
from billing.services.collecting.starting import tender_start
from billing.services.collecting.tenders import Tender, agreement_waits, tender_next
from billing.services.handing_back import hand_back, his_told
from billing.services.insuring.course import Ask, insured_ask
from billing.services.insuring.running import ask_run
from billing.services.messages import tell_not_deducted, tell_over_limit, tell_pay_link
from core import clock
from core.failpoints import failpoint
from core.prepared import PreparedQuery

# These collects ask agreements; these end at the payer's phone when no tender took the money.
AGREEMENT_METHODS = frozenset({CollectMethod.AUTO, CollectMethod.AGREEMENT}) | CODE_METHODS
LINK_METHODS = AGREEMENT_METHODS | {CollectMethod.PAY_LINK}


@dataclass(frozen=True, slots=True)
class TenderStep:
    """A tender whose number is committed and which must now be sent, once, by this process."""

    row: PaymentTransaction
    invoice: Invoice
    auth_code: str


def invoice_drive(*, invoice_id: int) -> None:
    """Bring a bill as far as it goes now. Safe to call at any time, twice and in parallel."""
    for _step in range(policy().drive_steps_max):
        step = _next_step(invoice_id)
        goes_on = ask_run(step) if isinstance(step, Ask) else _sent(step)
        if not goes_on:
            return


def _sent(step: TenderStep | None) -> bool:
    """Send a tender and believe the answer; whether the drive has more to do now."""
    if step is None:
        return False
    answer = capture_send(row=step.row, invoice=step.invoice, auth_code=step.auth_code)
    row = transaction_apply(transaction_id=step.row.pk, answer=answer, source=Source.SEND)
    if row.status == TransactionStatus.SUCCEEDED:
        return step.invoice.claim_id is not None
    return row.status not in PaymentTransaction.IN_FLIGHT


def _next_step(invoice_id: int) -> TenderStep | Ask | None:
    """Decide under the invoice's lock; commit a number or who asks the insurer, or end the
    chain."""
    with transaction.atomic():
        invoice, collect = collecting_lock(invoice_id)
        if invoice.status not in Invoice.DRIVEN:
            return None
        if _is_insured(invoice, collect):
            ask = insured_ask(invoice, collect)
            if ask is None or not ask.takes:
                return ask
        tried = _tried(invoice, collect) if collect is not None and collect.was_tried else []
        if collect is None or (tried and tried[-1].is_waited_for):
            # Nothing is left to do here: a patient's own page drives its tender alone, and what is
            # waited for comes back by itself.
            Invoice.objects.filter(pk=invoice.pk).update(due_at=None)
            return None
        tender = _tender(invoice, collect, tried)
        if tender is None:
            _end_chain(invoice, collect)
            return None
        row = tender_start(invoice=invoice, tender=tender, asked=collect)
        failpoint("drive.tender_written")
    failpoint("drive.tender_committed")
    return TenderStep(row, invoice, collect.auth_code)


def _is_insured(invoice: Invoice, collect: CollectRequest | None) -> bool:
    """A bill with a claim, or one that is to get it by the code that is shown."""
    by_code = collect is not None and collect.method in CODE_METHODS
    return invoice.claim_id is not None or by_code


_captures = PreparedQuery(
    lambda invoice: (
        PaymentTransaction.objects.filter(payment__invoice=invoice, kind="CAPTURE")
        .select_related("payment__merchant", "payment__agreement", "payment__shift")
        .order_by("pk")
    ),
    int,
)


def _tried(invoice: Invoice, collect: CollectRequest) -> list[PaymentTransaction]:
    """The captures of this collect, oldest first; last comes whatever is in flight at all."""
    rows = _captures(invoice.pk)
    own = [row for row in rows if row.payment.collect_id == collect.pk]
    flying = [row for row in rows if row.is_waited_for]
    return [row for row in own if row not in flying] + flying


def _tender(
    invoice: Invoice, collect: CollectRequest, tried: list[PaymentTransaction]
) -> Tender | None:
    """The next way to pay, if anything is owed and a way is left."""
    due_fen = cash_due_of(invoice, collect.owed_fen)
    if due_fen <= 0:
        return None
    if invoice.claim_id is not None:
        tried = given_back_whole(tried)
    return tender_next(invoice=invoice, collect=collect, amount_fen=due_fen, tried=_used_up(tried))


def _used_up(tried: list[PaymentTransaction]) -> list[Payment]:
    """The ways that were tried. One found never executed is tried once more, under a new number
    and by the same rules: limits, hours and grants are looked at again."""
    ways: dict[tuple[str, int | None], list[PaymentTransaction]] = {}
    for row in tried:
        ways.setdefault((row.payment.mode, row.payment.agreement_id), []).append(row)
    return [
        rows[-1].payment
        for rows in ways.values()
        if rows[-1].code != NEVER_EXECUTED or len(rows) >= policy().tries_per_tender
    ]


def _end_chain(invoice: Invoice, collect: CollectRequest) -> None:
    """No tender took it: offer the pay link, or say why the window's tender did not."""
    last = PaymentTransaction.objects.filter(payment__collect=collect).order_by("-pk").first()
    code = last.code if last is not None else _no_tender(invoice, collect)
    if collect.method not in LINK_METHODS:
        hand_back(invoice, collect, CollectStatus.DECLINED, code, action=None)
        his_told(invoice, EventType.DECLINED, {"reason": code})
        return
    link = pay_link_offer(invoice=invoice)
    # The address opens the bill: it is filled in where this is read, and kept encrypted alone.
    action = {"type": "url", "expires_at": link.expires_at.isoformat()}
    hand_back(invoice, collect, CollectStatus.ACTION_REQUIRED, code, action=action)
    his_told(invoice, EventType.ACTION_REQUIRED, {"action": action, "reason": code})
    if last is not None:
        tell_not_deducted(last, invoice)
    elif code == Reason.AGREEMENT_LIMIT:
        tell_over_limit(invoice)
    if collect.method in AGREEMENT_METHODS:
        tell_unread(invoice)
    tell_pay_link(invoice, pay_link_url(link))


def _no_tender(invoice: Invoice, collect: CollectRequest) -> Reason:
    """Why nothing was even tried, for the HIS and the doctor to read."""
    if collect.method == CollectMethod.PAY_LINK:
        return Reason.PAY_LINK
    if collect.method not in LINK_METHODS:
        return Reason.NOT_OFFERED
    now = clock.now()
    today = clock.business_day(now)
    admitted = Agreement.objects.admitted(invoice.patient_id, invoice.encounter.campus_id, today)
    held = list(admitted.select_related("plan"))
    if not held:
        return Reason.NO_AGREEMENT
    used = agreement_use([row.pk for row in held], today)
    due_fen = cash_due_of(invoice, collect.owed_fen)
    waits = any(agreement_waits(row, due_fen, used.get(row.pk, (0, 0)), now) for row in held)
    return Reason.AGREEMENT_HOURS if waits else Reason.AGREEMENT_LIMIT


def invoices_drive_due(*, limit: int) -> list[int]:
    """Invoices whose next step is due, leased to the caller so that no two sweepers drive one."""
    return invoices_lease(limit=limit, lease_s=policy().lease_s)
