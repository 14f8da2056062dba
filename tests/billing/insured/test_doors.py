"""The HIS insures a visit, and hears in words why a bill is not insured."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Invoice
from core.models import AuditEvent
from insurance.models import Claim, HeldCredential
from patients.models import Encounter, Identifier
from tests.billing.his.conftest import OPERATOR, His, charge_body, encounter_body
from tests.billing.insured.ward import Ward, even, split_of, told
from tests.contracts.nhsa_house import DRUG

pytestmark = pytest.mark.django_db
OTHER = "330300199001010011"


@pytest.fixture
def his() -> His:
    return His()


def visit_put(his: His, ward: Ward, no: str = "V1", **changes: Any) -> tuple[int, Any]:
    mrn = Identifier.objects.get(patient=ward.visit.patient, kind="mrn").value
    body = encounter_body(mrn=mrn, self_pay=False, **changes)
    return his("PUT", f"encounters/{no}", body)


def issued(his: His, no: str = "V1", **charge: Any) -> tuple[int, Any]:
    his("PUT", f"encounters/{no}/charges/{no}C1", charge_body(**charge))
    return his("PUT", f"encounters/{no}/invoices/{no}I1", {"operator": OPERATOR})


def collect(his: His, ward: Ward, no: str = "V1", **changes: Any) -> Any:
    body = {"request_no": f"R{changes}"[:9].encode().hex(), "method": "auto", "operator": OPERATOR}
    his("POST", f"invoices/{no}I1/collect", body | changes)
    bill = Invoice.objects.get(invoice_no=f"{no}I1")
    ward.driven(bill)
    ward.ended(bill)
    return his("POST", f"invoices/{no}I1/collect", body | changes)[1]


def test_a_code_sent_with_the_visit_insures_its_bills(his: His, ward: Ward) -> None:
    ward.agreement()
    code = ward.code()
    proof = {"type": "one_code", "value": code}
    assert visit_put(his, ward, credential=proof)[1]["credential"] == "held"
    # the same registration again reads nothing again
    before = len(ward.insurer.calls())
    assert visit_put(his, ward, credential=proof) == (
        200, {"encounter_no": "V1", "status": "OPEN", "credential": "held"},
    )  # fmt: skip
    assert len(ward.insurer.calls()) == before
    status, body = issued(his)
    assert (status, body["status"], body["split"], body["claim"]["status"]) == (
        201, "PRICING", None, "OPEN",
    )  # fmt: skip
    answer = collect(his, ward)
    assert answer["result"] == "paid"
    assert answer["invoice"]["split"] == {
        "fund_fen": 600, "own_account_fen": 400, "mutual_aid_fen": 0,
        "hospital_part_fen": 0, "cash_fen": 0,
    }  # fmt: skip
    assert answer["invoice"]["claim"]["settlement_no"]
    even(ward, Invoice.objects.get())


def test_another_persons_code_is_refused_and_recorded(his: His, ward: Ward) -> None:
    ward.sandbox.act(
        "nhsa", "enrol_person", OTHER, name="别人", sex="male", birth_date="1990-01-01"
    )
    code = ward.sandbox.act("nhsa", "show_insurance_code", OTHER)["code"]
    status, body = visit_put(his, ward, credential={"type": "one_code", "value": code})
    assert (status, body["credential"], body["reason"]) == (201, "refused", "other_person")
    visit = Encounter.objects.get(encounter_no="V1")
    assert not HeldCredential.objects.filter(encounter=visit).exists()
    assert AuditEvent.objects.filter(action="insurance_other_person").count() == 1
    # scanned at the collect, it takes nothing either
    issued(his)
    answer = collect(his, ward, method="one_code", auth_code=code)
    assert (answer["result"], answer["reason"]) == ("declined", "other_person")
    assert answer["invoice"]["payments"] == []


def test_an_unreadable_code_says_so(his: His, ward: Ward) -> None:
    status, body = visit_put(his, ward, credential={"type": "one_code", "value": "01" + "9" * 26})
    assert (status, body["credential"], body["reason"]) == (201, "refused", "insurance_code")
    assert "医保码无效" in body["sentence"]


def test_whoever_is_known_to_be_insured_is_asked_for_the_code(his: His, ward: Ward) -> None:
    # given a patient whose entitlement is known from an earlier bill
    ward.agreement()
    ward.paid()
    visit_put(his, ward, no="V2")
    assert issued(his, "V2")[1]["status"] == "PRICING"
    # when nobody shows a code, nothing is taken without insurance
    answer = collect(his, ward, "V2")
    assert (answer["result"], answer["reason"]) == ("action_required", "no_credential")
    assert answer["action"]["type"] == "show_code"
    assert answer["action"]["value"].endswith("/code")
    bill = Invoice.objects.get(invoice_no="V2I1")
    assert (bill.status, told(bill)) == ("ISSUED", ["action_required"])
    # and the code makes it good
    answer = collect(his, ward, "V2", method="one_code", auth_code=ward.code())
    assert (answer["result"], split_of(bill)[4]) == ("paid", 1_000)
    bill.refresh_from_db()
    even(ward, bill)


def test_the_wish_to_pay_alone_is_kept(his: His, ward: Ward) -> None:
    ward.agreement()
    mrn = Identifier.objects.get(patient=ward.visit.patient, kind="mrn").value
    his("PUT", "encounters/V1", encounter_body(mrn=mrn, self_pay=True))
    assert issued(his)[1]["status"] == "ISSUED"
    status, body = his(
        "POST",
        "invoices/V1I1/collect",
        {"request_no": "R1", "method": "one_code", "auth_code": ward.code(), "operator": OPERATOR},
    )
    assert (status, body["errors"][0]["field"]) == (409, "method")
    assert collect(his, ward)["result"] == "paid"
    assert not Claim.objects.exists()


def test_a_drug_without_prescription_is_refused_with_its_name(his: His, ward: Ward) -> None:
    visit_put(his, ward, credential={"type": "one_code", "value": ward.code()})
    status, body = issued(his, item_code=DRUG, national_code=DRUG, category="09")
    assert status == 409
    assert DRUG in body["detail"]
    assert not Invoice.objects.exists()


def test_a_cancelled_bill_leaves_nothing_at_the_insurer(his: His, ward: Ward) -> None:
    bill = ward.priced()
    status, body = his(
        "POST", f"invoices/{bill.invoice_no}/cancel", {"operator": OPERATOR, "reason": "错"}
    )
    assert (status, body["status"], body["claim"]["status"]) == (200, "CANCELLED", "RELEASED")
    even(ward, bill)
    # its charges are billed again, by a claim of their own
    again = ward.bill()
    ward.driven(again)
    assert (again.status, Claim.objects.count()) == ("ISSUED", 2)


def test_paused_insurance_is_said_before_anything_is_taken(his: His, ward: Ward) -> None:
    ward.agreement()
    ward.sandbox.act("nhsa", "set_coverage", ward.insurer.psn_no, psn_insu_stas="2")
    bill = ward.bill()
    asked = ward.collect(bill)
    assert ward.answer(asked)["reason"] == "not_covered"
    assert (bill.status, bill.claim_id, bill.payments.count()) == ("ISSUED", None, 0)
    # whoever goes on then pays alone
    ward.collect(bill)
    assert (bill.status, bill.payments.get().amount_fen) == ("PAID", 4_350)
    even(ward, bill)
