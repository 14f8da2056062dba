"""Deduction agreements that are being signed or stand: the channel's notice or answer is believed.

Only the user id of the channel's own sign notice is trusted. A user may end the agreement at the
channel without asking us; the notice or the next query tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from billing.channels.base import NoticeKind
from billing.channels.registry import agreement_channel_get
from billing.locks import agreement_signing_lock, notice_lock
from billing.models import (
    Agreement,
    AgreementEnd,
    AgreementStatus,
    PaymentNotice,
    ReviewReason,
)
from billing.selectors.agreement_wallets import is_holders_wallet
from billing.selectors.agreements import LIVE
from billing.services.agreements.consents import CONSENTS
from billing.services.agreements.ends import (
    agreement_end,
    agreement_reference,
    agreement_unwanted,
)
from billing.services.agreements.messages import tell_signed, tell_signed_too_late
from billing.services.agreements.pauses import agreement_pause
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM, Actor
from core.audit import record
from core.outcomes import Outcome
from core.states import transition
from patients.selectors import consent_taken_back

ANOTHER_WALLET = "another wallet"
TOO_LATE = "signed after its end"


def agreement_apply_notice(*, notice: PaymentNotice, by: Actor) -> str:
    """Sign or end the agreement a verified notice is about; returns what was done.

    One of an agreement we do not know changes nothing and is shown to a person: the mandate is
    committed before anybody can sign it, so somebody stands at the channel under our name without
    us, and only the channel or a lost database can tell why.
    """
    assert notice.kind == NoticeKind.AGREEMENT
    agreement_id = (
        Agreement.objects.filter(contract_code=notice.number).values_list("pk", flat=True).first()
    )
    if agreement_id is None:
        return _unknown(notice)
    facts = notice.facts
    with transaction.atomic():
        agreement = agreement_signing_lock(agreement_id, facts["payer_id"])
        done = _not_ours(agreement, notice)
        wrong = bool(done)
        if not wrong:
            done = _believed(agreement, facts, by)
            wrong = done == ANOTHER_WALLET
        if wrong:
            review_open(reason=ReviewReason.STATE_DIFFERS, notice=notice, figures={"differs": done})
    return done


def _unknown(notice: PaymentNotice) -> str:
    with transaction.atomic():
        kept = notice_lock(notice.pk)
        review_open(reason=ReviewReason.UNKNOWN_ORDER, notice=kept, figures={"number": kept.number})
    return "unknown agreement"


def _believed(agreement: Agreement, facts: Mapping[str, Any], by: Actor) -> str:
    contract_id, payer_id = facts["contract_id"], facts["payer_id"]
    if facts["agreement_active"]:
        return _signed(agreement, contract_id, payer_id, by)
    if agreement.contract_id and agreement.contract_id != contract_id:
        return "ended an earlier contract"
    if payer_id and agreement.payer_id not in ("", payer_id):
        # It contradicts the signing; the channel is asked what is true.
        Agreement.objects.filter(pk=agreement.pk, status__in=LIVE).update(due_at=clock.now())
        return ANOTHER_WALLET
    return _ended_there(agreement, contract_id, by)


def _not_ours(agreement: Agreement, notice: PaymentNotice) -> str:
    """In what a truly signed notice is not about this agreement; empty when it is.

    Another merchant of ours is another counterparty, and a contract id stands for one agreement.
    """
    facts = notice.facts
    if notice.merchant_id != agreement.plan.merchant_id:
        return "another merchant"
    if facts["plan_id"] and facts["plan_id"] != agreement.plan.plan_id:
        return "another plan"
    new = facts["agreement_active"] or not agreement.contract_id
    if new and _taken(agreement, facts["contract_id"]):
        return "contract of another agreement"
    return ""


def _taken(agreement: Agreement, contract_id: str) -> bool:
    """Whether the contract id belongs to another agreement with this merchant."""
    merchant = agreement.plan.merchant
    taken = Agreement.objects.filter(plan__merchant=merchant, contract_id=contract_id)
    return bool(contract_id) and taken.exclude(pk=agreement.pk).exists()


def _ended_there(agreement: Agreement, contract_id: str, by: Actor) -> str:
    """The channel says it is over: of its own user's will, or because we asked."""
    if agreement.status != AgreementStatus.ENDED:
        agreement.contract_id = contract_id
        agreement.save(update_fields=["contract_id"])
        return agreement_end(agreement=agreement, by=by, reason="ended at the channel")
    if agreement.channel_ended_at is None:
        agreement.contract_id, agreement.channel_ended_at = contract_id, clock.now()
        agreement.due_at = None
        agreement.save(update_fields=["contract_id", "channel_ended_at", "due_at"])
    return "ended before"


def agreement_refresh(*, agreement_id: int) -> Agreement:
    """Ask the channel whether an agreement still stands (a sign notice may be lost).

    "None" ends only what stood when it was asked: it may have been signed while the answer came.
    """
    agreement = Agreement.objects.select_related("plan__merchant").get(pk=agreement_id)
    channel = agreement_channel_get(agreement.plan.merchant.channel)
    asked = agreement.contract_id if agreement.status in LIVE else None
    answer = channel.agreement_query(agreement_reference(agreement))
    with transaction.atomic():
        agreement = agreement_signing_lock(agreement_id, answer.payer_id)
        if answer.outcome is Outcome.SUCCEEDED:
            if not _taken(agreement, answer.channel_no):
                _signed(agreement, answer.channel_no, answer.payer_id, SYSTEM)
        elif answer.outcome is Outcome.DECLINED and agreement.status in LIVE:
            if agreement.contract_id != asked:
                return agreement
            agreement_end(agreement=agreement, by=SYSTEM, reason=answer.code)
    return agreement


def _signed(agreement: Agreement, contract_id: str, payer_id: str, by: Actor) -> str:
    """Believe that the holder's own wallet signed; anybody else's is refused and asked to end.

    Signed after its end here, it is asked to end at the channel too, and its holder is told.
    """
    if not contract_id or not payer_id:
        return "no contract in the notice"
    if not is_holders_wallet(agreement, payer_id):
        _refuse_wallet(agreement, contract_id, by)
        return ANOTHER_WALLET
    if agreement.status == AgreementStatus.ENDED:
        done = _signed_too_late(agreement, contract_id)
        if done == TOO_LATE and agreement.signed_at is None:
            tell_signed_too_late(agreement)
        return done
    if agreement.status != AgreementStatus.SIGNING:
        return "signed before"
    transition(
        agreement,
        AgreementStatus.ACTIVE,
        by=by,
        contract_id=contract_id,
        payer_id=payer_id,
        signed_at=clock.now(),
    )
    tell_signed(agreement)
    if consent_taken_back(user_id=agreement.holder_id, purposes=CONSENTS):
        agreement_pause(agreement, by=SYSTEM, reason="consent taken back")
    return "signed"


def _signed_too_late(agreement: Agreement, contract_id: str) -> str:
    over = agreement.channel_ended_at is not None and agreement.contract_id == contract_id
    if over or agreement.contract_id not in ("", contract_id):
        return "signed before"
    agreement_unwanted(agreement, contract_id)
    return TOO_LATE


def _refuse_wallet(agreement: Agreement, contract_id: str, by: Actor) -> None:
    """A signing by somebody else's wallet ends here, and its contract at the channel."""
    if agreement.status == AgreementStatus.SIGNING:
        reason = "signed by another wallet"
        agreement_end(agreement=agreement, by=by, reason=reason, how=AgreementEnd.REFUSED)
        record(
            by=by,
            action="agreement_refused",
            subject="billing.agreement",
            subject_id=agreement.pk,
            detail={"why": ANOTHER_WALLET},
        )
    if agreement.status == AgreementStatus.ENDED:
        _signed_too_late(agreement, contract_id)
