"""The only place where billing takes locks: of rows here and in `charges`, of work that
is due in `leases`.

They are taken in the one order of the house, `core.locking.LOCK_ORDER`.
"""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from billing.ledger.bills import bill_receivable_beside
from billing.models import (
    Agreement,
    AgreementStatus,
    BillingReview,
    CollectRequest,
    CollectStatus,
    Invoice,
    InvoiceReturn,
    LossStep,
    Payment,
    PaymentNotice,
    PaymentTransaction,
    TransactionKind,
)
from billing.models.agreement import paying_order
from billing.models.deductions import agreement_use_beside
from core import clock
from core.errors import NotFound
from core.locking import (
    PreparedLock,
    advisory_lock,
    lock_in_turn,
    lock_row,
    lock_rows,
    mark_created,
    mark_held,
    single,
)
from core.prepared import PreparedQuery
from insurance.locks import claim_lock
from patients.consents.texts import current_version
from patients.locks import wallet_identity_locked
from patients.models import ConsentPurpose, HisClient

Row = TypeVar("Row", bound=Model)


def _whole(model: type[Model], *beside: str) -> list[str]:
    """Every column of a row, and the few named of the rows read beside it."""
    return [*(field.name for field in model._meta.concrete_fields), *beside]


def _beside(rows: QuerySet[Row], **columns: Combinable) -> QuerySet[Row]:
    """Rows with what is read beside them; their models declare the names."""
    return rows.annotate(**columns)  # type: ignore[no-any-return]


# The locks every collect takes are declared, so that their texts are made and planned once. Beside
# the bill stand the patient and the place its messages name, and no more of them: what is encrypted
# there would be decrypted at every step.
_BILL = Invoice.objects.select_related("patient", "encounter__campus").only(
    *_whole(Invoice, "patient__name", "encounter__encounter_no", "encounter__campus__name")
)
_invoice = PreparedLock(Invoice, lambda key: _BILL.filter(pk=key), int)
_invoice_by_number = PreparedLock(
    Invoice,
    lambda client, number: Invoice.objects.filter(client=client, invoice_no=number),
    *(int, str),
)
_invoice_of_transaction = PreparedLock(
    Invoice, lambda key: _BILL.filter(payments__transactions=key), int
)
_transaction = PreparedLock(
    PaymentTransaction,
    lambda key: _beside(
        PaymentTransaction.objects.filter(pk=key)
        .select_related("payment__merchant", "payment__shift", "payment__collect")
        .defer("payment__merchant__secrets"),
        owed_fen=bill_receivable_beside("payment__invoice_id"),
    ),
    int,
)
_collect_running = PreparedLock(
    CollectRequest,
    lambda invoice: _beside(
        CollectRequest.objects.filter(invoice=invoice, status=CollectStatus.RUNNING),
        owed_fen=bill_receivable_beside("invoice_id"),
        was_tried=Exists(
            PaymentTransaction.objects.filter(
                payment__invoice=OuterRef("invoice"), kind=TransactionKind.CAPTURE
            )
        ),
    ),
    int,
)
_agreements = PreparedLock(
    Agreement,
    lambda patient: Agreement.objects.filter(
        status=AgreementStatus.ACTIVE, pays_for__patient=patient, pays_for__active=True
    ).only("pk"),
    int,
)
# For whom, where, on which day, and under which text on deductions.
_admitted = PreparedQuery(
    lambda patient, campus, day, text: _beside(
        Agreement.objects.admitted(patient, campus, day, text).select_related("plan__merchant"),
        **agreement_use_beside(day),
    ),
    *(int, int, date, str),
)


def invoice_lock(invoice_id: int) -> Invoice:
    """The invoice, locked, with the patient and the place its messages name."""
    return _invoice.row(invoice_id)


def invoice_lock_by_number(client: HisClient, invoice_no: str) -> Invoice:
    """The invoice of a caller's number, locked, without anything beside it; or NotFound."""
    rows = _invoice_by_number.rows(client.pk, invoice_no)
    if not rows:
        raise NotFound("unknown_invoice", _("There is no such bill."), "invoice_no")
    return rows[0]


def collecting_lock(invoice_id: int) -> tuple[Invoice, CollectRequest | None]:
    """`invoice_lock` and `collect_lock`."""
    key = [invoice_id]
    invoices, running = lock_in_turn((_invoice, key), (_collect_running, key))
    return single(invoices, Invoice), next(iter(running), None)


def transaction_lock(transaction_id: int) -> tuple[PaymentTransaction, Invoice | None]:
    """A transaction with its invoice, the invoice locked first; `owed_fen` is what it owes now."""
    key = [transaction_id]
    invoices, rows = lock_in_turn((_invoice_of_transaction, key), (_transaction, key))
    return single(rows, PaymentTransaction), next(iter(invoices), None)


def captures_lock(invoice: Invoice) -> list[PaymentTransaction]:
    """Every capture of a locked invoice, oldest first."""
    return lock_rows(
        PaymentTransaction.objects.filter(
            payment__invoice=invoice, kind=TransactionKind.CAPTURE
        ).select_related("payment__merchant")
    )


def captures_flying_lock(invoice: Invoice) -> list[PaymentTransaction]:
    """The captures of a locked invoice that are waited for; all of them are locked."""
    return [row for row in captures_lock(invoice) if row.is_waited_for]


def agreements_lock(invoice: Invoice) -> list[Agreement]:
    """The agreements that may pay a locked invoice now, in their `paying_order`.

    They are locked by primary key, so two bills of one payer count against one daily limit. The
    holder must still hold the grant to pay and agree to today's words on deductions, the
    institution's own agreement be in term, and the merchant be one of the visit's campus. Beside
    each stands its use of today, which nobody else can add to until the caller is done.
    """
    patient, today = invoice.patient_id, clock.today()
    text_version = current_version(ConsentPurpose.DEDUCTION)
    # What admits one stands in other rows than the locked ones, and whoever was waited for may have
    # ended a binding, a choice of people or a consent: it is read once they are locked.
    locked, admitted = lock_in_turn(
        (_agreements, [patient]),
        (_admitted, [patient, invoice.encounter.campus_id, today, text_version]),
    )
    if clock.today() != today:
        # Waited for until midnight: another day is asked, once, for they are held now.
        return agreements_lock(invoice)
    held = {row.pk: row for row in locked}
    rows = [mark_held(row, under=held[row.pk]) for row in admitted if row.pk in held]
    return sorted(rows, key=paying_order)


def agreement_lock(agreement_id: int) -> Agreement:
    return lock_row(Agreement.objects.filter(pk=agreement_id).select_related("plan__merchant"))


def agreement_signing_lock(agreement_id: int, payer_id: str) -> Agreement:
    """An agreement that a wallet says it has signed, and the wallet's name before it: who joins the
    wallet to an account at the same moment waits, and then finds what it signed."""
    rows = Agreement.objects.filter(pk=agreement_id)
    if payer_id:
        wallet_identity_locked(
            rows.values_list("plan__merchant__app_id", flat=True).get(), payer_id
        )
    return agreement_lock(agreement_id)


def agreements_of_wallet_lock(app_id: str, payer_id: str) -> list[Agreement]:
    """What takes from a wallet, in whatever account; whoever calls holds the wallet's name."""
    rows = Agreement.objects.filter(plan__merchant__app_id=app_id, payer_id=payer_id)
    return lock_rows(rows.select_related("plan__merchant"))


def agreements_of_holder_lock(user_id: int) -> list[Agreement]:
    """Every agreement of a payer, ended ones too; a new one waits until the caller is done."""
    advisory_lock(f"billing.agreements/{user_id}")
    return lock_rows(Agreement.objects.filter(holder=user_id).select_related("plan__merchant"))


def return_lock(return_id: int) -> tuple[InvoiceReturn, Invoice]:
    """A return with its invoice, the invoice locked first."""
    invoice_id = InvoiceReturn.objects.values_list("invoice_id", flat=True).get(pk=return_id)
    invoice = invoice_lock(invoice_id)
    return lock_row(InvoiceReturn.objects.filter(pk=return_id)), invoice


def review_lock(review_id: int) -> tuple[BillingReview, Invoice | None]:
    """A case with its bill, the bill locked first; a return it is about is locked after both."""
    invoices = lock_rows(
        Invoice.objects.filter(reviews=review_id).select_related("patient", "encounter__campus")
    )
    return lock_row(BillingReview.objects.filter(pk=review_id)), next(iter(invoices), None)


def collect_lock(invoice: Invoice) -> CollectRequest | None:
    """The running collect of a locked invoice; it is only ever touched under that lock.

    `owed_fen` is what the invoice owes now, `was_tried` whether it ever had a tender.
    """
    return next(iter(_collect_running.rows(invoice.pk)), None)


def collect_last_held(invoice: Invoice) -> CollectRequest | None:
    """The newest collect of a locked invoice, run or running; touched only under that lock."""
    rows = CollectRequest.objects.filter(invoice=invoice, joined=None).order_by("-pk")
    last = rows.first()
    return None if last is None else mark_held(last, under=invoice)


def collect_of_payment_held(invoice: Invoice, payment: Payment) -> CollectRequest | None:
    """`collect_lock`, by way of a payment that was read under the invoice's lock: its own collect
    is the running one unless it has ended."""
    own = payment.collect
    if own is not None and own.status == CollectStatus.RUNNING:
        return mark_held(own, under=invoice)
    return collect_lock(invoice)


def return_inserted(returned: InvoiceReturn) -> InvoiceReturn:
    """Insert a return; nobody else can see it before the commit, so it is held as if locked."""
    returned.save(force_insert=True)
    return mark_created(returned)


def return_held(return_id: int) -> InvoiceReturn:
    """A return, locked; its invoice is locked already."""
    return lock_row(InvoiceReturn.objects.filter(pk=return_id))


def return_of_refund_lock(row: PaymentTransaction) -> InvoiceReturn:
    """The return a locked refund belongs to; its invoice is locked already."""
    assert row.invoice_return_id is not None
    return return_held(row.invoice_return_id)


def notice_lock(notice_id: int) -> PaymentNotice:
    return lock_row(PaymentNotice.objects.filter(pk=notice_id))


def reviews_of_notice_lock(notice_id: int) -> list[BillingReview]:
    """The open questions about a notice."""
    return lock_rows(BillingReview.objects.filter(notice=notice_id, status="OPEN"))


def loss_step_lock(step_id: int) -> LossStep | None:
    """A step of a fund loss, its claim locked first; None when there is no such step."""
    rows = LossStep.objects.select_related("loss__claim", "institution").filter(pk=step_id)
    claims = list(rows.values_list("loss__claim", flat=True))
    if not claims:
        return None
    held = claim_lock(claims[0])
    step = lock_row(rows)
    step.loss.claim = held
    return step


def reviews_of_transactions_held(
    invoice: Invoice, transactions: QuerySet[PaymentTransaction], *, reason: str
) -> list[BillingReview]:
    """The open questions of one reason about some transactions of a locked invoice; a case with a
    bill is only ever decided under the bill's lock (`review_lock`)."""
    rows = BillingReview.objects.filter(
        invoice=invoice, transaction__in=transactions, reason_code=reason, status="OPEN"
    )
    return [mark_held(row, under=invoice) for row in rows.order_by("pk")]
