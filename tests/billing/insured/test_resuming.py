"""A bill that waited for the insurance code goes on by itself when it was shown, at any door."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import CollectRequest, InsuredCourse, Invoice
from billing.policy import policy
from billing.services.insuring.resuming import bills_proved_resume
from billing.tasks import sweep_invoices
from core.actors import Actor
from insurance.gateway.visit_values import Credential, CredentialKind
from insurance.models import HeldCredential
from insurance.services.credentials import credential_keep
from patients.models import Encounter, Identifier
from tests.billing.his.conftest import OPERATOR, His, charge_body, encounter_body
from tests.billing.insured.ward import Ward, even, movements, split_of, told
from tests.contracts.nhsa_house import ADULT

pytestmark = pytest.mark.django_db
BY = Actor("his", "his", "")


@pytest.fixture
def waiting(ward: Ward) -> Ward:
    """A second visit of an insured patient, its bill issued; nobody has shown a code."""
    ward.agreement()
    ward.paid()
    his = His()
    mrn = Identifier.objects.get(patient=ward.visit.patient, kind="mrn").value
    his("PUT", "encounters/V2", encounter_body(mrn=mrn, self_pay=False))
    his("PUT", "encounters/V2/charges/V2C1", charge_body())
    his("PUT", "encounters/V2/invoices/V2I1", {"operator": OPERATOR})
    return ward


def bill_of() -> Invoice:
    return Invoice.objects.get(invoice_no="V2I1")


def asked(ward: Ward, method: str = "auto") -> CollectRequest:
    """Somebody collects and is told to have the code shown."""
    collect = ward.collect(bill_of(), method)
    assert (collect.status, collect.decline_code) == ("ACTION_REQUIRED", "no_credential")
    assert InsuredCourse.objects.get(invoice=bill_of()).proof_wanted_at is not None
    return collect


def card_read() -> None:
    """The proof of the visit arrives at some other door."""
    visit = Encounter.objects.get(encounter_no="V2")
    credential_keep(encounter=visit, credential=Credential(CredentialKind.ID_CARD, ADULT))


def shown(ward: Ward) -> tuple[int, Any]:
    """The HIS sends the visit again with the code."""
    mrn = Identifier.objects.get(patient=ward.visit.patient, kind="mrn").value
    proof = {"type": "one_code", "value": ward.code()}
    return His()("PUT", "encounters/V2", encounter_body(mrn=mrn, self_pay=False, credential=proof))


def swept(ward: Ward) -> Invoice:
    bill = bill_of()
    ward.driven(bill)
    ward.ended(bill)
    return bill


def test_the_code_sent_by_the_his_carries_the_collect_to_its_end(waiting: Ward) -> None:
    collect = asked(waiting)
    assert shown(waiting)[1]["credential"] == "held"
    assert bill_of().status == "COLLECTING"
    bill = swept(waiting)
    # 10.00 of class A at 0.60 of the fund; the account is empty since the first bill.
    assert (bill.status, split_of(bill)) == ("PAID", (600, 0, 0, 0, 400))
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 400)]
    collect.refresh_from_db()
    assert (collect.status, waiting.answer(collect)) == ("PAID", {"result": "paid"})
    assert told(bill) == ["action_required", "priced", "paid"]
    even(waiting, bill)


def test_a_proof_at_any_door_is_found_by_the_sweeper(waiting: Ward) -> None:
    asked(waiting)
    assert bills_proved_resume(limit=10) == []
    card_read()
    sweep_invoices()
    bill = swept(waiting)
    assert (bill.status, split_of(bill)[4]) == ("PAID", 400)
    assert InsuredCourse.objects.get(invoice=bill).proof_wanted_at is None
    assert bills_proved_resume(limit=10) == []
    even(waiting, bill)


def test_a_bill_nobody_collects_is_priced(waiting: Ward) -> None:
    bill = waiting.driven(bill_of())
    assert (bill.status, bill.action["type"]) == ("ISSUED", "show_code")
    card_read()
    assert bills_proved_resume(limit=10) == [bill.pk]
    waiting.driven(bill)
    assert (bill.status, split_of(bill), bill.action) == ("ISSUED", (600, 0, 0, 0, 400), None)
    assert movements(bill) == []


@pytest.mark.parametrize("method", ["auto", "cash"])
def test_after_its_time_or_at_the_window_only_the_price_follows(waiting: Ward, method: str) -> None:
    collect = asked(waiting, method)
    if method == "auto":
        waiting.later(policy().show_code_s)
    card_read()
    assert bills_proved_resume(limit=10) == [bill_of().pk]
    bill = swept(waiting)
    assert (bill.status, split_of(bill)[4], movements(bill)) == ("ISSUED", 400, [])
    collect.refresh_from_db()
    assert collect.status == "ACTION_REQUIRED"


def test_a_proof_that_has_run_out_wakes_nothing(waiting: Ward) -> None:
    asked(waiting)
    card_read()
    HeldCredential.objects.filter(encounter__encounter_no="V2").update(held=False)
    assert bills_proved_resume(limit=10) == []


def test_a_newer_collect_is_not_overtaken_by_the_older_one(waiting: Ward) -> None:
    first = asked(waiting)
    second = waiting.collect(bill_of(), "one_code", waiting.code())
    assert second.status == "PAID"
    assert bills_proved_resume(limit=10) == []
    first.refresh_from_db()
    assert first.status == "ACTION_REQUIRED"
    even(waiting, bill_of())
