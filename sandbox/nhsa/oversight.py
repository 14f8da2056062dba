"""3101 and 3102: what the fund's rules say of orders, before and while they are settled."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import CatalogueItem
from sandbox.nhsa.refusal import Refused

BEFORE = ("1", "2", "3", "4", "5")
DURING = ("6", "7", "8", "9", "10")
MALE = "1"
# Made-up rules of this world, each with its words and how grave it is.
RULES = {
    "R001": ("重复开药", "2"),
    "R002": ("药品限女性使用", "3"),
    "R003": ("限制使用药品未经审批", "2"),
    "R004": ("儿童用药用于成人", "1"),
}
ADULT = 18


@dataclass(frozen=True)
class Order:
    rx_id: str
    code: str
    name: str
    amount: Decimal
    approved: bool


def before(call: Call) -> Output:
    return _analyse(call, BEFORE)


def during(call: Call) -> Output:
    return _analyse(call, DURING)


def _analyse(call: Call, scenes: tuple[str, ...]) -> Output:
    data = call.data()
    data.need("syscode", 50)
    asked = data.text("trig_scen", 40)
    if not asked and not data.data.get("rule_ids"):
        raise Refused("触发场景与规则编码不能同时为空")
    if asked and not set(asked.split(",")) <= set(scenes):
        raise Refused(f"触发场景{asked}不属于本交易")
    task = data.text("task_id", 60) or secrets.token_hex(8)
    results = []
    for patient in data.rows("patient_dtos", 20):
        for visit in patient.rows("fsi_encounter_dtos", 20):
            results += _visit(patient, visit, task, call)
    return {"result": results}


def _visit(patient: Fields, visit: Fields, task: str, call: Call) -> list[dict[str, Any]]:
    orders = [_order(row) for row in visit.rows("fsi_order_dtos", 500)]
    limited = set(
        CatalogueItem.objects.filter(
            region=f"{call.institution.admdvs[:2]}0000",
            code__in=[one.code for one in orders],
            limited_use=True,
        ).values_list("code", flat=True)
    )
    born = patient.day("brdy")
    adult = call.now.year - born.year > ADULT
    codes = [one.code for one in orders]
    hits = {
        "R001": [one for one in orders if codes.count(one.code) > 1],
        "R002": [
            one
            for one in orders
            if patient.text("gend", 3) == MALE and ("妇" in one.name or "孕" in one.name)
        ],
        "R003": [one for one in orders if one.code in limited and not one.approved],
        "R004": [one for one in orders if adult and one.name.startswith("小儿")],
    }
    return [
        _warning(rule, found, patient.need("patn_id", 60), visit.need("mdtrt_id", 40), task)
        for rule, found in hits.items()
        if found
    ]


def _order(row: Fields) -> Order:
    return Order(
        rx_id=row.need("rx_id", 60),
        code=row.need("hilist_code", 50),
        name=row.need("hilist_name", 200),
        amount=row.decimal("sumamt", 2),
        approved=row.text("hosp_appr_flag", 1) == "1",
    )


def _warning(rule: str, found: list[Order], patient: str, visit: str, task: str) -> dict[str, Any]:
    name, grave = RULES[rule]
    number = secrets.token_hex(10)
    return {
        "jr_id": number,
        "rule_id": rule,
        "rule_name": name,
        "vola_cont": f"{name}：{'、'.join(dict.fromkeys(one.name for one in found))}",
        "patn_id": patient,
        "mdtrt_id": visit,
        "judge_result_detail_dtos": [
            {
                "jrd_id": f"{number}{place:03d}",
                "patn_id": patient,
                "mdtrt_id": visit,
                "rx_id": one.rx_id,
                "vola_item_type": "1",
                "vola_amt": float(one.amount),
            }
            for place, one in enumerate(found, start=1)
        ],
        "vola_amt": float(sum((one.amount for one in found), Decimal(0))),
        "vola_amt_stas": "0",
        "sev_deg": grave,
        "vola_evid": "",
        "vola_bhvr_type": "1",
        "task_id": task,
    }
