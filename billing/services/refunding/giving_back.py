"""What goes back of a bill's money: owed at once, by the way it came, newest first."""

from __future__ import annotations

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from billing import postings
from billing.models import Invoice, InvoiceReturn, InvoiceStatus, ReturnStatus
from billing.selectors.payments import captures_cut, captures_returnable
from billing.services.refunding.refunds import not_refundable, refund_begin, refund_subject
from core import clock


def excess_owe(invoice: Invoice, amount_fen: int) -> None:
    """So much more was taken than the settlement leaves to the patient."""
    owed = refunds_cut(invoice, amount_fen)
    if owed:
        postings.post_excess_owed(invoice_id=invoice.pk, owed=owed, occurred_at=clock.now())


def tenders_owe(invoice: Invoice) -> None:
    """Everything that was taken for the bill goes back: it was settled with nobody."""
    excess_owe(invoice, sum(left_fen for _row, left_fen in captures_returnable(invoice)))


def refunds_cut(
    invoice: Invoice, amount_fen: int, *, returned: InvoiceReturn | None = None
) -> list[postings.Owed]:
    """Refunds with numbers that make up the amount. Conflict when less was paid."""
    owed: list[postings.Owed] = []
    for original, part_fen in captures_cut(invoice, amount_fen):
        refund = refund_begin(original=original, amount_fen=part_fen, invoice_return=returned)
        owed.append(postings.Owed(refund.number, refund_subject(refund), part_fen))
    if sum(one.amount_fen for one in owed) < amount_fen:
        raise not_refundable(invoice.pk, _("More would go back than was paid on this bill."))
    return owed


def bill_after_returns(invoice: Invoice) -> InvoiceStatus:
    """What the returns that are done leave of a paid bill."""
    done = InvoiceReturn.objects.filter(invoice=invoice, status=ReturnStatus.DONE)
    gone_fen = done.aggregate(fen=Sum("amount_fen"))["fen"] or 0
    if gone_fen == invoice.amount_fen:
        return InvoiceStatus.REFUNDED
    return InvoiceStatus.PARTLY_REFUNDED if gone_fen else InvoiceStatus.PAID
