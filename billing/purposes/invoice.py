"""Money that pays an invoice, and money of an invoice that goes back."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from billing import postings
from billing.channels.registry import agreement_channel_get
from billing.ledger import chart
from billing.ledger.selectors import subject_balance
from billing.locks import (
    collect_lock,
    collect_of_payment_held,
    return_of_refund_lock,
)
from billing.models import (
    EventType,
    Invoice,
    InvoiceReturn,
    InvoiceStatus,
    PaymentTransaction,
    ReturnStatus,
    ReviewReason,
    TransactionKind,
    TransactionStatus,
)
from billing.selectors.insured import wallet_has
from billing.selectors.payments import cash_due_of, open_capture
from billing.services.agreements.ends import agreement_doubted
from billing.services.events.outbox import return_event_add
from billing.services.insuring.ending import cash_was_last
from billing.services.messages import tell_refunded, tell_taken
from billing.services.paying import bill_paid
from billing.services.refunding.giving_back import bill_after_returns
from billing.services.refunding.refund_cases import declined_cases_withdraw, twice_cases_withdraw
from billing.services.refunding.refunds import refund_begin, refund_is_owed, refund_subject
from billing.services.reviews import review_open
from core import clock
from core.actors import Actor
from core.failpoints import failpoint
from core.states import Step, transition, transition_together


def _refund_reference(row: PaymentTransaction) -> str:
    """A refund that came back and went out again is another event of the same number."""
    return f"{row.number}-{row.came_back_count}" if row.came_back_count else row.number


def _tell_return(returned: InvoiceReturn, invoice: Invoice, type: EventType, at: datetime) -> None:
    return_event_add(invoice=invoice, returned=returned, type=type, occurred_at=at)


class InvoicePurpose:
    """See `billing.purposes.base.Purpose`. An invoice is PAID only when its receivable is zero."""

    def description(self, row: PaymentTransaction, invoice: Invoice | None) -> str:
        """Place and number."""
        assert invoice is not None
        place = invoice.encounter.campus.name
        return _("%(place)s bill %(tail)s") % {"place": place, "tail": invoice.tail}

    def captured(
        self,
        row: PaymentTransaction,
        invoice: Invoice | None,
        done: Step,
        *,
        expected: bool,
        by: Actor,
    ) -> None:
        assert invoice is not None
        owed_fen = cash_due_of(invoice, row.owed_fen) if invoice.status in Invoice.OPEN else 0
        expected = expected and owed_fen >= row.amount_fen
        pays_all = expected and owed_fen == row.amount_fen and invoice.claim_id is None
        if not pays_all:
            transition_together(done, by=by)
        if not expected:
            self._unexpected(row, invoice, owed_fen, by)
            return
        postings.post_taken(
            reference=row.number,
            occurred_at=done.fields["occurred_at"],
            invoice_id=invoice.pk,
            payment=row.payment,
            amount_fen=row.amount_fen,
        )
        failpoint("apply.posted")
        if pays_all:
            self._paid(row, invoice, by, done)
        else:
            self._paid_if_nothing_is_owed(row, invoice, owed_fen - row.amount_fen, by)

    def capture_ended(self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor) -> None:
        """The chain goes on when a collect runs; an unused pay link leaves the bill to pay."""
        assert invoice is not None
        if row.agreement_id is not None:
            gone = agreement_channel_get(row.payment.channel).agreement_gone
            if row.code in gone:
                agreement_doubted(agreement_id=row.agreement_id)
        if invoice.status not in (InvoiceStatus.COLLECTING, InvoiceStatus.PROCESSING):
            return
        if collect_lock(invoice) is not None or wallet_has(invoice):
            # What the wallet had is asked for before anything else is begun.
            Invoice.objects.filter(pk=invoice.pk).update(due_at=clock.now())
        elif open_capture(invoice) is None:
            # One that was passed over may end while the order after it still holds the bill.
            transition(invoice, InvoiceStatus.ISSUED, by=by, reason=row.code, due_at=None)

    def refunded(self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor) -> None:
        assert invoice is not None
        postings.post_refund_done(
            reference=_refund_reference(row),
            occurred_at=row.occurred_at or clock.now(),
            invoice_id=invoice.pk,
            refund_id=refund_subject(row),
            route=postings.tender_account(row.payment),
            amount_fen=row.amount_fen,
        )
        failpoint("refund.posted")
        twice_fen = subject_balance(chart.REFUND_PAYABLE, refund_subject(row))
        if twice_fen >= 0:
            declined_cases_withdraw(row=row, invoice=invoice)
        if twice_fen > 0:
            # The first number succeeded after its debt was sent again: the money left twice.
            review_open(
                reason=ReviewReason.REFUNDED_TWICE,
                invoice=invoice,
                transaction=row,
                figures={"too_much_fen": twice_fen},
            )
        tell_refunded(row, invoice)
        if row.invoice_return_id is None:
            return
        returned = return_of_refund_lock(row)
        if returned.status in (ReturnStatus.ACCEPTED, ReturnStatus.FAILED):
            self._return_done_if_complete(returned, invoice, row, by)

    def refund_came_back(
        self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor
    ) -> None:
        assert invoice is not None
        postings.post_refund_came_back(
            reference=_refund_reference(row),
            occurred_at=clock.now(),
            invoice_id=invoice.pk,
            refund_id=refund_subject(row),
            route=postings.tender_account(row.payment),
            amount_fen=row.amount_fen,
        )
        if subject_balance(chart.REFUND_PAYABLE, refund_subject(row)) <= 0:
            twice_cases_withdraw(row=row, invoice=invoice)
        if row.invoice_return_id is None or not refund_is_owed(row):
            return  # where it had left twice, another number of the debt still brought the money
        returned = return_of_refund_lock(row)
        if returned.status == ReturnStatus.DONE:
            transition(returned, ReturnStatus.ACCEPTED, by=by, reason="came back")
            if invoice.status == InvoiceStatus.REFUNDED:
                transition(invoice, InvoiceStatus.PARTLY_REFUNDED, by=by, reason="came back")
            _tell_return(returned, invoice, EventType.REFUND_FAILED, clock.now())

    def refund_ended(self, row: PaymentTransaction, invoice: Invoice | None, *, by: Actor) -> None:
        """The channel refuses for good: the money stays owed and a person decides the next way."""
        assert invoice is not None
        if not refund_is_owed(row):
            return  # another number of this debt has given the money back
        returned = return_of_refund_lock(row) if row.invoice_return_id else None
        review_open(
            reason=ReviewReason.REFUND_DECLINED,
            invoice=invoice,
            transaction=row,
            invoice_return=returned,
            figures={"amount_fen": row.amount_fen, "code": row.code},
        )
        if returned is not None and returned.status == ReturnStatus.ACCEPTED:
            transition(returned, ReturnStatus.FAILED, by=by, reason=row.code)
            _tell_return(returned, invoice, EventType.REFUND_FAILED, clock.now())

    def _paid_if_nothing_is_owed(
        self, row: PaymentTransaction, invoice: Invoice, owed_fen: int, by: Actor
    ) -> None:
        if owed_fen != 0:
            Invoice.objects.filter(pk=invoice.pk).update(due_at=clock.now())
            tell_taken(row, invoice, goes_back=False)
            return
        if invoice.claim_id is not None and not cash_was_last(invoice, by):
            return
        self._paid(row, invoice, by)

    def _paid(
        self, row: PaymentTransaction, invoice: Invoice, by: Actor, done: Step | None = None
    ) -> None:
        fields = {} if done is None else done.fields
        bill_paid(
            invoice=invoice,
            collect=collect_of_payment_held(invoice, row.payment),
            row=row,
            amount_fen=row.amount_fen,
            occurred_at=fields.get("occurred_at") or row.occurred_at or clock.now(),
            by=by,
            with_it=done,
        )

    def _unexpected(
        self, row: PaymentTransaction, invoice: Invoice, owed_fen: int, by: Actor
    ) -> None:
        """Money nobody waits for: it pays the bill if that is still to pay and no other tender is
        in flight; otherwise it goes back by itself."""
        arrived_at = row.occurred_at or clock.now()
        postings.post_unexpected_in(
            reference=row.number,
            occurred_at=arrived_at,
            payment_transaction_id=row.pk,
            invoice_id=invoice.pk,
            account=postings.tender_account(row.payment),
            amount_fen=row.amount_fen,
        )
        if owed_fen >= row.amount_fen and open_capture(invoice) is None:
            postings.post_unexpected_applied(
                reference=row.number,
                occurred_at=arrived_at,
                payment_transaction_id=row.pk,
                invoice_id=invoice.pk,
                amount_fen=row.amount_fen,
            )
            self._paid_if_nothing_is_owed(row, invoice, owed_fen - row.amount_fen, by)
            return
        refund = refund_begin(original=row, amount_fen=row.amount_fen)
        postings.post_unexpected_owed(
            reference=refund.number,
            occurred_at=arrived_at,
            payment_transaction_id=row.pk,
            refund_id=refund_subject(refund),
            invoice_id=invoice.pk,
            amount_fen=row.amount_fen,
        )
        tell_taken(row, invoice, goes_back=True)

    def _return_done_if_complete(
        self, returned: InvoiceReturn, invoice: Invoice, row: PaymentTransaction, by: Actor
    ) -> None:
        done = PaymentTransaction.objects.filter(
            kind=TransactionKind.REFUND,
            status=TransactionStatus.SUCCEEDED,
            invoice_return=returned,
        )
        # By debt: what left twice under two numbers has brought one part of the return.
        this_fen = sum({refund_subject(one): one.amount_fen for one in done}.values())
        if this_fen != (returned.amount_fen if returned.cash_fen is None else returned.cash_fen):
            return
        transition(returned, ReturnStatus.DONE, by=by)
        to = bill_after_returns(invoice)
        if invoice.status in Invoice.RETURNED and invoice.status != to:
            transition(invoice, to, by=by, reason=returned.refund_no)
        _tell_return(returned, invoice, EventType.REFUNDED, row.occurred_at or clock.now())
