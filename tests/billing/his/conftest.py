"""A HIS with a token, and what it sends when nothing is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from patients.models import HisClient
from tests.factories.patients import TOKEN, campus, his_client

OPERATOR = {"code": "C1", "name": "收费员"}
APPROVER = {"code": "C2", "name": "组长"}
DOCTOR = {"code": "D001", "national_code": "D330300000001", "name": "测试医师"}


class His:
    """Calls as a HIS makes them; `raw` sends bytes as they are."""

    def __init__(self, token: str = TOKEN) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Token {token}"} if token else {}

    def raw(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            body,
            content_type=content_type,
            headers={**self.headers, **headers},
        )

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.raw(method, path, raw)
        return answer.status_code, answer.json()


def patient_body(**changes: Any) -> dict[str, Any]:
    body = {
        "name": "张三",
        "id_type": "id_card",
        "birth_date": "1990-01-01",
        "sex": "male",
        "phone": "13800000001",
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def encounter_body(**changes: Any) -> dict[str, Any]:
    body = {
        "mrn": "M1",
        "kind": "outpatient",
        "campus": "main",
        "department": {"code": "A03", "name": "内科"},
        "doctor": DOCTOR,
        "started_at": "2026-11-20T09:30:00+08:00",
        "diagnoses": [{"code": "J00.x00", "name": "急性鼻咽炎［感冒］", "main": True}],
        "med_type": "11",
        "self_pay": True,
        "operator": OPERATOR,
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def charge_body(charge_no: Any = ..., **changes: Any) -> dict[str, Any]:
    body = {
        "charge_no": charge_no,
        "item_code": "001102000010000",
        "national_code": "001102000010000",
        "item_name": "普通门诊诊查费",
        "category": "02",
        "amount_fen": 1000,
        "unit_price": "10.00",
        "quantity": "1",
        "ordered_by": {"code": "D001", "national_code": "D330300000001"},
        "ordering_department": "A03",
        "executing_department": "A03",
        "order_no": "O1",
        "ordered_at": "2026-11-20T09:40:00+08:00",
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


@pytest.fixture
def client_row(db: None) -> HisClient:
    campus()
    return his_client()


@pytest.fixture
def his(client_row: HisClient) -> His:
    return His()


@pytest.fixture
def visit(his: His) -> str:
    """A visit E1 of patient M1 with nothing charged."""
    assert his("PUT", "patients/M1", patient_body())[0] == 201
    assert his("PUT", "encounters/E1", encounter_body())[0] == 201
    return "E1"
