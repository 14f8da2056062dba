"""A hospital that speaks FSI over both gateways, written from the protocol sheet alone."""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tests.fixtures.sandbox_process import CLIENT, Sandbox

ADULT = "330300198206180010"
CHILD = "330300201906010024"
AT = "2026-11-20 10:05:00"
# 甲 service, 乙 drug with 0.05, 丙.
SERVICE, DRUG, EXCLUDED = "001102000010000", "ZA04CAE0023010100166", "001101000010000"
_numbers = itertools.count(1)
PATHS = {
    "1101": "fsiPsnInfoService/queryPsnInfo",
    "2201": "outpatientDocInfoService/outpatientRregistration",
    "2206": "outpatientSettleService/preSettletment",
    "2207": "outpatientSettleService/saveSettletmentV2",
    "2208": "outpatientSettleService/cancleSettletment",
}


@dataclass
class Clinic:
    """One institution of the sandbox, as its own client sees it."""

    sandbox: Sandbox
    place: int = 0
    insuplc: str = "330300"
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> dict[str, Any]:
        return self.sandbox.nhsa["institutions"][self.place]

    def headers(self) -> dict[str, str]:
        gate = self.sandbox.nhsa["gd"]
        now = datetime.fromisoformat(self.sandbox.control("GET", "clock")["now"])
        stamp = str(int(now.timestamp()))
        nonce = secrets.token_hex(16)
        text = f"{stamp}{gate['secret_key']}{nonce}{stamp}"
        return {
            "x-tif-paasid": gate["paasid"],
            "x-tif-timestamp": stamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": hashlib.sha256(text.encode()).hexdigest(),
        }

    def envelope(self, infno: str, given: dict[str, Any], msgid: str = "") -> dict[str, Any]:
        number = msgid or f"{self.own['fixmedins_code']}20261120100500{next(_numbers):04d}"
        self.sent[infno] = number
        return {
            "infno": infno,
            "msgid": number,
            "mdtrtarea_admvs": "330300",
            "insuplc_admdvs": self.insuplc,
            "recer_sys_code": "01",
            "dev_no": "",
            "dev_safe_info": "",
            "cainfo": "",
            "signtype": "SM3",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": "D001",
            "opter_name": "测试",
            "inf_time": AT,
            "fixmedins_code": self.own["fixmedins_code"],
            "fixmedins_name": self.own["fixmedins_name"],
            "sign_no": "",
            "input": given,
        }

    def post(self, infno: str, given: dict[str, Any], msgid: str = "") -> httpx.Response:
        body = self.envelope(infno, given, msgid)
        url = f"{self.sandbox.nhsa['gd']['base_url']}/{infno}"
        return CLIENT.post(url, json=body, headers=self.headers())

    def post_by_path(self, infno: str, given: dict[str, Any]) -> httpx.Response:
        gate = self.sandbox.nhsa["rio_fsi"]
        return CLIENT.post(
            f"{gate['base_url']}/fsi/api/{PATHS[infno]}",
            json=self.envelope(infno, given),
            headers={"apikey": gate["apikey"]},
        )

    def ok(self, infno: str, given: dict[str, Any], msgid: str = "") -> dict[str, Any]:
        answer = self.post(infno, given, msgid).json()
        assert answer["infcode"] == 0, answer
        return answer["output"]

    def refused(self, infno: str, given: dict[str, Any], msgid: str = "") -> str:
        answer = self.post(infno, given, msgid).json()
        assert answer["infcode"] == -2, answer
        assert answer["output"] is None
        return answer["err_msg"]

    # Steps of a visit.

    def enrol(self, certno: str = ADULT, **more: Any) -> str:
        given = {
            "name": "王芳",
            "sex": "female",
            "birth_date": "1982-06-18",
            "balance_fen": 0,
            "insuplc_admdvs": self.insuplc,
        } | more
        return self.sandbox.act("nhsa", "enrol_person", certno, **given)["baseinfo"]["psn_no"]

    def register(self, psn_no: str, certno: str = ADULT, **more: Any) -> str:
        data = {
            "psn_no": psn_no,
            "insutype": "310",
            "begntime": AT,
            "mdtrt_cert_type": "02",
            "mdtrt_cert_no": certno,
            "ipt_otp_no": f"OP{next(_numbers)}",
            "atddr_no": "D330300000001",
            "dr_name": "李医生",
            "dept_code": "A03",
            "dept_name": "内科",
            "caty": "A03",
        } | more
        return self.ok("2201", {"data": data})["data"]["mdtrt_id"]

    def describe(self, psn_no: str, mdtrt_id: str, med_type: str = "11", disease: str = "") -> None:
        self.ok("2203A", self.described(psn_no, mdtrt_id, med_type, disease))

    def described(
        self, psn_no: str, mdtrt_id: str, med_type: str = "11", disease: str = ""
    ) -> dict[str, Any]:
        return {
            "mdtrtinfo": {
                "mdtrt_id": mdtrt_id,
                "psn_no": psn_no,
                "med_type": med_type,
                "begntime": AT,
                "dise_codg": disease,
                "dise_name": "",
            },
            "diseinfo": [
                {
                    "diag_type": "1",
                    "diag_srt_no": "1",
                    "diag_code": "J00.x00",
                    "diag_name": "急性鼻咽炎［感冒］",
                    "diag_dept": "A03",
                    "dise_dor_no": "D330300000001",
                    "dise_dor_name": "李医生",
                    "diag_time": AT,
                    "vali_flag": "1",
                }
            ],
        }

    def line(self, psn_no: str, mdtrt_id: str, code: str, yuan: str, **more: Any) -> dict[str, Any]:
        return {
            "feedetl_sn": f"F{next(_numbers)}",
            "mdtrt_id": mdtrt_id,
            "psn_no": psn_no,
            "chrg_bchno": "B1",
            "fee_ocur_time": AT,
            "med_list_codg": code,
            "medins_list_codg": f"own-{code}",
            "det_item_fee_sumamt": yuan,
            "cnt": "1",
            "pric": yuan,
            "hosp_appr_flag": "0",
            "bilg_dr_codg": "D330300000001",
            "bilg_dr_name": "李医生",
        } | more

    def ready(self, *cart: tuple[str, str], certno: str = ADULT, **more: Any) -> tuple[str, str]:
        """A person, a visit with diagnoses, and its lines in batch B1."""
        psn_no = self.enrol(certno, **more)
        mdtrt_id = self.visit(psn_no, *cart, certno=certno)
        return psn_no, mdtrt_id

    def visit(self, psn_no: str, *cart: tuple[str, str], certno: str = ADULT, **more: Any) -> str:
        mdtrt_id = self.register(psn_no, certno, **more)
        self.describe(psn_no, mdtrt_id)
        lines = [self.line(psn_no, mdtrt_id, code, yuan) for code, yuan in cart]
        self.ok("2204", {"feedetail": lines})
        return mdtrt_id

    def asking(self, psn_no: str, mdtrt_id: str, total: str, **more: Any) -> dict[str, Any]:
        return {
            "data": {
                "psn_no": psn_no,
                "mdtrt_cert_type": "02",
                "mdtrt_cert_no": ADULT,
                "med_type": "11",
                "medfee_sumamt": total,
                "psn_setlway": "01",
                "mdtrt_id": mdtrt_id,
                "chrg_bchno": "B1",
                "acct_used_flag": "1",
                "insutype": "310",
            }
            | more
        }

    def fund(self) -> dict[str, dict[str, int]]:
        return self.sandbox.book("nhsa", self.own["fixmedins_code"])


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()
