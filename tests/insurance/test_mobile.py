"""The mobile-pay centre on a real socket: envelope, orders, states, refunds, the callback."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.outcomes import Outcome
from insurance.gateway.base import GatewayFault, TimestampForm
from insurance.gateway.gm import SignatureRefused
from insurance.gateway.identities import IdentityBroken
from insurance.gateway.mobile import MobileCentre, orders
from insurance.gateway.mobile.bodies import camel
from insurance.gateway.mobile.results import callback_read, callback_reply
from insurance.gateway.mobile.states import ORDER_STATES, OrderClass, order_class
from insurance.gateway.mobile.values import (
    MobileBill,
    MobileOrder,
    MobileParts,
    MobileReference,
    MobileRefund,
    SettleKind,
)
from tests.insurance import centre, samples
from tests.insurance.conftest import Recorded

pytestmark = pytest.mark.django_db
REFERENCE = MobileReference("ORD1", "TOK1", samples.INSTITUTION, "测试人", "110101199001010015")
PARTS = MobileParts(2_344_246, 398_202, 17_004, 1_878_539, 50_501)
STATE = {
    "payOrdId": "ORD1", "ordStas": "6", "feeSumamt": "23442.46", "ownPayAmt": "3982.02",
    "psnAcctPay": "170.04", "fundPay": "18785.39", "hospPartAmt": "505.01", "medOrgOrd": "E1",
}  # fmt: skip


def bill(**values: Any) -> MobileBill:
    filled: dict[str, Any] = {
        "order_no": "E1",
        "visit": samples.visit(),
        "patient_name": "测试人",
        "id_number": "110101199001010015",
        "lines": [samples.line()],
        "batch_no": "B1",
        "total_fen": 452,
        "use_account": True,
        "institution_code": samples.INSTITUTION,
        "ended_at": samples.AT,
        "pay_auth_no": "AUTH1",
    }
    return MobileBill(**filled | values)


def sent(recorded: Recorded, call: Any, **profile: Any) -> Any:
    site = samples.site(mobile_url=f"{recorded.url}/nhsa/mobile", secrets=centre.SECRETS, **profile)
    content = MobileCentre().content(call, site, samples.stamp())
    assert content == MobileCentre().content(call, site, samples.stamp())
    return MobileCentre().send(call, site, samples.stamp(), content)


def test_lines_are_uploaded_under_our_order_number(recorded: Recorded) -> None:
    out = {"payOrdId": "ORD1", "payToken": "TOK1", "extData": '{"mdtrtId":"MD9"}'}
    recorded.answer(centre.answered(out))
    answer = sent(recorded, orders.fees_upload(bill()))
    assert (answer.known.pay_order_no, answer.known.mdtrt_id) == ("ORD1", "MD9")
    path, _headers, body = recorded.requests[0]
    assert path == "/nhsa/mobile/org/local/api/hos/uldFeeInfo"
    assert len(json.loads(body)["timestamp"]) == 13
    said = centre.opened(body)
    assert (said["medOrgOrd"], said["medfeeSumamt"], said["acctUsedFlag"]) == ("E1", "4.52", "1")
    assert said["feedetailList"][0]["detItemFeeSumamt"] == "4.52"
    assert "ecToken" not in said
    assert camel("det_item_fee_sumamt") == "detItemFeeSumamt"


def test_a_bill_has_one_consent_and_lines_that_make_it() -> None:
    for wrong in ({"token": "T"}, {"pay_auth_no": ""}):
        with pytest.raises(ValueError, match="either"):
            orders.fees_upload(bill(**wrong))
    with pytest.raises(IdentityBroken, match=r"4\.53.*4\.52"):
        orders.fees_upload(bill(total_fen=453))


def test_the_centres_own_form_of_time(recorded: Recorded) -> None:
    recorded.answer(centre.answered({"payOrdId": "ORD1", "payToken": "T"}))
    sent(recorded, orders.fees_upload(bill()), mobile_timestamp=TimestampForm.COMPACT)
    assert recorded.last["timestamp"] == "20261120100000"


def order_call(total_fen: int = 2_344_246, deposit_fen: int = 0) -> Any:
    return orders.order(
        MobileOrder(REFERENCE, "AUTH1", "E1", "B1", "MD1", True, total_fen, deposit_fen)
    )


def test_an_order_brings_the_trial_with_its_settlement(recorded: Recorded) -> None:
    data = STATE | {"ordStas": "1", "extData": {"preSetl": samples.INPATIENT}}
    recorded.answer(centre.answered(data))
    answer = sent(recorded, order_call())
    assert answer.outcome is Outcome.SUCCEEDED
    assert answer.known.state is OrderClass.OPEN
    assert answer.known.settlement.split.cash_fen == 398_202
    assert centre.opened(recorded.requests[0][2])["payAuthNo"] == "AUTH1"


@pytest.mark.parametrize(("change", "fault"), [
    ({"ownPayAmt": "3982.03"}, "IdentityBroken"),
    ({"hospPartAmt": None}, "IdentityBroken"),
    ({"payOrdId": "ORD2"}, "Different"),
    ({"extData": {"preSetl": samples.OUTPATIENT}}, "IdentityBroken"),
    ({"fundPay": "18785.390"}, "Unreadable"),
    ({"ownpayAmt": "1.00"}, "Different"),
    ({"setlType": "SOME"}, "UnknownCode"),
    ({"feeSumamt": None}, "Unreadable"),
])  # fmt: skip
def test_an_order_whose_money_is_not_one_whole_is_refused(
    recorded: Recorded, change: dict[str, Any], fault: str
) -> None:
    recorded.answer(centre.answered(STATE | change))
    answer = sent(recorded, order_call())
    assert (answer.outcome, answer.code, answer.executed) == (Outcome.UNKNOWN, fault, True)


def test_the_bill_and_the_deposit_are_compared(recorded: Recorded) -> None:
    recorded.answer(centre.answered(STATE))
    assert sent(recorded, order_call(2_344_247)).code == "IdentityBroken"
    recorded.answer(centre.answered(STATE))
    assert sent(recorded, order_call(deposit_fen=398_203)).code == "IdentityBroken"


@pytest.mark.parametrize(("code", "state", "outcome"), [
    ("2", OrderClass.OPEN, Outcome.PENDING),
    ("3", OrderClass.CASH_ONLY, Outcome.PENDING),
    ("4", OrderClass.FUND_ONLY, Outcome.PENDING),
    ("6", OrderClass.PAID, Outcome.SUCCEEDED),
    ("7", OrderClass.REFUNDED, Outcome.SUCCEEDED),
    ("12", OrderClass.CLOSED, Outcome.DECLINED),
    ("13", OrderClass.OPERATOR, Outcome.UNKNOWN),
    ("14", OrderClass.OPERATOR, Outcome.UNKNOWN),
    ("15", OrderClass.FAILED, Outcome.DECLINED),
    ("16", OrderClass.OPERATOR, Outcome.UNKNOWN),
    ("18", OrderClass.UNKNOWN, Outcome.UNKNOWN),
    ("25", OrderClass.UNKNOWN, Outcome.UNKNOWN),
    ("new", OrderClass.UNKNOWN, Outcome.UNKNOWN),
])  # fmt: skip
def test_every_status_says_what_is_to_be_done(
    recorded: Recorded, code: str, state: OrderClass, outcome: Outcome
) -> None:
    recorded.answer(centre.answered(STATE | {"ordStas": code}))
    answer = sent(recorded, orders.query(REFERENCE))
    assert (answer.outcome, answer.value.state) == (outcome, state)


def test_the_table_is_whole() -> None:
    assert set(ORDER_STATES) == {str(code) for code in range(18)}
    assert order_class("99") is OrderClass.UNKNOWN


def test_progress_may_come_without_amounts_but_paid_may_not(recorded: Recorded) -> None:
    recorded.answer(centre.answered({"payOrdId": "ORD1", "ordStas": 2}))
    assert sent(recorded, orders.query(REFERENCE)).value.parts is None
    recorded.answer(centre.answered({"payOrdId": "ORD1", "ordStas": 6}))
    assert sent(recorded, orders.query(REFERENCE)).code == "Unreadable"


def test_zeros_before_the_trial_are_no_amounts(recorded: Recorded) -> None:
    zeros = {"ownPayAmt": "0.00", "psnAcctPay": "0.00", "fundPay": "0.00", "hospPartAmt": "0.00"}
    recorded.answer(centre.answered(STATE | zeros | {"ordStas": 12}))
    answer = sent(recorded, orders.query(REFERENCE))
    assert (answer.outcome, answer.value.parts) == (Outcome.DECLINED, None)
    recorded.answer(centre.answered(STATE | zeros))
    assert sent(recorded, orders.query(REFERENCE)).code == "IdentityBroken"


def test_numbers_signed_as_numbers_and_as_texts_are_both_the_centres(recorded: Recorded) -> None:
    data = {"payOrdId": "ORD1", "ordStas": 2}
    recorded.answer(centre.answered(data))
    assert sent(recorded, orders.query(REFERENCE)).outcome is Outcome.PENDING
    recorded.answer(centre.answered(data, signed_as='{"ordStas":"2","payOrdId":"ORD1"}'))
    assert sent(recorded, orders.query(REFERENCE)).outcome is Outcome.PENDING


def test_an_answer_that_is_not_the_centres_is_believed_in_nothing(recorded: Recorded) -> None:
    forged = json.loads(centre.answered(STATE))
    forged["code"] = "00"
    other = json.loads(centre.answered(STATE))
    other["encData"] = json.loads(centre.answered(STATE | {"ordStas": "12"}))["encData"]
    foreign = json.loads(centre.answered(STATE)) | {"appId": "another"}
    bare = {name: v for name, v in json.loads(centre.answered(STATE)).items() if name != "signData"}
    for wrong in (forged, other, foreign, bare, {"code": "0", "success": True}):
        recorded.answer(json.dumps(wrong).encode())
        answer = sent(recorded, orders.query(REFERENCE))
        assert (answer.outcome, answer.value) == (Outcome.UNKNOWN, None)
    recorded.answer(b"<html/>")
    assert sent(recorded, orders.query(REFERENCE)).code == "UNREADABLE"


def test_a_refusal_counts_when_it_is_signed_or_moves_no_money(recorded: Recorded) -> None:
    recorded.answer(centre.answered({}, "4001", "授权码已失效", signed_as="{}"))
    answer = sent(recorded, order_call())
    assert (answer.outcome, answer.message) == (Outcome.DECLINED, "授权码已失效")
    unsigned = json.dumps({"code": "4001", "message": "参数错误"}).encode()
    recorded.answer(unsigned)
    assert sent(recorded, order_call()).outcome is Outcome.UNKNOWN
    recorded.answer(unsigned)
    assert sent(recorded, orders.fees_upload(bill())).outcome is Outcome.DECLINED


def refund_call(kind: SettleKind, cash_fen: int) -> Any:
    return orders.refund(
        MobileRefund("ORD1", "R1", samples.AT, kind, PARTS, cash_fen, pay_auth_no="AUTH1")
    )


@pytest.mark.parametrize(("status", "outcome"), [
    ("SUCC", Outcome.SUCCEEDED), ("FAIL", Outcome.DECLINED), ("EXP", Outcome.UNKNOWN),
])  # fmt: skip
def test_a_refund_gives_back_whole_parts(recorded: Recorded, status: str, outcome: Outcome) -> None:
    recorded.answer(centre.answered({"refdSn": "RS1", "hiFefdSn": "H1", "refStatus": status}))
    assert sent(recorded, refund_call(SettleKind.ALL, 398_202)).outcome is outcome
    said = centre.opened(recorded.requests[0][2])
    # The hospital's own part was never paid, so it is not given back.
    assert (said["totlRefdAmt"], said["cashRefdAmt"]) == ("22937.45", "3982.02")
    assert (said["refdType"], said["appRefdTime"]) == ("ALL", "20261120100000")


def test_no_part_of_the_insurance_is_refunded() -> None:
    with pytest.raises(IdentityBroken):
        refund_call(SettleKind.ALL, 398_201)
    with pytest.raises(IdentityBroken):
        refund_call(SettleKind.CASH, 398_203)
    assert refund_call(SettleKind.CASH, 1).input["totlRefdAmt"] == "0.01"
    fund = refund_call(SettleKind.FUND, 0).input
    assert (fund["cashRefdAmt"], fund["totlRefdAmt"]) == ("0.00", "18955.43")


def test_an_order_is_taken_away_before_the_settlement(recorded: Recorded) -> None:
    recorded.answer(centre.answered({"success": "true", "message": ""}))
    assert sent(recorded, orders.revoke(REFERENCE)).known is True
    recorded.answer(centre.answered({"success": "false", "message": "已结算"}))
    assert sent(recorded, orders.revoke(REFERENCE)).outcome is Outcome.UNKNOWN


def test_the_callback_is_read_only_when_it_is_the_centres() -> None:
    profile = replace(samples.profile(), secrets=centre.SECRETS)
    data = {**STATE, "setlType": "ALL", "traceTime": "20261120100000"}
    data["ownpayAmt"] = data.pop("ownPayAmt")
    data["extData"] = {"setlinfo": [samples.INPATIENT], "setldetail": []}
    found = callback_read(centre.answered(data), profile)
    assert (found.order_no, found.state, found.kind) == ("E1", OrderClass.PAID, SettleKind.ALL)
    assert found.settlement is not None and found.settlement.settlement_no == "S1"
    with pytest.raises(SignatureRefused):
        callback_read(json.dumps(data).encode(), profile)
    with pytest.raises(GatewayFault):
        callback_read(b"no json", profile)
    assert json.loads(callback_reply(accepted=True))["code"] == "0"
