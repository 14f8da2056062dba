"""Whatever arrives, the platform answers in its own words and has done nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.nhsa_client import ADULT, AT, SERVICE, Clinic

INFNOS = (
    "9001", "9002", "9101", "9102", "1101", "1162", "2001", "2201", "2202", "2203A", "2204", "2205",
    "2206", "2207", "2208", "2501", "2502", "2503", "2504", "2601", "3101", "3102", "3201", "3202",
    "5203", "5204", "5206", "5301",
)  # fmt: skip
NODES = (
    "data", "signIn", "signOut", "fsUploadIn", "fsDownloadIn", "mdtrtinfo", "diseinfo", "feedetail",
    "refmedin",
)  # fmt: skip
NASTY: tuple[Any, ...] = (
    None, "", " ", 0, -1, 1e308, True, [], {}, [[]], [None], {"a": {}}, "x" * 5000, "\0", "’; --",
    "99999999999999", "0.0000001", "1e5", "NaN", "9999-12-31", "0001-01-01 00:00:00", "２０",
    "\u202e", "2026-02-30",
)  # fmt: skip


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def known(clinic: Clinic) -> dict[str, Any]:
    """Every field a call may want, right; so that one wrong value goes deep."""
    psn_no, visit = clinic.ready((SERVICE, "10.00"))
    line = clinic.line(psn_no, visit, SERVICE, "1.00", chrg_bchno="B9")
    return (
        line
        | clinic.asking(psn_no, visit, "10.00")["data"]
        | clinic.described(psn_no, visit)["diseinfo"][0]
        | {
            "opter_no": "D001", "sign_no": "1", "filename": "a.zip", "in": "QQ==",
            "fixmedins_code": clinic.own["fixmedins_code"], "file_qury_no": "x", "begntime": AT,
            "ecQrCode": "0" * 28, "ipt_otp_no": "N1", "atddr_no": "D1", "dr_name": "李",
            "dept_code": "A03", "dept_name": "内科", "caty": "A03", "setl_id": "S1",
            "omsgid": "M1", "oinfno": "2207", "tel": "1", "mdtrtarea_admdvs": "440300",
            "refl_type": "1", "begndate": "2026-11-20", "trt_dcla_detl_sn": "B1",
            "opsp_dise_code": "M1", "opsp_dise_name": "x", "diag_dr_codg": "D1",
            "hosp_ide_date": "2026-11-20", "syscode": "H", "trig_scen": "2", "clr_type": "11",
            "setl_optins": "330300", "stmt_begndate": "2026-11-20", "stmt_enddate": "2026-11-20",
            "fund_pay_sumamt": "0", "acct_pay": "0", "cash_payamt": "0", "fixmedins_setl_cnt": "0",
            "cum_ym": "202611", "psn_name": "王芳", "certno": ADULT,
        }
    )  # fmt: skip


def test_no_value_breaks_a_transaction(clinic: Clinic) -> None:
    right, draw = known(clinic), random.Random(7)
    for infno in INFNOS:
        for bad in NASTY:
            spoilt = right | {draw.choice(sorted(right)): bad for _ in range(2)}
            given: dict[str, Any] = dict.fromkeys(NODES, spoilt)
            given["diseinfo"] = given["feedetail"] = [spoilt]
            answer = clinic.post(infno, given)
            assert answer.status_code == 200, (infno, bad, answer.text[:300])
            if answer.headers["content-type"].startswith("application/json"):
                assert answer.json()["infcode"] in (0, -2), (infno, bad)


def test_no_input_breaks_an_envelope(clinic: Clinic) -> None:
    for infno in INFNOS:
        for bad in ({}, {"data": []}, {"data": "x"}, {"data": {}}):
            assert clinic.post(infno, bad).json()["infcode"] == -2
    deep = b"[" * 100_000
    for address in ("gd/1101", "ec", "mobile/org/local/api/hos/pay_order"):
        url = f"{clinic.sandbox.url}/nhsa/{address}"
        for body in (deep, b"", b"\xff\xfe", b"[]", b'{"appId":1}', b"null"):
            headers = clinic.headers() if address.startswith("gd") else {}
            assert CLIENT.post(url, content=body, headers=headers).status_code == 200
        assert CLIENT.get(url).status_code in (200, 404, 405)


def test_a_fee_has_an_end(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    visit = clinic.register(psn_no)
    clinic.describe(psn_no, visit)
    most = "99999999.00"
    line = clinic.line(psn_no, visit, SERVICE, most, pric=most)
    assert "过大" in clinic.refused("2204", {"feedetail": [line | {"pric": "999999999"}]})
    assert "过大" in clinic.refused(
        "2204", {"feedetail": [line | {"det_item_fee_sumamt": "100000000.00"}]}
    )
    clinic.ok("2204", {"feedetail": [line]})
    done = clinic.ok("2207", clinic.asking(psn_no, visit, most))["setlinfo"]
    assert done["medfee_sumamt"] == float(most)
