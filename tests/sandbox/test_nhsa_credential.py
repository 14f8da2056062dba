from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.nhsa_client import ADULT, SERVICE, Clinic
from tests.sandbox.wechat_client import Merchant

ASKED = {
    "businessType": "01301",
    "operatorId": "D001",
    "operatorName": "测试",
    "officeId": "A03",
    "officeName": "内科",
}


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def ec(clinic: Clinic, kind: str, data: dict[str, Any], org: str = "") -> dict[str, Any]:
    org_id = org or clinic.own["fixmedins_code"]
    body = {"orgId": org_id, "transType": kind, "data": ASKED | data, "extra": {}}
    return CLIENT.post(clinic.sandbox.nhsa["ec"]["url"], json=body).json()


def show(clinic: Clinic, psn_no: str) -> str:
    return clinic.sandbox.act("nhsa", "show_insurance_code", psn_no)["code"]


def test_a_shown_code_becomes_a_token_that_settles(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    code = show(clinic, psn_no)
    assert len(code) == 28 and code.startswith("01")
    said = ec(clinic, "ec.query", {"ecQrCode": code})
    assert (said["code"], said["data"]["idNo"], said["data"]["userName"]) == (0, ADULT, "王芳")
    assert (said["data"]["insuOrg"], len(said["data"]["ecToken"])) == ("330300", 40)
    token = said["data"]["ecToken"]
    by_token = {"mdtrt_cert_type": "01", "mdtrt_cert_no": token}
    assert clinic.ok("1101", {"data": by_token})["baseinfo"]["psn_no"] == psn_no
    visit = clinic.register(psn_no, **by_token)
    clinic.describe(psn_no, visit)
    clinic.ok("2204", {"feedetail": [clinic.line(psn_no, visit, SERVICE, "10.00")]})
    card = clinic.asking(psn_no, visit, "10.00")
    assert "与挂号时不一致" in clinic.refused("2206", card)
    done = clinic.ok("2207", clinic.asking(psn_no, visit, "10.00", **by_token))["setlinfo"]
    assert (done["psn_cash_pay"], done["mdtrt_cert_type"]) == (10.0, "01")


def test_a_code_ends_and_is_used_within_its_window(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    code = show(clinic, psn_no)
    first = ec(clinic, "ec.query", {"ecQrCode": code})["data"]["ecToken"]
    assert ec(clinic, "ec.query", {"ecQrCode": code})["data"]["ecToken"] == first
    other = ec(clinic, "ec.query", {"ecQrCode": code}, org="P33030000001")
    assert (other["code"], other["data"]) == (-2, {})
    clinic.sandbox.control("POST", "clock", {"advance_s": 61})
    assert "已使用" in ec(clinic, "ec.query", {"ecQrCode": code})["message"]
    late = show(clinic, psn_no)
    clinic.sandbox.control("POST", "clock", {"advance_s": 61})
    assert "已过期" in ec(clinic, "ec.query", {"ecQrCode": late})["message"]
    clinic.sandbox.control("POST", "clock", {"advance_s": 86_400})
    old = {"data": {"mdtrt_cert_type": "01", "mdtrt_cert_no": first}}
    assert "已过期" in clinic.refused("1101", old)
    assert ec(clinic, "ec.query", {"ecQrCode": "0" * 28})["code"] == -2
    assert ec(clinic, "ec.gone", {})["message"] == "不支持的transType"


def test_a_code_may_be_for_one_decoding_only(clinic: Clinic) -> None:
    clinic.sandbox.act("nhsa", "set_rules", code_window_s=0)
    code = show(clinic, clinic.enrol())
    assert ec(clinic, "ec.query", {"ecQrCode": code})["code"] == 0
    assert "已使用" in ec(clinic, "ec.query", {"ecQrCode": code})["message"]


def test_the_same_code_pays_the_cash_at_the_wallet(clinic: Clinic, merchant: Merchant) -> None:
    openid = merchant.wallet(balance_fen=5_000)
    code = show(clinic, clinic.enrol(openid=openid))
    assert ec(clinic, "ec.query", {"ecQrCode": code})["code"] == 0
    order = merchant.order("SCAN01", 1_398, payer={"auth_code": code})
    answer = merchant.v3("POST", "/v3/pay/transactions/codepay", order)
    assert (answer.status_code, answer.json().get("trade_state")) == (200, "SUCCESS")
    left = clinic.sandbox.act("payer", "show_wallet", openid)["balance_fen"]
    assert left == 5_000 - 1_398
    again = merchant.v3("POST", "/v3/pay/transactions/codepay", order | {"out_trade_no": "SCAN02"})
    assert again.status_code == 400


def test_a_face_is_another_way_to_the_same_identity(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    nobody = ec(clinic, "cn.nhsa.ec.auth", {"outBizNo": "Z1", "termId": "T9"})
    assert "刷脸失败" in nobody["message"]
    clinic.sandbox.act("nhsa", "present_face", psn_no, term_id="T9")
    seen = ec(clinic, "cn.nhsa.ec.auth", {"outBizNo": "Z1", "termId": "T9"})["data"]
    assert ec(clinic, "cn.nhsa.ec.auth", {"outBizNo": "Z1", "termId": "T9"})["data"] == seen
    who = ec(clinic, "cn.nhsa.auth.check", {"authNo": seen["authNo"]})["data"]
    assert (who["idNo"], len(who["ecToken"])) == (ADULT, 40)
    told = {
        "outBizNo": "Z2",
        "medicalSettleState": "SUCCESS",
        "authNo": seen["authNo"],
        "totalFee": "10.00",
        "ownAmt": "4.00",
        "hifAmt": "6.00",
        "acctAmt": "0",
    }
    assert ec(clinic, "cn.nhsa.settle.notify", told)["code"] == 0
    assert ec(clinic, "cn.nhsa.settle.notify", told | {"authNo": "x"})["code"] == -2


def test_the_wallet_page_shows_code_account_and_family(clinic: Clinic) -> None:
    psn_no = clinic.enrol(balance_fen=600_000)
    child = clinic.enrol(
        "330300201906010024", name="王小宝", sex="male", birth_date="2019-06-01",
        insutype="390", enrolled_by=psn_no,
    )  # fmt: skip
    page = f"{clinic.sandbox.url}/nhsa/phone/{psn_no}"
    link = {"member": child, "relation": "child"}
    done = CLIENT.post(f"{page}/act/link", data=link, follow_redirects=True)
    assert "已绑定家人" in done.text and "王小宝（子女）可以用您的个人账户" in done.text
    assert "6,000.00" in done.text and done.text.count("<svg") == 1
    assert "您可以用王芳的个人账户" in CLIENT.get(f"{clinic.sandbox.url}/nhsa/phone/{child}").text
    self_link = CLIENT.post(f"{page}/act/link", data={"member": psn_no, "relation": "child"})
    assert (self_link.status_code, "不能与自己共济" in self_link.text) == (409, True)
    assert "王小宝" in CLIENT.get(f"{clinic.sandbox.url}/nhsa/phone/?q=王小宝").text
    assert CLIENT.get(f"{clinic.sandbox.url}/nhsa/phone/nobody").status_code == 404
