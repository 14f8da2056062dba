"""The national envelope on a real socket: what is sent, and what each kind of answer means."""

from __future__ import annotations

import hashlib

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.models import OutboundCall
from core.outcomes import Outcome
from insurance.gateway.base import GatewayStyle
from insurance.gateway.claim_values import Reversal, SettlementReference
from insurance.gateway.nhsa import Nhsa, settlements
from insurance.gateway.profile import header_signature
from insurance.gateway.reading import Node, Unreadable, object_read
from tests.insurance import samples
from tests.insurance.conftest import Recorded

pytestmark = pytest.mark.django_db
OK = {"setlinfo": samples.OUTPATIENT, "setldetail": []}


def sent(recorded: Recorded, call: object = None, **profile: object) -> object:
    site = samples.site(base_url=f"{recorded.url}/nhsa/gd", **profile)
    call = call or settlements.settle(samples.order())
    content = Nhsa().content(call, site, samples.stamp())
    return Nhsa().send(call, site, samples.stamp(), content)


def test_the_envelope_has_the_fields_of_the_specification(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(OK))
    answer = sent(recorded)
    assert answer.outcome is Outcome.SUCCEEDED
    assert answer.message_no == samples.stamp().message_no
    said = recorded.last
    assert said == said | {
        "infno": "2207", "msgid": samples.stamp().message_no, "mdtrtarea_admvs": "440100",
        "insuplc_admdvs": "440100", "recer_sys_code": "01", "infver": "V1.0", "signtype": "SM3",
        "opter_type": "2", "opter": "KIOSK1", "opter_name": "自助机", "sign_no": "SIGN1",
        "inf_time": "2026-11-20 10:00:00", "fixmedins_code": samples.INSTITUTION,
        "fixmedins_name": "测试医院", "cainfo": "",
    }  # fmt: skip
    assert len(said["msgid"]) == 30
    assert said["input"]["data"]["medfee_sumamt"] == "4.52"
    assert said["input"]["data"]["mdtrt_cert_no"] == samples.TOKEN


def test_signed_headers_prove_who_asks(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(OK))
    sent(recorded)
    path, headers, _body = recorded.requests[0]
    stamp, nonce = headers["x-tif-timestamp"], headers["x-tif-nonce"]
    wanted = hashlib.sha256(f"{stamp}sandbox-key{nonce}{stamp}".encode()).hexdigest()
    assert headers["x-tif-signature"] == wanted == header_signature(stamp, "sandbox-key", nonce)
    assert (path, headers["x-tif-paasid"], len(nonce)) == ("/nhsa/gd/2207", "sandbox-paas", 32)


def test_the_other_style_has_a_path_and_a_key(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(OK))
    assert sent(recorded, style=GatewayStyle.PATH_KEY).outcome is Outcome.SUCCEEDED
    path, headers, _body = recorded.requests[0]
    assert path == "/nhsa/gd/fsi/api/outpatientSettleService/saveSettletmentV2"
    assert headers["apikey"] == "sandbox"


@pytest.mark.parametrize("code", [0, "0"])
def test_zero_is_success_as_number_and_as_text(recorded: Recorded, code: object) -> None:
    recorded.answer(samples.envelope(OK, code))
    assert sent(recorded).known.split.own_account_fen == 452


def test_a_refusal_carries_the_insurers_sentence_without_personal_data(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(None, -2, "参保人110101199001010015已停保"))
    answer = sent(recorded)
    assert answer.outcome is Outcome.DECLINED
    assert answer.message == "参保人***已停保"
    assert "已停保" in str(answer.sentence)


@pytest.mark.parametrize(("body", "status", "code"), [
    (samples.envelope(None, -1, "系统异常"), 200, "INFCODE_-1"),
    (samples.envelope(None, 7), 200, "INFCODE_7"),
    (samples.envelope(None, "-30"), 200, "INFCODE_-30"),
    (b"<html>gateway</html>", 200, "UNREADABLE"),
    (b"", 200, "UNREADABLE"),
    (b'{"output":{}}', 200, "UNREADABLE"),
    (b'{"infcode":0,"infcode":-2}', 200, "UNREADABLE"),
    (samples.envelope(OK), 500, "HTTP_500"),
    (samples.envelope(None, -2, "参数错误"), 404, "HTTP_404"),
])  # fmt: skip
def test_whatever_is_no_clear_answer_is_unknown(
    recorded: Recorded, body: bytes, status: int, code: str
) -> None:
    recorded.answer(body, status)
    answer = sent(recorded)
    assert (answer.outcome, answer.code, answer.executed) == (Outcome.UNKNOWN, code, None)


def test_silence_is_unknown_and_a_refused_connection_surely_not_executed(
    recorded: Recorded,
) -> None:
    recorded.silence()
    answer = sent(recorded)
    assert (answer.outcome, answer.code, answer.executed) == (Outcome.UNKNOWN, "NO_ANSWER", None)
    nowhere = Recorded(url="http://127.0.0.1:9")
    answer = sent(nowhere)
    assert (answer.outcome, answer.code, answer.executed) == (Outcome.UNKNOWN, "NOT_SENT", False)
    # A query that never left says nothing about the settlement.
    wanted = SettlementReference(samples.PERSON, "MD1", "440100")
    assert sent(nowhere, settlements.settle_query(wanted)).executed is None


@pytest.mark.parametrize(("change", "fault"), [
    ({"psn_cash_pay": "0.01"}, "IdentityBroken"),
    ({"medfee_sumamt": "4.520"}, "Unreadable"),
    ({"medfee_sumamt": "1e3"}, "Unreadable"),
    ({"medfee_sumamt": None}, "Unreadable"),
    ({"insutype": "777"}, "UnknownCode"),
    ({"insutype": "390"}, "Different"),
    ({"psn_no": "another"}, "Different"),
    ({"mdtrt_id": "another"}, "Different"),
    ({"setl_id": ""}, "Unreadable"),
    ({"refd_setl_flag": "maybe"}, "UnknownCode"),
    ({"acct_mulaid_pay": "4.53"}, "OutOfRange"),
])  # fmt: skip
def test_a_settlement_that_cannot_be_believed_did_happen(
    recorded: Recorded, change: dict[str, object], fault: str
) -> None:
    recorded.answer(samples.envelope({"setlinfo": samples.OUTPATIENT | change}))
    answer = sent(recorded)
    assert (answer.outcome, answer.code, answer.executed) == (Outcome.UNKNOWN, fault, True)
    assert answer.fault is not None and str(answer.fault) == answer.message
    with pytest.raises(ValueError, match="no value"):
        _ = answer.known


def test_the_settled_bill_is_the_one_that_was_sent(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(OK))
    answer = sent(recorded, settlements.settle(samples.order(453)))
    assert answer.code == "IdentityBroken"
    assert "4.52" in answer.message and "4.53" in answer.message


def test_an_account_that_was_not_to_be_used_stays_untouched(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(OK))
    answer = sent(recorded, settlements.settle(samples.order(use_account=False)))
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, "Different")


def test_nothing_to_reverse_is_an_answer_of_its_own(recorded: Recorded) -> None:
    call = settlements.reverse(samples.PERSON, message_no="M1", code="2207", insured_area="440100")
    recorded.answer(samples.envelope(None, -2, "未找到对应的交易"))
    answer = sent(recorded, call)
    assert (answer.outcome, answer.value) == (Outcome.SUCCEEDED, Reversal.NOTHING)
    assert recorded.last["input"]["data"] == {
        "psn_no": samples.PERSON, "omsgid": "M1", "oinfno": "2207",
    }  # fmt: skip
    recorded.answer(samples.envelope(None, -2, "该笔业务已清算"))
    assert sent(recorded, call).outcome is Outcome.DECLINED
    recorded.answer(samples.envelope(None, -2, "冲正窗口已关闭"))
    answer = sent(recorded, call, nothing_texts=("冲正窗口已关闭",))
    assert answer.value is Reversal.NOTHING
    recorded.answer(samples.envelope({}))
    assert sent(recorded, call).value is Reversal.REVERSED


def test_the_call_is_recorded_without_token_and_person(recorded: Recorded) -> None:
    recorded.answer(samples.envelope(OK))
    sent(recorded)
    row = OutboundCall.objects.get()
    assert (row.counterparty, row.operation) == ("nhsa", "settle")
    shown = row.request_body + row.response_body + str(row.request_headers)
    assert samples.PERSON not in shown
    assert samples.TOKEN not in shown
    assert "测试人" not in shown


def test_a_missing_secret_names_itself() -> None:
    with pytest.raises(ImproperlyConfigured, match="440100: secret secret_key"):
        sent(Recorded(url="http://127.0.0.1:9"), secrets={})


def test_reading_refuses_nested_scalars() -> None:
    node = Node(object_read(b'{"a": {"b": 1}, "n": 12.30, "t": true, "z": null}'))
    with pytest.raises(Unreadable):
        node.text("a")
    assert (node.text("n"), node.text("t"), node.text("z")) == ("12.30", "1", "")
    with pytest.raises(Unreadable):
        object_read(b'{"a": NaN}')
