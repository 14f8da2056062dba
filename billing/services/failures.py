"""What our own work on one row broke off with: logged, counted, tried again later and more rarely.

One row that cannot be worked on must neither stop the others nor be tried in a hot loop. After some
failures a person is told; the row is still tried, since what stood in its way may go.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from billing.locks import invoice_lock, notice_lock, transaction_lock
from billing.models import Invoice, PaymentNotice, PaymentTransaction, ReviewReason
from billing.policy import policy
from billing.services.reviews import review_open
from core import clock
from insurance.services.claims import claims_put_off

logger = logging.getLogger(__name__)


@contextmanager
def invoice_kept(*, invoice_id: int) -> Iterator[None]:
    """Work on a bill that, broken off, comes due again later."""
    try:
        yield
    except Exception as error:
        logger.exception("bill %s could not be driven", invoice_id)
        with _noted("bill", invoice_id):
            _invoice_failed(invoice_id, error)


@contextmanager
def transaction_kept(*, transaction_id: int) -> Iterator[None]:
    """Work on a transaction that, broken off, comes due again later."""
    try:
        yield
    except Exception as error:
        logger.exception("transaction %s could not be resumed", transaction_id)
        with _noted("transaction", transaction_id):
            _transaction_failed(transaction_id, error)


@contextmanager
def notice_kept(*, notice_id: int) -> Iterator[None]:
    """Work on a notice that, broken off, comes due again later."""
    try:
        yield
    except Exception as error:
        logger.exception("notice %s could not be applied", notice_id)
        with _noted("notice", notice_id):
            _notice_failed(notice_id, error)


def due_after(failures: int) -> datetime:
    """When a row that broke off so often is taken up again."""
    steps = policy().failure_retry_s
    return clock.now() + timedelta(seconds=steps[min(max(failures, 1), len(steps)) - 1])


@contextmanager
def _noted(kind: str, row_id: int) -> Iterator[None]:
    """A failure that cannot even be written down leaves the row its lease, which ends by itself."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError:
        logger.exception("%s %s: its failure could not be kept", kind, row_id)


def _invoice_failed(invoice_id: int, error: Exception) -> None:
    invoice = invoice_lock(invoice_id)
    failures = invoice.failures + 1
    rows = Invoice.objects.filter(pk=invoice_id)
    rows.update(failures=failures)
    # A bill that has come to its end meanwhile has nothing to be taken up for.
    rows.filter(status__in=Invoice.DRIVEN).update(due_at=due_after(failures))
    claims_put_off(invoice_ref=invoice_id, until=due_after(failures))
    if failures >= policy().failures_before_review:
        review_open(
            reason=ReviewReason.NOT_ENDED, invoice=invoice, figures=_figures(failures, error)
        )


def _transaction_failed(transaction_id: int, error: Exception) -> None:
    row, invoice = transaction_lock(transaction_id)
    failures = row.failures + 1
    rows = PaymentTransaction.objects.filter(pk=transaction_id)
    rows.update(failures=failures)
    rows.filter(due_at__isnull=False).update(due_at=due_after(failures))
    if failures >= policy().failures_before_review:
        review_open(
            reason=ReviewReason.NOT_ENDED,
            invoice=invoice,
            transaction=row,
            figures=_figures(failures, error),
        )


def _notice_failed(notice_id: int, error: Exception) -> None:
    notice = notice_lock(notice_id)
    if notice.applied_at is not None:
        return
    attempts = notice.attempts + 1
    PaymentNotice.objects.filter(pk=notice_id).update(attempts=attempts, due_at=due_after(attempts))
    if attempts >= policy().failures_before_review:
        review_open(
            reason=ReviewReason.NOT_ENDED,
            notice=notice,
            figures={"number": notice.number, **_figures(attempts, error)},
        )


def _figures(failures: int, error: Exception) -> dict[str, object]:
    """The kind of error only: its words may quote a row, and rows hold personal data."""
    return {"attempts": failures, "code": type(error).__name__}
