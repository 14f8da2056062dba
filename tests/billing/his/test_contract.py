"""The contract on a good day: every call of the table, and the same call again."""

from __future__ import annotations

from billing.ledger.selectors import account_balance
from billing.models import ChargeItem, HisEvent, Invoice, InvoiceLine
from core.models import StateChange
from patients.models import Encounter, Patient
from tests.billing.his.conftest import (
    APPROVER,
    OPERATOR,
    His,
    charge_body,
    encounter_body,
    patient_body,
)
from tests.factories.patients import TOKEN, his_client


def test_a_patient_is_new_then_the_same_then_replaced(his: His) -> None:
    assert his("PUT", "patients/M1", patient_body()) == (201, {"mrn": "M1", "in_review": False})
    assert his("PUT", "patients/M1", patient_body())[0] == 200
    assert his("PUT", "patients/M1", patient_body(phone="13900000002"))[0] == 200
    assert Patient.objects.get().phone == "13900000002"


def test_a_visit_is_new_then_the_same_then_replaced(his: His) -> None:
    his("PUT", "patients/M1", patient_body())
    expected = {"encounter_no": "E1", "status": "OPEN"}
    assert his("PUT", "encounters/E1", encounter_body()) == (201, expected)
    assert his("PUT", "encounters/E1", encounter_body()) == (200, expected)
    assert his("PUT", "encounters/E1", encounter_body(med_type="13")) == (200, expected)
    assert Encounter.objects.get().med_type == "13"


def test_a_list_of_charges_is_put_and_put_again(his: His, visit: str) -> None:
    body = [charge_body(f"C{n}", amount_fen=100 * n) for n in range(1, 4)]
    for _again in range(2):
        status, answer = his("POST", "encounters/E1/charges", body)
        assert status == 200
        assert answer == {
            "charges": [
                {"charge_no": f"C{n}", "status": "UNBILLED", "amount_fen": 100 * n}
                for n in range(1, 4)
            ],
            "warnings": [],
        }
    assert ChargeItem.objects.count() == 3


def test_one_charge_is_new_then_same_then_replaced_then_frozen(his: His, visit: str) -> None:
    path = "encounters/E1/charges/C1"
    assert his("PUT", path, charge_body())[0] == 201
    same = charge_body(quantity="1.0", ordered_at="2026-11-20T01:40:00Z", operator=OPERATOR)
    assert his("PUT", path, same)[0] == 200
    status, answer = his("PUT", path, charge_body(amount_fen=2000))
    assert (status, answer["amount_fen"]) == (200, 2000)
    assert ChargeItem.objects.get().amount_fen == 2000
    assert his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0] == 201
    assert his("PUT", path, charge_body(amount_fen=2000))[0] == 200
    status, answer = his("PUT", path, charge_body(amount_fen=1999))
    assert (status, answer["errors"][0]["field"]) == (409, "charge_no")
    assert ChargeItem.objects.get().amount_fen == 2000


def test_a_charge_is_cancelled_once_and_cannot_come_back(his: His, visit: str) -> None:
    his("PUT", "encounters/E1/charges/C1", charge_body())
    for _again in range(2):
        status, answer = his("POST", "encounters/E1/charges/C1/cancel", {"operator": OPERATOR})
        assert (status, answer["status"]) == (200, "CANCELLED")
    assert his("PUT", "encounters/E1/charges/C1", charge_body(amount_fen=5))[0] == 409
    assert his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0] == 409


def test_a_bill_is_issued_read_and_replayed(his: His, visit: str) -> None:
    body = [charge_body(f"C{n}", amount_fen=1000 + n) for n in range(10)]
    his("POST", "encounters/E1/charges", body)
    status, issued = his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    assert status == 201
    assert issued.pop("warnings") == []
    assert issued == {
        "invoice_no": "I1",
        "encounter_no": "E1",
        "status": "ISSUED",
        "amount_fen": 10045,
        "due_fen": 10045,
        "paid_fen": 0,
        "refunded_fen": 0,
        "split": None,
        "payments": [],
        "claim": None,
        "action": None,
        "reason": None,
        "ledger": {"receivable_fen": 10045, "refund_payable_fen": 0},
    }
    assert his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0] == 200
    assert his("GET", "invoices/I1") == (200, issued)
    assert account_balance("patient_receivable") == 10045
    assert account_balance("medical_revenue") == -10045
    assert list(HisEvent.objects.values_list("seq", "type")) == [(1, "priced")]
    steps = StateChange.objects.filter(entity="billing.chargeitem", to_status="BILLED")
    assert steps.count() == 10


def test_named_charges_are_billed_and_the_rest_stay(his: His, visit: str) -> None:
    his("POST", "encounters/E1/charges", [charge_body(f"C{n}") for n in range(3)])
    body = {"charge_nos": ["C0", "C2"], "operator": OPERATOR}
    assert his("PUT", "encounters/E1/invoices/I1", body)[1]["amount_fen"] == 2000
    assert his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0] == 409
    assert his("PUT", "encounters/E1/invoices/I2", body)[0] == 409
    assert his("PUT", "encounters/E1/invoices/I3", {"operator": OPERATOR})[1]["amount_fen"] == 1000
    assert his("PUT", "encounters/E1/invoices/I4", {"operator": OPERATOR})[0] == 409


def test_a_cancelled_bill_gives_its_charges_back(his: His, visit: str) -> None:
    his("PUT", "encounters/E1/charges/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    for _again in range(2):
        status, answer = his("POST", "invoices/I1/cancel", {"operator": OPERATOR})
        assert (status, answer["status"], answer["due_fen"]) == (200, "CANCELLED", 0)
        assert answer["ledger"] == {"receivable_fen": 0, "refund_payable_fen": 0}
    assert (
        his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[1]["status"] == "CANCELLED"
    )
    assert his("PUT", "encounters/E1/invoices/I2", {"operator": OPERATOR})[0] == 201
    assert account_balance("patient_receivable") == 1000
    assert InvoiceLine.objects.filter(live=True).count() == 1
    assert list(HisEvent.objects.order_by("pk").values_list("type", flat=True)) == [
        "priced",
        "cancelled",
        "priced",
    ]


def test_a_visit_is_cancelled_only_without_a_standing_bill(his: His, visit: str) -> None:
    his("PUT", "encounters/E1/charges/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    assert his("POST", "encounters/E1/cancel", {"operator": OPERATOR})[0] == 409
    his("POST", "invoices/I1/cancel", {"operator": OPERATOR})
    for _again in range(2):
        assert his("POST", "encounters/E1/cancel", {"operator": OPERATOR}) == (
            200,
            {"encounter_no": "E1", "status": "CANCELLED"},
        )
    assert ChargeItem.objects.get().status == "CANCELLED"
    assert his("PUT", "encounters/E1/charges/C2", charge_body())[0] == 409
    assert his("PUT", "encounters/E1", encounter_body(med_type="13"))[0] == 409


def test_a_closed_visit_takes_no_charge_but_its_charges_are_billed(his: His, visit: str) -> None:
    his("PUT", "encounters/E1/charges/C1", charge_body())
    for _again in range(2):
        assert his("POST", "encounters/E1/close")[0] == 200
    assert his("PUT", "encounters/E1/charges/C2", charge_body())[0] == 409
    assert his("PUT", "encounters/E1/charges/C1", charge_body())[0] == 200
    assert his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})[0] == 201


def test_what_a_bill_was_made_from_no_longer_changes(his: His, visit: str) -> None:
    his("PUT", "encounters/E1/charges/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    status, answer = his("PUT", "encounters/E1", encounter_body(med_type="13"))
    assert (status, answer["errors"][0]["field"]) == (409, "med_type")
    free = encounter_body(department={"code": "A04", "name": "外科"})
    assert his("PUT", "encounters/E1", free)[0] == 200


def test_numbers_belong_to_their_client(his: His, visit: str) -> None:
    other = his_client("other")
    stranger = His(f"{TOKEN}-{other.code}")
    assert stranger("POST", "encounters/E1/charges", [charge_body("C1")])[0] == 404
    his("PUT", "encounters/E1/charges/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    assert stranger("GET", "invoices/I1")[0] == 404
    assert stranger("GET", "events")[1] == {"events": [], "next": 0}
    assert Invoice.objects.count() == 1


def test_a_return_needs_two_people(his: His, visit: str) -> None:
    his("PUT", "encounters/E1/charges/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    body = {"refund_no": "F1", "lines": "all", "reason": "退药", "operator": OPERATOR}
    status, answer = his("POST", "invoices/I1/refunds", {**body, "approved_by": OPERATOR})
    assert (status, answer["errors"][0]["field"]) == (400, "approved_by")
    status, answer = his("POST", "invoices/I1/refunds", {**body, "approved_by": APPROVER})
    assert (status, answer["type"]) == (409, "urn:portal:problem:invoice_not_paid")
