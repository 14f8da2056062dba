"""A guardian's account pays for the child: every condition, at linking and before each pricing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from core import clock
from core.actors import Actor
from core.errors import Conflict, Forbidden, NotFound, NotOffered
from core.models import AuditEvent
from insurance.family import CONDITIONS, links_for, rule_at, sentences_of
from insurance.models import FamilyLink, FamilyRule, Institution, InsuranceMessage
from insurance.services.family import (
    family_account_check,
    family_account_link,
    family_account_unlink,
)
from patients.models import Patient
from tests.contracts import nhsa_house
from tests.factories import patients
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
MOTHER, CHILD, OTHER = (patients.id_number(n, region="330326") for n in (1, 2, 3))
THRESHOLD = 500_880
BY = Actor("patient", "user-1", "")


@dataclass
class House:
    sandbox: Sandbox
    place: Institution
    mother: Patient
    child: Patient

    def enrol(self, number: str, name: str, **more: Any) -> None:
        given = {"name": name, "sex": "female", "birth_date": "1990-01-01", "card_no": number[-8:]}
        self.sandbox.act("nhsa", "enrol_person", number, **given | more)

    def link(self, relation: str = "child", **values: Any) -> FamilyLink:
        people = {"payer": self.mother, "member": self.child} | values
        return family_account_link(relation=relation, by=BY, **people)


@pytest.fixture
def house(sandbox: Sandbox) -> House:
    place = nhsa_house.institution(sandbox)
    place.region.family_accounts = True
    place.region.save()
    rule(place, date(2018, 1, 1), THRESHOLD)
    mother = patients.patient(name="陈秀兰", number=MOTHER)
    child = patients.patient(name="陈安", number=CHILD, guardian=mother)
    made = House(sandbox, place, mother, child)
    made.enrol(MOTHER, "陈秀兰", balance_fen=THRESHOLD + 1)
    made.enrol(CHILD, "陈安", insutype="390", enrolled_by=MOTHER)
    return made


def rule(place: Institution, day: date, fen: int, **values: Any) -> FamilyRule:
    filled = {"relations": ["child", "spouse", "parent"], "basis": "上年度平均工资的5%"} | values
    return FamilyRule.objects.create(
        region=place.region, valid_from=day, child_threshold_fen=fen, **filled
    )


def ready(member: Patient) -> bool:
    """Whether somebody's account may pay for this person now."""
    found = [family_account_check(link=link) for link in links_for(member.pk)]
    return () in found


def test_one_tap_files_the_family_and_the_account_pays(house: House) -> None:
    link = house.link()
    assert link.refused == [] and link.filing_no
    assert ready(house.child)
    said = [row.operation for row in InsuranceMessage.objects.order_by("pk")]
    assert said == ["person", "person", "family_file", "family_query", "family_query"]
    assert AuditEvent.objects.get(action="family_account_linked").actor == "patient:user-1"
    # and tapped again it is the same link
    assert house.link().pk == link.pk


@pytest.mark.parametrize(("fen", "pays"), [(THRESHOLD, False), (THRESHOLD + 1, True)])
def test_the_account_must_exceed_the_threshold(house: House, fen: int, pays: bool) -> None:
    house.enrol(MOTHER, "陈秀兰", balance_fen=fen)
    link = house.link()
    assert link.refused == ([] if pays else ["balance_not_above"])
    assert ready(house.child) is pays
    rule_today = rule_at(house.place, clock.today())
    said = sentences_of(["balance_not_above"], rule_today)
    assert said == ["您的医保个人账户余额须高于 ¥5,008.80。"]


def test_a_rule_counts_from_its_day(house: House) -> None:
    rule(house.place, date(2026, 11, 20), THRESHOLD + 1)
    rule(house.place, date(2026, 11, 21), 0)
    assert house.link().refused == ["balance_not_above"]


Change = Callable[[House], None]
BROKEN: dict[str, Change] = {
    "not_insured": lambda h: h.enrol(CHILD, "陈安", insutype="390", psn_insu_stas="2"),
    "card_invalid": lambda h: h.enrol(CHILD, "陈安", insutype="390", card_valid=False),
    "card_not_linked": lambda h: h.sandbox.act(
        "nhsa", "link_family", MOTHER, member=CHILD, relation="child", card_linked=False
    ),
    "no_family_account": lambda h: h.sandbox.act("nhsa", "unlink_family", MOTHER, member=CHILD),
    "other_guardian": lambda h: (
        h.enrol(OTHER, "别人"),
        h.enrol(CHILD, "陈安", insutype="390", enrolled_by=OTHER),
    )[0],
    "balance_not_above": lambda h: h.enrol(MOTHER, "陈秀兰", balance_fen=0),
    "no_account": lambda h: h.enrol(MOTHER, "陈秀兰", psn_insu_stas="2"),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_condition_that_breaks_later_is_named_before_the_next_pricing(
    house: House, code: str
) -> None:
    link = house.link()
    BROKEN[code](house)
    missed = family_account_check(link=link)
    assert code in missed
    assert not ready(house.child)
    link.refresh_from_db()
    assert link.refused == list(missed)
    assert all(sentences_of(link.refused, rule_at(house.place, clock.today())))


def test_every_condition_is_tried_here(house: House) -> None:
    elsewhere = {"relation_not_offered", "other_pool"}  # the two below
    assert {one.code for one in CONDITIONS} == set(BROKEN) | elsewhere


def test_a_child_insured_elsewhere_is_not_paid_for(house: House) -> None:
    house.enrol(CHILD, "陈安", insutype="390", psn_insu_stas="2")
    house.enrol(CHILD, "陈安", insutype="390", insuplc_admdvs="440300")
    assert house.link().refused == ["other_pool"]


@pytest.mark.parametrize("insutype", ["310", "390"])
def test_both_tiers_are_paid_for(house: House, insutype: str) -> None:
    child = patients.id_number(9, region="330326")
    row = patients.patient(name="陈宁", number=child, guardian=house.mother)
    house.enrol(child, "陈宁", insutype=insutype, enrolled_by=MOTHER)
    assert house.link(member=row).refused == []


@pytest.mark.parametrize("relation", ["spouse", "parent"])
def test_adults_need_no_guardian_card_or_threshold(house: House, relation: str) -> None:
    house.enrol(MOTHER, "陈秀兰", balance_fen=1)
    house.enrol(OTHER, "李建国", insutype="390", card_valid=False)
    other = patients.patient(name="李建国", number=OTHER)
    assert house.link(relation, member=other).refused == []


def test_who_is_not_the_guardian_here_files_nothing(house: House) -> None:
    house.child.guardian = None
    house.child.save()
    with pytest.raises(Forbidden):
        house.link()
    assert not InsuranceMessage.objects.exists()


def test_what_the_region_does_not_offer_is_not_asked_for(house: House) -> None:
    with pytest.raises(NotOffered):
        house.link("other")
    rule(house.place, date(2026, 1, 1), 0, relations=["child"])
    with pytest.raises(NotOffered):
        house.link("spouse")
    FamilyRule.objects.all().delete()
    with pytest.raises(NotOffered):
        house.link()
    assert not InsuranceMessage.objects.exists()


def test_a_person_without_a_number_and_one_nobody_insures_are_named(house: House) -> None:
    bare = patients.patient(name="无证", guardian=house.mother)
    with pytest.raises(Conflict) as refused:
        house.link(member=bare)
    assert refused.value.code == "no_id_number"
    unknown = patients.patient(name="未参保", number=OTHER, guardian=house.mother)
    with pytest.raises(Conflict) as refused:
        house.link(member=unknown)
    assert refused.value.code == "insurer_refused"
    assert not FamilyLink.objects.exists()


def test_an_answer_that_is_lost_leaves_no_link_and_may_be_tapped_again(house: House) -> None:
    house.sandbox.fault("filing", "drop_after", "nhsa", times=1)
    with pytest.raises(Conflict) as refused:
        house.link()
    assert refused.value.code == "insurer_silent" and not FamilyLink.objects.exists()
    assert house.link().refused == []


def test_a_silent_insurer_pays_nothing_by_the_account(house: House) -> None:
    house.link()
    house.sandbox.fault("query", "drop_before", "nhsa", times=1)
    assert not ready(house.child)
    assert ready(house.child)


def test_an_ended_link_pays_no_more_and_may_be_made_again(house: House) -> None:
    link = house.link()
    family_account_unlink(payer=house.mother, member_id=house.child.pk, by=BY)
    link.refresh_from_db()
    assert link.ended_at is not None and not ready(house.child)
    with pytest.raises(NotFound):
        family_account_unlink(payer=house.mother, member_id=house.child.pk, by=BY)
    assert house.link().pk != link.pk
