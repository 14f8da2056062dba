"""The end of an agreement. Here it is at once; at the channel it is asked for until it is true.

The intent is committed before the call. An answer that says nothing is followed by a query, never
taken for an end; a sweeper goes on where a worker was lost (`agreements.sweeps`).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import AgreementReference
from billing.channels.registry import agreement_channel_get
from billing.locks import agreement_lock
from billing.models import Agreement, AgreementEnd, AgreementStatus
from billing.policy import policy
from billing.selectors.agreements import LIVE, agreement_own
from billing.services.agreements.messages import tell_ended
from billing.services.merchants import merchant_account
from core import clock
from core.actors import Actor, ActorKind
from core.audit import record
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.models import User
from core.outcomes import Outcome
from core.states import transition

logger = logging.getLogger(__name__)
REASON_LENGTH_MAX = 200


def agreement_end(
    *,
    agreement: Agreement,
    by: Actor,
    reason: str,
    how: AgreementEnd = AgreementEnd.WALLET,
) -> str:
    """End a locked agreement here; nothing is taken under it any more, and its holder is told.

    `how` WALLET says that the channel ended it, so there is nothing to ask for there. NOT_SIGNED
    asks nothing either; should it be signed after all, `agreement_unwanted` asks for its end.
    """
    if agreement.status == AgreementStatus.ENDED:
        return "ended before"
    now = clock.now()
    gone, nothing = how is AgreementEnd.WALLET, how is AgreementEnd.NOT_SIGNED
    transition(
        agreement,
        AgreementStatus.ENDED,
        by=by,
        reason=reason,
        ended_at=now,
        ended_how=how.value,
        channel_ended_at=now if gone else None,
        unsign_asked_at=None if gone or nothing else now,
        due_at=None if gone or nothing else now + timedelta(seconds=policy().lease_s),
        attempts=0,
    )
    tell_ended(agreement)
    return "ended"


def agreement_doubted(*, agreement_id: int) -> None:
    """A deduction was refused as if the agreement were gone: its channel is asked at once.

    A refusal speaks of one deduction. What ends an agreement is the channel's word on it alone, so
    the next sweep asks (`agreements.sweeps`); until then it is refused again, and nothing is taken.
    """
    rows = Agreement.objects.filter(pk=agreement_id, status__in=LIVE)
    rows.update(due_at=clock.now(), attempts=0)


def agreement_end_by_holder(*, user: User, agreement_id: int, by: Actor) -> Agreement:
    """The payer ends their own agreement. Raises NotFound for anybody else's; twice is once."""
    with transaction.atomic():
        agreement_own(user=user, agreement_id=agreement_id)
        agreement = agreement_lock(agreement_id)
        agreement_end(
            agreement=agreement, by=by, reason="ended by the payer", how=AgreementEnd.HOLDER
        )
    return _unsigned_now(agreement)


def agreement_end_by_staff(*, agreement_id: int, reason: str, by: Actor) -> Agreement:
    """A member of staff ends an agreement for its holder, with a reason. The holder is told."""
    reason = " ".join(reason.split())
    if by.kind != ActorKind.STAFF:
        raise Forbidden("not_staff", _("Only a member of staff may do this."))
    if not reason or len(reason) > REASON_LENGTH_MAX:
        raise BadInput("reason_missing", _("Say why, in at most 200 characters."), "reason")
    with transaction.atomic():
        try:
            agreement = agreement_lock(agreement_id)
        except Agreement.DoesNotExist:
            raise NotFound("unknown_agreement", _("There is no such agreement.")) from None
        if agreement.status == AgreementStatus.ENDED:
            raise Conflict("agreement_ended", _("This agreement has ended."))
        agreement_end(agreement=agreement, by=by, reason=reason, how=AgreementEnd.STAFF)
        record(
            by=by,
            action="agreement_ended_at_desk",
            subject="billing.agreement",
            subject_id=agreement.pk,
            detail={"reason": reason, "holder": agreement.holder_id},
        )
    return _unsigned_now(agreement)


def agreement_unwanted(agreement: Agreement, contract_id: str) -> None:
    """A locked agreement that has ended here stands at the channel: its end is asked for there."""
    now = clock.now()
    agreement.contract_id = agreement.contract_id or contract_id
    agreement.unsign_asked_at = agreement.unsign_asked_at or now
    agreement.channel_ended_at = None
    agreement.due_at, agreement.attempts = now, 0
    agreement.save(
        update_fields=["contract_id", "unsign_asked_at", "channel_ended_at", "due_at", "attempts"]
    )


def agreement_unsign(*, agreement_id: int) -> bool:
    """Ask the channel to end what has ended here; whether it is confirmed. Safe to repeat.

    Asked again, it first looks whether the agreement is gone already.
    """
    agreement = Agreement.objects.select_related("plan__merchant").get(pk=agreement_id)
    if agreement.unsign_asked_at is None or agreement.channel_ended_at is not None:
        return agreement.channel_ended_at is not None
    channel = agreement_channel_get(agreement.plan.merchant.channel)
    reference = agreement_reference(agreement)
    if agreement.attempts:
        found = channel.agreement_query(reference)
        if found.outcome is Outcome.DECLINED:
            return _confirmed(agreement_id)
        if found.outcome is not Outcome.SUCCEEDED:
            return _later(agreement_id)
    answer = channel.unsign(reference, reason=agreement.get_ended_how_display())
    if answer.outcome is Outcome.SUCCEEDED:
        return _confirmed(agreement_id)
    return _later(agreement_id)


def agreement_reference(agreement: Agreement) -> AgreementReference:
    """What the channel is asked about."""
    merchant = agreement.plan.merchant
    return AgreementReference(
        merchant=merchant_account(merchant, channel=merchant.channel),
        contract_code=agreement.contract_code,
        plan_id=agreement.plan.plan_id,
        contract_id=agreement.contract_id,
    )


def _unsigned_now(agreement: Agreement) -> Agreement:
    """The first try at once; whatever goes wrong, the sweeper tries again."""
    try:
        agreement_unsign(agreement_id=agreement.pk)
    except Exception:
        logger.exception("agreement %s could not be ended at its channel", agreement.pk)
    agreement.refresh_from_db()
    return agreement


def _confirmed(agreement_id: int) -> bool:
    with transaction.atomic():
        agreement = agreement_lock(agreement_id)
        agreement.channel_ended_at = agreement.channel_ended_at or clock.now()
        agreement.due_at = None
        agreement.save(update_fields=["channel_ended_at", "due_at"])
    return True


def _later(agreement_id: int) -> bool:
    steps = policy().agreement_retry_s
    with transaction.atomic():
        agreement = agreement_lock(agreement_id)
        wait_s = steps[min(agreement.attempts, len(steps) - 1)]
        agreement.attempts += 1
        if agreement.channel_ended_at is None:
            agreement.due_at = clock.now() + timedelta(seconds=wait_s)
        agreement.save(update_fields=["attempts", "due_at"])
    return False
