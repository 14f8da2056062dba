"""A stored notice is applied once: what it says is compared with ours and then believed.

What it only rings about, or what takes a success back, is asked for first. One that contradicts us
in merchant, kind, currency or contract moves nothing and is shown to a person.
"""

from __future__ import annotations

from django.db import transaction

from billing.channels.base import (
    CAME_BACK,
    CONFIRM_BY_QUERY,
    ChannelAnswer,
    Mode,
    NoticeKind,
    Source,
)
from billing.locks import reviews_of_notice_lock, transaction_lock
from billing.locks.leases import notices_lease
from billing.models import (
    PaymentNotice,
    PaymentTransaction,
    ReviewReason,
    TransactionKind,
    TransactionStatus,
)
from billing.policy import policy
from billing.services.agreements.answers import agreement_apply_notice
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_look
from billing.services.evidence import success_may_be_old
from billing.services.failures import invoice_kept, notice_kept
from billing.services.invoice_drive import invoice_drive
from billing.services.notices.facts import answer_of
from billing.services.refunding.refunds import refund_look
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM, Actor
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.review import ReviewStatus, review_decide

# What rings about both parts of an order is about the cash that was captured.
MEANT: dict[str, str] = {NoticeKind.MIXED.value: NoticeKind.CAPTURE.value}


def notice_apply(*, notice_id: int) -> None:
    """Apply a stored notice once, and let the bill it is about go on. Safe to call twice.

    One that cannot be applied is kept for later and in the end shown to a person.
    """
    row = None
    with notice_kept(notice_id=notice_id):
        row = _apply(notice_id)
    if row is not None and row.payment.invoice_id is not None:
        with invoice_kept(invoice_id=row.payment.invoice_id):
            invoice_drive(invoice_id=row.payment.invoice_id)


def _apply(notice_id: int) -> PaymentTransaction | None:
    notice = PaymentNotice.objects.get(pk=notice_id)
    if notice.applied_at is not None:
        return None
    by = Actor("channel", notice.channel, f"notice {notice.pk}")
    if notice.kind == NoticeKind.AGREEMENT:
        outcome = agreement_apply_notice(notice=notice, by=by)
        _applied(notice, outcome, None)
        return None
    row = (
        PaymentTransaction.objects.filter(number=notice.number)
        .select_related("payment__merchant", "original__payment", "agreement")
        .first()
    )
    if row is None:
        return None
    differs = _differs(notice, row)
    if differs:
        _contradicted(notice, row, differs)
        _applied(notice, f"{differs} differs", row)
        return None
    answer, source = answer_of(notice.facts), Source.NOTICE
    if _only_rings(row, answer):
        look = refund_look if row.kind == TransactionKind.REFUND else capture_look
        answer, source = look(row=row), Source.QUERY
    after = transaction_apply(
        transaction_id=row.pk,
        answer=answer,
        source=source,
        by=by,
        asked_of=row if source is Source.QUERY else None,
    )
    failpoint("notice.before_applied")
    _applied(notice, f"{answer.outcome} -> {after.status}", row)
    if notice.received_at < row.created_at:
        _explained(notice)
    return after


def _only_rings(row: PaymentTransaction, answer: ChannelAnswer) -> bool:
    """Whether what it claims is asked for: the channel says so, or it takes a success back, or may
    be the success of a refund that was taken back since."""
    if answer.code == CAME_BACK and row.status == TransactionStatus.SUCCEEDED:
        return True
    if row.payment.mode == Mode.MIXED and row.kind == TransactionKind.CAPTURE:
        return True  # the cash is believed only when the order around it adds up
    old = answer.outcome is Outcome.SUCCEEDED and row.kind == TransactionKind.REFUND
    return answer.code == CONFIRM_BY_QUERY or (old and success_may_be_old(row))


def _differs(notice: PaymentNotice, row: PaymentTransaction) -> str:
    """In what a truly signed notice is not about our transaction; empty when it is."""
    if notice.facts["currency"] != "CNY":
        return "currency"
    if notice.merchant_id != row.payment.merchant_id:
        return "merchant"
    if MEANT.get(notice.kind, notice.kind) != row.kind.lower():
        return "kind"
    contract_id = notice.facts.get("contract_id")
    if contract_id and row.agreement is not None and contract_id != row.agreement.contract_id:
        return "contract"
    original_number = notice.facts.get("original_number")
    if original_number and row.original is not None and original_number != row.original.number:
        return "original order"
    return ""


def _contradicted(notice: PaymentNotice, row: PaymentTransaction, differs: str) -> None:
    with transaction.atomic():
        locked, _invoice = transaction_lock(row.pk)
        review_open(
            reason=ReviewReason.STATE_DIFFERS,
            transaction=locked,
            notice=notice,
            figures={"differs": differs},
        )


def notices_due(*, limit: int) -> list[int]:
    """Stored notices that no task has applied after a while, and whose order is known by now;
    leased to the caller."""
    return notices_lease(limit=limit, lease_s=policy().lease_s)


def _explained(notice: PaymentNotice) -> None:
    """The order came after its notice: nobody need look for it any more."""
    with transaction.atomic():
        for case in reviews_of_notice_lock(notice.pk):
            review_decide(
                review=case, to=ReviewStatus.WITHDRAWN, by=SYSTEM, comment="the order came later"
            )


def _applied(notice: PaymentNotice, outcome: str, row: PaymentTransaction | None) -> None:
    PaymentNotice.objects.filter(pk=notice.pk, applied_at=None).update(
        applied_at=clock.now(), due_at=None, outcome=outcome[:100], transaction=row
    )
