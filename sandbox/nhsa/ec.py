"""The e-credential's one address: decode a code, see a face, show a result on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox.nhsa.credentials import code_decode, face_check, face_scan
from sandbox.nhsa.faces import face_seen
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Coverage, FaceScan, Institution, Person, Token
from sandbox.nhsa.numbers import day
from sandbox.nhsa.operations import OPERATIONS
from sandbox.nhsa.people import NOBODY
from sandbox.nhsa.refusal import BUSINESS, SYSTEM, Refused
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

BUSINESS_TYPES = (
    "01101", "01102", "01103", "01104", "01201", "01202", "01203", "01204", "01301", "01302",
    "01303", "01304", "01305", "02121", "02122", "03131", "04107",
)  # fmt: skip
ASKED = ("operatorId", "operatorName", "officeId", "officeName")
Data = dict[str, Any]


def ec_gateway(request: HttpRequest) -> HttpResponse:
    """{orgId, transType, data, extra} in, {orgId, code, message, data, extra} out; 0 is success."""
    if request.method != "POST":
        return _reply("", BUSINESS, "请使用POST")

    def execute(fault: Fault | None) -> HttpResponse:
        return _answer(request.body, fault.name if fault else "")

    return call_struck(request, "nhsa", "decode", execute, OPERATIONS["decode"])


def _answer(body: bytes, fault: str) -> HttpResponse:
    org_id = ""
    if fault == "system_error_before":
        return _reply(org_id, SYSTEM, "系统异常，请稍后再试")
    try:
        outer = _outer(body)
        org_id = outer.need("orgId", 30)
        run = TRANSACTIONS.get(outer.need("transType", 40))
        if run is None:
            raise Refused("不支持的transType")
        place = Institution.objects.filter(code=org_id).first()
        if place is None:
            raise Refused(f"机构{org_id}不存在")
        data = outer.part("data")
        if data.text("orgId", 30) not in ("", org_id):
            raise Refused("data.orgId与orgId不一致")
        if fault == "decline":
            raise Refused("电子凭证中心拒绝本次请求")
        out = run(place, data)
    except Refused as error:
        return _reply(org_id, BUSINESS, error.message)
    if fault == "system_error_after":
        return _reply(org_id, SYSTEM, "系统异常，请稍后再试")
    return _reply(org_id, 0, "成功", out)


def _outer(body: bytes) -> Fields:
    try:
        data = json.loads(body.decode("utf8"))
    except (ValueError, RecursionError) as error:
        raise Refused("报文不是JSON") from error
    if not isinstance(data, dict):
        raise Refused("报文不是JSON对象")
    return Fields(data, "报文")


def _reply(org_id: str, code: int, message: str, data: Data | None = None) -> HttpResponse:
    return JsonResponse(
        {"orgId": org_id, "code": code, "message": message, "data": data or {}, "extra": {}},
        json_dumps_params={"ensure_ascii": False},
    )


def _asked(data: Fields) -> None:
    """Who asks, from where, what for."""
    for name in ASKED:
        data.need(name, 50)
    data.choice("businessType", BUSINESS_TYPES)


def code_query(place: Institution, data: Fields) -> Data:
    """ec.query"""
    _asked(data)
    person, token = code_decode(data.need("ecQrCode", 64), place.code)
    return identity(person, token)


def terminal_auth(place: Institution, data: Fields) -> Data:
    """cn.nhsa.ec.auth: the terminal saw a face and gives a number for it."""
    _asked(data)
    number = data.need("outBizNo", 64)
    person = Person.objects.filter(psn_no=face_seen(data.text("termId", 64))).first()
    if person is None:
        raise Refused("刷脸失败：终端前没有识别到参保人")
    row = face_scan(person, place.code, number)
    return {"authNo": row.auth_no, "outBizNo": row.out_biz_no}


def auth_check(place: Institution, data: Fields) -> Data:
    """cn.nhsa.auth.check: the identity behind a face's number."""
    row, token = face_check(data.need("authNo", 40), place.code)
    return identity(row.person, token) | {"authNo": row.auth_no}


def settle_notify(place: Institution, data: Fields) -> Data:
    """cn.nhsa.settle.notify: the terminal shows what came of it."""
    number = data.need("outBizNo", 64)
    data.choice("medicalSettleState", ("SUCCESS", "FAIL"))
    for name in ("totalFee", "ownAmt", "hifAmt", "acctAmt"):
        data.decimal(name, 2)
    known = FaceScan.objects.filter(auth_no=data.need("authNo", 40), org_id=place.code)
    if not known.exists():
        raise Refused("授权码无效")
    return {"outBizNo": number}


def identity(person: Person, token: Token) -> Data:
    """Who it is, with the token that stands for the person at this organisation."""
    row = person.coverages.filter(psn_insu_stas=Coverage.ACTIVE).order_by("insutype").first()
    row = row or person.coverages.first()
    if row is None:
        raise Refused(NOBODY)
    return {
        "idNo": person.certno,
        "idType": person.psn_cert_type,
        "userName": person.name,
        "ecToken": token.token,
        "insuOrg": row.insuplc_admdvs,
        "ecIndexNo": f"EC{person.psn_no}",
        "gender": person.gend,
        "birthday": day(person.birthday),
        "nationality": "CHN",
        "email": "",
        "extData": "",
    }


TRANSACTIONS: dict[str, Callable[[Institution, Fields], Data]] = {
    "ec.query": code_query,
    "cn.nhsa.ec.auth": terminal_auth,
    "cn.nhsa.auth.check": auth_check,
    "cn.nhsa.settle.notify": settle_notify,
}
