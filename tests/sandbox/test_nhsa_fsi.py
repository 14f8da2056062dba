from __future__ import annotations

import pytest

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.nhsa_client import ADULT, DRUG, EXCLUDED, SERVICE, Clinic


@pytest.fixture
def clinic(sandbox: Sandbox) -> Clinic:
    return Clinic(sandbox)


def test_a_person_is_read_with_every_row_of_insurance(clinic: Clinic) -> None:
    psn_no = clinic.enrol(balance_fen=12_345)
    clinic.sandbox.act("nhsa", "set_coverage", psn_no, insutype="390", psn_insu_stas="2")
    asked = {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": ADULT, "psn_name": "王芳"}}
    out = clinic.ok("1101", asked)
    assert out["baseinfo"]["psn_no"] == psn_no
    rows = {row["insutype"]: (row["psn_insu_stas"], row["balc"]) for row in out["insuinfo"]}
    assert rows == {"310": ("1", 123.45), "390": ("2", 0)}
    by_path = clinic.post_by_path("1101", asked).json()
    assert by_path["output"] == out
    other = {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": ADULT, "psn_name": "王方"}}
    assert "不一致" in clinic.refused("1101", other)


def test_a_visit_is_settled_and_cancelled_to_the_fen(clinic: Clinic) -> None:
    # 甲 10.00 and 乙 32.50 at 0.05 (1.63 ahead), 丙 1.00; nothing of the deductible left.
    psn_no = clinic.enrol(balance_fen=500)
    clinic.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000)
    visit = clinic.visit(psn_no, (SERVICE, "10.00"), (DRUG, "32.50"), (EXCLUDED, "1.00"))
    trial = clinic.ok("2206", clinic.asking(psn_no, visit, "43.50"))["setlinfo"]
    # In scope 40.87; 0.60 of it is 24.52.
    assert trial["inscp_scp_amt"] == 40.87
    assert (trial["preselfpay_amt"], trial["fulamt_ownpay_amt"]) == (1.63, 1.0)
    assert trial["fund_pay_sumamt"] == trial["hifp_pay"] == 24.52
    assert (trial["acct_pay"], trial["psn_cash_pay"], trial["balc"]) == (5.0, 13.98, 0.0)
    assert "setl_id" not in trial
    out = clinic.ok("2207", clinic.asking(psn_no, visit, "43.50", preselfpay_amt="1.63"))
    done = out["setlinfo"]
    assert done["medins_setl_id"] == clinic.sent["2207"]
    assert {k: done[k] for k in trial if k not in ("setl_time", "balc")} == {
        k: trial[k] for k in trial if k not in ("setl_time", "balc")
    }
    types = {row["fund_pay_type"]: row["fund_payamt"] for row in out["setldetail"]}
    assert types == {"310101": 24.52, "310201": 5.0}
    assert clinic.fund()["fund"] == {"count": 1, "fen": 2452}
    assert "已结算" in clinic.refused("2207", clinic.asking(psn_no, visit, "43.50"))

    cancel = {"data": {"setl_id": done["setl_id"], "mdtrt_id": visit, "psn_no": psn_no}}
    back = clinic.ok("2208", cancel)["setlinfo"]
    assert back["setl_id"] != done["setl_id"]
    assert (back["fund_pay_sumamt"], back["pdn_cash_pay"], back["acct_pay"]) == (-24.52, -13.98, -5)
    assert back["balc"] == 5.0
    assert "已撤销" in clinic.refused("2208", cancel)
    book = clinic.fund()
    assert (book["fund"]["fen"], book["own_account"]["fen"], book["reversed"]["fen"]) == (
        0,
        0,
        2952,
    )
    again = clinic.ok("2206", clinic.asking(psn_no, visit, "43.50"))["setlinfo"]
    assert again["psn_cash_pay"] == 13.98


def test_what_remains_after_a_return_costs_as_if_the_rest_had_never_been(clinic: Clinic) -> None:
    psn_no = clinic.enrol(balance_fen=0)
    first = clinic.visit(psn_no, (SERVICE, "10.00"), (DRUG, "2000.00"))
    setl_id = clinic.ok("2207", clinic.asking(psn_no, first, "2010.00"))["setlinfo"]["setl_id"]
    clinic.ok("2208", {"data": {"setl_id": setl_id, "mdtrt_id": first, "psn_no": psn_no}})
    clinic.ok("2205", {"data": {"mdtrt_id": first, "chrg_bchno": "0000", "psn_no": psn_no}})
    clinic.ok("2204", {"feedetail": [clinic.line(psn_no, first, DRUG, "2000.00")]})
    rest = clinic.ok("2207", clinic.asking(psn_no, first, "2000.00"))["setlinfo"]
    # 1,900.00 in scope, 600.00 deductible, 0.60 of 1,300.00.
    assert (rest["act_pay_dedc"], rest["hifp_pay"]) == (600.0, 780.0)
    year = clinic.ok("5206", {"data": {"psn_no": psn_no, "cum_ym": "202611"}})["cuminfo"]
    assert {row["cum_type_code"]: row["cum"] for row in year}["D310101"] == 780.0


def test_a_lost_settlement_is_undone_by_its_message_number(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"), balance_fen=2_000)
    clinic.sandbox.fault("settle", "system_error_after", "nhsa", times=1)
    lost = clinic.post("2207", clinic.asking(psn_no, visit, "10.00")).json()
    assert (lost["infcode"], lost["output"]) == (-1, None)
    msgid = clinic.sent["2207"]
    seen = clinic.ok("5203", {"data": {"psn_no": psn_no, "mdtrt_id": visit}})["setlinfo"]
    assert (seen["medins_setl_id"], seen["refd_setl_flag"]) == (msgid, "0")
    undo = {"data": {"psn_no": psn_no, "omsgid": msgid, "oinfno": "2207"}}
    assert "不一致" in clinic.refused("2601", {"data": undo["data"] | {"oinfno": "2208"}})
    clinic.ok("2601", undo)
    clinic.ok("2601", undo)
    assert clinic.ok("5203", {"data": {"psn_no": psn_no, "mdtrt_id": visit}})["setlinfo"] is None
    never = {"data": undo["data"] | {"omsgid": "H330300000012026112010050099999"[:30]}}
    assert clinic.refused("2601", never) == "未找到可冲正的交易"
    book = clinic.fund()
    assert (book["own_account"]["fen"], book["settled"]["count"]) == (0, 0)
    assert book["undone"]["count"] == 1
    done = clinic.ok("2207", clinic.asking(psn_no, visit, "10.00"))["setlinfo"]
    assert (done["acct_pay"], done["balc"]) == (10.0, 10.0)


def test_an_undone_cancellation_lets_the_settlement_stand_again(clinic: Clinic) -> None:
    psn_no, visit = clinic.ready((SERVICE, "10.00"), balance_fen=2_000)
    setl_id = clinic.ok("2207", clinic.asking(psn_no, visit, "10.00"))["setlinfo"]["setl_id"]
    clinic.ok("2208", {"data": {"setl_id": setl_id, "mdtrt_id": visit, "psn_no": psn_no}})
    undo = {"psn_no": psn_no, "omsgid": clinic.sent["2208"], "oinfno": "2208"}
    clinic.ok("2601", {"data": undo})
    assert clinic.fund()["own_account"] == {"count": 1, "fen": 1_000}
    assert "已结算" in clinic.refused("2207", clinic.asking(psn_no, visit, "10.00"))


def test_a_message_number_is_used_once_and_calls_come_in_order(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    visit = clinic.register(psn_no)
    line = {"feedetail": [clinic.line(psn_no, visit, SERVICE, "10.00")]}
    assert "2203A" in clinic.refused("2204", line)
    assert "2203A" in clinic.refused("2206", clinic.asking(psn_no, visit, "10.00"))
    clinic.describe(psn_no, visit)
    assert "2204" in clinic.refused("2206", clinic.asking(psn_no, visit, "10.00"))
    clinic.ok("2204", line, "MSG0001")
    assert clinic.refused("2204", line, "MSG0001") == "报文ID重复：MSG0001"
    assert "F" in clinic.refused("2204", line)


def test_bad_money_and_codes_are_refused_by_name(clinic: Clinic) -> None:
    psn_no = clinic.enrol()
    visit = clinic.register(psn_no)
    clinic.describe(psn_no, visit)
    unknown = [clinic.line(psn_no, visit, code, "1.00") for code in (SERVICE, "X1", "X2")]
    assert clinic.refused("2204", {"feedetail": unknown}).endswith("X1、X2")
    for spoilt in ({"cnt": "3"}, {"det_item_fee_sumamt": "1.005"}, {"pric": "-1"}, {"cnt": "NaN"}):
        bad = clinic.line(psn_no, visit, SERVICE, "1.00", **spoilt)
        clinic.refused("2204", {"feedetail": [bad]})
    assert clinic.ok("5204", {"data": {"psn_no": psn_no, "mdtrt_id": visit}})["feedetail"] == []
    clinic.ok("2204", {"feedetail": [clinic.line(psn_no, visit, SERVICE, "10.00")]})
    assert "10.01与明细合计10.00" in clinic.refused("2206", clinic.asking(psn_no, visit, "10.01"))
    echo = clinic.asking(psn_no, visit, "10.00", inscp_scp_amt="9.99")
    assert "预结算金额不匹配" in clinic.refused("2207", echo)
    assert clinic.fund()["settled"]["count"] == 0


def test_nobody_is_settled_with_the_credential_of_another(clinic: Clinic) -> None:
    other = "330300197901250011"
    clinic.enrol(other, name="张伟", sex="male", birth_date="1979-01-25")
    psn_no, visit = clinic.ready((SERVICE, "10.00"))
    fake = clinic.asking(psn_no, visit, "10.00", mdtrt_cert_no=other)
    assert clinic.refused("2206", fake) == "就诊凭证与参保人员不一致，不能结算"
    clinic.sandbox.act("nhsa", "set_coverage", psn_no, psn_insu_stas="2")
    assert "参保状态不正常" in clinic.refused("2207", clinic.asking(psn_no, visit, "10.00"))
    paused = {"psn_no": psn_no, "insutype": "310", "fixmedins_code": "H33030000001"}
    out = clinic.ok("2001", {"data": paused | {"med_type": "11", "begntime": "2026-11-20"}})
    assert out["trtinfo"][0]["trt_enjymnt_flag"] == "0"


def test_a_stranger_is_stopped_at_the_gate(clinic: Clinic) -> None:
    gate = clinic.sandbox.nhsa["gd"]["base_url"]
    body = clinic.envelope("1101", {"data": {}})
    headers = clinic.headers()
    spoilt = headers | {"x-tif-signature": "0" * 64}
    assert CLIENT.post(f"{gate}/1101", json=body, headers=spoilt).status_code == 401
    old = headers | {"x-tif-timestamp": "1700000000"}
    assert CLIENT.post(f"{gate}/1101", json=body, headers=old).status_code == 401
    assert CLIENT.post(f"{gate}/1101", json=body, headers=headers).json()["infcode"] == -2
    again = CLIENT.post(f"{gate}/1101", json=body, headers=headers)
    assert (again.status_code, again.json()["err_msg"]) == (401, "x-tif-nonce重复")
    assert CLIENT.post(f"{gate}/7777", json=body, headers=clinic.headers()).status_code == 404
    half = CLIENT.post(f"{gate}/1101", content=b'{"infno":', headers=clinic.headers())
    assert half.json()["err_msg"] == "报文不是JSON"
    for name in ("msgid", "mdtrtarea_admvs", "opter"):
        short = {key: value for key, value in body.items() if key != name}
        answer = CLIENT.post(f"{gate}/1101", json=short, headers=clinic.headers()).json()
        assert answer["err_msg"] == f"报文.{name}不能为空"


def test_a_settlement_may_differ_from_its_trial_when_told_to(clinic: Clinic) -> None:
    psn_no = clinic.enrol(balance_fen=300)
    clinic.sandbox.act("nhsa", "set_used", psn_no, deductible_fen=60_000)
    for seed, way in ((0, 1), (1, -1)):
        visit = clinic.visit(psn_no, (SERVICE, "100.00"))
        trial = clinic.ok("2206", clinic.asking(psn_no, visit, "100.00"))["setlinfo"]
        clinic.sandbox.fault("settle", "settle_differs", "nhsa", times=1, seed=seed)
        done = clinic.ok("2207", clinic.asking(psn_no, visit, "100.00"))["setlinfo"]
        assert (done["psn_cash_pay"] - trial["psn_cash_pay"]) * way > 0
        total = done["fund_pay_sumamt"] + done["acct_pay"] + done["psn_cash_pay"]
        assert round(total, 2) == 100.0


def test_an_operator_signs_in_and_out(clinic: Clinic) -> None:
    told = {"signIn": {"opter_no": "D001", "mac": "00-00", "ip": "127.0.0.1"}}
    number = clinic.ok("9001", told)["signinoutb"]["sign_no"]
    clinic.ok("9002", {"signOut": {"sign_no": number, "opter_no": "D001"}})
    assert "已签退" in clinic.refused("9002", {"signOut": {"sign_no": number, "opter_no": "D001"}})
