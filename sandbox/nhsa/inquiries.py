"""2001 and 52xx, 5301: what the platform knows, asked after the fact."""

from __future__ import annotations

from typing import Any

from sandbox.nhsa import shown
from sandbox.nhsa.envelope import Call, Output
from sandbox.nhsa.fees import line_told_json
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Accumulator, Coverage, Entitlement, Institution, Settlement, Visit
from sandbox.nhsa.numbers import day, moment, yuan
from sandbox.nhsa.people import person_of
from sandbox.nhsa.refusal import Refused
from sandbox.nhsa.visits import CHRONIC, MED_TYPES, visit_find

# Levels of hospitals as the wire writes them.
LEVELS = {"0": "11", "1": "08", "2": "05", "3": "02"}


def benefit_check(call: Call) -> Output:
    """2001: may this person use this scheme for this kind of care here and now."""
    data = call.data()
    person = person_of(call, data)
    place = data.need("fixmedins_code", 12)
    if not Institution.objects.filter(code=place).exists():
        raise Refused(f"定点医药机构{place}不存在")
    insutype, med_type = data.need("insutype", 6), data.choice("med_type", MED_TYPES)
    at = data.moment("begntime").date()
    found = person.coverages.filter(insutype=insutype, insuplc_admdvs=call.insuplc).first()
    reason = ""
    if found is None:
        reason = "没有该险种的参保信息"
    elif found.psn_insu_stas != Coverage.ACTIVE:
        reason = "参保状态不正常"
    elif at < found.psn_insu_date:
        reason = "尚未到享受待遇的时间"
    elif med_type.startswith(CHRONIC) and not _filed(call, data, at):
        reason = "未备案该门诊慢特病病种"
    row = {
        "psn_no": person.psn_no,
        "trt_chk_type": "01",
        "fund_pay_type": "310101" if insutype == "310" else "390101",
        "trt_enjymnt_flag": "0" if reason else "1",
        "begndate": day(found.psn_insu_date) if found else "",
        "enddate": day(found.paus_insu_date) if found else "",
        "trt_chk_rslt": reason or "可以享受待遇",
    }
    return {"trtinfo": [row]}


def _filed(call: Call, data: Fields, at: Any) -> bool:
    person, disease = person_of(call, data), data.text("dise_codg", 30)
    rows = person.entitlements.filter(
        kind=Entitlement.Kind.CHRONIC, revoked_at=None, begndate__lte=at
    ).exclude(enddate__lt=at)
    return rows.filter(code=disease).exists() if disease else rows.exists()


def settlement_query(call: Call) -> Output:
    """5203: one settlement by its number, or the newest of a visit; empty when there is none."""
    data = call.data()
    visit = _visit_of(call, data)
    rows = Settlement.objects.filter(visit=visit).select_related("visit").order_by("-pk")
    number = data.text("setl_id", 30)
    if number:
        row = rows.filter(setl_id=number).first()
        if row is None:
            raise Refused("未找到结算记录")
    else:
        row = rows.filter(kind=Settlement.Kind.SETTLE).exclude(state="undone").first()
    if row is None:
        return {"setlinfo": None, "setldetail": []}
    out = shown.settlement_json(row)
    out["setlinfo"] |= _query_more(row)
    return out


def _query_more(row: Settlement) -> dict[str, Any]:
    place, cash = row.institution, yuan(row.cash_fen)
    gone = row.kind != Settlement.Kind.SETTLE or row.state != Settlement.State.STANDS
    level = LEVELS[place.hosp_lv]
    return {
        "pay_loc": "2",
        "fixmedins_code": place.code,
        "fixmedins_name": place.name,
        "hosp_lv": level,
        "lmtpric_hosp_lv": level,
        "dedc_hosp_lv": level,
        "begndate": day(row.visit.begntime),
        "enddate": day(row.visit.begntime),
        "psn_pay": yuan(row.psn_part_fen),
        "cash_payamt": cash,
        "refd_setl_flag": "1" if gone else "0",
        "year": str(row.year),
        "invono": "",
        "opter": "",
        "opt_time": moment(row.setl_time),
        "chrg_bchno": row.batch,
    }


def lines_query(call: Call) -> Output:
    """5204: the lines of a settlement as they were settled, or those of the visit now."""
    data = call.data()
    visit = _visit_of(call, data)
    number = data.text("setl_id", 30)
    if not number:
        return {"feedetail": [line_told_json(line) for line in visit.lines.order_by("pk")]}
    row = Settlement.objects.filter(visit=visit, setl_id=number).first()
    if row is None:
        raise Refused("未找到结算记录")
    return {"feedetail": [line | {"setl_id": row.setl_id} for line in row.lines]}


def _visit_of(call: Call, data: Fields) -> Visit:
    """By the visit's number, or found through the settlement's."""
    if data.text("mdtrt_id", 30):
        return visit_find(call, data)
    person = person_of(call, data)
    row = Settlement.objects.select_related("visit").filter(
        setl_id=data.need("setl_id", 30), institution=call.institution, visit__person=person
    )
    found = row.first()
    if found is None:
        raise Refused("未找到结算记录")
    return found.visit


def year_query(call: Call) -> Output:
    """5206: what the year has used, by cumulative codes."""
    data = call.data()
    person = person_of(call, data)
    month = data.text("cum_ym", 6)
    if month and not (month.isdecimal() and len(month) in (4, 6)):
        raise data.wrong("cum_ym", "应为yyyyMM")
    year = int(month[:4]) if month else call.now.year
    rows = Accumulator.objects.filter(person=person, year=year).order_by("insutype")
    return {"cuminfo": [one for row in rows for one in _year_rows(row, month or str(year))]}


def _year_rows(row: Accumulator, month: str) -> list[dict[str, Any]]:
    employee = row.insutype == "310"
    codes = {
        "F0000_BIZ11": yuan(row.medfee_fen),
        "C0000_BIZ11": row.visits,
        "D310101" if employee else "D390101": yuan(row.fund_fen),
        "D330101" if employee else "D390201": yuan(row.serious_fen),
        "D310201" if employee else "D390501": yuan(row.account_fen),
        "D320101": yuan(row.civil_fen),
        "D610101": yuan(row.aid_fen),
    }
    return [
        {
            "insutype": row.insutype,
            "year": str(row.year),
            "cum_ym": month,
            "cum_type_code": code,
            "cum": value,
        }
        for code, value in codes.items()
        if value
    ]


def chronic_query(call: Call) -> Output:
    """5301"""
    person = person_of(call, call.data())
    rows = person.entitlements.filter(kind=Entitlement.Kind.CHRONIC, revoked_at=None)
    return {
        "feedetail": [
            {
                "trt_dcla_detl_sn": one.number,
                "opsp_dise_code": one.code,
                "opsp_dise_name": one.name,
                "begndate": day(one.begndate),
                "enddate": day(one.enddate),
            }
            for one in rows.order_by("pk")
        ]
    }
