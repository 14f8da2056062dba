"""Pause and go on, first and last: what a payer switches by hand, and what a taken-back yes does.

A paused agreement deducts nothing and stays signed at the channel. Without the consents to use
personal data and to deduct none goes on; taking either back pauses every one of them in the same
transaction.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import agreement_lock, agreements_of_holder_lock
from billing.models import Agreement, AgreementPatient, AgreementStatus
from billing.selectors.agreement_wallets import wallet_is_anothers
from billing.selectors.agreements import LIVE, agreement_own
from billing.services.agreements.consents import consents_require
from billing.services.agreements.messages import tell_paused, tell_resumed
from core.actors import Actor
from core.audit import record
from core.errors import Conflict
from core.models import User
from core.states import transition
from patients.models import Patient


def agreement_switch(*, user: User, agreement_id: int, on: bool, by: Actor) -> Agreement:
    """Pause an own agreement, or let it go on. Twice is once.

    Raises NotFound for anybody else's, Conflict for one that is not signed or has ended, and for
    one to go on without the consents it needs.
    """
    with transaction.atomic():
        agreement_own(user=user, agreement_id=agreement_id)
        agreement = agreement_lock(agreement_id)
        if agreement.status not in LIVE:
            raise Conflict("agreement_ended", _("This agreement has ended. Sign a new one."))
        if on:
            consents_require(user)
            _wallet_require(agreement)
        if on and agreement.status == AgreementStatus.PAUSED:
            transition(agreement, AgreementStatus.ACTIVE, by=by, reason="resumed by the payer")
            tell_resumed(agreement)
        elif not on and agreement.status == AgreementStatus.ACTIVE:
            agreement_pause(agreement, by=by, reason="paused by the payer")
    return agreement


def _wallet_require(agreement: Agreement) -> None:
    if wallet_is_anothers(agreement):
        raise Conflict(
            "wallet_of_another",
            _("This wallet belongs to another account here. End this and sign with your own."),
        )


def agreement_pause(agreement: Agreement, *, by: Actor, reason: str) -> None:
    """Pause a locked agreement that is active; its holder is told."""
    transition(agreement, AgreementStatus.PAUSED, by=by, reason=reason)
    tell_paused(agreement)


def agreements_pause_all(*, user: User, by: Actor, reason: str = "consent taken back") -> int:
    """A consent that deductions need was taken back: nothing is deducted any more; how many were
    paused.

    Called in the transaction that takes it back (`settings.CONSENT_FOLLOWERS`).
    """
    with transaction.atomic():
        active = [
            agreement
            for agreement in agreements_of_holder_lock(user.pk)
            if agreement.status == AgreementStatus.ACTIVE
        ]
        for agreement in active:
            agreement_pause(agreement, by=by, reason=reason)
    return len(active)


def agreements_let_go(*, user: User, patient: Patient, by: Actor) -> int:
    """A binding ended: the holder's agreements pay for this person no more, also when they are
    bound again one day; how many did.

    Called when the binding ends (`agreements.holders`), and by the payer's own switch.
    """
    with transaction.atomic():
        agreements_of_holder_lock(user.pk)
        rows = AgreementPatient.objects.filter(agreement__holder=user, patient=patient, active=True)
        agreement_ids = list(rows.order_by("pk").values_list("agreement_id", flat=True))
        rows.update(active=False)
        for agreement_id in agreement_ids:
            record(
                by=by,
                action="agreement_lets_go",
                subject="billing.agreement",
                subject_id=agreement_id,
                detail={"patient": patient.pk},
            )
    return len(agreement_ids)


def agreement_prefer(*, user: User, agreement_id: int, by: Actor) -> Agreement:
    """Deduct from this agreement before the payer's others; their order stays as it was."""
    with transaction.atomic():
        agreement_own(user=user, agreement_id=agreement_id)
        live = [row for row in agreements_of_holder_lock(user.pk) if row.status in LIVE]
        chosen = next((row for row in live if row.pk == agreement_id), None)
        if chosen is None:
            raise Conflict("agreement_ended", _("This agreement has ended. Sign a new one."))
        rest = sorted(live, key=lambda row: (row.pk != agreement_id, row.preference, row.pk))
        for place, row in enumerate(rest, start=1):
            row.preference = place
        Agreement.objects.bulk_update(rest, ["preference"])
        record(
            by=by,
            action="agreement_preferred",
            subject="billing.agreement",
            subject_id=agreement_id,
            detail={"order": [row.pk for row in rest]},
        )
    return chosen
