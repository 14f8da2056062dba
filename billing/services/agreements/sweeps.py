"""Ask the channel about agreements again: the notice that one was signed or ended may be lost.

One being signed is asked about after a minute, then more rarely, and ends after a day. One that
stands is asked about once a day, and its holder told if the text on deductions has changed since
they agreed to it. One that has ended here and not yet there is asked to end.
`due_at` is the queue; a claimed row is leased, so that a killed worker only delays it.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction

from billing.locks import agreement_lock
from billing.locks.leases import agreements_lease
from billing.models import Agreement, AgreementEnd, AgreementStatus
from billing.models.agreement import holder_agrees
from billing.policy import policy
from billing.services.agreements.answers import agreement_refresh
from billing.services.agreements.ends import agreement_end, agreement_unsign
from billing.services.agreements.messages import tell_text_changed
from core import clock
from core.actors import SYSTEM

logger = logging.getLogger(__name__)


def agreements_due(*, limit: int) -> list[int]:
    """Agreements to ask about now, leased to the caller, longest overdue first."""
    return agreements_lease(limit=limit, lease_s=policy().lease_s)


def agreement_look(*, agreement_id: int) -> None:
    """Ask about one leased agreement, end one nobody signed, and say when to look again."""
    if Agreement.objects.filter(pk=agreement_id, status=AgreementStatus.ENDED).exists():
        _end_there(agreement_id)
        return
    answered = True
    try:
        agreement_refresh(agreement_id=agreement_id)
    except Exception:
        # One wallet's trouble, or the channel's; the others are asked all the same.
        logger.exception("agreement %s could not be asked about", agreement_id)
        answered = False
    with transaction.atomic():
        agreement = agreement_lock(agreement_id)
        if answered and agreement.status == AgreementStatus.SIGNING and _overdue(agreement):
            agreement_end(
                agreement=agreement,
                by=SYSTEM,
                reason="not signed within a day",
                how=AgreementEnd.NOT_SIGNED,
            )
        rows = Agreement.objects.filter(pk=agreement_id)
        if agreement.status == AgreementStatus.ENDED:
            pass  # whoever ended it said whether there is anything to ask for
        elif answered and agreement.status != AgreementStatus.SIGNING:
            every = timedelta(seconds=policy().agreement_every_s)
            rows.update(due_at=clock.now() + every, attempts=0)
            if rows.filter(~holder_agrees(), status=AgreementStatus.ACTIVE).exists():
                tell_text_changed(agreement)
        else:
            steps = policy().agreement_retry_s
            wait_s = steps[min(agreement.attempts, len(steps) - 1)]
            due_at = clock.now() + timedelta(seconds=wait_s)
            rows.update(due_at=due_at, attempts=agreement.attempts + 1)


def _end_there(agreement_id: int) -> None:
    """A lost or unanswered request to end it at the channel is made again."""
    rows = Agreement.objects.filter(pk=agreement_id)
    if not rows.filter(unsign_asked_at__isnull=False, channel_ended_at=None).exists():
        rows.update(due_at=None)
        return
    try:
        agreement_unsign(agreement_id=agreement_id)
    except Exception:
        # The channel's trouble; the lease ends by itself and it is tried again.
        logger.exception("agreement %s could not be ended at its channel", agreement_id)


def _overdue(agreement: Agreement) -> bool:
    ends_after = timedelta(seconds=policy().agreement_signing_ends_s)
    return clock.now() >= agreement.created_at + ends_after
