"""The bodies the HIS sends to the portal, field for field as its REST API names them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.his.catalogue import items_by_code
from sandbox.his.illnesses import illness_of
from sandbox.his.models import Charge, GoodsReturn, Visit

OPERATOR = {"code": "HIS001", "name": "收费员甲"}
APPROVER = {"code": "HIS002", "name": "组长乙"}
DOCTOR = {"code": "D001", "national_code": "D330300000001", "name": "测试医师"}
OUTPATIENT = "11"


def encounter_body(visit: Visit, *, self_pay: bool) -> dict[str, Any]:
    illness = illness_of(visit.mrn)
    return {
        "mrn": visit.mrn,
        "kind": "outpatient",
        "campus": "main",
        "department": {"code": illness.department_code, "name": illness.department_name},
        "doctor": DOCTOR,
        "started_at": visit.created_at.isoformat(timespec="seconds"),
        "diagnoses": [{"code": illness.code, "name": illness.name, "main": True}],
        "med_type": OUTPATIENT,
        "self_pay": self_pay,
        "operator": OPERATOR,
    }


def charge_body(charge: Charge) -> dict[str, Any]:
    department = illness_of(charge.visit.mrn).department_code
    body: dict[str, Any] = {
        "charge_no": charge.charge_no,
        "item_code": charge.code,
        "item_name": charge.name,
        "category": charge.category,
        "amount_fen": charge.amount_fen,
        "unit_price": plain(charge.unit_price),
        "quantity": plain(charge.quantity),
        "ordered_by": DOCTOR,
        "ordering_department": department,
        "executing_department": department,
        "order_no": f"O{charge.charge_no}",
        "ordered_at": charge.ordered_at.isoformat(timespec="seconds"),
    }
    item = items_by_code().get(charge.code)
    if item is not None and item.is_drug:
        body["prescription_no"] = f"RX{charge.visit.encounter_no}"
    if item is not None and item.national_code:
        body["national_code"] = item.national_code
    return body


def collect_body(*, request_no: str, method: str, auth_code: str, wait_s: int) -> dict[str, Any]:
    body = {"request_no": request_no, "method": method, "wait_s": wait_s, "operator": OPERATOR}
    return body | ({"auth_code": auth_code} if auth_code else {})


def return_body(goods_return: GoodsReturn) -> dict[str, Any]:
    return {
        "refund_no": goods_return.refund_no,
        "lines": goods_return.lines,
        "reason": goods_return.reason,
        "operator": OPERATOR,
        "approved_by": APPROVER,
    }


def plain(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros: 4.26, 1, 10."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
