"""Deduction agreements: begin signing, believe the channel's notice, end.

Only the user id of the channel's own sign notice is trusted. A user may end the agreement at the
channel without asking us; the notice or the next query tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from billing.channels.base import AgreementReference, NoticeKind
from billing.channels.registry import agreement_channel_get
from billing.locks import agreement_lock
from billing.models import (
    Agreement,
    AgreementPatient,
    AgreementPlan,
    AgreementStatus,
    PaymentNotice,
    ReviewReason,
)
from billing.services.merchants import merchant_account
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM, Actor
from core.ids import business_number
from core.models import User
from core.outcomes import Outcome
from core.states import transition
from patients.models import Patient, WalletIdentity

LIVE = (AgreementStatus.ACTIVE, AgreementStatus.PAUSED)


def agreement_begin(*, holder: User, plan: AgreementPlan, patients: Sequence[Patient]) -> Agreement:
    """Write the mandate to be signed, with its contract code, before the payer is sent to sign."""
    now = clock.now()
    with transaction.atomic():
        agreement = Agreement.objects.create(
            holder=holder,
            plan=plan,
            contract_code=business_number("AG"),
            created_at=now,
        )
        AgreementPatient.objects.bulk_create(
            AgreementPatient(agreement=agreement, patient=patient, created_at=now)
            for patient in patients
        )
    return agreement


def agreement_apply_notice(*, notice: PaymentNotice, by: Actor) -> str:
    """Sign or end the agreement a verified notice is about; returns what was done."""
    assert notice.kind == NoticeKind.AGREEMENT
    agreement_id = (
        Agreement.objects.filter(contract_code=notice.number).values_list("pk", flat=True).first()
    )
    if agreement_id is None:
        return "unknown agreement"
    facts = notice.facts
    with transaction.atomic():
        agreement = agreement_lock(agreement_id)
        wrong = _not_ours(agreement, notice)
        if wrong:
            review_open(
                reason=ReviewReason.STATE_DIFFERS, notice=notice, figures={"differs": wrong}
            )
            return wrong
        if facts["agreement_active"]:
            return _signed(agreement, facts["contract_id"], facts["payer_id"], by)
        if agreement.contract_id and agreement.contract_id != facts["contract_id"]:
            return "ended an earlier contract"
        return agreement_end(agreement=agreement, by=by, reason="ended at the channel")


def _not_ours(agreement: Agreement, notice: PaymentNotice) -> str:
    """In what a truly signed notice is not about this agreement; empty when it is.

    Another merchant of ours is another counterparty. A contract id stands for one agreement, and
    whoever is known to hold another wallet cannot be signed for by this one.
    """
    facts = notice.facts
    if notice.merchant_id != agreement.plan.merchant_id:
        return "another merchant"
    if facts["plan_id"] and facts["plan_id"] != agreement.plan.plan_id:
        return "another plan"
    if facts["agreement_active"]:
        return _cannot_sign(agreement, facts["contract_id"], facts["payer_id"])
    return ""


def _cannot_sign(agreement: Agreement, contract_id: str, payer_id: str) -> str:
    merchant = agreement.plan.merchant
    taken = Agreement.objects.filter(plan__merchant=merchant, contract_id=contract_id)
    if contract_id and taken.exclude(pk=agreement.pk).exists():
        return "contract of another agreement"
    wallets = WalletIdentity.objects.filter(
        user=agreement.holder_id, channel=merchant.channel, app_id=merchant.app_id
    ).values_list("subject", flat=True)
    return "another wallet" if wallets and payer_id not in wallets else ""


def agreement_end(*, agreement: Agreement, by: Actor, reason: str) -> str:
    """End a locked agreement here; nothing is taken under it any more."""
    if agreement.status == AgreementStatus.ENDED:
        return "ended before"
    transition(agreement, AgreementStatus.ENDED, by=by, reason=reason, ended_at=clock.now())
    return "ended"


def agreement_refresh(*, agreement_id: int) -> Agreement:
    """Ask the channel whether an agreement still stands (a sign notice may be lost)."""
    agreement = Agreement.objects.select_related("plan__merchant").get(pk=agreement_id)
    merchant = agreement.plan.merchant
    answer = agreement_channel_get(merchant.channel).agreement_query(
        AgreementReference(
            merchant=merchant_account(merchant, channel=merchant.channel),
            contract_code=agreement.contract_code,
            plan_id=agreement.plan.plan_id,
            contract_id=agreement.contract_id,
        )
    )
    with transaction.atomic():
        agreement = agreement_lock(agreement_id)
        if answer.outcome is Outcome.SUCCEEDED:
            if _cannot_sign(agreement, answer.channel_no, answer.payer_id):
                return agreement
            _signed(agreement, answer.channel_no, answer.payer_id, SYSTEM)
        elif answer.outcome is Outcome.DECLINED and agreement.status in LIVE:
            agreement_end(agreement=agreement, by=SYSTEM, reason=answer.code)
    return agreement


def _signed(agreement: Agreement, contract_id: str, payer_id: str, by: Actor) -> str:
    if agreement.status != AgreementStatus.SIGNING:
        return "signed before"
    if not contract_id or not payer_id:
        return "no contract in the notice"
    transition(
        agreement,
        AgreementStatus.ACTIVE,
        by=by,
        contract_id=contract_id,
        payer_id=payer_id,
        signed_at=clock.now(),
    )
    return "signed"
