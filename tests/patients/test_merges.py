"""Two records of one person: who joins them, what moves, and that it all goes back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.ledger.selectors import subject_balance
from billing.models import AgreementPatient, Invoice
from core.actors import Actor
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.models import AuditEvent
from patients.actors import patient_actor
from patients.models import (
    Encounter,
    Identifier,
    Notification,
    Patient,
    PatientAccess,
    PatientMerge,
)
from patients.selectors import patients_with_id_number
from patients.selectors.merges import links, merge_preview
from patients.services.access import access_end
from patients.services.merges import (
    patient_merge_decide,
    patient_merge_propose,
    patient_merge_undo,
)
from patients.services.patients import PatientInput, patient_register
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.billing import invoice
from tests.factories.patients import id_number, patient
from tests.patients.binding_house import Phone, adult, begun, confirm, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
MAKER, CHECKER = Actor("staff", "maker", "甲"), Actor("staff", "checker", "乙")


def two_records(**values: Any) -> tuple[Patient, Patient]:
    """The record with the certificate, and the one made in an emergency without it."""
    kept = patient("M-KEPT", name="陈秀兰", number=id_number(1))
    return kept, patient("M-TWICE", name="陈秀兰", **{"phone": kept.phone} | values)


def proposed(kept: Patient, merged: Patient) -> PatientMerge:
    return patient_merge_propose(kept_id=kept.pk, merged_id=merged.pk, reason="急诊建档", by=MAKER)


def decided(merge: PatientMerge, agreed: bool = True, by: Actor = CHECKER) -> PatientMerge:
    return patient_merge_decide(merge_id=merge.pk, agreed=agreed, by=by, comment="核对过证件")


def owners(patient_id: int) -> dict[str, list[int]]:
    return {one.key: one.ids(patient_id) for one in links()}


def test_two_people_join_and_the_rows_follow() -> None:
    kept, merged = two_records()
    bill = invoice(1_000)
    Encounter.objects.filter(pk=bill.encounter_id).update(patient=merged)
    Invoice.objects.filter(pk=bill.pk).update(patient=merged)
    before = subject_balance("patient_receivable", bill.pk)
    assert merge_preview(kept=kept, merged=merged) == {
        "patients.identifier.patient": 1,
        "patients.encounter.patient": 1,
        "billing.invoice.patient": 1,
    }
    merge = proposed(kept, merged)
    assert Invoice.objects.get(pk=bill.pk).patient_id == merged.pk  # nothing before the second
    decided(merge)
    assert Invoice.objects.get(pk=bill.pk).patient_id == kept.pk
    assert Identifier.objects.get(value="M-TWICE").patient_id == kept.pk
    assert subject_balance("patient_receivable", bill.pk) == before
    assert not any(owners(merged.pk).values())
    events = AuditEvent.objects.filter(action="patient_merged").values_list("subject_id", flat=True)
    assert set(events) == {str(kept.pk), str(merged.pk)}


def test_parting_brings_back_exactly_what_was_moved() -> None:
    kept, merged = two_records()
    payments.agreement(merged)
    child = patient("M-CHILD", name="陈安", guardian=merged)
    before = owners(kept.pk), owners(merged.pk)
    merge = decided(proposed(kept, merged))
    child.refresh_from_db()
    assert child.guardian_id == kept.pk
    since = patient("M-SINCE", name="陈宁", guardian=kept)
    patient_merge_undo(merge_id=merge.pk, by=MAKER, reason="不是同一人")
    assert owners(merged.pk) == before[1]
    after = owners(kept.pk)
    assert after.pop("patients.patient.guardian") == [since.pk]  # what came since stays
    assert after == {key: ids for key, ids in before[0].items() if key in after}
    merged.refresh_from_db()
    assert merged.merged_into_id is None
    with pytest.raises(Conflict, match="not_joined"):
        patient_merge_undo(merge_id=merge.pk, by=MAKER, reason="再来")
    proposed(kept, merged)  # and may be proposed anew


def test_one_person_alone_joins_nothing() -> None:
    kept, merged = two_records()
    merge = proposed(kept, merged)
    with pytest.raises(Forbidden, match="maker_is_checker"):
        decided(merge, by=MAKER)
    with pytest.raises(Forbidden, match="not_staff"):
        decided(merge, by=Actor("patient", "user-1"))
    decided(merge)
    with pytest.raises(Forbidden, match="maker_is_checker"):
        patient_merge_undo(merge_id=merge.pk, by=CHECKER, reason="不是同一人")
    with pytest.raises(Conflict, match="review_closed"):
        decided(merge)


@pytest.mark.parametrize("agreed", [True, False])
def test_nothing_is_decided_without_a_reason(agreed: bool) -> None:
    merge = proposed(*two_records())
    with pytest.raises(BadInput, match="reason_missing"):
        patient_merge_decide(merge_id=merge.pk, agreed=agreed, by=CHECKER, comment=" ")
    merge.refresh_from_db()
    assert (merge.status, merge.moved) == ("OPEN", {})


def test_a_no_moves_nothing() -> None:
    kept, merged = two_records()
    decided(proposed(kept, merged), agreed=False)
    merged.refresh_from_db()
    assert merged.merged_into_id is None
    assert Identifier.objects.get(value="M-TWICE").patient_id == merged.pk


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "陈秀蓝"}, "other_name"),
        ({"birth_date": date(1991, 1, 1)}, "other_birth"),
        ({"number": id_number(2)}, "other_number"),
    ],
)
def test_records_of_two_people_are_refused(values: dict[str, Any], code: str) -> None:
    kept = patient(name="陈秀兰", number=id_number(1))
    other = patient(**{"name": "陈秀兰"} | values)
    with pytest.raises(Conflict, match=code):
        proposed(kept, other)


def test_other_refusals_of_a_proposal() -> None:
    kept, merged = two_records()
    with pytest.raises(Conflict, match="same_record"):
        proposed(kept, kept)
    with pytest.raises(NotFound):
        patient_merge_propose(kept_id=kept.pk, merged_id=99_999, reason="x", by=MAKER)
    with pytest.raises(BadInput):
        patient_merge_propose(kept_id=kept.pk, merged_id=merged.pk, reason=" ", by=MAKER)
    Patient.objects.filter(pk=merged.pk).update(guardian=kept)
    with pytest.raises(Conflict, match="guardian"):
        proposed(kept, merged)
    Patient.objects.filter(pk=merged.pk).update(guardian=None)
    proposed(kept, merged)
    with pytest.raises(Conflict, match="merge_open"):
        proposed(kept, merged)


def test_accounts_are_sorted_out_before() -> None:
    kept, merged = two_records()
    holder = payments.user()
    payments.access(kept, holder)
    payments.access(merged, payments.user())
    with pytest.raises(Conflict, match="two_accounts"):
        proposed(kept, merged)
    other = patient("M-OTHER", name="陈秀兰")
    payments.access(other, holder, "other")
    with pytest.raises(Conflict, match="bound_twice"):
        proposed(kept, other)


def test_an_account_let_in_by_another_phone_gets_no_history_by_a_join(phone: Phone) -> None:
    # given an account bound by its card number to a duplicate with a phone of its own
    kept, merged = two_records(phone="13899990000")
    reader = patient_user()
    access = confirm(begun(reader, merged, id_number="", card_no="M-TWICE"), phone.code)
    # then neither record is joined to the other, however they are named
    for pair in ((kept, merged), (merged, kept)):
        with pytest.raises(Conflict, match="other_phone"):
            proposed(*pair)
    # and once the binding is ended they are
    access_end(user=reader, access_id=access.pk, by=patient_actor(reader))
    decided(proposed(kept, merged))
    assert not PatientAccess.objects.live().filter(patient=kept).exists()


def test_a_binding_made_after_the_proposal_stops_the_join(phone: Phone) -> None:
    kept, merged = two_records(phone="13899990000")
    merge = proposed(kept, merged)
    confirm(begun(patient_user(), merged, id_number="", card_no="M-TWICE"), phone.code)
    with pytest.raises(Conflict, match="other_phone"):
        decided(merge)
    merged.refresh_from_db()
    assert merged.merged_into_id is None


def test_a_childs_phone_is_the_guardians(phone: Phone) -> None:
    user, mother = adult(phone)
    kept, merged = (
        patient(name="陈安", birth_date=date(2018, 5, 6), guardian=mother) for _n in range(2)
    )
    assert kept.phone != merged.phone
    payments.access(merged, user, "child")
    decided(proposed(kept, merged))
    assert PatientAccess.objects.get(user=user, relation="child").patient == kept


def test_an_account_proven_by_the_certificate_keeps_its_record_in_a_join() -> None:
    kept, merged = two_records(phone="13899990000")
    access = payments.access(kept, payments.user())
    decided(proposed(kept, merged))
    access.refresh_from_db()
    assert (access.patient, access.ended_at) == (kept, None)


def test_the_phones_on_both_records_are_told_of_the_join() -> None:
    kept, merged = two_records(phone="13899990000")
    both = {kept.phone, merged.phone}
    decided(proposed(kept, merged))
    told = Notification.objects.filter(kind="records_joined")
    assert {(row.address, row.user, row.facts["name"]) for row in told} == {
        (phone, None, "陈*兰") for phone in both
    }
    # and one phone, with no phone beside it, is told once
    same = patient(name="陈秀兰", phone="")
    decided(proposed(kept, same))
    assert told.all().count() == 3


def test_an_agreement_that_pays_for_both_pays_for_one() -> None:
    kept, merged = two_records()
    signed = payments.agreement(kept)
    AgreementPatient.objects.create(agreement=signed, patient=merged, created_at=signed.created_at)
    decided(proposed(kept, merged))
    assert signed.pays_for.filter(patient=kept).count() == 1
    assert signed.pays_for.filter(patient=merged).count() == 1  # it stays, and pays for nobody


def test_a_joined_record_is_nobody_any_more() -> None:
    number = id_number(1)
    kept = patient("M-KEPT", name="陈秀兰", number=number)
    merged = patient("M-TWICE", name="陈秀兰", number=number)
    decided(proposed(kept, merged))
    assert patients_with_id_number(id_type="id_card", id_number=number) == [kept]


def test_the_his_may_go_on_telling_the_duplicate_without_its_number() -> None:
    kept, merged = two_records()
    decided(proposed(kept, merged))
    client = Identifier.objects.get(value="M-TWICE").client
    told = PatientInput("陈秀兰", "id_card", "", kept.birth_date, "female", "13912345678")
    answer = patient_register(client=client, mrn="M-TWICE", data=told, by=MAKER)
    assert (answer.patient, answer.created) == (kept, False)
    kept.refresh_from_db()
    assert (kept.id_number, kept.phone) == (id_number(1), "13912345678")
