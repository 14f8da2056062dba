"""What a binding grants, who takes it back, and what remains of it."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from billing.locks import agreements_lock
from billing.models import Invoice
from core.actors import Actor
from core.errors import BadInput, Forbidden, NotFound
from core.models import AuditEvent, User
from patients.actors import patient_actor
from patients.models import Notification, Patient, PatientAccess, Relation
from patients.selectors import access_of, access_to
from patients.selectors.family import family_of
from patients.services.access import access_end, access_end_at_desk, access_grant_set
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.billing import invoice
from tests.patients.binding_house import Phone, adult, bound, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
CLERK = Actor("staff", "clerk", "张员")


def relatives(phone: Phone) -> tuple[User, Patient, User, PatientAccess]:
    """A father with an account, and the daughter who may pay for him."""
    father_user, father = adult(phone, "陈国")
    daughter, _own = adult(phone)
    return father_user, father, daughter, bound(phone, daughter, father, Relation.PARENT)


def grant(user: User, access: PatientAccess, what: str, granted: bool) -> PatientAccess:
    return access_grant_set(
        user=user,
        access_id=access.pk,
        grant=what,  # type: ignore[arg-type]
        granted=granted,
        by=patient_actor(user),
    )


def end(user: User, access: PatientAccess) -> PatientAccess:
    return access_end(user=user, access_id=access.pk, by=patient_actor(user))


def test_the_patient_gives_and_takes_each_grant_alone(phone: Phone) -> None:
    father_user, father, daughter, access = relatives(phone)
    grant(father_user, access, "view", True)
    assert access_to(user=daughter, patient_id=father.pk).may_view
    grant(father_user, access, "pay", False)
    assert [one.patient for one in access_of(daughter) if one.may_pay] != [father]
    with pytest.raises(NotFound):
        access_to(user=daughter, patient_id=father.pk, need="pay")
    grant(father_user, access, "view", False)
    assert father not in [one.patient for one in access_of(daughter)]
    assert [one.access for one in family_of(father_user).pays_for_me] == [
        access
    ]  # it can be switched on again
    actions = AuditEvent.objects.filter(subject_id=str(father.pk), detail__has_key="grant")
    assert list(actions.order_by("pk").values_list("action", "detail__grant")) == [
        ("access_granted", "view"),
        ("access_revoked", "pay"),
        ("access_revoked", "view"),
    ]
    kinds = Notification.objects.order_by("pk").values_list("kind", "user")
    assert list(kinds)[-2:] == [
        ("access_viewing", father_user.pk),
        ("access_taken_back", daughter.pk),
    ]


def test_a_switch_pressed_twice_is_pressed_once(phone: Phone) -> None:
    father_user, _father, _daughter, access = relatives(phone)
    grant(father_user, access, "view", True)
    grant(father_user, access, "view", True)
    assert AuditEvent.objects.filter(action="access_granted").count() == 1


def test_nobody_but_the_patient_switches(phone: Phone) -> None:
    father_user, father, daughter, access = relatives(phone)
    stranger, _own = adult(phone, "外人")
    for user in (daughter, stranger, patient_user()):
        with pytest.raises(NotFound):
            grant(user, access, "view", True)
    own = PatientAccess.objects.get(user=father_user, patient=father)
    with pytest.raises(NotFound):
        grant(father_user, own, "pay", False)  # one's own is ended, not switched
    access.refresh_from_db()
    assert (access.may_view, access.may_pay) == (False, True)


def test_a_guardian_decides_who_pays_for_a_young_child(phone: Phone) -> None:
    mother_user, mother = adult(phone)
    child = person("陈安", date(2018, 5, 6), guardian=mother)
    access = bound(phone, mother_user, child, Relation.CHILD)
    assert not grant(mother_user, access, "pay", False).may_pay
    teen = person("陈宁", date(2011, 5, 6), guardian=mother)
    with pytest.raises(NotFound):
        grant(mother_user, bound(phone, mother_user, teen, Relation.CHILD), "pay", False)


def test_the_payer_ends_it_and_the_patient_is_told(phone: Phone) -> None:
    father_user, father, daughter, access = relatives(phone)
    end(daughter, access)
    access.refresh_from_db()
    assert (access.ended_how, access.may_pay, access.may_view) == ("user", False, False)
    assert Notification.objects.get(kind="access_ended").user == father_user
    ended = AuditEvent.objects.get(action="access_ended")
    assert ended.detail == {
        "access": access.pk, "user": daughter.pk, "how": "user", "view": False, "pay": True,
    }  # fmt: skip
    with pytest.raises(NotFound):
        end(daughter, access)
    assert father.access.count() == 2


def test_the_patient_ends_it_and_the_payer_is_told(phone: Phone) -> None:
    father_user, _father, daughter, access = relatives(phone)
    assert end(father_user, access).ended_how == "patient"
    assert Notification.objects.get(kind="access_taken_back").user == daughter
    assert [one.relation for one in access_of(daughter)] == ["self"]


def test_a_stranger_ends_nothing(phone: Phone) -> None:
    _father_user, _father, _daughter, access = relatives(phone)
    with pytest.raises(NotFound):
        end(adult(phone, "外人")[0], access)
    with pytest.raises(NotFound):
        access_end(user=patient_user(), access_id=9999, by=CLERK)
    access.refresh_from_db()
    assert access.ended_at is None


def test_a_relative_cannot_end_the_patients_own(phone: Phone) -> None:
    father_user, father, daughter, _access = relatives(phone)
    own = PatientAccess.objects.get(user=father_user, patient=father)
    with pytest.raises(NotFound):
        end(daughter, own)


def test_ending_the_own_card_ends_the_wards_and_not_the_parents(phone: Phone) -> None:
    mother_user, mother = adult(phone)
    child = bound(
        phone, mother_user, person("陈安", date(2018, 5, 6), guardian=mother), Relation.CHILD
    )
    father = bound(phone, mother_user, person("陈国"), Relation.PARENT)
    end(mother_user, PatientAccess.objects.get(user=mother_user, patient=mother))
    for access in (child, father):
        access.refresh_from_db()
    assert (child.ended_how, child.may_pay) == ("user", False)
    assert father.ended_at is None and father.may_pay


def test_an_ended_person_is_bound_anew(phone: Phone) -> None:
    _father_user, father, daughter, access = relatives(phone)
    end(daughter, access)
    again = bound(phone, daughter, father, Relation.PARENT)
    assert again.pk != access.pk and again.may_pay
    assert PatientAccess.objects.filter(user=daughter, patient=father).count() == 2


def test_staff_end_it_with_a_reason_and_both_are_told(phone: Phone) -> None:
    father_user, _father, daughter, access = relatives(phone)
    with pytest.raises(BadInput, match="reason_missing"):
        access_end_at_desk(access_id=access.pk, reason="  ", by=CLERK)
    with pytest.raises(Forbidden):
        access_end_at_desk(access_id=access.pk, reason="本人要求", by=patient_actor(daughter))
    ended = access_end_at_desk(access_id=access.pk, reason="本人到窗口要求", by=CLERK)
    assert (ended.ended_how, ended.end_reason) == ("staff", "本人到窗口要求")
    assert AuditEvent.objects.get(action="access_ended").actor == "staff:clerk"
    told = Notification.objects.filter(kind__in=("access_ended", "access_taken_back"))
    assert {one.user for one in told} == {father_user, daughter}


@pytest.mark.parametrize("values", [{"may_pay": True}, {"ended_how": ""}])
def test_the_database_keeps_an_ended_binding_from_granting(
    phone: Phone, values: dict[str, object]
) -> None:
    _father_user, _father, daughter, access = relatives(phone)
    end(daughter, access)
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientAccess.objects.filter(pk=access.pk).update(**values)


def test_an_agreement_pays_no_more_when_the_binding_has_ended(phone: Phone) -> None:
    _father_user, father, daughter, access = relatives(phone)
    payments.agreement(father, daughter)
    bill = invoice(1_000)
    Invoice.objects.filter(pk=bill.pk).update(patient=father)
    bill.refresh_from_db()
    with transaction.atomic():
        assert [one.holder for one in agreements_lock(bill)] == [daughter]
    end(daughter, access)
    with transaction.atomic():
        assert agreements_lock(bill) == []
