from __future__ import annotations

import base64
import json
import secrets

import gmssl_pyx
import pytest

from sandbox.nhsa import gm
from tests.conftest import ProofScale
from tests.fixtures.sandbox_process import Sandbox
from tests.sandbox.nhsa_client import ADULT, Clinic
from tests.sandbox.nhsa_mobile_client import (
    MobileHospital,
    genuine,
    public_of,
    session_key,
    sign,
    sm4,
    text_of,
)
from tests.sandbox.wechat_client import Inbox

APP_ID, SECRET = "TESTAPPID0123456789ABCDEF0000000", "TESTSECRET0123456789abcdef000000"
DATA = {"orgCodg": "H00000000001", "payOrdId": "ORD1"}
SEALED = (
    "3A887CC68A9BF47918074E96D6E51C8344A9CADFC2D76EE70C16C19192D31C40"
    "50DD10229041B9C50F0113531769C91F"
)


@pytest.fixture
def hospital(sandbox: Sandbox) -> MobileHospital:
    return MobileHospital(sandbox)


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def test_the_envelope_has_its_check_value() -> None:
    assert gm.session_key(APP_ID, SECRET) == session_key(APP_ID, SECRET) == b"7FAD1CB1655C0008"
    assert gm.data_encrypt(b"7FAD1CB1655C0008", DATA) == SEALED
    assert gm.data_decrypt(b"7FAD1CB1655C0008", SEALED) == DATA
    outer = {
        "appId": APP_ID,
        "data": DATA | {"left": None, "out": "", "too": []},
        "encType": "SM4",
        "signType": "SM2",
        "timestamp": "1700000000000",
        "version": "2.0.1",
        "signData": "x",
        "extra": "y",
    }
    text = (
        f'appId={APP_ID}&data={{"orgCodg":"H00000000001","payOrdId":"ORD1"}}&encType=SM4'
        f"&signType=SM2&timestamp=1700000000000&version=2.0.1&key={SECRET}"
    )
    assert gm.sign_text(outer, SECRET) == text_of(outer, SECRET) == text


def test_standard_vectors() -> None:
    # GB/T 32907 example 1 and GB/T 32905 example 1.
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert gm._sm4(block, block, 0)[:16].hex() == "681edf34d206965e86b3e94f536e4246"
    digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert gm.sm3.sm3_hash(list(b"abc")) == digest


def test_two_libraries_agree_on_random_messages(proof_scale: ProofScale) -> None:
    for _ in range(proof_scale(1_000, least=40)):
        private, public = gm.key_pair()
        raw = bytes.fromhex(public)
        assert public_of(bytes.fromhex(private)) == raw
        text = secrets.token_urlsafe(secrets.randbelow(400) + 1) + "医"
        assert genuine(raw, text, gm.sign(text, private, public))
        theirs = sign(bytes.fromhex(private), raw, text)
        assert gm.genuine(text, theirs, public)
        assert not gm.genuine(text + "x", theirs, public)
        key = secrets.token_bytes(16)
        assert gm._sm4(key, text.encode(), 0) == sm4(key, text.encode())
    assert gmssl_pyx.SM2_DEFAULT_SIGNER_ID == gm.USER_ID


def test_a_key_that_begins_with_zero_or_four_keeps_its_digits() -> None:
    found = 0
    while found < 2:
        private, public = gm.key_pair()
        if public[0] in "04":
            found += 1
            assert gm.genuine("x", gm.sign("x", private, public), public)


def priced(hospital: MobileHospital, clinic: Clinic, number: str = "MO1") -> dict[str, str]:
    """An order of 100.00 in scope 100.00 (ten at 10.00): fund 60.00, account 5.00, cash 35.00."""
    psn_no = clinic.enrol(balance_fen=500)
    hospital.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000)
    auth = hospital.sandbox.act("nhsa", "authorise_pay", psn_no)["pay_auth_no"]
    saved = hospital.ok("uldFeeInfo", hospital.fees(psn_no, number, auth))
    ask = {
        "payAuthNo": auth,
        "payOrdId": saved["payOrdId"],
        "payToken": saved["payToken"],
        "orgCodg": "H33030000001",
        "acctUsedFlag": "1",
    }
    out = hospital.ok("pay_order", ask)
    assert (out["ordStas"], out["ownPayAmt"], out["psnAcctPay"], out["fundPay"]) == (
        "1", "35.00", "5.00", "60.00",
    )  # fmt: skip
    assert out["extData"]["preSetl"]["psn_cash_pay"] == "35.0"
    return {"payAuthNo": auth, **saved, "psn_no": psn_no}


def asked(order: dict[str, str]) -> dict[str, str]:
    return {
        "payOrdId": order["payOrdId"],
        "payToken": order["payToken"],
        "orgCodg": "H33030000001",
        "idNo": ADULT,
        "userName": "王芳",
        "idType": "01",
    }


def refund(order: dict[str, str], kind: str, number: str, *parts: str) -> dict[str, str]:
    fund, account, cash = parts
    total = sum(float(one) for one in parts)
    return {
        "payOrdId": order["payOrdId"],
        "appRefdSn": number,
        "appRefdTime": "20261120110000",
        "totlRefdAmt": f"{total:.2f}",
        "fundRefdAmt": fund,
        "psnAcctRefdAmt": account,
        "cashRefdAmt": cash,
        "payAuthNo": order["payAuthNo"],
        "refdType": kind,
    }


def test_an_order_is_confirmed_told_and_refunded(
    hospital: MobileHospital, clinic: Clinic, inbox: Inbox
) -> None:
    hospital.sandbox.act("nhsa", "set_rules", "H33030000001", callback_url=inbox.url)
    order = priced(hospital, clinic)
    done = hospital.sandbox.act("nhsa", "confirm_order", order["payOrdId"])
    assert done["ord_stas"] == 6
    told = hospital.opened(json.loads(inbox.await_count(1)[0].body))
    assert (told["ordStas"], told["ownpayAmt"], told["fundPay"]) == ("6", "35.00", "60.00")
    out = hospital.ok("query_order_info", asked(order))
    assert (out["ordStas"], out["setlType"], out["medOrgOrd"]) == ("6", "ALL", "MO1")
    assert clinic.fund()["fund"] == {"count": 1, "fen": 6_000}
    part = refund(order, "ALL", "R1", "60.00", "5.00", "34.00")
    assert "自费部分应等于" in hospital.refused("refund_Order", part)
    whole = refund(order, "ALL", "R1", "60.00", "5.00", "35.00")
    back = hospital.ok("refund_Order", whole)
    assert (back["refStatus"], bool(back["hiFefdSn"])) == ("SUCC", True)
    assert hospital.ok("refund_Order", whole) == back
    assert hospital.ok("query_order_info", asked(order))["ordStas"] == "7"
    assert clinic.fund()["fund"]["fen"] == clinic.fund()["own_account"]["fen"] == 0


def test_cash_goes_back_in_parts_and_insurance_whole(
    hospital: MobileHospital, clinic: Clinic
) -> None:
    order = priced(hospital, clinic)
    hospital.sandbox.act("nhsa", "confirm_order", order["payOrdId"])
    steps = [
        (refund(order, "CASH", "R1", "0", "0", "10.00"), "10"),
        (refund(order, "HI", "R2", "60.00", "5.00", "0"), "11"),
        (refund(order, "CASH", "R3", "0", "0", "25.00"), "7"),
    ]
    for wanted, state in steps:
        hospital.ok("refund_Order", wanted)
        assert hospital.ok("query_order_info", asked(order))["ordStas"] == state
    again = refund(order, "CASH", "R4", "0", "0", "0.01")
    assert "不正确" in hospital.refused("refund_Order", again)


def test_half_a_success_waits_for_an_operator(hospital: MobileHospital, clinic: Clinic) -> None:
    order = priced(hospital, clinic)
    hospital.sandbox.fault("mobile_order", "part_success", "nhsa", times=1, seed=0)
    done = hospital.sandbox.act("nhsa", "confirm_order", order["payOrdId"])
    assert done["ord_stas"] == 3
    assert clinic.fund()["open"] == {"count": 1, "fen": 10_000}
    hospital.ok("refund_Order", refund(order, "CASH", "R1", "0", "0", "35.00"))
    assert hospital.ok("query_order_info", asked(order))["ordStas"] == "7"
    assert clinic.fund()["settled"]["count"] == 0


def test_an_order_without_end_ends_when_the_fault_goes(
    hospital: MobileHospital, clinic: Clinic
) -> None:
    order = priced(hospital, clinic)
    fault = hospital.sandbox.fault("mobile_order", "never_final", "nhsa")
    hospital.sandbox.act("nhsa", "confirm_order", order["payOrdId"])
    out = hospital.ok("query_order_info", asked(order))
    assert out["ordStas"] == "2" and "fundPay" not in out
    hospital.sandbox.control("DELETE", f"faults/{fault}")
    assert hospital.ok("query_order_info", asked(order))["ordStas"] == "6"


def test_an_order_that_can_no_longer_be_settled_fails(
    hospital: MobileHospital, clinic: Clinic
) -> None:
    order = priced(hospital, clinic)
    hospital.sandbox.fault("mobile_order", "never_final", "nhsa")
    hospital.sandbox.act("nhsa", "confirm_order", order["payOrdId"])
    hospital.sandbox.act("nhsa", "set_coverage", order["psn_no"], psn_insu_stas="2")
    hospital.sandbox.control("DELETE", "faults")
    assert hospital.ok("query_order_info", asked(order))["ordStas"] == "15"
    assert clinic.fund()["settled"]["count"] == clinic.fund()["open"]["count"] == 0


def test_an_order_is_revoked_only_before_it_is_confirmed(
    hospital: MobileHospital, clinic: Clinic
) -> None:
    order = priced(hospital, clinic)
    assert hospital.ok("revoke_order", asked(order))["success"] == "true"
    assert hospital.ok("revoke_order", asked(order))["success"] == "true"
    late = hospital.sandbox.call(
        "POST",
        "/_control/act",
        {"actor": "nhsa", "action": "confirm_order", "subject": order["payOrdId"], "args": {}},
    )
    assert late.status_code == 400
    taken = hospital.fees(order["psn_no"], "MO2", order["payAuthNo"])
    assert hospital.refused("uldFeeInfo", taken) == "支付授权码已使用"


def test_what_is_not_the_hospitals_is_not_opened(hospital: MobileHospital, clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    fees = hospital.fees(psn_no, "MO1", "nobody")
    assert "授权码无效" in hospital.refused("uldFeeInfo", fees)
    assert "时间戳" in hospital.refused("uldFeeInfo", fees, timestamp="1700000000000")
    assert "appId" in hospital.refused("uldFeeInfo", fees, appId="x" * 32)
    outer = hospital.sealed(fees)
    spoilt = bytearray(base64.b64decode(outer["signData"]))
    spoilt[5] ^= 1
    outer["signData"] = base64.b64encode(bytes(spoilt)).decode()
    url = f"{hospital.own['base_url']}/org/local/api/hos/uldFeeInfo"
    answer = hospital.sandbox.call("POST", url.removeprefix(hospital.sandbox.url), outer).json()
    assert (answer["code"], answer["message"]) == ("9001", "验签失败")
    short = fees | {"medfeeSumamt": "99.00"}
    auth = hospital.sandbox.act("nhsa", "authorise_pay", psn_no)["pay_auth_no"]
    assert "与明细合计" in hospital.refused("uldFeeInfo", short | {"payAuthNo": auth})
