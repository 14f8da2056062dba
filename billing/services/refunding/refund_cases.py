"""The questions about a refused refund, once there is nothing left to ask."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.locks import reviews_of_transactions_held
from billing.models import Invoice, PaymentTransaction, ReviewReason
from billing.services.refunding.refunds import debt_numbers
from core.actors import SYSTEM
from core.review import ReviewStatus, review_decide


def declined_cases_withdraw(*, row: PaymentTransaction, invoice: Invoice) -> None:
    """The debt is met, by `row`: whichever of its numbers a case is about, nobody gives again."""
    comment = _("The money went back under %(number)s.") % {"number": row.number}
    _withdraw(row, invoice, ReviewReason.REFUND_DECLINED, comment)


def twice_cases_withdraw(*, row: PaymentTransaction, invoice: Invoice) -> None:
    """What left twice is back once, by `row`: nothing is missing any more."""
    comment = _("The money of %(number)s came back.") % {"number": row.number}
    _withdraw(row, invoice, ReviewReason.REFUNDED_TWICE, comment)


def _withdraw(
    row: PaymentTransaction, invoice: Invoice, reason: ReviewReason, comment: str
) -> None:
    for case in reviews_of_transactions_held(invoice, debt_numbers(row), reason=reason):
        review_decide(review=case, to=ReviewStatus.WITHDRAWN, by=SYSTEM, comment=comment)
