"""The conditions under which one account pays for another person, each with its own sentence.

Pure, but for the reading questions at its end. A child's guardian pays only when all hold: the
child is insured in the same pool with a valid card, the card is linked, the two are one family
account, the guardian is the one on record here and at the enrolment, and the guardian's account
holds more than the region's threshold. Spouses and parents need the account and the filing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import NotOffered
from core.money import format_yuan
from core.prepared import PreparedQuery
from insurance.gateway.nhsa.families import FamilyState, Kinship
from insurance.models import FamilyLink, FamilyRule, Institution
from patients.models import Relation

KINSHIPS = {
    Relation.CHILD.value: Kinship.CHILD,
    Relation.SPOUSE.value: Kinship.SPOUSE,
    Relation.PARENT.value: Kinship.PARENT,
}


@dataclass(frozen=True, slots=True)
class FamilyFacts:
    """What is known of two people: their relation, what the insurer says, who is on record."""

    relation: str
    state: FamilyState
    guardian_here: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `child` ones are asked of a guardian and a child only."""

    code: str
    missed: Callable[[FamilyFacts, FamilyRule], bool]
    sentence: str | Promise
    child: bool = True


CONDITIONS = (
    Condition(
        "relation_not_offered",
        lambda facts, rule: facts.relation not in rule.relations,
        _("The insured place does not let accounts pay for this relation."),
        child=False,
    ),
    Condition(
        "no_account",
        lambda facts, _rule: not facts.state.has_account,
        _("You have no insurance account that can be used."),
        child=False,
    ),
    Condition(
        "not_insured",
        lambda facts, _rule: not facts.state.member_insured,
        _("This relative is not insured at present."),
        child=False,
    ),
    Condition(
        "no_family_account",
        lambda facts, _rule: not facts.state.family_account,
        _("You two are not entered as one family account at the insurer."),
        child=False,
    ),
    Condition(
        "other_pool",
        lambda facts, _rule: not facts.state.one_pool,
        _("You and the child are insured at two places."),
    ),
    Condition(
        "card_invalid",
        lambda facts, _rule: not facts.state.card_valid,
        _("The child's social security card is not valid."),
    ),
    Condition(
        "card_not_linked",
        lambda facts, _rule: not facts.state.card_linked,
        _("The child's card is not linked to your electronic social security card yet."),
    ),
    Condition(
        "other_guardian",
        lambda facts, _rule: not (facts.state.guardian and facts.guardian_here),
        _("You are not the guardian who enrolled the child."),
    ),
    Condition(
        "balance_not_above",
        lambda facts, rule: facts.state.balance_fen <= rule.child_threshold_fen,
        _("Your insurance account must hold more than %(limit)s."),
    ),
)
# The insurer's no to the question itself: none of the conditions is known.
NOT_TOLD = "not_told"
SENTENCES: dict[str, str | Promise] = {one.code: one.sentence for one in CONDITIONS} | {
    NOT_TOLD: _("The insurer does not say whether your account may pay. Ask at the window.")
}


def conditions_missed(facts: FamilyFacts, rule: FamilyRule) -> tuple[str, ...]:
    """The codes of every condition that does not hold; empty: the account pays."""
    child = facts.relation == Relation.CHILD
    return tuple(
        one.code for one in CONDITIONS if (child or not one.child) and one.missed(facts, rule)
    )


def sentences_of(codes: Sequence[str], rule: FamilyRule) -> list[str]:
    """What the payer reads of each."""
    limit = {"limit": format_yuan(rule.child_threshold_fen)}
    return [str(SENTENCES[code]) % limit for code in codes if code in SENTENCES]


def rule_at(institution: Institution, day: date) -> FamilyRule:
    """The newest rule of the place that has begun; without one nothing is offered there."""
    rows = FamilyRule.objects.filter(region=institution.region_id, valid_from__lte=day)
    found = rows.order_by("-valid_from").first()
    if found is None:
        raise NotOffered("no_family_rule", _("Family accounts are not offered here."))
    return found


def family_place() -> Institution | None:
    """The place that files family accounts for the house; None where no region takes them."""
    return (
        Institution.objects.select_related("campus", "region")
        .filter(active=True, region__active=True, region__family_accounts=True)
        .exclude(campus__institution_code="")
        .order_by("pk")
        .first()
    )


def links_by(payer_id: int) -> dict[int, FamilyLink]:
    """The living links of one payer, by the person they pay for."""
    rows = FamilyLink.objects.filter(payer=payer_id, ended_at=None)
    return {row.member_id: row for row in rows}


def links_for(member_id: int) -> list[FamilyLink]:
    """Whose accounts may pay for this person, the oldest link first."""
    return _links(member_id)


_links = PreparedQuery(
    lambda member_id: (
        FamilyLink.objects.filter(member=member_id, ended_at=None)
        .select_related("payer", "member", "institution__campus", "institution__region")
        .order_by("pk")
    ),
    int,
)
