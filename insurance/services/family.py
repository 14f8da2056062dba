"""A guardian's or relative's insurance account pays by one tap: filed, checked, ended.

Nothing here moves money: the insurer takes the account's part at settlement. Every condition is
asked for at linking and again before each pricing, and every one that is missed is named. Calls go
to the insurer first, so no service here may run inside a transaction.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import Conflict, Forbidden, NotFound, NotOffered
from core.outcomes import Outcome
from insurance.family import (
    KINSHIPS,
    NOT_TOLD,
    FamilyFacts,
    conditions_missed,
    family_place,
    rule_at,
)
from insurance.gateway.base import Answer, Call
from insurance.gateway.nhsa.families import (
    FamilyPair,
    family_end,
    family_file,
    family_query,
)
from insurance.gateway.nhsa.people import person
from insurance.gateway.visit_values import Credential, CredentialKind, Person, Scheme
from insurance.models import FamilyLink, Institution
from insurance.services.exchange import message_send
from patients.models import IdType, Patient, Relation

Value = TypeVar("Value")
# What is missed beside the conditions: no answer, and the insurer's no to the question itself.
SILENT = "not_answered"


def family_account_link(
    *, payer: Patient, member: Patient, relation: str, by: Actor, address: str = ""
) -> FamilyLink:
    """File the two as one family account and say what still keeps the account from paying.

    The caller has seen to it that `by` speaks for the payer and may pay for the member. Raises
    NotOffered, Forbidden for a child of another guardian, Conflict with the insurer's words.
    """
    place = family_place()
    if place is None or relation not in KINSHIPS:
        raise NotOffered("no_family_rule", _("Family accounts are not offered here."))
    rule = rule_at(place, clock.today())
    if relation not in rule.relations:
        raise NotOffered("relation_not_offered", _("Accounts do not pay for this relation here."))
    if relation == Relation.CHILD and member.guardian_id != payer.pk:
        raise Forbidden("other_guardian", _("You are not the guardian on the child's record."))
    pair = _pair(place, payer, member)
    filed = _said(place, family_file(pair, KINSHIPS[relation]), member)
    state = _said(place, family_query(pair), member)
    missed = conditions_missed(FamilyFacts(relation, state, guardian_here=True), rule)
    now = clock.now()
    with transaction.atomic():
        link, _created = FamilyLink.objects.update_or_create(
            payer=payer,
            member=member,
            ended_at=None,
            defaults={"refused": list(missed), "checked_at": now, "filing_no": filed},
            create_defaults={
                "relation": relation,
                "institution": place,
                "payer_no": pair.payer_no,
                "member_no": pair.member_no,
                "insured_area": pair.insured_area,
                "filing_no": filed,
                "refused": list(missed),
                "checked_at": now,
                "created_at": now,
            },
        )
        _recorded(link, by, action="family_account_linked", address=address)
    return link


def family_account_unlink(*, payer: Patient, member_id: int, by: Actor, address: str = "") -> None:
    """End it at the insurer, then here; ended twice is ended once."""
    link = (
        FamilyLink.objects.select_related("member", "institution__campus", "institution__region")
        .filter(payer=payer, member=member_id, ended_at=None)
        .first()
    )
    if link is None:
        raise NotFound("no_family_account", _("No account of yours pays for this person."))
    _said(link.institution, family_end(_pair_of(link)), link.member)
    with transaction.atomic():
        ended = FamilyLink.objects.filter(pk=link.pk, ended_at=None).update(ended_at=clock.now())
        if ended:
            _recorded(link, by, action="family_account_ended", address=address)


def family_account_check(*, link: FamilyLink) -> tuple[str, ...]:
    """Ask for every condition anew; the codes of those missed, kept for the payer's page. A silent
    insurer misses all, and nothing is kept of that."""
    rule = rule_at(link.institution, clock.today())
    answer = message_send(
        institution=link.institution,
        call=family_query(_pair_of(link)),
        subject=f"patient:{link.member_id}",
    )
    if answer.outcome is Outcome.DECLINED:
        return _missed_keep(link, (NOT_TOLD,))
    if answer.outcome is not Outcome.SUCCEEDED:
        return (SILENT,)
    here = link.member.guardian_id == link.payer_id
    missed = conditions_missed(FamilyFacts(link.relation, answer.known, here), rule)
    return _missed_keep(link, missed)


def _missed_keep(link: FamilyLink, missed: tuple[str, ...]) -> tuple[str, ...]:
    FamilyLink.objects.filter(pk=link.pk, ended_at=None).update(
        refused=list(missed), checked_at=clock.now()
    )
    return missed


def _pair(place: Institution, payer: Patient, member: Patient) -> FamilyPair:
    """Both people at the insurer; the payer's area is where the account is."""
    paying, paid_for = _person(place, payer), _person(place, member)
    accounts = [one for one in paying.coverages if one.scheme is Scheme.EMPLOYEE and one.active]
    if not accounts:
        raise Conflict("no_account", _("You have no insurance account that can be used."))
    return FamilyPair(paying.person_no, paid_for.person_no, accounts[0].insured_area)


def _pair_of(link: FamilyLink) -> FamilyPair:
    return FamilyPair(link.payer_no, link.member_no, link.insured_area)


def _person(place: Institution, patient: Patient) -> Person:
    if not patient.id_number or patient.id_type != IdType.ID_CARD:
        raise Conflict("no_id_number", _("Both need an ID card number on record; ask the window."))
    proof = Credential(CredentialKind.ID_CARD, patient.id_number)
    return _said(place, person(proof, name=patient.name, id_number=patient.id_number), patient)


def _said(place: Institution, call: Call[Value], about: Patient) -> Value:
    """The value, or why there is none in words that a person can act on."""
    answer: Answer[Value] = message_send(
        institution=place, call=call, subject=f"patient:{about.pk}"
    )
    if answer.outcome is Outcome.DECLINED:
        raise Conflict("insurer_refused", answer.sentence)
    if answer.outcome is not Outcome.SUCCEEDED:
        raise Conflict("insurer_silent", _("The insurer does not answer. Please try again."))
    return answer.known


def _recorded(link: FamilyLink, by: Actor, *, action: str, address: str) -> None:
    record(
        by=by,
        action=action,
        subject="insurance.familylink",
        subject_id=link.pk,
        detail={"payer": link.payer_id, "member": link.member_id, "refused": link.refused},
        address=address,
    )
