"""Charges as the HIS puts them: all or none, replaced until billed, cancelled once."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from billing.models import ChargeItem
from billing.services.charging.charge_input import ChargeInput
from billing.services.charging.charges import ChargesPut, charge_cancel, charges_put
from core import clock
from core.errors import BadInput, Conflict, NotFound
from core.models import StateChange
from patients.models import Encounter
from tests.billing.services.bills import ASKER
from tests.factories.billing import invoice
from tests.factories.patients import encounter, his_client

pytestmark = pytest.mark.django_db


def told(charge_no: str = "C-1", **changed: Any) -> ChargeInput:
    usual = ChargeInput(
        charge_no=charge_no,
        item_code="001102000010000",
        national_code="",
        item_name="普通门诊诊查费",
        category="02",
        amount_fen=1_000,
        unit_price=Decimal("10.000000"),
        quantity=Decimal("1.0000"),
        ordered_at=clock.now(),
        details={"order_no": "O1"},
    )
    return dataclasses.replace(usual, **changed)


def put(visit: Encounter, *inputs: ChargeInput, **how: Any) -> ChargesPut:
    return charges_put(client=visit.client, encounter_no=visit.encounter_no, inputs=inputs, **how)


def cancel(visit: Encounter, charge_no: str = "C-1") -> ChargeItem:
    return charge_cancel(
        client=visit.client, encounter_no=visit.encounter_no, charge_no=charge_no, by=ASKER
    )


@pytest.fixture
def visit() -> Encounter:
    return encounter()


def amounts() -> dict[str, int]:
    return dict(ChargeItem.objects.values_list("charge_no", "amount_fen"))


def test_charges_are_put_in_their_order(visit: Encounter) -> None:
    done = put(visit, told("C-2", amount_fen=250), told("C-1"))
    assert [row.charge_no for row in done.charges] == ["C-2", "C-1"]
    assert done.created == 2
    assert amounts() == {"C-1": 1_000, "C-2": 250}
    assert {row.status for row in ChargeItem.objects.all()} == {"UNBILLED"}


def test_again_nothing_changes_and_other_content_replaces(visit: Encounter) -> None:
    put(visit, told("C-1"), told("C-2"))
    done = put(visit, told("C-1"), told("C-2", amount_fen=300), told("C-3"))
    assert done.created == 1
    assert [row.charge_no for row in done.charges] == ["C-1", "C-2", "C-3"]
    assert amounts() == {"C-1": 1_000, "C-2": 300, "C-3": 1_000}
    assert ChargeItem.objects.get(charge_no="C-2").input_hash == done.charges[1].input_hash


def test_a_number_twice_in_a_list_is_named(visit: Encounter) -> None:
    with pytest.raises(BadInput) as refused:
        put(visit, told("C-1"), told("C-2"), told("C-1"))
    assert refused.value.field == "[2].charge_no"
    assert amounts() == {}


def test_more_than_a_thousand_are_too_many(visit: Encounter) -> None:
    with pytest.raises(BadInput) as refused:
        put(visit, *(told(f"C-{n}") for n in range(1_001)))
    assert refused.value.code == "too_many"
    assert put(visit, *(told(f"C-{n}") for n in range(1_000))).created == 1_000


@pytest.mark.parametrize("single", [False, True])
def test_what_is_billed_stays_and_the_whole_list_is_refused(visit: Encounter, single: bool) -> None:
    put(visit, told("C-1"))
    invoice(of=visit)  # bills C-1 and a charge of its own
    wanted = [told("C-1", amount_fen=999)] if single else [told("C-new"), told("C-1", amount_fen=1)]
    with pytest.raises(Conflict) as refused:
        put(visit, *wanted, single=single)
    assert refused.value.code == "charge_billed"
    assert refused.value.field == ("charge_no" if single else "[1].charge_no")
    assert amounts()["C-1"] == 1_000
    assert "C-new" not in amounts()
    assert put(visit, told("C-1")).created == 0  # the same content is no change


def test_a_number_of_another_visit_is_refused(visit: Encounter) -> None:
    put(visit, told("C-1"))
    with pytest.raises(Conflict) as refused:
        put(encounter(), told("C-1"))
    assert refused.value.code == "charge_elsewhere"


def test_a_number_belongs_to_its_client(visit: Encounter) -> None:
    put(visit, told("C-1"))
    other = encounter(client=his_client("other"))
    assert put(other, told("C-1", amount_fen=7)).created == 1
    assert ChargeItem.objects.filter(charge_no="C-1").count() == 2


@pytest.mark.parametrize("status", ["CLOSED", "CANCELLED"])
def test_a_visit_that_has_ended_takes_no_new_charge(visit: Encounter, status: str) -> None:
    put(visit, told("C-1"))
    Encounter.objects.filter(pk=visit.pk).update(status=status)
    assert put(visit, told("C-1")).created == 0
    for wanted in (told("C-2"), told("C-1", amount_fen=1)):
        with pytest.raises(Conflict) as refused:
            put(visit, wanted)
        assert refused.value.code == "encounter_ended"
    assert amounts() == {"C-1": 1_000}


def test_a_charge_is_cancelled_once_and_stays_so(visit: Encounter) -> None:
    put(visit, told("C-1"))
    assert cancel(visit).status == "CANCELLED"
    trace = StateChange.objects.count()
    assert cancel(visit).status == "CANCELLED"
    assert StateChange.objects.count() == trace
    with pytest.raises(Conflict) as refused:
        put(visit, told("C-1", amount_fen=1))
    assert refused.value.code == "charge_cancelled"


def test_a_billed_charge_is_not_cancelled(visit: Encounter) -> None:
    put(visit, told("C-1"))
    invoice(of=visit)
    with pytest.raises(Conflict) as refused:
        cancel(visit)
    assert refused.value.code == "charge_billed"
    assert ChargeItem.objects.get(charge_no="C-1").status == "BILLED"


def test_a_charge_that_is_not_of_this_visit_is_not_found(visit: Encounter) -> None:
    put(encounter(), told("C-1"))
    for number in ("C-1", "C-404"):
        with pytest.raises(NotFound):
            cancel(visit, number)
    assert ChargeItem.objects.get().status == "UNBILLED"
