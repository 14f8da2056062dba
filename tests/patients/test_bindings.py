"""Binding a card: who may, with whose code, and what a stranger learns, which is nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.errors import BadInput, Conflict, NotFound, Refusal
from core.models import AuditEvent, User
from patients.messengers.base import again, refused
from patients.models import Binding, Notification, Patient, PatientAccess, Relation
from patients.selectors import access_of, access_to
from patients.services.binding_sends import binding_code_send, binding_codes_send_due
from patients.services.bindings import (
    ATTEMPTS_MAX,
    OWN_BOUND,
    BindingWanted,
    binding_begin,
    binding_cancel,
    binding_send_again,
)
from tests.factories.accounts import patient_user
from tests.factories.patients import id_number, patient
from tests.patients.binding_house import (
    ADDRESS,
    Phone,
    adult,
    begun,
    bound,
    confirm,
    person,
    phone,
    wanted,
)

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
CHILD, TEEN = date(2018, 5, 6), date(2011, 5, 6)  # 8 and 15 years old on the pinned day


def refusal(row: Binding, code: str = "000000", user: User | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        confirm(row, code, user)
    return caught.value


def other_code(phone: Phone) -> str:
    return f"{(int(phone.code) + 1) % 1_000_000:06d}"


def test_own_card_is_bound_by_the_code_on_the_phone_on_record(phone: Phone) -> None:
    user, own = patient_user(), person(phone="13900001111")
    row = begun(user, own)
    access = confirm(row, phone.code)
    assert (phone.sent[0].address, access.relation) == ("13900001111", Relation.SELF)
    assert access.may_view and access.may_pay
    assert [one.patient for one in access_of(user)] == [own]
    assert AuditEvent.objects.filter(action="binding_made", subject_id=str(own.pk)).count() == 1


def test_what_was_typed_is_not_kept_after_the_end(phone: Phone) -> None:
    user, own = patient_user(), person()
    row = begun(user, own, card_no=own.identifiers.get().value)
    confirm(row, phone.code)
    row.refresh_from_db()
    assert (row.name, row.card_no, row.code_hash, row.due_at) == ("", "", "", None)


def test_a_name_is_compared_without_width_and_spaces(phone: Phone) -> None:
    user, own = patient_user(), person("Anna Ｂergman")
    row = begun(user, own, name="anna  bergman")
    assert confirm(row, phone.code).patient == own


def test_a_number_in_full_width_and_small_letters_is_the_same_number(phone: Phone) -> None:
    own = person()
    wide = own.id_number.lower().translate({ord(n): ord(n) + 0xFEE0 for n in "0123456789"})
    assert begun(patient_user(), own, Relation.OTHER, id_number=f" {wide} ").patient == own


def test_a_card_without_a_certificate_finds_the_person(phone: Phone) -> None:
    own = patient("CARD-7", name="李无证")
    row = begun(patient_user(), own, id_number="", card_no="CARD-7")
    assert confirm(row, phone.code).patient == own


def test_card_and_certificate_must_be_of_one_person(phone: Phone) -> None:
    own, other = person(), patient("CARD-8")
    assert begun(patient_user(), own, card_no="CARD-8").patient is None
    assert phone.sent == [] and other.pk != own.pk


@pytest.mark.parametrize("wrong", ["name", "number", "nobody", "no_phone"])
def test_a_wish_that_fits_nobody_looks_like_any_other(phone: Phone, wrong: str) -> None:
    own = person(phone="") if wrong == "no_phone" else person()
    told = {
        "name": {"name": "陈秀蓝"},
        "number": {"id_number": id_number(900, date(1952, 10, 24))},
        "nobody": {"name": "无此人", "id_number": id_number(901)},
        "no_phone": {},
    }[wrong]
    unknown = begun(patient_user(), own, **told)
    known = begun(patient_user(), person("王真"))
    assert [message.fields["name"] for message in phone.sent] == ["王*"]
    nothing, wrong_code = refusal(unknown), refusal(known, other_code(phone))
    assert (nothing.code, str(nothing.message)) == (wrong_code.code, str(wrong_code.message))
    assert not PatientAccess.objects.exists()


def test_a_wish_costs_the_same_whether_or_not_the_person_is_a_patient(phone: Phone) -> None:
    counts = set()
    for told in (wanted(person()), BindingWanted(Relation.SELF, "无此人", id_number=id_number(77))):
        user = patient_user()
        with CaptureQueriesContext(connection) as asked:
            binding_begin(user=user, wanted=told, address=ADDRESS)
        counts.add(len(asked))
    assert len(counts) == 1
    assert phone.sent == []  # the register is asked afterwards, by a task


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"id_number": "110101199001010013"}, "id_number"),
        ({"id_number": "", "card_no": ""}, "id_number"),
        ({"card_no": "7" * 65}, "card_no"),
        ({"relation": "boss"}, "relation"),
        ({"id_type": "library"}, "id_type"),
    ],
)
def test_what_cannot_be_right_is_refused_at_the_field(told: dict[str, str], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        binding_begin(user=patient_user(), wanted=wanted(person(), **told), address=ADDRESS)
    assert caught.value.field == field
    assert not Binding.objects.exists()


def test_a_wrong_code_counts_and_the_fifth_ends_the_wish(phone: Phone) -> None:
    row = begun(patient_user(), person())
    wrong = other_code(phone)
    said = [refusal(row, wrong).code for _ in range(ATTEMPTS_MAX)]
    assert said == ["code_wrong"] * 4 + ["binding_over"]
    assert refusal(row, phone.code).code == "binding_over"
    assert not PatientAccess.objects.exists()


def test_a_code_is_worth_nothing_after_ten_minutes(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    row = begun(patient_user(), person())
    still_clock.advance(timedelta(minutes=10))
    assert refusal(row, phone.code).code == "binding_over"


def test_a_code_binds_once(phone: Phone) -> None:
    row = begun(patient_user(), person())
    confirm(row, phone.code)
    assert refusal(row, phone.code).code == "binding_over"
    assert PatientAccess.objects.count() == 1


def test_a_code_binds_only_the_user_who_asked(phone: Phone) -> None:
    row, stranger = begun(patient_user(), person()), patient_user()
    with pytest.raises(NotFound):
        confirm(row, phone.code, stranger)
    begun(stranger, person("别人"))
    mine = Binding.objects.filter(user=stranger).get()
    assert refusal(mine, phone.sent[0].fields["verify_code"]).code == "code_wrong"


def test_a_cancelled_wish_takes_no_code(phone: Phone) -> None:
    row = begun(patient_user(), person())
    binding_cancel(user=row.user, binding_id=row.pk)
    assert refusal(row, phone.code).code == "binding_over"


def test_another_code_ends_the_earlier_one(phone: Phone, still_clock: clock.FrozenClock) -> None:
    row = begun(patient_user(), person())
    first = phone.code
    with pytest.raises(Conflict, match="too_soon"):
        binding_send_again(user=row.user, binding_id=row.pk)
    still_clock.advance(timedelta(seconds=60))
    binding_send_again(user=row.user, binding_id=row.pk)
    assert binding_codes_send_due(limit=10) == 1
    if first != phone.code:
        assert refusal(row, first).code == "code_wrong"
    assert confirm(row, phone.code).may_pay


def test_a_code_is_sent_once_however_often_the_task_runs(phone: Phone) -> None:
    row = begun(patient_user(), person())
    assert not binding_code_send(binding_id=row.pk)
    assert not binding_code_send(binding_id=row.pk + 99)
    assert len(phone.sent) == 1


def test_a_gateway_without_an_answer_is_asked_again_three_times(
    phone: Phone, still_clock: clock.FrozenClock
) -> None:
    phone.answers = [again("no answer")] * 4
    row = begun(patient_user(), person())
    for _ in range(5):
        still_clock.advance(timedelta(seconds=15))
        binding_codes_send_due(limit=10)
    row.refresh_from_db()
    assert (len(phone.sent), row.due_at, row.outcome) == (3, None, "not_sent")
    assert confirm(row, phone.code).may_pay  # the last message may have come through


def test_a_refused_phone_is_not_asked_again(phone: Phone) -> None:
    phone.answers = [refused("MOBILE_NUMBER_ILLEGAL")]
    row = begun(patient_user(), person())
    assert (row.due_at, row.outcome, len(phone.sent)) == (None, "not_sent", 1)


def test_an_own_card_a_second_time_is_refused(phone: Phone) -> None:
    user, own = adult(phone)
    with pytest.raises(Conflict, match="self_bound"):
        begun(user, person("别人"))
    with pytest.raises(Conflict, match="already_bound"):
        begun(user, own, Relation.OTHER)


def test_an_own_card_bound_meanwhile_is_called_ones_own(phone: Phone) -> None:
    user, own = patient_user(), person()
    by_card = begun(user, own, id_number="", card_no=own.identifiers.get().value)
    PatientAccess.objects.create(
        user=user, patient=own, relation=Relation.SELF, may_view=True, created_at=clock.now()
    )
    with pytest.raises(Conflict) as refused:
        confirm(by_card, phone.code)
    assert refused.value.message == OWN_BOUND


def test_an_empty_box_is_no_attempt(phone: Phone) -> None:
    row = begun(patient_user(), person())
    with pytest.raises(BadInput, match="code_missing"):
        confirm(row, " ")
    row.refresh_from_db()
    assert row.attempts == 0


def test_a_child_is_bound_by_the_guardian_with_the_guardians_phone(phone: Phone) -> None:
    user, mother = adult(phone, phone="13900002222")
    child = person("陈安", CHILD, guardian=mother, phone="13900003333")
    access = bound(phone, user, child, Relation.CHILD)
    assert phone.sent[-1].address == "13900002222"
    assert (access.may_view, access.may_pay) == (False, True)


def test_a_child_is_bound_by_nobody_but_the_guardian(phone: Phone) -> None:
    user, _own = adult(phone)
    _other, mother = adult(phone, "李真")
    for relation in (Relation.CHILD, Relation.OTHER, Relation.SPOUSE):
        row = begun(user, person("李安", CHILD, guardian=mother), relation)
        assert (row.patient.name if row.patient else "", row.outcome) == (
            "李安",
            "not_the_guardian",
        )
    assert begun(user, person("李孤", CHILD), Relation.CHILD).outcome == "not_the_guardian"
    assert len(phone.sent) == 2  # the two adults' own


def test_a_guardian_binds_the_own_card_first(phone: Phone) -> None:
    with pytest.raises(Conflict, match="own_card_first"):
        begun(patient_user(), person("陈安", CHILD), Relation.CHILD)
    assert begun(patient_user(), person("陈安", CHILD)).outcome == "child_as_self"
    assert phone.sent == []


def test_from_fourteen_the_child_gives_its_own_code(phone: Phone) -> None:
    user, mother = adult(phone)
    teen = person("陈宁", TEEN, guardian=mother, phone="13900004444")
    assert bound(phone, user, teen, Relation.CHILD).patient == teen
    assert phone.sent[-1].address == "13900004444"
    shared = person("陈静", TEEN, guardian=mother, phone=mother.phone)
    assert begun(user, shared, Relation.CHILD).outcome == "shared_phone"
    assert begun(patient_user(), shared).outcome == "shared_phone"


def test_another_adult_answers_on_a_phone_of_their_own(phone: Phone) -> None:
    user, _own = adult(phone, phone="13900005555")
    father = person("陈国", phone="13900006666")
    access = bound(phone, user, father, Relation.PARENT)
    assert (phone.sent[-1].address, access.may_view) == ("13900006666", False)
    assert begun(user, person("陈母", phone="13900005555"), Relation.PARENT).outcome == (
        "shared_phone"
    )


def test_a_phone_on_two_adults_records_proves_neither(phone: Phone) -> None:
    """A daughter's number on her mother's record must not make her the mother."""
    mother, daughter = person("陈母", phone="13900007777"), person("陈女", phone="13900007777")
    assert begun(patient_user(), mother).outcome == "shared_phone"
    assert begun(patient_user(), daughter).outcome == "shared_phone"
    assert phone.sent == []


def test_the_register_is_asked_again_at_the_code(phone: Phone) -> None:
    user, mother = adult(phone)
    child = person("陈安", CHILD, guardian=mother)
    row = begun(user, child, Relation.CHILD)
    Patient.objects.filter(pk=child.pk).update(guardian=person("新监护人"))
    assert refusal(row, phone.code).code == "register_changed"


def test_relatives_pay_and_do_not_see_and_the_patient_is_told(phone: Phone) -> None:
    father_user, father = adult(phone, "陈国")
    user, _own = adult(phone)
    access = bound(phone, user, father, Relation.PARENT)
    assert access_to(user=user, patient_id=father.pk, need="pay") == access
    with pytest.raises(NotFound):
        access_to(user=user, patient_id=father.pk)
    with pytest.raises(NotFound):
        access_to(user=user, patient_id=father.pk + 999)
    told = Notification.objects.get(kind="access_begun")
    assert (told.user, told.patient, told.facts["name"]) == (father_user, father, "陈*")


def test_a_person_changes_hands_by_their_code_and_the_holder_is_told(phone: Phone) -> None:
    first, own = adult(phone)
    second = patient_user()
    access = bound(phone, second, own)
    assert (
        "另一个账户" in phone.sent[-1].fields["todo"] or "another" in phone.sent[-1].fields["todo"]
    )
    assert access_of(first) == [] and access_of(second) == [access]
    earlier = PatientAccess.objects.get(user=first)
    assert (earlier.ended_how, earlier.may_view, earlier.may_pay) == ("handed_over", False, False)
    assert Notification.objects.get(kind="card_moved").user == first


def test_a_sixth_person_is_refused(phone: Phone) -> None:
    user, _own = adult(phone)
    for n in range(3):
        bound(phone, user, person(f"家人{n}"), Relation.OTHER)
    waiting, late = begun(user, person("第五"), Relation.OTHER), phone.code
    PatientAccess.objects.create(
        user=user, patient=person(), relation="other", may_pay=True, created_at=clock.now()
    )
    assert refusal(waiting, late).code == "family_full"
    with pytest.raises(Conflict, match="family_full"):
        begun(user, person("第六"), Relation.OTHER)
