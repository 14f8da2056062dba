"""The FSI envelope: what every request must bear, the message number once, and the answer."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse

from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import Institution, MessageLog, SignIn
from sandbox.nhsa.numbers import stamp
from sandbox.nhsa.refusal import BUSINESS, SYSTEM, Refused
from sandbox.world import clock
from sandbox.world.faults import Fault

NEEDED = (
    ("infno", 6),
    ("msgid", 30),
    ("mdtrtarea_admvs", 6),
    ("recer_sys_code", 10),
    ("infver", 6),
    ("opter_type", 3),
    ("opter", 30),
    ("opter_name", 50),
    ("inf_time", 19),
    ("fixmedins_code", 12),
    ("fixmedins_name", 200),
)
OPTIONAL = (
    ("insuplc_admdvs", 6),
    ("dev_no", 100),
    ("dev_safe_info", 2000),
    ("cainfo", 1024),
    ("signtype", 10),
    ("sign_no", 30),
)
Output = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A message that was understood, from an institution that is known."""

    institution: Institution
    infno: str
    msgid: str
    insuplc: str
    opter: str
    opter_name: str
    input: Fields
    fault: Fault | None
    now: datetime

    def struck(self, name: str) -> bool:
        return self.fault is not None and self.fault.name == name

    def data(self, name: str = "data") -> Fields:
        return self.input.part(name)


Run = Callable[[Call], Output | HttpResponse]


def body_parse(body: bytes) -> dict[str, Any]:
    """The JSON object of a request; amounts stay exact."""
    try:
        data = json.loads(body.decode("utf8"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refused("报文不是JSON") from error
    if not isinstance(data, dict):
        raise Refused("报文不是JSON对象")
    return data


def call_read(body: dict[str, Any], infno: str, fault: Fault | None) -> Call:
    """Check the envelope; every field that must be there is there and short enough."""
    outer = Fields(body, "报文")
    told = {name: outer.need(name, limit) for name, limit in NEEDED}
    told |= {name: outer.text(name, limit) for name, limit in OPTIONAL}
    outer.moment("inf_time")
    outer.choice("opter_type", ("1", "2", "3"))
    if told["infno"] != infno:
        raise Refused(f"交易编号{told['infno']}与接口地址{infno}不一致")
    institution = Institution.objects.filter(code=told["fixmedins_code"]).first()
    if institution is None:
        raise Refused(f"定点医药机构{told['fixmedins_code']}不存在")
    if told["mdtrtarea_admvs"] != institution.admdvs:
        raise Refused("就医地医保区划与定点医药机构不一致")
    if told["sign_no"] and not _signed_in(institution, told["sign_no"]):
        raise Refused("签到流水号无效，请重新签到")
    if not isinstance(body.get("input"), dict):
        raise Refused("缺少节点input")
    return Call(
        institution=institution,
        infno=infno,
        msgid=told["msgid"],
        insuplc=told["insuplc_admdvs"],
        opter=told["opter"],
        opter_name=told["opter_name"],
        input=Fields(body["input"], "input"),
        fault=fault,
        now=clock.now(),
    )


def _signed_in(institution: Institution, sign_no: str) -> bool:
    rows = SignIn.objects.filter(institution=institution, sign_no=sign_no, ended_at=None)
    return rows.exists()


def answer(infno: str, body: bytes, run: Run, fault: Fault | None) -> HttpResponse:
    """Run one message. All it did is undone where the business says no; the number stays used."""
    received = clock.now()
    name = fault.name if fault else ""
    if name == "system_error_before":
        return reply(received, SYSTEM, "系统异常，请稍后再试")
    try:
        call = call_read(body_parse(body), infno, fault)
        output = _run_once(call, body, run)
    except Refused as error:
        return reply(received, BUSINESS, error.message)
    if name == "system_error_after":
        return reply(received, SYSTEM, "系统异常，请稍后再试")
    return output if isinstance(output, HttpResponse) else reply(received, 0, "", output)


@transaction.atomic
def _log(call: Call, body: bytes) -> MessageLog:
    try:
        with transaction.atomic():
            return MessageLog.objects.create(
                institution=call.institution,
                msgid=call.msgid,
                infno=call.infno,
                body_hash=hashlib.sha256(body).hexdigest(),
                created_at=call.now,
            )
    except IntegrityError as error:
        raise Refused(f"报文ID重复：{call.msgid}") from error


def _run_once(call: Call, body: bytes, run: Run) -> Output | HttpResponse:
    """The number and what it did are written together, so that nothing is half done."""
    with transaction.atomic():
        log = _log(call, body)
        refused: Refused | None = None
        output: Output | HttpResponse = {}
        try:
            with transaction.atomic():
                if call.struck("decline"):
                    raise Refused("医保中心拒绝本次交易")
                output = run(call)
        except Refused as error:
            refused = error
        log.infcode = str(BUSINESS) if refused else "0"
        log.err_msg = refused.message[:400] if refused else ""
        log.save(update_fields=["infcode", "err_msg"])
    if refused:
        raise refused
    return output


def reply(
    received: datetime, infcode: int, err_msg: str, output: Output | None = None, status: int = 200
) -> JsonResponse:
    """The answering envelope; `output` is null where nothing was done."""
    at = clock.now()
    return JsonResponse(
        {
            "infcode": infcode,
            "inf_refmsgid": f"330300{stamp(at)[:14]}{secrets.randbelow(10**10):010d}",
            "refmsg_time": stamp(received),
            "respond_time": stamp(at),
            "err_msg": err_msg[:200],
            "output": output,
        },
        status=status,
        json_dumps_params={"ensure_ascii": False},
    )
