"""Bad input: a clear 4xx as problem+json that names the field, and nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing.models import ChargeItem, CollectRequest, HisEvent, Invoice, InvoiceReturn
from core.models import AuditEvent
from core.money import FEN_MAX
from patients.models import Encounter, Patient
from tests.billing.his.conftest import (
    APPROVER,
    OPERATOR,
    His,
    charge_body,
    encounter_body,
    patient_body,
)

CHARGE = "encounters/E1/charges/C1"
CHARGES = "encounters/E1/charges"
ISSUE = "encounters/E1/invoices/I1"
COLLECT = "invoices/I1/collect"
REFUND = "invoices/I1/refunds"
LONG = "9" * 65


def collect_body(**changes: Any) -> dict[str, Any]:
    body = {"request_no": "R1", "method": "auto", "wait_s": 0, "operator": OPERATOR}
    return {name: value for name, value in (body | changes).items() if value is not ...}


def refund_body(**changes: Any) -> dict[str, Any]:
    line = {"charge_no": "C1", "quantity": "1", "amount_fen": 1000}
    body = {
        "refund_no": "F1",
        "lines": [line],
        "reason": "退药",
        "operator": OPERATOR,
        "approved_by": APPROVER,
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    """The shape of every refusal."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["type"].startswith("urn:portal:problem:")
    assert body["detail"]
    assert all(set(one) == {"field", "reason"} and one["reason"] for one in body["errors"])
    assert body["errors"]
    return body


CHARGE_CASES = [
    ("amount_fen", 0),
    ("amount_fen", -1),
    ("amount_fen", 1.0),
    ("amount_fen", 10.5),
    ("amount_fen", "1000"),
    ("amount_fen", True),
    ("amount_fen", None),
    ("amount_fen", [1]),
    ("amount_fen", 9_000_000_000_000_001),
    ("amount_fen", 10**30),
    ("amount_fen", ...),
    ("unit_price", "1.1234567"),
    ("unit_price", "-1"),
    ("unit_price", "1e3"),
    ("unit_price", "NaN"),
    ("unit_price", "１.0"),
    ("unit_price", "1."),
    ("unit_price", ""),
    ("unit_price", "1,000.00"),
    ("unit_price", " 1"),
    ("unit_price", "1\n"),
    ("unit_price", "99999999999"),
    ("unit_price", 10.5),
    ("unit_price", None),
    ("unit_price", ...),
    ("quantity", "1.12345"),
    ("quantity", "0"),
    ("quantity", "0.0000"),
    ("quantity", "-1"),
    ("quantity", "99999999999"),
    ("quantity", "Infinity"),
    ("quantity", True),
    ("quantity", ...),
    ("category", "00"),
    ("category", "15"),
    ("category", "2"),
    ("category", 2),
    ("category", "0801"),
    ("category", ...),
    ("item_code", ""),
    ("item_code", "a b"),
    ("item_code", "x" * 65),
    ("item_code", 12),
    ("item_name", ""),
    ("item_name", "   "),
    ("item_name", "a\u0001b"),
    ("item_name", "x" * 201),
    ("item_name", ["x"]),
    ("ordered_at", "2026-11-20T09:40:00"),
    ("ordered_at", "2026-11-20"),
    ("ordered_at", "2026-13-20T09:40:00+08:00"),
    ("ordered_at", "2026-11-20T25:40:00+08:00"),
    ("ordered_at", "0001-01-01T00:00:00+08:00"),
    ("ordered_at", 1795142400),
    ("ordered_at", ...),
    ("ordered_by", "D001"),
    ("ordered_by", {}),
    ("ordered_by.code", {"code": ""}),
    ("ordered_by.rank", {"code": "D1", "rank": "x"}),
    ("ordering_department", {"code": "A03"}),
    ("ordering_department", ...),
    ("order_no", ...),
    ("order_no", "a/b"),
    ("approval_flag", 1),
    ("trace_codes", "x"),
    ("trace_codes[0]", [1]),
    ("trace_codes", ["x"] * 201),
    ("operator.name", {"code": "C1"}),
    ("colour", "red"),
    ("client", "other"),
    ("status", "BILLED"),
]


@pytest.mark.parametrize(("field", "value"), CHARGE_CASES)
def test_a_wrong_charge_is_refused(his: His, visit: str, field: str, value: Any) -> None:
    name = field.partition(".")[0].partition("[")[0]
    body = charge_body(**{name: value})
    problem = is_problem(his.raw("PUT", CHARGE, json.dumps(body).encode()), 400)
    assert problem["errors"][0]["field"].startswith(field)
    listed = [charge_body("C0"), charge_body("C1", **{name: value})]
    problem = is_problem(his.raw("POST", CHARGES, json.dumps(listed).encode()), 400)
    assert problem["errors"][0]["field"].startswith(f"[1].{field}")
    assert not ChargeItem.objects.exists()


PATIENT_CASES = [
    ("name", ""),
    ("name", 7),
    ("name", "x" * 101),
    ("id_type", "driver"),
    ("id_number", "110101199001010010"),
    ("id_number", "11010119900101001"),
    ("id_number", "999999199001010011"),
    ("birth_date", "1990-02-30"),
    ("birth_date", "1990-1-1"),
    ("birth_date", "2027-01-01"),
    ("birth_date", 19900101),
    ("sex", "m"),
    ("phone", "12345"),
    ("phone", "1380000000a"),
    ("phone", 13800000001),
    ("guardian", "M9"),
    ("guardian.mrn", {"mrn": ""}),
    ("colour", "red"),
    ("phone", ...),
    ("birth_date", ...),
]


@pytest.mark.parametrize(("field", "value"), PATIENT_CASES)
def test_a_wrong_patient_is_refused(his: His, field: str, value: Any) -> None:
    body = patient_body(**{field.partition(".")[0]: value})
    problem = is_problem(his.raw("PUT", "patients/M1", json.dumps(body).encode()), 400)
    assert problem["errors"][0]["field"] == field
    assert not Patient.objects.exists()


ENCOUNTER_CASES = [
    ("mrn", ..., 400),
    ("card_no", "K1", 400),
    ("mrn", "M404", 404),
    ("mrn", "M 1", 400),
    ("campus", "moon", 404),
    ("kind", "visit", 400),
    ("department", "A03", 400),
    ("department.name", {"code": "A03"}, 400),
    ("doctor", ..., 400),
    ("started_at", "2026-11-20 09:30", 400),
    ("diagnoses", {"code": "J00"}, 400),
    ("diagnoses[0].main", [{"code": "J00", "name": "x", "main": "yes"}], 400),
    ("diagnoses", [{"code": "J00", "name": "x", "main": True}] * 2, 400),
    ("diagnoses", [{"code": "J00", "name": "x", "main": False}] * 51, 400),
    ("med_type", "clinic", 400),
    ("self_pay", "yes", 400),
    ("self_pay", 1, 400),
    ("operator", ..., 400),
    ("ward", "3", 400),
]


@pytest.mark.parametrize(("field", "value", "status"), ENCOUNTER_CASES)
def test_a_wrong_visit_is_refused(his: His, field: str, value: Any, status: int) -> None:
    his("PUT", "patients/M1", patient_body())
    body = encounter_body(**{field.partition(".")[0].partition("[")[0]: value})
    problem = is_problem(his.raw("PUT", "encounters/E1", json.dumps(body).encode()), status)
    expected = "mrn" if field == "card_no" else field
    assert problem["errors"][0]["field"] == expected
    assert not Encounter.objects.exists()


MONEY_CASES = [
    ("PUT", ISSUE, {}, "operator", 400),
    ("PUT", ISSUE, {"operator": "C1"}, "operator", 400),
    ("PUT", ISSUE, {"operator": {"code": "C1"}}, "operator.name", 400),
    ("PUT", ISSUE, {"operator": OPERATOR, "charge_nos": []}, "charge_nos", 400),
    ("PUT", ISSUE, {"operator": OPERATOR, "charge_nos": "all"}, "charge_nos", 400),
    ("PUT", ISSUE, {"operator": OPERATOR, "charge_nos": ["C2", "C2"]}, "charge_nos", 400),
    ("PUT", ISSUE, {"operator": OPERATOR, "charge_nos": ["C404"]}, "charge_nos[0]", 404),
    ("PUT", ISSUE, {"operator": OPERATOR, "amount_fen": 1}, "amount_fen", 400),
    ("PUT", "encounters/E404/invoices/I2", {"operator": OPERATOR}, "encounter_no", 404),
    ("POST", COLLECT, collect_body(request_no=...), "request_no", 400),
    ("POST", COLLECT, collect_body(request_no=LONG), "request_no", 400),
    ("POST", COLLECT, collect_body(method="barter"), "method", 400),
    ("POST", COLLECT, collect_body(method=None), "method", 400),
    ("POST", COLLECT, collect_body(wait_s=11), "wait_s", 400),
    ("POST", COLLECT, collect_body(wait_s=-1), "wait_s", 400),
    ("POST", COLLECT, collect_body(wait_s=0.5), "wait_s", 400),
    ("POST", COLLECT, collect_body(operator=...), "operator", 400),
    ("POST", COLLECT, collect_body(method="scan"), "auth_code", 400),
    ("POST", COLLECT, collect_body(method="scan", auth_code="12345"), "auth_code", 400),
    ("POST", COLLECT, collect_body(method="scan", auth_code=134), "auth_code", 400),
    ("POST", COLLECT, collect_body(amount_fen=1), "amount_fen", 400),
    ("POST", COLLECT, collect_body(method="one_code", auth_code="T01"), "method", 409),
    ("POST", COLLECT, collect_body(method="face"), "auth_code", 400),
    ("POST", COLLECT, collect_body(method="credit"), "method", 409),
    ("POST", COLLECT, collect_body(method="deposit"), "method", 409),
    ("POST", COLLECT, collect_body(method="pos"), "method", 409),
    ("POST", "invoices/I404/collect", collect_body(), "invoice_no", 404),
    ("POST", "invoices/I1/cancel", {}, "operator", 400),
    ("POST", "invoices/I404/cancel", {"operator": OPERATOR}, "invoice_no", 404),
    ("POST", REFUND, refund_body(lines=...), "lines", 400),
    ("POST", REFUND, refund_body(lines=[]), "lines", 400),
    ("POST", REFUND, refund_body(lines="some"), "lines", 400),
    ("POST", REFUND, refund_body(lines=[{"charge_no": "C1"}]), "lines[0].quantity", 400),
    ("POST", REFUND, refund_body(reason=""), "reason", 400),
    ("POST", REFUND, refund_body(approved_by=OPERATOR), "approved_by", 400),
    ("POST", REFUND, refund_body(approved_by=...), "approved_by", 400),
    ("POST", REFUND, refund_body(), "", 409),
    ("POST", "invoices/I404/refunds", refund_body(), "invoice_no", 404),
    ("POST", "encounters/E1/charges/C1/cancel", {"operator": OPERATOR}, "charge_no", 409),
    ("POST", "encounters/E1/charges/C404/cancel", {"operator": OPERATOR}, "charge_no", 404),
    ("POST", "encounters/E1/cancel", {"operator": OPERATOR}, "encounter_no", 409),
]


@pytest.mark.parametrize("case", MONEY_CASES)
def test_a_wrong_money_call_is_refused_and_kept(
    his: His, visit: str, case: tuple[str, str, Any, str, int]
) -> None:
    method, path, body, field, status = case
    # given a bill for C1 and an unbilled C2
    his("POST", CHARGES, [charge_body("C1")])
    his("PUT", ISSUE, {"operator": OPERATOR})
    his("POST", CHARGES, [charge_body("C2")])
    events = HisEvent.objects.count()
    target = path.replace("I1", "I2") if path == ISSUE else path
    # when
    problem = is_problem(his.raw(method, target, json.dumps(body).encode()), status)
    # then the field is named, a trace is left, and nothing else has happened
    assert problem["errors"][0]["field"].startswith(field)
    trace = AuditEvent.objects.get(action="his_refused")
    assert (trace.detail["status"], trace.actor) == (status, "his:his")
    assert Invoice.objects.get().status == "ISSUED"
    assert not CollectRequest.objects.exists()
    assert not InvoiceReturn.objects.exists()
    assert HisEvent.objects.count() == events
    assert ChargeItem.objects.filter(status="UNBILLED").count() == 1


def test_a_list_is_all_or_nothing(his: His, visit: str) -> None:
    his("PUT", CHARGE, charge_body())
    his("PUT", ISSUE, {"operator": OPERATOR})
    listed = [charge_body("C5"), charge_body("C1", amount_fen=7)]
    problem = is_problem(his.raw("POST", CHARGES, json.dumps(listed).encode()), 409)
    assert problem["errors"][0]["field"] == "[1].charge_no"
    assert ChargeItem.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ([], ""),
        ("x", ""),
        ([1], "[0]"),
        ([None], "[0]"),
        ([charge_body("C1"), charge_body("C1")], "[1].charge_no"),
        ([charge_body()], "[0].charge_no"),
        ([charge_body("C1")] * 1001, ""),
    ],
)
def test_a_list_that_is_none(his: His, visit: str, body: Any, field: str) -> None:
    problem = is_problem(his.raw("POST", CHARGES, json.dumps(body).encode()), 400)
    assert problem["errors"][0]["field"] == field
    assert not ChargeItem.objects.exists()


def test_a_charge_of_another_visit_or_address_is_refused(his: His, visit: str) -> None:
    his("PUT", "encounters/E2", encounter_body())
    his("PUT", "encounters/E2/charges/C1", charge_body())
    is_problem(his.raw("PUT", CHARGE, json.dumps(charge_body()).encode()), 409)
    differs = json.dumps(charge_body("C9")).encode()
    assert is_problem(his.raw("PUT", CHARGE, differs), 400)["errors"][0]["field"] == "charge_no"
    body = {"operator": OPERATOR, "charge_nos": ["C1"]}
    is_problem(his.raw("PUT", ISSUE, json.dumps(body).encode()), 404)
    his("PUT", "encounters/E2/invoices/I1", {"operator": OPERATOR})
    is_problem(his.raw("PUT", ISSUE, json.dumps({"operator": OPERATOR}).encode()), 409)
    assert Invoice.objects.count() == 1


def test_a_sum_beyond_all_money_is_refused(his: His, visit: str) -> None:
    body = [charge_body(f"C{n}", amount_fen=FEN_MAX) for n in range(2)]
    assert his("POST", CHARGES, body)[0] == 200
    is_problem(his.raw("PUT", ISSUE, json.dumps({"operator": OPERATOR}).encode()), 409)
    assert not Invoice.objects.exists()
