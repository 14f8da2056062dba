"""A guardian sees a child's bills by being on record as such, while the child is below 14."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from core import clock
from core.errors import NotFound
from core.models import User
from patients.actors import patient_actor
from patients.models import Patient, PatientAccess, Relation
from patients.selectors import access_of, access_to
from patients.services.access import access_end, access_grant_set
from tests.billing.portal_house import signed_in, text_of
from tests.factories.accounts import patient_user
from tests.factories.billing import visit_bill
from tests.factories.patients import encounter
from tests.patients.binding_house import Phone, adult, bound, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
DRUG = "阿托伐他汀"
BORN = date(2012, 11, 23)  # 13 until the third day from now


def child_of(guardian: Patient, born: date = BORN, **values: Any) -> Patient:
    return person("陈小满", born, guardian=guardian, **values)


def grant(user: User, access: PatientAccess, what: str, granted: bool = True) -> PatientAccess:
    return access_grant_set(
        user=user,
        access_id=access.pk,
        grant=what,  # type: ignore[arg-type]
        granted=granted,
        by=patient_actor(user),
    )


def reads(user: User, child: Patient) -> tuple[bool, int]:
    """Whether a new bill of the child names its drugs to this user, and the visit code's page."""
    client, bill = signed_in(user), visit_bill(encounter(of=child))
    page = text_of(client.get(f"/bills/{bill.pk}"))
    return DRUG in page, client.get(f"/code?person={child.pk}").status_code


def family_page(user: User) -> str:
    """The words of the page, then its markup."""
    answer = signed_in(user).get("/family")
    return text_of(answer) + answer.content.decode()


def test_a_guardian_sees_until_the_child_is_14(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    mother, own = adult(phone)
    child = child_of(own)
    access = bound(phone, mother, child, Relation.CHILD)
    assert not access.may_view  # it is no grant: it stands on the record
    assert reads(mother, child) == (True, 200)
    assert "满14岁前" in family_page(mother)
    still_clock.advance(timedelta(days=3))
    assert reads(mother, child) == (False, 404)
    with pytest.raises(NotFound):
        access_to(user=mother, patient_id=child.pk, need="view")
    assert "自己决定" in family_page(mother)


def test_from_14_the_child_alone_lets_see_and_takes_it_back(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    mother, own = adult(phone, phone="13800001111")
    child = child_of(own, phone="13855550000")
    access = bound(phone, mother, child, Relation.CHILD)
    still_clock.advance(timedelta(days=3))
    with pytest.raises(NotFound):
        grant(mother, access, "view")
    teen = patient_user()
    bound(phone, teen, child)
    grant(teen, access, "view")
    assert reads(mother, child) == (True, 200)
    still_clock.advance(timedelta(days=366 * 6))  # of age, and it was their own word
    assert reads(mother, child) == (True, 200)
    grant(teen, access, "view", granted=False)
    assert reads(mother, child)[0] is False


def test_the_earlier_guardian_sees_no_more_and_the_present_one_ends_it(phone: Phone) -> None:
    """The hospital names another guardian: the record alone decides, whoever bound first."""
    old, old_person = adult(phone, "陈雯")
    new, new_person = adult(phone, "赵强")
    child = child_of(old_person)
    access = bound(phone, old, child, Relation.CHILD)
    assert reads(old, child) == (True, 200)
    Patient.objects.filter(pk=child.pk).update(guardian=new_person)
    assert reads(old, child) == (False, 404)
    assert "不再是登记的监护人" in family_page(old)
    page = family_page(new)  # who has not bound the child yet
    assert f"/family/{access.pk}/end" in page and "陈*" in page
    question = signed_in(new).get(f"/family/{access.pk}/end")
    assert (question.status_code, "陈*满" in text_of(question)) == (200, True)
    access_end(user=new, access_id=access.pk, by=patient_actor(new))
    assert access_of(old) == [PatientAccess.objects.get(user=old, relation=Relation.SELF)]
    child.refresh_from_db()
    bound(phone, new, child, Relation.CHILD)
    assert reads(new, child) == (True, 200)


def test_a_guardian_says_who_pays_for_the_child_and_lets_nobody_see(phone: Phone) -> None:
    old, old_person = adult(phone, "陈雯")
    new, new_person = adult(phone, "赵强")
    child = child_of(old_person)
    access = bound(phone, old, child, Relation.CHILD)
    Patient.objects.filter(pk=child.pk).update(guardian=new_person)
    with pytest.raises(NotFound):
        grant(new, access, "view")
    assert not grant(new, access, "pay", granted=False).may_pay
    assert child not in [one.patient for one in access_of(old)]


def test_nobody_else_is_told_who_holds_a_child(phone: Phone) -> None:
    mother, own = adult(phone)
    access = bound(phone, mother, child_of(own), Relation.CHILD)
    teen = bound(phone, mother, child_of(own, date(2011, 5, 6)), Relation.CHILD)
    stranger = adult(phone, "外人")[0]
    assert f"/family/{access.pk}/" not in family_page(stranger)
    grandfather, record = adult(phone, "陈国")
    Patient.objects.filter(guardian=own).update(guardian=record)
    page = family_page(grandfather)
    assert f"/family/{access.pk}/end" in page
    assert f"/family/{teen.pk}/end" not in page  # from 14 on they see it themselves
    assert signed_in(grandfather).get(f"/family/{teen.pk}/end").status_code == 404


def test_what_a_guardian_granted_before_is_no_grant_of_the_persons(phone: Phone) -> None:
    mother, own = adult(phone)
    given_by_guardian = bound(phone, mother, child_of(own), Relation.CHILD)
    given_by_parent = bound(phone, mother, person("陈国"), Relation.PARENT)
    PatientAccess.objects.update(may_view=True)
    with connection.cursor() as cursor:
        cursor.execute(import_module("patients.migrations.0017_guardians_see_by_being_it").CLEAR)
    left = PatientAccess.objects.filter(may_view=True).exclude(relation=Relation.SELF)
    assert [one.pk for one in left] == [given_by_parent.pk]
    given_by_guardian.refresh_from_db()
    assert not given_by_guardian.may_view
