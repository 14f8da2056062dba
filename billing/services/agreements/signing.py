"""A mandate begun, and the way to sign it.

The consent to deduct and the mandate are committed before the payer is sent to the channel.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import AgreementOrder
from billing.channels.registry import agreement_channel_get
from billing.locks import agreements_of_holder_lock
from billing.models import (
    Agreement,
    AgreementEnd,
    AgreementPlan,
    AgreementStatus,
)
from billing.models.agreement import first_look
from billing.selectors.agreement_plans import plan_is_offered, plans_open
from billing.selectors.agreements import LIVE
from billing.services.agreements.consents import consents_require
from billing.services.agreements.ends import agreement_end
from billing.services.agreements.terms import Limits, limits_check, people_payable, people_put
from billing.services.merchants import merchant_account
from core import clock
from core.actors import Actor
from core.errors import Conflict, NotOffered
from core.ids import business_number
from core.models import User
from patients.models import ConsentPurpose, Relation
from patients.selectors import access_of
from patients.services.consents import consent_give

logger = logging.getLogger(__name__)
# A form sent again goes on with the mandate it began; an older link is not waited for any more.
SAME_SIGNING = timedelta(hours=1)


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
    NotOffered (the plan) and Conflict (signed already, no consent to use personal data); then
    nothing is kept.
    """
    plan = _plan_offered(plan_id)
    limits_check(plan, limits)
    with transaction.atomic():
        _consented(user, text_hash, by, address)
        every = agreements_of_holder_lock(user.pk)
        people = people_payable(user=user, patient_ids=patient_ids)
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
        people_put(agreement=agreement, people=people)
    return agreement


def agreement_sign_url(*, agreement: Agreement, return_url: str) -> str:
    """The channel's page on which the payer signs.

    Raises Conflict when it is not to be signed any more, NotOffered when its channel gives no page.
    """
    if agreement.status != AgreementStatus.SIGNING:
        raise Conflict("not_signing", _("This agreement is not to be signed any more."))
    merchant = agreement.plan.merchant
    own = next((row for row in access_of(agreement.holder) if row.relation == Relation.SELF), None)
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


def _plan_offered(plan_id: int) -> AgreementPlan:
    plan = plans_open().filter(pk=plan_id).first()
    if plan is None or not plan_is_offered(plan):
        raise _not_offered()
    return plan


def _not_offered() -> NotOffered:
    return NotOffered(
        "not_offered", _("This cannot be signed here just now. Nothing was signed. Choose another.")
    )


def _consented(user: User, text_hash: str, by: Actor, address: str) -> None:
    """The yes to today's text, given now or standing, and the one to use personal data."""
    purpose = ConsentPurpose.DEDUCTION
    if text_hash:
        consent_give(user=user, purpose=purpose, by=by, text_hash=text_hash, address=address)
    consents_require(user, field="agree")


def _same_signing(own: list[Agreement], by: Actor) -> Agreement | None:
    """The mandate this payer is just about to sign; an older one is ended."""
    signing = [row for row in own if row.status == AgreementStatus.SIGNING]
    fresh = [row for row in signing if row.created_at > clock.now() - SAME_SIGNING]
    for row in signing:
        if row not in fresh[:1]:
            agreement_end(agreement=row, by=by, reason="begun anew", how=AgreementEnd.NOT_SIGNED)
    return fresh[0] if fresh else None
