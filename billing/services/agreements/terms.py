"""What a payer agrees to: for whom, and up to how much.

Everything is checked again here, whatever a form has checked: people by `may_pay`, limits against
the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import agreement_lock
from billing.models import (
    Agreement,
    AgreementPatient,
    AgreementPlan,
    AgreementStatus,
)
from billing.selectors.agreements import agreement_own
from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict
from core.models import User
from core.money import format_yuan
from patients.models import Patient
from patients.selectors import access_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The holder's own limits; None is the plan's."""

    single_fen: int | None = None
    daily_fen: int | None = None


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
        people = people_payable(user=user, patient_ids=patient_ids)
        before, after = people_put(agreement=agreement, people=people)
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


def people_payable(*, user: User, patient_ids: Iterable[int]) -> list[Patient]:
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


def people_put(*, agreement: Agreement, people: list[Patient]) -> tuple[set[int], set[int]]:
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
