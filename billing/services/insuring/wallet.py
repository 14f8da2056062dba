"""The insured's own phone pays both parts: the order goes to the wallet, and comes back as an end.

From `wallet_offer` on the fund may have paid, so nothing else is begun for the bill until the
centre has said how the order ended; whatever the wallet did not pay is ended there or taken back.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import MISMATCH, ChannelAnswer
from billing.channels.registry import mixed_channel_get
from billing.locks import transaction_lock
from billing.locks.leases import mixed_lease
from billing.models import (
    CourseStep,
    Invoice,
    MixedOrder,
    PaymentTransaction,
    ReviewReason,
)
from billing.policy import policy
from billing.selectors.insured import phone_allowed_by
from billing.services.collecting.captures import order_reference
from billing.services.insuring.opening import course_of, course_set
from billing.services.reviews import review_open
from core import clock
from core.actors import Actor
from core.errors import NotOffered
from core.failpoints import failpoint
from core.outcomes import Outcome
from insurance.models import Claim, ClaimRoute
from insurance.services.claims import claim_end_wanted, claim_offer

TELL_AGAIN_S = 60


def wallet_offer(*, invoice: Invoice, visitor_id: int | None, by: Actor) -> None:
    """Commit, with the tender that follows, that the wallet is given the claim's order. The bill is
    locked, nothing after it. Only who allowed the insurance confirms it: the wallet compares.

    NotOffered where the bill's claim does not go this way; Conflict where its trial holds no more.
    """
    course = course_of(invoice) if invoice.claim_id is not None else None
    phone = course is not None and course.route == ClaimRoute.MOBILE
    theirs = phone_allowed_by(invoice, visitor_id)
    if course is None or not phone or course.step != CourseStep.OFFER or not theirs:
        raise NotOffered("not_offered", _("This way to pay is not offered here."), "way")
    assert invoice.claim_id is not None
    offered = claim_offer(claim_id=invoice.claim_id, by=by)
    failpoint("wallet.offered")
    if offered.split.cash_fen != invoice.cash_fen:
        raise NotOffered("not_offered", _("This way to pay is not offered here."), "way")


def wallet_begin(*, invoice: Invoice, row: PaymentTransaction) -> None:
    """Bind the new tender of a locked bill to the claim that was offered with it."""
    assert invoice.claim_id is not None
    MixedOrder.objects.create(transaction=row, claim_id=invoice.claim_id, created_at=clock.now())
    course_set(course_of(invoice), CourseStep.WALLET)
    failpoint("wallet.begun")


def wallet_heard(*, claim: Claim) -> bool:
    """What the wallet made of its order, before the centre is asked. Not paid there, or its
    insurance part failed for good: the centre ends what is left. False when what the channel says
    does not add up, which a person looks into, and nothing moves."""
    row = (
        PaymentTransaction.objects.filter(mixed__claim=claim)
        .select_related("payment__merchant")
        .first()
    )
    if row is None:
        return True
    over = row.status in PaymentTransaction.LOST
    if not over:
        answer = mixed_channel_get(row.payment.channel).insurance_query(order_reference(row))
        failpoint("wallet.heard")
        if answer.code == MISMATCH:
            _ask_a_person(row, answer)
            return False
        over = answer.outcome is Outcome.DECLINED
    if over:
        with transaction.atomic():
            claim_end_wanted(claim_id=claim.pk)
            failpoint("wallet.end_written")
        failpoint("wallet.end_wanted")
    return True


def wallet_tell_due(*, claim_id: int) -> None:
    """The insurer gave its part back: the channel is to be told. In the caller's transaction."""
    MixedOrder.objects.filter(claim=claim_id, told_at=None).update(due_at=clock.now())


def mixed_due(*, limit: int, lease_s: int) -> list[int]:
    """Orders whose return the channel has not been told, leased to the caller."""
    return mixed_lease(limit=limit, lease_s=lease_s)


def mixed_tell(*, mixed_id: int) -> None:
    """Tell the channel that the insurance part went back, under the number of the cash refund where
    there is one. Safe to say twice; without an answer it is said again later, and after a time a
    person is told."""
    mixed = MixedOrder.objects.select_related("transaction__payment__merchant", "claim").get(
        pk=mixed_id
    )
    row, claim = mixed.transaction, mixed.claim
    if mixed.told_at is not None or claim.reversed_at is None:
        return
    refund = row.refunds.order_by("-pk").first()
    failpoint("wallet.before_tell")
    answer = mixed_channel_get(row.payment.channel).insurance_returned(
        order_reference(row),
        refund_no=refund.number if refund is not None else claim.batch_no,
        at=claim.reversed_at,
    )
    failpoint("wallet.told")
    now = clock.now()
    if answer.outcome is Outcome.SUCCEEDED:
        MixedOrder.objects.filter(pk=mixed.pk).update(told_at=now, due_at=None)
        return
    silent_s = (now - claim.reversed_at).total_seconds()
    slow = silent_s >= policy().slow_after_s
    again = now + timedelta(seconds=policy().slow_every_s if slow else TELL_AGAIN_S)
    MixedOrder.objects.filter(pk=mixed.pk).update(due_at=again)
    if answer.outcome is Outcome.DECLINED or answer.code == MISMATCH:
        _ask_a_person(row, answer)
    elif slow:
        _ask_a_person(row, answer, ReviewReason.NOT_ENDED)


def _ask_a_person(
    row: PaymentTransaction,
    answer: ChannelAnswer,
    reason: ReviewReason = ReviewReason.STATE_DIFFERS,
) -> None:
    with transaction.atomic():
        locked, invoice = transaction_lock(row.pk)
        review_open(
            reason=reason,
            invoice=invoice,
            transaction=locked,
            figures={"code": answer.code, "message": answer.message},
        )
