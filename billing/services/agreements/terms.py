"""What a payer agrees to: for whom, up to how much, under which plan; and the way to sign it.

Everything is checked again here, whatever a form has checked: people by `may_pay`, limits against
the plan, the consent to deduct. The mandate is committed before the payer is sent to the channel.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import AgreementOrder
from billing.channels.registry import agreement_channel_get
from billing.locks import agreement_lock, agreements_of_holder_lock
from billing.models import (
    Agreement,
    AgreementEnd,
    AgreementPatient,
    AgreementPlan,
    AgreementStatus,
)
from billing.models.agreement import first_look
from billing.selectors.agreement_plans import plan_is_offered, plans_open
from billing.selectors.agreements import LIVE, agreement_own
from billing.services.agreements.ends import agreement_end
from billing.services.merchants import merchant_account
from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict, NotOffered
from core.ids import business_number
from core.models import User
from core.money import format_yuan
from patients.models import ConsentPurpose, Patient
from patients.selectors import access_of, consent_stands
from patients.services.consents import consent_give

logger = logging.getLogger(__name__)
# A form sent again goes on with the mandate it began; an older link is not waited for any more.
SAME_SIGNING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """The holder's own limits; None is the plan's."""

    single_fen: int | None = None
    daily_fen: int | None = None


def agreement_sign_begin(
    *,
    user: User,
    plan_id: int,
    patient_ids: Iterable[int],
    limits: Limits,
    text_hash: str,
    by: Actor,
    address: str = "",
) -> Agreement:
    """Keep the consent and the mandate to be signed. `text_hash` is the consent read and ticked.

    A form sent twice changes the one mandate it began. Raises BadInput (people, limits, consent),
    NotOffered (the plan) and Conflict (signed already); then nothing is kept.
    """
    plan = _plan_offered(plan_id)
    people = _people(user, patient_ids)
    limits_check(plan, limits)
    with transaction.atomic():
        _consented(user, text_hash, by, address)
        every = agreements_of_holder_lock(user.pk)
        own = [row for row in every if row.plan_id == plan.pk]
        if any(row.status in LIVE for row in own):
            raise Conflict("signed_already", _("You have signed this one already."))
        agreement = _same_signing(own, by)
        if agreement is None:
            last = max((row.preference for row in every if row.status in LIVE), default=0)
            agreement = Agreement(
                holder=user,
                plan=plan,
                contract_code=business_number("AG"),
                preference=last + 1,
                created_at=clock.now(),
            )
        agreement.own_single_fen, agreement.own_daily_fen = limits.single_fen, limits.daily_fen
        agreement.due_at, agreement.attempts = first_look(), 0
        agreement.save()
        _people_set(agreement, people)
    return agreement


def agreement_sign_url(*, agreement: Agreement, return_url: str) -> str:
    """The channel's page on which the payer signs.

    Raises Conflict when it is not to be signed any more, NotOffered when its channel gives no page.
    """
    if agreement.status != AgreementStatus.SIGNING:
        raise Conflict("not_signing", _("This agreement is not to be signed any more."))
    merchant = agreement.plan.merchant
    own = next((row for row in access_of(agreement.holder) if row.relation == "self"), None)
    order = AgreementOrder(
        merchant=merchant_account(merchant, channel=merchant.channel),
        contract_code=agreement.contract_code,
        plan_id=agreement.plan.plan_id,
        display_name=own.patient.name if own is not None else "",
        return_url=return_url,
    )
    try:
        return agreement_channel_get(merchant.channel).sign_url(order)
    except (LookupError, ValueError):
        logger.exception("no page to sign agreement %s", agreement.pk)
        raise _not_offered() from None


def agreement_limits_set(*, user: User, agreement_id: int, limits: Limits, by: Actor) -> Agreement:
    """The holder's other limits, from the next deduction on."""
    with transaction.atomic():
        agreement = _own_locked(user, agreement_id)
        limits_check(agreement.plan, limits)
        before = [agreement.own_single_fen, agreement.own_daily_fen]
        agreement.own_single_fen, agreement.own_daily_fen = limits.single_fen, limits.daily_fen
        after = [agreement.own_single_fen, agreement.own_daily_fen]
        if before != after:
            agreement.save(update_fields=["own_single_fen", "own_daily_fen"])
            _recorded(agreement, "agreement_limits_changed", by, before=before, after=after)
    return agreement


def agreement_people_set(
    *, user: User, agreement_id: int, patient_ids: Iterable[int], by: Actor
) -> Agreement:
    """For whom it pays from the next deduction on; whoever is not named is not paid for."""
    with transaction.atomic():
        agreement = _own_locked(user, agreement_id)
        people = _people(user, patient_ids)
        before, after = _people_set(agreement, people)
        if before != after:
            _recorded(
                agreement,
                "agreement_people_changed",
                by,
                before=sorted(before),
                after=sorted(after),
            )
    return agreement


def limits_check(plan: AgreementPlan, limits: Limits) -> None:
    """Refuse a limit of nothing, above the plan's, and one payment above the whole day."""
    most = (
        ("single", limits.single_fen, plan.single_fen),
        ("daily", limits.daily_fen, plan.daily_fen),
    )
    for name, fen, plan_fen in most:
        if fen is not None and fen <= 0:
            raise BadInput("limit_too_small", _("A limit is above zero."), name)
        if fen is not None and fen > plan_fen:
            text = _("The institution allows at most %(sum)s.") % {"sum": format_yuan(plan_fen)}
            raise BadInput("limit_too_large", text, name)
    if limits.single_fen and limits.daily_fen and limits.single_fen > limits.daily_fen:
        raise BadInput(
            "single_above_daily",
            _("One payment cannot be more than a whole day. Lower the first or raise the second."),
            "single",
        )


def _plan_offered(plan_id: int) -> AgreementPlan:
    plan = plans_open().filter(pk=plan_id).first()
    if plan is None or not plan_is_offered(plan):
        raise _not_offered()
    return plan


def _not_offered() -> NotOffered:
    return NotOffered(
        "not_offered", _("This cannot be signed here just now. Nothing was signed. Choose another.")
    )


def _people(user: User, patient_ids: Iterable[int]) -> list[Patient]:
    """Those of the named people the user may pay for; any other one refuses all of it."""
    wanted = set(patient_ids)
    if not wanted:
        raise BadInput("nobody_chosen", _("Choose at least one person."), "people")
    payable = {row.patient_id: row.patient for row in access_of(user) if row.may_pay}
    if not wanted <= payable.keys():
        raise BadInput(
            "not_payable_for",
            _("You cannot pay for one of these people any more. Choose again."),
            "people",
        )
    return [patient for key, patient in payable.items() if key in wanted]


def _consented(user: User, text_hash: str, by: Actor, address: str) -> None:
    """The yes to today's text, given now or standing."""
    purpose = ConsentPurpose.DEDUCTION
    if text_hash:
        consent_give(user=user, purpose=purpose, by=by, text_hash=text_hash, address=address)
    elif not consent_stands(user=user, purpose=purpose):
        raise BadInput(
            "consent_missing", _("Without your consent nothing can be deducted."), "agree"
        )


def _same_signing(own: list[Agreement], by: Actor) -> Agreement | None:
    """The mandate this payer is just about to sign; an older one is ended."""
    signing = [row for row in own if row.status == AgreementStatus.SIGNING]
    fresh = [row for row in signing if row.created_at > clock.now() - SAME_SIGNING]
    for row in signing:
        if row not in fresh[:1]:
            agreement_end(agreement=row, by=by, reason="begun anew", how=AgreementEnd.NOT_SIGNED)
    return fresh[0] if fresh else None


def _people_set(agreement: Agreement, people: list[Patient]) -> tuple[set[int], set[int]]:
    """Who was paid for before, and who is now."""
    rows = AgreementPatient.objects.filter(agreement=agreement)
    known = dict(rows.values_list("patient_id", "active"))
    wanted = {patient.pk for patient in people}
    rows.filter(patient__in=wanted, active=False).update(active=True)
    rows.filter(active=True).exclude(patient__in=wanted).update(active=False)
    AgreementPatient.objects.bulk_create(
        AgreementPatient(agreement=agreement, patient_id=key, created_at=clock.now())
        for key in sorted(wanted - known.keys())
    )
    return {key for key, active in known.items() if active}, wanted


def _own_locked(user: User, agreement_id: int) -> Agreement:
    agreement_own(user=user, agreement_id=agreement_id)
    agreement = agreement_lock(agreement_id)
    if agreement.status == AgreementStatus.ENDED:
        raise Conflict("agreement_ended", _("This agreement has ended. Sign a new one."))
    return agreement


def _recorded(agreement: Agreement, action: str, by: Actor, **detail: object) -> None:
    record(
        by=by,
        action=action,
        subject="billing.agreement",
        subject_id=agreement.pk,
        detail=detail,
    )
