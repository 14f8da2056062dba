"""What bills say about a visit: what may still change, and whether it may be cancelled."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from billing.models import ChargeItem, Invoice
from billing.services.charging.encounters import (
    encounter_cancel_with_charges,
    encounter_is_billed,
    encounter_open,
)
from billing.services.charging.invoices import invoice_cancel
from billing.services.sweeps import transaction_resume
from core import clock
from core.errors import BadInput, Conflict, NotFound
from core.models import StateChange
from patients.models import Encounter
from patients.services.encounters import EncounterInput, EncounterRegistered
from tests.billing.services.bills import (
    ASKER,
    ask_back,
    driven,
    in_flight,
    paid,
    part,
    refunds_of,
)
from tests.factories.billing import charge, invoice
from tests.factories.patients import campus, encounter, his_client, patient

pytestmark = pytest.mark.django_db


def told(**changed: Any) -> EncounterInput:
    usual = EncounterInput(
        mrn="M-1",
        card_no="",
        kind="outpatient",
        campus="main",
        department_code="A03",
        department_name="内科",
        doctor_code="D001",
        doctor_national_code="",
        doctor_name="测试医师",
        started_at=clock.now(),
        diagnoses=[{"code": "J00", "name": "急性鼻咽炎", "main": True}],
        med_type="11",
        disease_code="",
        mdtrt_id="",
        self_pay=True,
        input_hash="h1",
    )
    return dataclasses.replace(usual, **changed)


def register(**changed: Any) -> EncounterRegistered:
    return encounter_open(client=his_client(), encounter_no="V1", data=told(**changed), by=ASKER)


@pytest.fixture
def visit() -> Encounter:
    campus()
    patient("M-1")
    registered = register()
    assert registered.created
    return registered.encounter


def cancel(visit: Encounter) -> Encounter:
    return encounter_cancel_with_charges(
        client=visit.client, encounter_no=visit.encounter_no, by=ASKER
    )


def test_a_visit_is_opened_with_who_took_the_wish_to_pay_without_insurance(
    visit: Encounter,
) -> None:
    assert (visit.status, visit.self_pay_operator) == ("OPEN", "his:C1 收费员")
    with pytest.raises(BadInput) as refused:
        encounter_open(client=his_client(), encounter_no="V2", data=told(), by=None)
    assert refused.value.field == "operator"
    assert Encounter.objects.count() == 1


@pytest.mark.parametrize("named", [{"mrn": "M-1", "card_no": "C-1"}, {"mrn": ""}])
def test_exactly_one_name_of_the_patient_is_needed(visit: Encounter, named: Any) -> None:
    with pytest.raises(BadInput) as refused:
        register(input_hash="h2", **named)
    assert refused.value.code == "mrn_or_card_no"


def test_the_same_content_again_changes_nothing_other_content_replaces(visit: Encounter) -> None:
    assert not register(doctor_name="别人").created  # same hash: not even read
    assert Encounter.objects.get().doctor_name == "测试医师"
    register(doctor_name="何医生", med_type="14", input_hash="h2")
    row = Encounter.objects.get()
    assert (row.doctor_name, row.med_type) == ("何医生", "14")


def test_once_billed_what_the_bill_was_made_from_stays(visit: Encounter) -> None:
    invoice(1_000, of=visit)
    for field, value in (("med_type", "14"), ("kind", "emergency"), ("mdtrt_id", "X1")):
        with pytest.raises(Conflict) as refused:
            register(input_hash="h2", **{field: value})
        assert (refused.value.code, refused.value.field) == ("already_billed", field)
    patient("M-2")
    with pytest.raises(Conflict) as refused:
        register(input_hash="h2", mrn="M-2")
    assert refused.value.field == "mrn"
    # who treats may still change
    register(doctor_name="何医生", input_hash="h3")
    assert Encounter.objects.get().doctor_name == "何医生"


def test_a_cancelled_bill_frees_the_visit(visit: Encounter) -> None:
    bill = invoice(1_000, of=visit)
    assert encounter_is_billed(visit)
    invoice_cancel(client=bill.client, invoice_no=bill.invoice_no, operator=ASKER)
    assert not encounter_is_billed(visit)
    register(med_type="14", input_hash="h2")
    assert Encounter.objects.get().med_type == "14"


def test_cancelling_a_visit_cancels_its_unbilled_charges(visit: Encounter) -> None:
    charge(visit, 1_000, "C-1")
    charge(visit, 250, "C-2")
    other = charge(encounter(), 500, "C-3")
    assert cancel(visit).status == "CANCELLED"
    statuses = dict(ChargeItem.objects.values_list("charge_no", "status"))
    assert statuses == {"C-1": "CANCELLED", "C-2": "CANCELLED", "C-3": "UNBILLED"}
    assert other.encounter_id != visit.pk
    # again: nothing more is written
    trace = StateChange.objects.count()
    assert cancel(visit).status == "CANCELLED"
    assert StateChange.objects.count() == trace


@pytest.mark.parametrize(
    ("bill", "word"),
    [
        (lambda: invoice(1_000), "未结"),
        (lambda: in_flight(1_000), "未结"),
        (lambda: paid(1_000), "已支付"),
    ],
    ids=["issued", "in_flight", "paid"],
)
def test_a_visit_with_a_standing_bill_is_not_cancelled(bill: Any, word: str) -> None:
    row: Invoice = bill()
    charge(row.encounter, 300, "C-left")
    with pytest.raises(Conflict) as refused:
        cancel(row.encounter)
    assert refused.value.code == "visit_billed"
    assert f"{row.invoice_no} {word}" in str(refused.value.message)
    row.encounter.refresh_from_db()
    assert row.encounter.status == "OPEN"
    assert ChargeItem.objects.get(charge_no="C-left").status == "UNBILLED"


def test_a_bill_given_back_in_part_still_stands_and_one_given_back_whole_does_not() -> None:
    bill = paid(1_000, 2_000)
    give_back(bill, 0, "F1")
    with pytest.raises(Conflict):
        cancel(bill.encounter)
    give_back(bill, 1, "F2")
    bill.refresh_from_db()
    assert bill.status == "REFUNDED"
    assert cancel(bill.encounter).status == "CANCELLED"


def give_back(bill: Invoice, place: int, refund_no: str) -> None:
    """Return one whole line and let its refund be sent."""
    ask_back(bill, part(bill, place), refund_no=refund_no)
    for row in refunds_of(bill):
        transaction_resume(transaction_id=row.pk)


def test_a_visit_nobody_opened_is_not_found() -> None:
    with pytest.raises(NotFound):
        encounter_cancel_with_charges(client=his_client(), encounter_no="V404", by=ASKER)


def test_a_visit_of_another_client_is_not_found(visit: Encounter) -> None:
    with pytest.raises(NotFound):
        encounter_cancel_with_charges(client=his_client("other"), encounter_no="V1", by=ASKER)
    assert driven(invoice(1_000, of=visit)).status == "ISSUED"
