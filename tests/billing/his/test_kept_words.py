"""What a HIS says of a call beside its content — who, and why — is kept where people look."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import ChargeItem, Invoice
from core.models import AuditEvent, StateChange
from patients.models import Encounter
from tests.billing.his.conftest import OPERATOR, His, charge_body, encounter_body

OTHER = {"code": "C9", "name": "夜班"}
CHARGES = "encounters/E1/charges"


def put_by() -> list[tuple[str, str, list[str]]]:
    rows = AuditEvent.objects.filter(action="charges_put").order_by("pk")
    return [(row.actor, row.actor_name, row.detail["charge_nos"]) for row in rows]


def change(entity: str, row: Any) -> StateChange:
    return StateChange.objects.get(entity=entity, entity_id=row.pk, to_status="CANCELLED")


def test_operators_of_charges_are_kept_one_by_one(his: His, visit: str) -> None:
    # given a list that two people put, and one line of nobody
    listed = [
        charge_body("C1", operator=OPERATOR),
        charge_body("C2", operator=OTHER),
        charge_body("C3", operator=OPERATOR),
        charge_body("C4"),
    ]
    with CaptureQueriesContext(connection) as captured:
        assert his("POST", CHARGES, listed)[0] == 200
    # then each is kept with their lines, in one statement
    assert put_by() == [("his:C1", "收费员", ["C1", "C3"]), ("his:C9", "夜班", ["C2"])]
    assert sum('INSERT INTO "core_auditevent"' in one["sql"] for one in captured) == 1
    subjects = AuditEvent.objects.filter(action="charges_put").values_list("subject_id", flat=True)
    assert set(subjects) == {str(Encounter.objects.get().pk)}


def test_operator_of_one_charge_is_kept_when_it_changes_only(his: His, visit: str) -> None:
    path = f"{CHARGES}/C1"
    assert his("PUT", path, charge_body(operator=OPERATOR))[0] == 201
    # the same content by another person is a replay; other content is theirs
    assert his("PUT", path, charge_body(operator=OTHER))[0] == 200
    assert his("PUT", path, charge_body(amount_fen=7, operator=OTHER))[0] == 200
    assert put_by() == [("his:C1", "收费员", ["C1"]), ("his:C9", "夜班", ["C1"])]


def test_refused_charges_keep_no_operator(his: His, visit: str) -> None:
    listed = [charge_body("C1", operator=OPERATOR), charge_body("C1", operator=OPERATOR)]
    assert his("POST", CHARGES, listed)[0] == 400
    assert put_by() == []


def test_operator_of_a_visit_is_kept(his: His, visit: str) -> None:
    his("PUT", "encounters/E1", encounter_body())
    his("PUT", "encounters/E1", encounter_body(med_type="12", operator=OTHER))
    rows = AuditEvent.objects.filter(action="encounter_put").order_by("pk")
    assert [row.actor for row in rows] == ["his:C1", "his:C9"]


@pytest.mark.parametrize("reason", ["开错了", ""])
def test_reason_of_a_cancelled_charge_is_kept(his: His, visit: str, reason: str) -> None:
    his("PUT", f"{CHARGES}/C1", charge_body())
    body = {"operator": OPERATOR, "reason": reason}
    assert his("POST", f"{CHARGES}/C1/cancel", body)[0] == 200
    kept = change("billing.chargeitem", ChargeItem.objects.get())
    assert (kept.reason, kept.actor) == (reason, "his:C1")


def test_reason_of_a_cancelled_bill_is_kept(his: His, visit: str) -> None:
    his("PUT", f"{CHARGES}/C1", charge_body())
    his("PUT", "encounters/E1/invoices/I1", {"operator": OPERATOR})
    body = {"operator": OTHER, "reason": "病人改主意"}
    assert his("POST", "invoices/I1/cancel", body)[0] == 200
    kept = change("billing.invoice", Invoice.objects.get())
    assert (kept.reason, kept.actor) == ("病人改主意", "his:C9")


def test_reason_of_a_cancelled_visit_is_kept(his: His, visit: str) -> None:
    body = {"operator": OTHER, "reason": "退号"}
    assert his("POST", "encounters/E1/cancel", body)[0] == 200
    kept = change("patients.encounter", Encounter.objects.get())
    assert (kept.reason, kept.actor) == ("退号", "his:C9")
